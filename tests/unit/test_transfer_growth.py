"""How many lanes the engine has, over lines of different kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.transfer.growth import Growth

if TYPE_CHECKING:
    from collections.abc import Callable


def lanes_over_time(rate: Callable[[int, float], float], seconds: float) -> list[int]:
    growth, now, seen = Growth(2, 10), 0.0, []
    while now < seconds:
        seen.append(growth.lanes)
        now += 0.5
        growth.measured(rate(growth.lanes, now), now)
    return seen


def test_slow_connections_get_all_lanes_soon() -> None:
    assert lanes_over_time(lambda lanes, _: lanes * 68, 3) == [2, 4, 8, 10, 10, 10]


def test_a_full_line_keeps_few_lanes_and_tries_more_seldom() -> None:
    seen = lanes_over_time(lambda lanes, _: 700 - 20 * lanes, 60)
    assert seen[:3] == [2, 4, 2]
    assert set(seen) == {2, 4}
    assert 4 <= seen.count(4) <= 6


def test_a_limit_in_between_is_found() -> None:
    seen = lanes_over_time(lambda lanes, _: min(lanes, 4) * 100, 4)
    assert seen[:5] == [2, 4, 8, 4, 4]


def test_a_line_that_becomes_slower_gets_more_lanes_later() -> None:
    def rate(lanes: int, now: float) -> float:
        return 700 if now < 3 else lanes * 20

    assert lanes_over_time(rate, 30)[-1] == 10


def test_never_more_than_there_is_room_for() -> None:
    assert Growth(2, 1).lanes == 1
