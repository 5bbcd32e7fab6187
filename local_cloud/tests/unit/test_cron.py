"""Schedules in the notation of cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local_cloud.google import cron

NOW = datetime(2026, 12, 3, 17, 59, 30, tzinfo=UTC)


def following(schedule: str, zone: str = "", moment: datetime = NOW) -> str:
    found = cron.read(schedule, zone).after(moment)
    return f"{found:%Y-%m-%d %H:%M}" if found else ""


@pytest.mark.parametrize(
    ("schedule", "found"),
    [
        ("0 18 3 12 *", "2026-12-03 18:00"),
        ("59 17 3 12 *", "2027-12-03 17:59"),  # just over: it comes again in a year
        ("* * * * *", "2026-12-03 18:00"),
        ("*/15 9-17 * * mon-fri", "2026-12-04 09:00"),
        ("30 6 1,15 * *", "2026-12-15 06:30"),
        ("0 0 29 feb *", "2028-02-29 00:00"),
        ("0 0 13 * 5", "2026-12-04 00:00"),  # the 13th, or any Friday
        ("0 0 * * 7", "2026-12-06 00:00"),  # 7 is Sunday, too
        ("0 0 30 2 *", ""),
    ],
)
def test_when_it_comes_next(schedule: str, found: str) -> None:
    assert following(schedule) == found


def test_a_time_zone_has_summer() -> None:
    assert following("0 18 * * *", "Europe/Berlin") == "2026-12-04 17:00"
    summer = datetime(2026, 7, 1, tzinfo=UTC)
    assert following("0 18 * * *", "Europe/Berlin", summer) == "2026-07-01 16:00"


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* * 0 * *",
        "* * * 13 *",
        "*/0 * * * *",
        "5-1 * * * *",
        "x * * * *",
    ],
)
def test_what_is_none(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        cron.read(schedule, "")


@pytest.mark.parametrize("zone", ["Nowhere/City", "../../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        cron.read("* * * * *", zone)
