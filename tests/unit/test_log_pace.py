"""How often logs are read, by a clock that the test moves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from llm_widgets.manager.log_pace import CALM, LIMIT, LONGEST, QUICK, Pace

MINUTE = 60
TICK = 1.0  # seconds, as the tail looks whether a read is due


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Page:
    """A page that reads when it is time to; the times are kept."""

    clock: Clock
    seed: int
    reads: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        self.pace = Pace(self.clock, lambda: chance.uniform(-1, 1))

    def tick(self) -> None:
        if self.pace.is_due:
            self.reads.append(self.clock.now)
            self.pace.read()


def run(clock: Clock, pages: list[Page], seconds: float) -> None:
    end = clock.now + seconds
    while clock.now < end:
        clock.now += TICK
        for page in pages:
            page.tick()


def most_in_a_minute(pages: list[Page]) -> int:
    times = sorted(time for page in pages for time in page.reads)
    return max(sum(start <= time < start + MINUTE for time in times) for start in times)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("is_changing", [False, True])
def test_three_pages_take_at_most_half_of_what_a_project_may_read(
    seed: int,
    is_changing: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    clock = Clock()
    pages = [Page(clock, 3 * seed + number) for number in range(3)]
    for page in pages:
        page.pace.changing(is_changing=is_changing)
    run(clock, pages, 10 * MINUTE)
    assert most_in_a_minute(pages) <= LIMIT / 2
    assert all(page.reads[0] == TICK for page in pages)  # the first read does not wait


def test_a_settled_service_is_read_four_times_a_minute() -> None:
    clock = Clock()
    page = Page(clock, 1)
    page.pace.changing(is_changing=True)
    run(clock, [page], 5 * MINUTE)
    page.pace.changing(is_changing=False)
    run(clock, [page], MINUTE)  # entries may be late
    before = len(page.reads)
    run(clock, [page], 10 * MINUTE)
    assert 36 <= len(page.reads) - before <= 42
    page.pace.changing(is_changing=True)
    last = page.reads[-1]
    run(clock, [page], CALM)
    assert page.reads[-1] - last < CALM + QUICK
    assert page.pace.seconds == QUICK


def test_one_read_too_many_slows_down_and_one_that_is_answered_speeds_up() -> None:
    clock = Clock()
    pace = Pace(clock, lambda: 0.0)
    pace.changing(is_changing=True)
    pace.refused(45)
    assert (pace.is_slowed, pace.seconds) == (True, 45)
    clock.now = 44.0
    assert not pace.is_due
    clock.now = 45.0
    assert pace.is_due
    pace.refused()
    assert pace.seconds == 90
    for _ in range(5):
        pace.refused()
    assert pace.seconds == LONGEST
    told = []
    while pace.is_slowed:
        pace.read()
        told.append(pace.seconds)
    assert told == [120, 60, 30, 15, 7.5, QUICK]
    pace.refused()
    assert pace.seconds == 2 * QUICK


def test_pages_that_were_opened_together_go_apart() -> None:
    clock = Clock()
    pages = [Page(clock, seed) for seed in (1, 2)]
    run(clock, pages, 10 * MINUTE)
    assert set(pages[0].reads) != set(pages[1].reads)
