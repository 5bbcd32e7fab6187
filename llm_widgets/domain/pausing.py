"""A service that is paused: since when, by whom, and what it goes back to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PAUSED_ANNOTATION = "llm-manager/paused"
"""Annotation of a service that is paused; see :func:`written`."""

MANUAL = "MANUAL"
AUTOMATIC = "AUTOMATIC"
"""Values of ``scaling.scalingMode``."""

DEFAULT_MAX = 100
"""Most instances where neither the service nor its template says anything (Cloud Run's page on
maximum instances)."""

_LONGEST = 1_000  # characters of the annotation
_LONGEST_NAME = 256
_MOST_INSTANCES = 10_000  # beyond any limit of Cloud Run
_COUNTS = ("minInstanceCount", "maxInstanceCount")


@dataclass(frozen=True, slots=True)
class Pause:
    """What is known of a pause.

    Attributes
    ----------
    at, by
        Since when, and by whom; ``None`` and empty where the service was stopped by other means.
    least, most
        The service's own minimum and maximum before; ``None`` where it had none.
    """

    at: datetime | None = None
    by: str = ""
    least: int | None = None
    most: int | None = None

    @property
    def text(self) -> str:
        """Since when and by whom, in words; empty where nobody tells."""
        since = f"since {self.at:%Y-%m-%d %H:%M} UTC" if self.at else ""
        return " ".join(filter(None, (since, f"by {self.by}" if self.by else "")))


def is_paused(scaling: Mapping[str, Any]) -> bool:
    """Return whether a service has no instances because somebody said so.

    Parameters
    ----------
    scaling
        ``scaling`` of the service's JSON; a number of nought may be left out of it.
    """
    return scaling.get("scalingMode") == MANUAL and not scaling.get("manualInstanceCount", 0)


def written(pause: Pause) -> str:
    """Write a pause as the annotation."""
    counts = zip(_COUNTS, (pause.least, pause.most), strict=True)
    told = {
        "at": pause.at.isoformat(timespec="seconds") if pause.at else "",
        "by": pause.by,
        # What was not set is left out: nought would be a limit.
        **{name: count for name, count in counts if count is not None},
    }
    return json.dumps(told)


def read(text: str) -> Pause:
    """Read the annotation; what is not as :func:`written` writes it is left out."""
    try:
        told = json.loads(text) if len(text) <= _LONGEST else {}
    except (ValueError, RecursionError):
        told = {}
    found = told if isinstance(told, dict) else {}
    by = found.get("by")
    least, most = (_count(found.get(name)) for name in _COUNTS)
    return Pause(
        _moment(found.get("at")),
        " ".join(by[:_LONGEST_NAME].split()) if isinstance(by, str) else "",
        least,
        most,
    )


def paused(scaling: Mapping[str, Any], now: datetime, by: str) -> Pause:
    """Return the pause of a service that scales by itself until now."""
    least, most = (_count(scaling.get(name)) for name in _COUNTS)
    return Pause(now, by, least, most)


def resumed(pause: Pause, of_revision: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``scaling`` of a service that scales by itself again.

    Both numbers are there: Cloud Run takes none alone, and without them the number of the pause,
    which is nought, would be both. What the service itself did not limit is as its revisions
    are limited.

    Parameters
    ----------
    of_revision
        ``scaling`` of the template.
    """
    least = _count(of_revision.get(_COUNTS[0])) if pause.least is None else pause.least
    most = _count(of_revision.get(_COUNTS[1])) if pause.most is None else pause.most
    counts = (least or 0, most or DEFAULT_MAX)
    return {"scalingMode": AUTOMATIC, **dict(zip(_COUNTS, counts, strict=True))}


def _count(value: Any) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= _MOST_INSTANCES else None


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        if found is None or not found.tzinfo:
            return found and found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one before the first year
        return None
