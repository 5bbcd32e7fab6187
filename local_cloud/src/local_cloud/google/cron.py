"""Schedules in the notation of unix-cron, and when they come next.

Source: https://docs.cloud.google.com/scheduler/docs/configuring/cron-job-schedules, December 2026.
A schedule has no year: what names a day comes again each year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_FIELDS = 5
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_LONGEST = 8 * 366
"""Days to look ahead: February 29 may be eight years away."""


@dataclass(frozen=True)
class Schedule:
    """Minutes, hours, days of the month, months and days of the week (0 is Sunday) of a schedule.

    Where both kinds of days are restricted, either is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either: bool
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, in UTC; None if there is none for eight years."""
        here = moment.astimezone(self.zone)
        for ahead in range(_LONGEST):
            day = here.date() + timedelta(days=ahead)
            if not self._has(day):
                continue
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    found = datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)
                    if found > moment:
                        return found
        return None

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_date = day.day in self.days
        by_week = day.isoweekday() % 7 in self.weekdays
        return by_date or by_week if self.is_either else by_date and by_week


def read(schedule: str, zone: str) -> Schedule:
    """Read a schedule in a time zone; an empty one is UTC.

    Raises
    ------
    ValueError
        Either is not valid.

    """
    parts = schedule.lower().split()
    if len(parts) != _FIELDS:
        raise ValueError(f"{schedule!r} has not five fields")
    minutes, hours, days, months, weekdays = parts
    return Schedule(
        _numbers(minutes, 0, 59),
        _numbers(hours, 0, 23),
        _numbers(days, 1, 31),
        _numbers(months, 1, 12, _MONTHS),
        frozenset(number % 7 for number in _numbers(weekdays, 0, 7, _DAYS)),
        days != "*" and weekdays != "*",
        _zone(zone),
    )


def _numbers(text: str, first: int, last: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no part of a schedule")
        whole, start, end, step = match.groups()
        low = first if whole == "*" else _number(start, first, names)
        high = last if whole == "*" or (step and not end) else low
        if end:
            high = _number(end, first, names)
        if not first <= low <= high <= last or step == "0":
            raise ValueError(f"{part!r} is out of range")
        found |= set(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, first: int, names: tuple[str, ...]) -> int:
    return names.index(text) + first if text in names else int(text)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo("UTC" if name.lower() in {"", "utc"} else name)
    except (OSError, LookupError, ValueError) as error:  # no file of the database, or beyond it
        raise ValueError(f"{name!r} is no time zone") from error
