"""Calls of a deployed service: a chat with the model that it serves, as a stream of events."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import Fix, ManagerError, UnavailableError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.client import connection, lazy
from llm_widgets.gcp.run.service_errors import error_text, refusal, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import httpx2

    from llm_widgets.gcp.client.clients import Clients


CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must stand."""

SILENCE_TIMEOUT = 900.0
"""Seconds without a byte after which a service counts as silent; a cold start may take minutes."""

_DONE = "[DONE]"
_STREAM = "text/event-stream"
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")
"""Ends of the names of httpx's trace events that bring the socket of a connection."""


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
        path: str,
        service: str,
        connect_timeout: float,
        silence_timeout: float,
    ) -> None:
        self._clients = clients
        self._service = service
        self._url = service_url.rstrip("/")
        self._path = path
        self._body = body
        self._connect_timeout = connect_timeout
        self._silence_timeout = silence_timeout
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Stop, also before anything has come: the engine sees the connection end and stops too."""
        self._closed.set()
        with self._lock:
            if self._socket is not None:
                _shut_down(self._socket)

    def __iter__(self) -> Iterator[ChatEvent]:
        """Send the request, and yield the answer as it comes.

        Raises
        ------
        ManagerError
            The service refuses, fails or falls silent.
        """
        if self._closed.is_set():
            return
        count = _Count(time.monotonic())
        token = id_tokens.of(self._clients).token(self._url)
        try:
            with self._request(token) as response:
                if self._closed.is_set():
                    return
                if not response.is_success:
                    response.read()
                    raise refusal(response, self._clients, self._service)
                yield from self._events(response, count)
        except lazy.httpx2.SSEError as error:
            raise _no_chat(str(error)) from error
        except lazy.httpx2.RequestError as error:
            if not self._closed.is_set():
                raise silence(self._url, error, self._silence_timeout) from error
        finally:
            self._closed.set()

    @contextmanager
    def _request(self, token: str) -> Iterator[httpx2.Response]:
        with (
            self._client() as client,
            client.stream(
                "POST",
                f"{self._url}{self._path}",
                content=json.dumps(self._body),
                headers={"Accept": _STREAM, "Content-Type": "application/json"},
                auth=_bearer(token),
                extensions={"trace": self._on_trace},
            ) as response,
        ):
            yield response

    def _client(self) -> httpx2.Client:
        """Return a client that reads the environment as ``requests`` does, without ``.netrc``."""
        httpx2 = lazy.httpx2
        try:
            return httpx2.Client(
                timeout=httpx2.Timeout(self._silence_timeout, connect=self._connect_timeout),
                verify=connection.tls_context(),
                proxy=connection.proxy_for(self._url),
                trust_env=False,
            )
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            raise UnavailableError(
                "No connection to the service can be made with these settings of the environment.",
                cause=str(error),
                fix=Fix(text="Check HTTPS_PROXY, ALL_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE."),
            ) from error

    def _on_trace(self, event: str, info: dict[str, Any]) -> None:
        """Keep the socket of the connection: closing a response does not wake who reads from it."""
        if event.endswith(_CONNECTED):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._closed.is_set():
                    _shut_down(self._socket)

    def _events(self, response: httpx2.Response, count: _Count) -> Iterator[ChatEvent]:
        for event in lazy.httpx2.EventSource(response):
            if self._closed.is_set():
                return
            if event.data == _DONE:
                break
            if event.data:
                yield from _deltas(event.data, count)
        if not self._closed.is_set():
            yield ChatEvent(stats=count.stats())


def chat_stream(
    clients: Clients,
    service_url: str,
    served_name: str,
    messages: Sequence[Mapping[str, str]],
    params: Mapping[str, Any] | None = None,
    *,
    path: str,
    service: str = "",
    connect_timeout: float = CONNECT_TIMEOUT,
    silence_timeout: float = SILENCE_TIMEOUT,
) -> ChatStream:
    """Return the answer of a model to a conversation, sent when it is iterated.

    The protocol is that of OpenAI's chat completions.

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
    path
        Where the engine takes conversations.
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
        path=path,
        service=service,
        connect_timeout=connect_timeout,
        silence_timeout=silence_timeout,
    )


def _bearer(token: str) -> Callable[[httpx2.Request], httpx2.Request]:
    """Return what authorizes a request: given as ``auth``, so that nothing else does."""

    def authorize(request: httpx2.Request) -> httpx2.Request:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def _deltas(data: str, count: _Count) -> Iterator[ChatEvent]:
    """Yield what one event of the stream says."""
    try:
        event = json.loads(data)
    except ValueError as error:
        raise _no_chat(data[:500]) from error
    if not isinstance(event, dict):
        raise _no_chat(data[:500])
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


def _no_chat(cause: str) -> ManagerError:
    return ManagerError("The service sent something that is no answer of a chat.", cause=cause)


def _shut_down(line: socket.socket) -> None:
    """End a connection, and wake the thread that waits for its bytes; closing alone does not."""
    with suppress(OSError):  # it has ended already
        # Not SSLSocket.shutdown: it takes the TLS layer away from the thread that reads.
        socket.socket.shutdown(line, socket.SHUT_RDWR)
