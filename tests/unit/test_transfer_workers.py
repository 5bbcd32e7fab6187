"""How many workers a transfer has, over networks of different kinds; and the size of its blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.transfer.connections import BLOCK, next_block
from llm_widgets.transfer.workers import WorkerCount

if TYPE_CHECKING:
    from collections.abc import Callable

PER_BYTE = 1.4 / 1000  # seconds of processor time for a megabyte


def workers_over_time(rate: Callable[[int, float], float], seconds: float) -> list[int]:
    count, now, seen = WorkerCount(2, 10), 0.0, []
    while now < seconds:
        seen.append(count.workers)
        now += 0.5
        moved = rate(count.workers, now)
        count.measured(moved, moved * PER_BYTE, now)
    return seen


def test_slow_connections_get_all_workers_at_once() -> None:
    assert workers_over_time(lambda workers, _: workers * 10, 2) == [2, 10, 10, 10]


def test_where_the_processor_limits_few_workers_stay_and_more_are_tried_seldom() -> None:
    seen = workers_over_time(lambda workers, _: 900 - 20 * workers, 120)
    assert seen[:8] == [2] * 8
    assert 2 <= seen.count(10) <= 5
    assert seen[-1] == 2


def test_more_workers_that_are_faster_stay_on_a_busy_processor() -> None:
    seen = workers_over_time(lambda workers, _: workers * 200, 120)
    assert seen.index(10) <= 10
    assert seen[12:].count(10) > 0.95 * len(seen[12:])


def test_few_workers_that_are_slower_are_given_up_and_tried_seldom() -> None:
    seen = workers_over_time(lambda workers, _: workers * 60, 120)
    assert seen[:2] == [2, 10]
    assert seen.count(10) > 0.95 * len(seen)
    assert 2 <= seen.count(2) <= 6


def test_few_workers_are_taken_where_all_have_become_worse() -> None:
    def rate(workers: int, now: float) -> float:
        return workers * 20 if now < 3 else 900 - 20 * workers

    assert workers_over_time(rate, 20)[-1] == 2


def test_a_line_that_becomes_slow_gets_all_workers() -> None:
    def rate(workers: int, now: float) -> float:
        return 800 if now < 3 else workers * 20

    assert workers_over_time(rate, 10)[-1] == 10


def test_never_more_than_there_is_room_for() -> None:
    assert WorkerCount(2, 1).workers == 1


def test_blocks_of_a_fast_line_are_large_and_those_of_a_slow_one_small() -> None:
    def after(rate: float) -> int:
        size = BLOCK
        for _ in range(10):
            size = next_block(size, size / rate)
        return size

    assert after(500e6) == BLOCK
    assert after(60e3) <= 1 << 16
