"""How long a server asks to wait before the next request."""

from __future__ import annotations

import re
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{1,9})?")
_LIMIT = re.compile(r"(?:;\s*r=(?P<left>\d{1,15}))?\s*;\s*t=(?P<after>\d{1,15})(?!\d)")
"""One limit of ``ratelimit``: requests that are left, and the seconds until there are more. See
https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""

_RESET = re.compile(r"\breset=(\d{1,15})(?!\d)")  # of the same field in the draft's first versions
_SPAN = re.compile(
    r"(?:(\d{1,15})h)?(?:(\d{1,15})m(?!s))?(?:(\d{1,15}(?:\.\d{1,9})?)s)?(?:(\d{1,15})ms)?"
)
_UNITS = (3600.0, 60.0, 1.0, 0.001)  # seconds, of the parts of such a span
_RESET_FIELDS = (
    "ratelimit-reset",
    "x-ratelimit-reset-after",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
    "x-ratelimit-reset-requests",
)
_FIRST_TIMESTAMP = 10**9
"""A number from here on is a point in time since 1970, not seconds to wait; one that is a thousand
times as large counts milliseconds."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a server asks to wait, ``None`` where it does not say.

    Parameters
    ----------
    headers
        Header fields with names in lower case: ``retry-after`` (seconds or a date), Hugging
        Face's ``ratelimit`` (``"api";r=0;t=55``), or a field that says when a limit is reset, in
        seconds or as a point in time.
    """
    return next((found for found in _told(headers) if found is not None), None)


def _told(headers: Mapping[str, str]) -> Iterator[float | None]:
    yield _when(headers.get("retry-after", ""))
    if _NUMBER.fullmatch(milliseconds := headers.get("retry-after-ms", "").strip()):
        yield float(milliseconds) / 1000
    yield _of_limits(headers.get("ratelimit", ""))
    for name in _RESET_FIELDS:
        yield _when(headers.get(name, ""))


def _of_limits(value: str) -> float | None:
    """Read the limits of ``ratelimit``: those that are used up count, if it tells which are."""
    limits = [(found["left"], float(found["after"])) for found in _LIMIT.finditer(value)]
    used_up = [after for left, after in limits if left == "0"]
    if limits:
        return max(used_up or [after for _, after in limits])
    reset = _RESET.search(value)
    return float(reset[1]) if reset else None


def _when(value: str) -> float | None:
    """Read seconds, a span such as ``1m30s``, or a point in time."""
    value = value.strip()
    if _NUMBER.fullmatch(value):
        number = float(value)
        number /= 1000 if number >= 1000 * _FIRST_TIMESTAMP else 1
        return max(0.0, number - time.time()) if number >= _FIRST_TIMESTAMP else number
    if value and (span := _SPAN.fullmatch(value)):
        return sum(
            float(part or 0) * unit for part, unit in zip(span.groups(), _UNITS, strict=True)
        )
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            return max(0.0, read(value).timestamp() - time.time())
        except (ValueError, OverflowError):  # no time, or one that no calendar has
            continue
    return None
