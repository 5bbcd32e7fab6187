"""How many lanes the engine has, over lines of different kinds; and the size of its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.transfer.connections import BLOCK, next_block
from llm_widgets.transfer.worker_count import LaneCount

if TYPE_CHECKING:
    from collections.abc import Callable

PER_BYTE = 1.4 / 1000  # seconds of processor time for a megabyte


def lanes_over_time(rate: Callable[[int, float], float], seconds: float) -> list[int]:
    count, now, seen = LaneCount(2, 10), 0.0, []
    while now < seconds:
        seen.append(count.lanes)
        now += 0.5
        moved = rate(count.lanes, now)
        count.measured(moved, moved * PER_BYTE, now)
    return seen


def test_slow_connections_get_all_lanes_at_once() -> None:
    assert lanes_over_time(lambda lanes, _: lanes * 10, 2) == [2, 10, 10, 10]


def test_where_the_processor_limits_few_lanes_stay_and_more_are_tried_seldom() -> None:
    seen = lanes_over_time(lambda lanes, _: 900 - 20 * lanes, 120)
    assert seen[:8] == [2] * 8
    assert 2 <= seen.count(10) <= 5
    assert seen[-1] == 2


def test_more_lanes_that_are_faster_stay_on_a_busy_processor() -> None:
    seen = lanes_over_time(lambda lanes, _: lanes * 200, 120)
    assert seen.index(10) <= 10
    assert seen[12:].count(10) > 0.95 * len(seen[12:])


def test_few_lanes_that_are_slower_are_given_up_and_tried_seldom() -> None:
    seen = lanes_over_time(lambda lanes, _: lanes * 60, 120)
    assert seen[:2] == [2, 10]
    assert seen.count(10) > 0.95 * len(seen)
    assert 2 <= seen.count(2) <= 6


def test_few_lanes_are_taken_where_all_have_become_worse() -> None:
    def rate(lanes: int, now: float) -> float:
        return lanes * 20 if now < 3 else 900 - 20 * lanes

    assert lanes_over_time(rate, 20)[-1] == 2


def test_a_line_that_becomes_slow_gets_all_lanes() -> None:
    def rate(lanes: int, now: float) -> float:
        return 800 if now < 3 else lanes * 20

    assert lanes_over_time(rate, 10)[-1] == 10


def test_never_more_than_there_is_room_for() -> None:
    assert LaneCount(2, 1).lanes == 1


def test_blocks_of_a_fast_line_are_large_and_those_of_a_slow_one_small() -> None:
    def after(rate: float) -> int:
        size = BLOCK
        for _ in range(10):
            size = next_block(size, size / rate)
        return size

    assert after(500e6) == BLOCK
    assert after(60e3) <= 1 << 16
