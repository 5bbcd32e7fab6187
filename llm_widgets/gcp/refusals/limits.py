"""Refusals because of limits: rates that pass by themselves, quotas, and maxima."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, links
from llm_widgets.domain.quotas import amount
from llm_widgets.domain.units import duration_text
from llm_widgets.errors import Fix, QuotaError, RateLimitError
from llm_widgets.gcp.refusals.doing import SHARED_CONSUMERS

if TYPE_CHECKING:
    from llm_widgets.gcp.refusals.doing import Doing
    from llm_widgets.gcp.refusals.reading import Refusal

_RATE_REASONS = frozenset({"RATE_LIMIT_EXCEEDED", "OVERLOADED_CREDENTIALS"})
_RATE_LEGACY = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "SlowDown"})
_QUOTA_LEGACY = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_SECONDS = {"second": 1, "minute": 60, "100 seconds": 100, "hour": 3600, "day": 86_400}
_PERIOD = re.compile(r"per ?(minute|second|100 ?seconds|hour|day)\b|/(s|min|h|d)\b", re.IGNORECASE)
_CAMEL = re.compile(r"Per(Minute|Second|100Seconds|Hour|Day)")
_SHORT = {"s": "second", "min": "minute", "h": "hour", "d": "day"}
_RATE = re.compile(
    r"rate limit|reduce your request rate|too many (?:requests|concurrent)|number of requests|"
    r"resource (?:has been )?exhausted|"
    r"requests? per (?:minute|second|day|100 seconds)|insufficient tokens for quota",
    re.IGNORECASE,
)
_ALLOCATION = re.compile(r"Alloc|allocation|total allowable|instances? per", re.IGNORECASE)
_QUOTA = re.compile(
    r"quota violated|do(?:es)? not have (?:enough |sufficient )?quota|quota exceeded|quota limit|"
    r"exceeded .{0,60}quota|quota '?\S{1,80}'? exceeded|insufficient .{0,40}quota|"
    r"due to quota|increase in quota|quota .{0,60}has been reached",
    re.IGNORECASE,
)
_INSTANCES = re.compile(
    r"max instances must be set to (\d{1,7}) or fewer|maxScale may not exceed (\d{1,7})",
    re.IGNORECASE,
)
_LINE = re.compile(r"\b(\w{3,120}) requested: (\d{1,18})\s+allowed: (\d{1,18})")
_MAXIMUM = re.compile(
    r"maximum (?:number|amount|size|length) of .{1,120}(?:reached|exceeded|is \d)|"
    r"(?:reached|exceeds?|exceeded|over) (?:its |the |your )?(?:maximum|limit) (?:number )?of|"
    r"too many \w{1,30} in (?:the|this) project",
    re.IGNORECASE,
)
_METRIC = re.compile(r"quota metric '([^']{1,120})'")
_LIMIT = re.compile(r"\blimit '([^']{1,120})'")

_KNOWN_RATES = {(google_apis.LOGGING, "ReadRequestsPerMinutePerProject"): "60"}
"""Rates that refusals don't tell. Source: https://cloud.google.com/logging/quotas, 2026-09-12."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """A rate: its limit where it is known, and the time that it counts in."""

    limit: str
    period: str

    @property
    def text(self) -> str:
        return f" more than {self.limit} times a {self.period}" if self.limit else " too often"


def rate(refusal: Refusal, doing: Doing) -> RateLimitError | None:
    """Word a rate: it takes fewer requests and no higher quota, and passes by itself."""
    if not is_rate(refusal):
        return None
    found = _Rate(_limit(refusal), _period(refusal))
    seconds = refusal.retry_after or float(min(_SECONDS[found.period], _SECONDS["day"]))
    whom = f" for the project {doing.shown(refusal.consumer)}" if refusal.consumer else ""
    when = "tomorrow" if found.period == "day" else f"in {duration_text(seconds)}"
    slower = f"Try again {when}, and more slowly. You don't need a higher quota."
    is_shared = refusal.consumer in SHARED_CONSUMERS
    return RateLimitError(
        doing.cant(f"Google Cloud was asked{found.text}{whom}"),
        cause=refusal.message,
        fix=_of_ones_own(doing, slower) if is_shared else Fix(text=slower),
        retry_after=seconds,
    )


