"""When a service is to be paused by itself: kept with it, so that everybody sees it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from llm_widgets.domain import pausing
from llm_widgets.domain.pausing import PAUSED_ANNOTATION, Pause

if TYPE_CHECKING:
    from collections.abc import Mapping

LEASE_ANNOTATION = "llm-manager/lease"
"""Annotation of a service that is to be paused; see :func:`written`."""

SOONEST = timedelta(minutes=2)
"""What Cloud Scheduler is told later than this before its time might be a year late."""

LATEST = timedelta(days=90)
"""Schedules have no year: it must be far less than one."""

_SCHEDULED = "isScheduled"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Lease:
    """That a service is to be paused.

    Attributes
    ----------
    at, by
        When, in UTC, and who said so.
    least, most
        The service's own minimum and maximum, to resume it with; ``None`` where it has none.
    is_scheduled
        Whether Cloud Scheduler does it; else it is only told.
    """

    at: datetime
    by: str = ""
    least: int | None = None
    most: int | None = None
    is_scheduled: bool = False

    @property
    def pause(self) -> Pause:
        """What is known of the pause that comes of it."""
        return Pause(self.at, self.by, self.least, self.most)

    def text(self, now: datetime) -> str:
        """When and by whom, in words; what is not done by itself is never promised."""
        when = f"{self.at:%Y-%m-%d %H:%M} UTC" + (f", by {self.by}" if self.by else "")
        if not self.is_scheduled:
            due = "was due" if self.at <= now else "due"
            return f"Pause {due} at {when}. Nothing pauses it automatically."
        if self.at <= now:
            return f"Should have paused at {when}"
        return f"Pauses at {when}"


def written(lease: Lease) -> str:
    """Write a lease as the annotation: that of its pause, and whether it is scheduled."""
    told = json.loads(pausing.written(lease.pause))
    return json.dumps({**told, _SCHEDULED: lease.is_scheduled})


def read(annotations: Mapping[str, str]) -> Lease | None:
    """Read the lease of a service; ``None`` where there is none, or none that can be read."""
    text = annotations.get(LEASE_ANNOTATION, "")
    pause = pausing.read(text)
    if pause.at is None:
        return None
    is_scheduled = json.loads(text).get(_SCHEDULED) is True
    return Lease(pause.at, pause.by, pause.least, pause.most, is_scheduled)


def pause_of(annotations: Mapping[str, str], now: datetime) -> Pause:
    """Return what the annotations of a paused service tell of its pause.

    Cloud Scheduler stops it and writes nothing: what is to come back is in the lease.
    """
    lease = read(annotations)
    if PAUSED_ANNOTATION in annotations or lease is None:
        return pausing.read(annotations.get(PAUSED_ANNOTATION, ""))
    if lease.at <= now:
        return lease.pause
    return Pause(least=lease.least, most=lease.most)  # stopped before, by others


def schedule(at: datetime) -> str:
    """Return a time as Cloud Scheduler takes it, in UTC."""
    moment = at.astimezone(UTC)
    return f"{moment.minute} {moment.hour} {moment.day} {moment.month} *"


def problem(at: datetime, now: datetime) -> str:
    """Return why a service can't be paused at a time; empty where it can."""
    if at <= now:
        return f"{at:%Y-%m-%d %H:%M} UTC is over."
    if at - now < SOONEST:
        return "That is in less than two minutes."
    if at - now > LATEST:
        return f"That is in more than {LATEST.days} days."
    return ""


def whole(at: datetime) -> datetime:
    """Return a time in UTC at a whole minute, not before the one that is given."""
    moment = at.astimezone(UTC)
    cut = moment.replace(second=0, microsecond=0)
    return cut if cut == moment else cut + timedelta(minutes=1)


def after(text: str) -> timedelta:
    """Read how long a service runs on, such as ``4h``, ``90m`` or ``2d``.

    Raises
    ------
    ValueError
        It is not that; one sentence.
    """
    match = re.fullmatch(r"(\d{1,4})\s*([mhd])", text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 4h, 90m or 2d.")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def moment(text: str, now: datetime) -> datetime:
    """Read when a service is to be paused: ``18:00``, next time it is that, or a date and time.

    Parameters
    ----------
    now
        In the time zone of what has none.

    Raises
    ------
    ValueError
        It is neither; one sentence.
    """
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", text.strip()):
            hour, minute = text.strip().split(":")
            clock = time(int(hour), int(minute))
            found = datetime.combine(now.date(), clock, now.tzinfo)
            return found if found > now else found + timedelta(days=1)
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a time such as 18:00 or 2026-12-24T18:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)
