"""Calling a deployed service: a chat with the model that it serves."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.run.lines import Line
from llm_widgets.gcp.run.service_errors import error_text, refusal, silence
from llm_widgets.gcp.run.sse import EventParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from llm_widgets.gcp.client.clients import Clients


CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must stand."""

SILENCE_TIMEOUT = 900.0
"""Seconds without a byte after which a service counts as silent; a cold start may take minutes."""

_DONE = "[DONE]"
_PIECE = 65536  # bytes read at most at once


@dataclass(frozen=True, slots=True)
class Stats:
    """The end of an answer.

    Attributes
    ----------
    first_token
        Seconds from the request to the first piece of the answer, a cold start included.
    seconds
        Seconds from the request to the end.
    tokens, prompt_tokens
        As the engine counts them; where it does not, pieces of the answer, and 0.
    tokens_per_second
        Tokens after the first one, by the time that they took.
    finish_reason
        ``stop``, ``length``, …, or empty.
    """

    first_token: float
    seconds: float
    tokens: int
    prompt_tokens: int
    tokens_per_second: float
    finish_reason: str


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """Some more of the answer, or its end.

    Attributes
    ----------
    text
        What the model says.
    reasoning
        What it thinks before it says something.
    stats
        With the last event only.
    """

    text: str = ""
    reasoning: str = ""
    stats: Stats | None = None


@dataclass(slots=True)
class _Count:
    started: float
    first: float = 0.0
    pieces: int = 0
    finish_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)

    def stats(self) -> Stats:
        now = time.monotonic()
        tokens = int(self.usage.get("completion_tokens") or self.pieces)
        first = (self.first or now) - self.started
        writing = now - self.started - first
        return Stats(
            first_token=first,
            seconds=now - self.started,
            tokens=tokens,
            prompt_tokens=int(self.usage.get("prompt_tokens") or 0),
            tokens_per_second=(tokens - 1) / writing if tokens > 1 and writing > 0 else 0.0,
            finish_reason=self.finish_reason,
        )


class ChatStream:
    """An answer as it comes, event by event; the last one has the statistics.

    Iterate once, in any thread. :meth:`close` stops it from any other thread; the iteration
    then ends without statistics.
    """

    def __init__(
        self,
        clients: Clients,
        service_url: str,
        body: Mapping[str, Any],
        *,
        service: str,
        connect_timeout: float,
        silence_timeout: float,
    ) -> None:
        self._clients = clients
        self._service = service
        self._url = service_url.rstrip("/")
        self._body = body
        self._timeout = (connect_timeout, silence_timeout)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._line: Line | None = None
        self._response: Any = None

    def close(self) -> None:
        """Stop, also before anything has come: the engine sees the connection end and stops too."""
        self._closed.set()
        with self._lock:
            if self._response is not None:
                _hang_up(self._response)
            elif self._line is not None:
                self._line.cut()

    def __iter__(self) -> Iterator[ChatEvent]:
        """Ask, and give the answer as it comes.

        Raises
        ------
        ManagerError
            The service refuses, fails or falls silent.
        """
        try:
            yield from self._events()
        except lazy.requests.RequestException as error:
            if not self._closed.is_set():
                raise silence(self._url, error, self._timeout[1]) from error
        finally:
            self._closed.set()
            if self._response is not None:
                self._response.close()

    def _events(self) -> Iterator[ChatEvent]:
        count = _Count(time.monotonic())
        response = self._asked()
        if response is None or self._closed.is_set():
            return
        if not response.ok:
            raise refusal(response, self._clients, self._service)
        for data in _data(response):
            if self._closed.is_set():
                return
            if data == _DONE:
                break
            yield from _deltas(data, count)
        if not self._closed.is_set():
            yield ChatEvent(stats=count.stats())

    def _asked(self) -> Any:
        token = id_tokens.of(self._clients).token(self._url)
        with self._lock:
            if self._closed.is_set():
                return None
            self._line = Line()
        response = self._line.post(
            f"{self._url}/v1/chat/completions",
            json=self._body,
            headers={"Authorization": f"Bearer {token}", "Accept": "text/event-stream"},
            timeout=self._timeout,
            stream=True,
        )
        with self._lock:
            self._response = response
        return response


def chat_stream(
    clients: Clients,
    service_url: str,
    served_name: str,
    messages: Sequence[Mapping[str, str]],
    params: Mapping[str, Any] | None = None,
    *,
    service: str = "",
    connect_timeout: float = CONNECT_TIMEOUT,
    silence_timeout: float = SILENCE_TIMEOUT,
) -> ChatStream:
    """Send a conversation to a model; vLLM and Ollama speak the same protocol here.

    Parameters
    ----------
    service_url
        URL of the service, the ``url`` of its summary.
    served_name
        Name by which the engine knows the model, the ``served_name`` of the summary.
    messages
        ``{"role": "system" | "user" | "assistant", "content": text}`` each.
    params
        Further fields of the request, for example ``{"temperature": 0.2, "max_tokens": 500}``.
    service
        Resource name of the service, for the fix of a refusal.
    connect_timeout, silence_timeout
        Seconds.
    """
    body = {
        **(params or {}),
        "model": served_name,
        "messages": [dict(message) for message in messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return ChatStream(
        clients,
        service_url,
        body,
        service=service,
        connect_timeout=connect_timeout,
        silence_timeout=silence_timeout,
    )


def _data(response: Any) -> Iterator[str]:
    parser = EventParser()
    while piece := _read(response):
        yield from parser.feed(piece)
    yield from parser.end()


def _read(response: Any) -> bytes:
    """Read what has arrived, at least a byte; nothing at the end."""
    try:
        piece: bytes = response.raw.read1(_PIECE, decode_content=True)
    except (lazy.urllib3.exceptions.HTTPError, OSError) as error:
        raise lazy.requests.ConnectionError(str(error)) from error
    return piece


def _deltas(data: str, count: _Count) -> Iterator[ChatEvent]:
    """Read one event of the stream."""
    try:
        event = json.loads(data)
    except ValueError as error:
        raise ManagerError(
            "The service sent something that is no answer of a chat.", cause=data[:500]
        ) from error
    if event.get("error"):
        raise ManagerError(
            "The engine failed while it answered.", cause=error_text(event, fallback=data)
        )
    count.usage = event.get("usage") or count.usage
    for choice in event.get("choices") or []:
        count.finish_reason = choice.get("finish_reason") or count.finish_reason
        delta = choice.get("delta") or {}
        thought = delta.get("reasoning") or delta.get("reasoning_content") or ""
        text = delta.get("content") or ""
        if text or thought:
            count.first = count.first or time.monotonic()
            count.pieces += 1
            yield ChatEvent(text, thought)


def _hang_up(response: Any) -> None:
    """Wake a thread that waits for bytes: closing alone would leave it waiting."""
    try:
        response.raw.shutdown()
    except (ValueError, RuntimeError, OSError):
        return  # there is no connection any more