def _of_ones_own(doing: Doing, slower: str) -> Fix:
    """Return the fix for a rate that all users of Google's tools share."""
    return Fix(
        text=f"{slower} All who have no quota project share it: make a project of your own the "
        "quota project of your credentials:",
        command=doing.set_quota_project,
    )


def is_rate(refusal: Refusal) -> bool:
    """Return whether too much was asked in too short a time: no quota or maximum stops it."""
    unit = refusal.metadata.get("quota_unit", "")
    limit = refusal.metadata.get("quota_limit", "") or _first(_LIMIT, refusal.message)
    if unit and not _PERIOD.search(unit):
        return False
    if _INSTANCES.search(refusal.message) or _LINE.search(refusal.message):
        return False
    has_period = bool(_PERIOD.search(unit) or _CAMEL.search(limit) or _PERIOD.search(limit))
    if _MAXIMUM.search(refusal.message) and not has_period:
        return False
    if refusal.reason in _RATE_REASONS or refusal.legacy & _RATE_LEGACY:
        return has_period or not _ALLOCATION.search(f"{limit} {refusal.message}")
    return has_period or (
        bool(_RATE.search(refusal.message)) and refusal.status in {0, 403, 410, 429, 503}
    )


def _limit(refusal: Refusal) -> str:
    told = refusal.metadata.get("quota_limit_value", "")
    named = refusal.metadata.get("quota_limit", "")
    return told if told.isdigit() else _KNOWN_RATES.get((refusal.service, named), "")


def _period(refusal: Refusal) -> str:
    places = (
        refusal.metadata.get("quota_unit", ""),
        refusal.metadata.get("quota_limit", ""),
        refusal.message,
    )
    for place in places:
        found = _PERIOD.search(place) or _CAMEL.search(place)
        if found:
            word = str(next(filter(None, found.groups()))).lower()
            word = word.replace("100seconds", "100 seconds")
            return _SHORT.get(word, word)
    return "minute"


def quota(refusal: Refusal, doing: Doing) -> QuotaError | None:
    """Word a quota that does not allow it, with its numbers where they are told."""
    is_quota = (
        refusal.quotas
        or refusal.reason == "RESOURCE_QUOTA_EXCEEDED"
        or refusal.reason in _RATE_REASONS
        or refusal.legacy & _QUOTA_LEGACY
        or _QUOTA.search(refusal.message)
        or _INSTANCES.search(refusal.message)
    )
    if not is_quota or _MAXIMUM.search(refusal.message):
        return _maximum(refusal, doing)
    project = doing.named(refusal.consumer)
    # Cloud Run's refusals name no service, and have no older form.
    service = refusal.service or ("" if refusal.legacy else google_apis.RUN)
    return QuotaError(
        doing.cant(_numbers(refusal) or "a quota of the project does not allow it"),
        cause=_cause(refusal),
        fix=Fix(
            text="Ask for less, free what is in use, or request a higher quota.",
            url=links.quotas(project, service) if project else links.GPU_QUOTA,
        ),
    )


def _numbers(refusal: Refusal) -> str:
    lines = [
        f"the quota {name} allows {amount(name, int(allowed))} and this takes "
        f"{amount(name, int(asked))}"
        for name, asked, allowed in _LINE.findall(refusal.message)
    ]
    if lines:
        return "; ".join(lines)
    if found := _INSTANCES.search(refusal.message):
        most = found[1] or found[2]
        least = "no instance" if most == "0" else f"at most {most} instances"
        return f"the project's quotas allow {least} of this size here"
    name = refusal.metadata.get("quota_limit", "") or _first(_METRIC, refusal.message)
    value = refusal.metadata.get("quota_limit_value", "")
    if name and value.isdigit():
        return f"the quota {name} of the project allows {amount(name, int(value))}"
    return f"the quota {name} of the project does not allow it" if name else ""


def _cause(refusal: Refusal) -> str:
    told = [each.description for each in refusal.quotas if each.description]
    return "\n".join([refusal.message, *(text for text in told if text not in refusal.message)])


def _maximum(refusal: Refusal, doing: Doing) -> QuotaError | None:
    if not _MAXIMUM.search(refusal.message):
        return None
    return QuotaError(
        doing.cant("a maximum is reached"),
        cause=refusal.message,
        fix=Fix(
            text="Delete what is not needed any more. Some maxima can be raised on the page of "
            "quotas and system limits.",
            url=links.quotas(doing.named(refusal.consumer), refusal.service)
            if doing.named(refusal.consumer)
            else "",
        ),
    )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""
