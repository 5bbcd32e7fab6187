"""Calls of a deployed service: a chat with the model that it serves, as a stream of events."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.answers import ToolCall
from llm_widgets.errors import Fix, ManagerError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.run import chat_events
from llm_widgets.gcp.run.service_call import CONNECT_TIMEOUT, SILENCE_TIMEOUT, ServiceCall
from llm_widgets.gcp.run.service_errors import error_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx2

    from llm_widgets.gcp.client.clients import Clients

_DONE = "[DONE]"
_STREAM = "text/event-stream"
MOST_CHARACTERS = 4_000_000
"""Of an answer, thoughts and calls of tools among them: no model says as much."""


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
    is_counted
        Whether the engine counts the tokens of the answer.
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
    is_counted: bool


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """Some more of the answer, or its end.

    Attributes
    ----------
    text
        What the model says.
    reasoning
        What it thinks before it says something.
    calls
        Calls of tools that it asks for, whole.
    stats
        With the last event only, as are the calls.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    stats: Stats | None = None


@dataclass(slots=True)
class _Count:
    started: float
    first: float = 0.0
    pieces: int = 0
    finish_reason: str = ""
    length: int = 0
    usage: chat_events.Usage = field(default_factory=chat_events.Usage)
    calls: dict[int, list[str]] = field(default_factory=dict)

    def come(self, length: int) -> None:
        """Note that a piece of so many characters has come."""
        self.first = self.first or time.monotonic()
        self.pieces += 1
        self.length += length
        if self.length > MOST_CHARACTERS:
            raise ManagerError(
                f"The answer has more than {MOST_CHARACTERS:,} characters, and was ended.",
                fix=Fix(text="Limit the tokens of an answer."),
            )

    def stats(self) -> Stats:
        now = time.monotonic()
        tokens = self.usage.completion_tokens or self.pieces
        first = (self.first or now) - self.started
        writing = now - self.started - first
        return Stats(
            first_token=first,
            seconds=now - self.started,
            tokens=tokens,
            prompt_tokens=self.usage.prompt_tokens or 0,
            tokens_per_second=(tokens - 1) / writing if tokens > 1 and writing > 0 else 0.0,
            finish_reason=self.finish_reason,
            is_counted=bool(self.usage.completion_tokens),
        )


class ChatStream(ServiceCall[ChatEvent]):
    """An answer as it comes, event by event; the last one has the statistics.

    One that is closed ends without them.
    """

    most_bytes = 512 << 20  # some hundred bytes go with each token

    def _read(self, response: httpx2.Response) -> Iterator[ChatEvent]:
        count = _Count(self._begun)
        try:
            for event in lazy.httpx2.EventSource(response):
                if self._closed.is_set():
                    return
                if event.data == _DONE:
                    break
                if event.data:
                    yield from _deltas(event.data, count)
        except lazy.httpx2.SSEError as error:
            raise _no_chat(str(error)) from error
        if not self._closed.is_set():
            calls = tuple(ToolCall(*each) for each in count.calls.values())
            yield ChatEvent(calls=calls, stats=count.stats())


def chat_stream(
    clients: Clients,
    service_url: str,
    served_name: str,
    messages: Sequence[Mapping[str, Any]],
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
        ``{"role": "system" | "user" | "assistant", "content": text}`` each; in place of the text
        a list of parts, where pictures are among them.
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
        path,
        {
            "content": json.dumps(body),
            "headers": {"Accept": _STREAM, "Content-Type": "application/json"},
        },
        service=service,
        connect_timeout=connect_timeout,
        silence_timeout=silence_timeout,
    )


def _deltas(data: str, count: _Count) -> Iterator[ChatEvent]:
    """Yield what one event of the stream says."""
    try:
        event = chat_events.read(data)
    except ValueError as error:
        raise _no_chat(f"{data[:500]} ({error})") from error
    if event.error:
        raise ManagerError(
            "The engine failed while it answered.", cause=error_text(event.error, fallback=data)
        )
    count.usage = event.usage or count.usage
    for choice in event.choices or ():
        count.finish_reason = choice.finish_reason or count.finish_reason
        delta = choice.delta or chat_events.Delta()
        thought = delta.reasoning or delta.reasoning_content or ""
        text = delta.content or ""
        for call in delta.tool_calls or ():
            _add_call(call, count)
        if text or thought:
            count.come(len(text) + len(thought))
            yield ChatEvent(text, thought)


def _add_call(piece: chat_events.Called, count: _Count) -> None:
    """Add a piece of a call: the first one has the name, all of them some of the arguments."""
    if piece.function is None:
        return
    name, arguments = piece.function.name or "", piece.function.arguments or ""
    count.come(len(name) + len(arguments) + 1)
    call = count.calls.setdefault(piece.index or 0, ["", ""])
    call[0] += name
    call[1] += arguments


def _no_chat(cause: str) -> ManagerError:
    return ManagerError("The service sent something that is not a chat answer.", cause=cause)
