"""Refusals that all hubs make alike, and what to do about each."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.domain import json_text
from llm_widgets.domain.units import duration_text
from llm_widgets.errors import Fix, GatedModelError, HubError, ManagerError, UnavailableError
from llm_widgets.exchanges.pauses import retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
GONE = 410

_OK = 200
_TOO_MANY = 429
_SERVER_ERROR = 500
_UNAVAILABLE = 503
_LATER = frozenset({408, 409, 423, 425})
"""It took too long, or what is asked for is being changed."""

_LEGALLY = 451
"""Unavailable for legal reasons (https://www.rfc-editor.org/rfc/rfc7725): somewhere, or at all."""

_PROXY = (407, 511)
"""A proxy or a network wants a sign-in first."""

_LONGEST = 300  # characters of what a hub says
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_ELSEWHERE = re.compile(
    r"your (?:region|country|location)|in (?:your|this) (?:region|country)|\bgeo.?block|"
    r"(?:region|country|location) (?:is )?not (?:supported|allowed)|"
    r"\bsanction|export control",
    re.IGNORECASE,
)
_LEGAL = re.compile(r"legal reasons", re.IGNORECASE)
_PAUSED = re.compile(r"maintenance|read.only mode|temporarily unavailable", re.IGNORECASE)
_TOO_OFTEN = re.compile(r"rate.?limit|too many requests|\bthrottl", re.IGNORECASE)
_SAID_WHEN = re.compile(
    r"(?:retry|try again|wait)\b.{0,20}?\b(\d{1,6})\s*(s\b|sec|m\b|min|h\b|hour)", re.IGNORECASE
)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_SHORT = 120  # seconds, up to which a wait is told in seconds
_LONG = 24 * 3600  # seconds, beyond which it is no wait any more


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a hub answered instead of what it was asked for.

    Attributes
    ----------
    headers
        Header fields, of any case.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str:
        """Return a header field; empty where there is none."""
        wanted = name.lower()
        return next((v for k, v in self.headers.items() if k.lower() == wanted), "")

    @property
    def code(self) -> str:
        """The hub's own code: of the header, or of the first error of a registry."""
        return self.header("X-Error-Code") or self._told[0]

    @property
    def said(self) -> str:
        """The hub's own words, without markup; empty where it says nothing."""
        text = self.header("X-Error-Message") or self._told[1]
        if not text and (challenge := self.header("WWW-Authenticate")):
            found = re.search(r'error_description="([^"]*)"', challenge)
            text = found[1] if found else ""
        return " ".join(text.split())[:_LONGEST]

    @property
    def told(self) -> str:
        """What the body tells as an error in JSON; empty for anything else."""
        try:
            json_text.loads(self.body)
        except ValueError:
            return ""
        return " ".join(self._told[1].split())[:_LONGEST]

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people, and not what a program is told."""
        start = self.body.lstrip(b"\xef\xbb\xbf \r\n\t")[:200].lower()
        return start.startswith((b"<!doctype html", b"<html", b"<head", b"<script"))

    @property
    def title(self) -> str:
        """The title of the page; empty where it has none."""
        found = _TITLE.search(self.body[:65536])
        return " ".join(found[1].decode(errors="replace").split())[:80] if found else ""

    @property
    def _told(self) -> tuple[str, str]:
        """Code and message of the body: JSON in a hub's form or a registry's, or plain text."""
        text = self.body[: 1 << 20].decode(errors="replace")
        try:
            told = json_text.loads(text)
        except ValueError:
            return "", "" if text.lstrip().startswith("<") else text
        if isinstance(told, dict):
            errors = told.get("errors")
            first = errors[0] if isinstance(errors, list) and errors else None
            told = first or told.get("error") or told.get("message") or told.get("detail")
        if isinstance(told, dict):
            return str(told.get("code") or ""), str(told.get("message") or "")
        return "", told if isinstance(told, str) else ""


def general(refusal: Refusal, *, hub: str) -> ManagerError:
    """Return the error for a refusal that has nothing to do with a certain model.

    Parameters
    ----------
    hub
        Begins the sentence.
    """
    status, said = refusal.status, refusal.said
    is_elsewhere = _ELSEWHERE.search(said)
    if status == _LEGALLY or is_elsewhere or _LEGAL.search(said):
        why = "in your location" if is_elsewhere else "here, for legal reasons"
        return GatedModelError(
            f"{hub} does not offer this model {why}.",
            cause=said or f"HTTP {status}.",
            fix=Fix(text="Choose another model. Imports ask from where they run, too."),
        )
    is_passing = status >= _SERVER_ERROR or status in {_TOO_MANY, *_LATER}
    if is_passing or _PAUSED.search(said) or _TOO_OFTEN.search(said):
        return _intercepted(refusal, hub) if status in _PROXY else _passing(refusal, hub)
    if status in _PROXY or refusal.is_page:
        return _intercepted(refusal, hub)
    return HubError(
        f"{hub} refused the request.",
        cause=said or f"HTTP {status}.",
        fix=Fix(text="Check the model's ID on its page, then try again."),
    )


def _passing(refusal: Refusal, hub: str) -> UnavailableError:
    """Word what is over after a while."""
    status, said = refusal.status, refusal.said
    told = said or refusal.title or f"HTTP {status}."
    if status == _TOO_MANY or _TOO_OFTEN.search(said):
        message, when = "accepts no more requests from here for now", "in a few minutes"
        told = said or f"HTTP {status}: too many requests."
    elif _PAUSED.search(f"{said} {refusal.title}"):
        message, when = "is under maintenance", "in a few minutes"
    elif status == _UNAVAILABLE:
        message, when = "is not available now", "in a few minutes"
    else:
        message, when = "failed", "in a minute"
        told = f"HTTP {status}" + (f": {said}" if said else ".")
    return UnavailableError(
        f"{hub} {message}.", cause=told, fix=Fix(text=f"Try again {_when(refusal) or when}.")
    )


def refuse_page(refusal: Refusal, *, hub: str) -> None:
    """Refuse a page for people where a program's answer was asked for: firewalls send them.

    Raises
    ------
    UnavailableError
        It is one, with a status that says all is well.
    """
    if refusal.status == _OK and refusal.is_page:
        raise _intercepted(refusal, hub)


def _intercepted(refusal: Refusal, hub: str) -> UnavailableError:
    title = f" “{refusal.title}”" if refusal.title else ""
    return UnavailableError(
        f"{hub} was asked, and something between here and there answered.",
        cause=f"The answer is a web page{title} (HTTP {refusal.status}): that of a firewall, a "
        "proxy, or a network that wants a sign-in."
        if refusal.is_page
        else refusal.said or f"HTTP {refusal.status}: the network or a proxy wants a sign-in.",
        fix=Fix(text="Sign in to the network, or have its firewall let the hub through."),
    )


def _when(refusal: Refusal) -> str:
    """Return when to try again, as far as the hub tells it."""
    named = {name.lower(): value for name, value in refusal.headers.items()}
    seconds = retry_after(named)
    if seconds is None and (said := _SAID_WHEN.search(refusal.said)):
        seconds = float(said[1]) * _SECONDS[said[2][0].lower()]
    if seconds is None or seconds > _LONG:
        return ""
    whole = max(1, math.ceil(seconds))
    if whole > _SHORT:
        return f"in {duration_text(whole)}"
    return "in 1 second" if whole == 1 else f"in {whole} seconds"
