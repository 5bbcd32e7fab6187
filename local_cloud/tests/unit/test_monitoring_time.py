"""Which points of a series lie in the time that is asked for."""

from __future__ import annotations

import pytest

from local_cloud.google.monitoring import within
from local_cloud.metrics import Point

MINUTES = (Point(0, 59, 3.0), Point(60, 61, 4.0))


@pytest.mark.parametrize(
    ("end", "now", "found"),
    [
        pytest.param(61, 61, [*MINUTES], id="all of it"),
        pytest.param(60.5, 61, [MINUTES[0], Point(60, 60.5, 4.0)], id="grown since it was asked"),
        pytest.param(60.5, 121, [MINUTES[0]], id="over, and longer than asked for"),
        pytest.param(59, 61, [MINUTES[0]], id="before it"),
    ],
)
def test_the_minute_under_way_is_told_as_far_as_it_has_come(
    end: float, now: float, found: list[Point]
) -> None:
    assert list(within(MINUTES, 0, end, now)) == found
