"""Events of a chat that is streamed, as OpenAI's protocol has them, checked: an engine's word."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from llm_widgets.domain import json_text

_Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 50)]


class Function(msgspec.Struct):
    """A piece of the call of a tool."""

    name: str | None = None
    arguments: str | None = None


class Called(msgspec.Struct):
    """Which call a piece belongs to."""

    function: Function | None = None
    index: _Count | None = None


class Delta(msgspec.Struct):
    """What has come."""

    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[Called] | None = None


class Choice(msgspec.Struct):
    """One of the answers; there is one."""

    delta: Delta | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    """Tokens, as the engine counts them."""

    completion_tokens: _Count | None = None
    prompt_tokens: _Count | None = None


class Event(msgspec.Struct):
    """One event; ``error`` in place of all else."""

    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: Any = None


def read(data: str) -> Event:
    """Read the data of an event.

    Raises
    ------
    ValueError
        It is none; says what is wrong, and where.
    """
    return msgspec.convert(json_text.loads(data), Event)
