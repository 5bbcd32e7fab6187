"""Who answers a stranger at the address of a service."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus

from llm_widgets.gcp.client import lazy

_SECONDS = 20.0
_MOST_BYTES = 64 << 10
_GENERATED = "x-goog-iap-generated-response"
"""Header field of answers that Identity-Aware Proxy gives itself."""

_NO_CLIENT = "OAuth client ID"
"""Is part of what it answers where it has no OAuth client; seen in 2026."""


class Front(StrEnum):
    """Who answers a stranger."""

    IAP = "Identity-Aware Proxy, which sends to sign in"
    NO_CLIENT = "Identity-Aware Proxy, which has no OAuth client"
    IAM = "Cloud Run, which lets no stranger call the service"
    OPEN = "the service"
    OTHER = "something else"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a stranger was answered.

    Attributes
    ----------
    said
        Status and first words, or why there was no answer.
    """

    front: Front
    said: str


def look(url: str) -> Seen:
    """Ask for a page as a stranger does, without credentials, and tell who answers."""
    deadline = time.monotonic() + _SECONDS
    try:
        with lazy.requests.Session() as session:
            lazy.limits.secured(session, seconds=_SECONDS)
            with session.get(url, stream=True, timeout=_SECONDS, allow_redirects=False) as answer:
                body = b""
                if answer.status_code != HTTPStatus.OK:
                    body = b"".join(lazy.limits.pieces(answer, _MOST_BYTES, deadline))
                place = answer.headers.get("Location", "")
                by_proxy = answer.headers.get(_GENERATED, "").lower() == "true"
    except lazy.requests.RequestException as error:
        return Seen(Front.NOBODY, str(error))
    text = " ".join(body.decode("utf-8", "replace").split())[:200]
    return Seen(of(answer.status_code, place, text, by_proxy=by_proxy), _said(answer, text))


def of(status: int, place: str, text: str, *, by_proxy: bool) -> Front:
    """Return who gave an answer.

    Parameters
    ----------
    place
        Where it redirects to; empty for nowhere.
    text
        Its first words.
    by_proxy
        Whether Identity-Aware Proxy says that it gave it.
    """
    if by_proxy and status == HTTPStatus.FOUND and place.startswith("https://accounts.google.com/"):
        return Front.IAP
    if status == HTTPStatus.BAD_GATEWAY and _NO_CLIENT in text:
        return Front.NO_CLIENT
    if status == HTTPStatus.FORBIDDEN and not by_proxy:
        return Front.IAM
    return Front.OPEN if status == HTTPStatus.OK else Front.OTHER


def _said(answer: lazy.requests.Response, text: str) -> str:
    return f"HTTP {answer.status_code} {text}".strip()
