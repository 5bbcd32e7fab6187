"""What clients ask and are answered, kept while it goes on, and written as facts afterwards."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from llm_widgets.cli.recording.scrubbing import Scrubber, UnknownPartError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

_GOOGLE = ".googleapis.com"
_LONGEST = 256 << 10  # bytes of an answer that is kept
_KEPT = re.compile(r"projects/[^/]+/.*/?operations/[\w.:-]+|operations/[\w.:-]+")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and its answer, as they were."""

    method: str
    url: str
    body: Any
    status: int
    answer: Any


class Recorder:
    """Keeps exchanges; what is called with each answer of a session. Safe to use from threads.

    Parameters
    ----------
    endpoint
        Address of a local cloud; empty for Google's.
    """

    def __init__(self, endpoint: str = "") -> None:
        self._endpoint = endpoint
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []

    def __call__(self, response: requests.Response, **how: Any) -> None:
        """Keep an exchange; an answer that is read piece by piece is none."""
        url = str(response.request.url)
        if how.get("stream") or not self._is_google(url) or len(response.content) > _LONGEST:
            return
        made = Exchange(
            str(response.request.method),
            url,
            _document(response.request.body),
            response.status_code,
            _document(response.content),
        )
        with self._lock:
            self._exchanges.append(made)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All exchanges so far."""
        with self._lock:
            return tuple(self._exchanges)

    def _is_google(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        return url.startswith(self._endpoint) if self._endpoint else host.endswith(_GOOGLE)


def facts(
    exchanges: tuple[Exchange, ...], scrub: Scrubber, *, source: str
) -> Iterator[dict[str, Any] | None]:
    """Give the facts of exchanges, in their order; ``None`` for each that must be left out.

    Parameters
    ----------
    source
        Where they were recorded, and when.
    """
    kept = dict(scrub.known)
    made: list[tuple[Exchange, dict[str, Any]]] = []
    for each in exchanges:
        names = Scrubber(kept, scrub.own)
        fact = _fact(each, names)
        if fact is None:
            yield None
            continue
        if made and _is_same_call(made[-1][1], fact):
            made.pop()  # what was asked until it was done
        _keep(each, fact, kept)
        made.append((each, fact))
    for number, (each, fact) in enumerate(made):
        fact["id"] = f"{fact['api']}-{each.method.lower()}-{number}"
        fact["source"] = f"{source}#{number}"
        yield fact


def written(fact: Mapping[str, Any]) -> str:
    """Return a fact as a line."""
    return json.dumps(fact, ensure_ascii=True)


def source_of(endpoint: str) -> str:
    """Return what a recording of now is called: one of a local cloud proves nothing."""
    where = "the local cloud" if endpoint else "Google Cloud"
    return f"maintainer's recording of {where}, {datetime.now(UTC).date().isoformat()}"


def _fact(exchange: Exchange, scrub: Scrubber) -> dict[str, Any] | None:
    """Return an exchange without what it tells of anybody; ``None`` where it can't be played."""
    try:
        asked = scrub.path(exchange.url)
        body = scrub.request(exchange.body)
    except UnknownPartError:
        return None
    real, optional = scrub.answer(exchange.answer)
    fact: dict[str, Any] = {
        "id": "",
        "api": _api(exchange.url),
        "method": exchange.method,
        "path": asked,
        "status": exchange.status,
        "real": real,
        "source": "",
    }
    if body is not None:
        fact["body"] = body
    if optional:
        fact["optional"] = optional
    if isinstance(exchange.answer, dict):
        if said := _said(exchange.answer, scrub):
            fact["said"] = said
        if isinstance(exchange.answer.get("done"), bool) and exchange.method == "GET":
            fact["until"] = {"done": exchange.answer["done"]}
    return None if any(map(scrub.tells, _texts(fact))) else fact


def _api(url: str) -> str:
    """Return which API was asked; a local cloud has one address for all."""
    host = urlsplit(url).hostname or ""
    return host.partition(".")[0] if host.endswith(_GOOGLE) else "local"


def _is_same_call(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("method", "path", "body")) and (
        "until" in other or one["real"] == other["real"]
    )


def _said(answer: Mapping[str, Any], scrub: Scrubber) -> str:
    error = answer.get("error")
    return scrub.said(str(error.get("message", ""))) if isinstance(error, dict) else ""


def _keep(exchange: Exchange, fact: dict[str, Any], kept: dict[str, str]) -> None:
    """Have later requests name by a variable what this answer is the first to name."""
    name = exchange.answer.get("name") if isinstance(exchange.answer, dict) else None
    if isinstance(name, str) and _KEPT.fullmatch(name) and name not in kept:
        kept[name] = f"kept{len(kept)}"
        fact["keep"] = {kept[name]: "name"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _document(body: bytes | str | None) -> Any:
    """Return the JSON of a body, or its text; ``None`` for an empty one."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return unquote(text)
