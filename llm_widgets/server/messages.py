"""Messages of a browser to its kernel: checked before anything in them is believed.

They come in three forms: text; binary with the same JSON and buffers behind it; and the frames of
the sub-protocol ``v1.kernel.websocket.jupyter.org``.

Sources: https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html and
https://jupyter-client.readthedocs.io/en/stable/messaging.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

FRAMES = "v1.kernel.websocket.jupyter.org"
"""Name of the binary sub-protocol."""

MOST_BYTES = 4 << 20
"""Bytes of one message; the page's longest, a prompt or a template, has some ten thousand."""
_MOST_HEADER = 4096  # bytes of a header, and of a parent's
_MOST_BUFFERS = 16
_DEEPEST = 64  # levels of objects and lists in each other
_PARTS = ("header", "parent_header", "metadata", "content")
_CHANNELS = {"shell", "control", "stdin"}
_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")

ALLOWED = {
    "comm_info_request",
    "kernel_info_request",
    "comm_open",
    "comm_msg",
    "comm_close",
}
"""What the page needs. Nothing here runs code, and a tab's end is told in another way."""
_TARGETS = ("jupyter.widget.control",)  # asks for the state of all widgets

_METHODS = ("update", "custom", "request_state", "request_states")
"""What widgets are told by their front end. A kernel writes any other word into its log as it is.
https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md"""

Json = dict[str, Any]


class MalformedMessageError(ValueError):
    """A message that no front end sends; says what is wrong in words of our own."""


class RefusedMessageError(ValueError):
    """A message that asks for what the page does not need."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that may be passed on.

    Attributes
    ----------
    channel
        Its channel: shell, control or stdin.
    frames
        Header, parent's header, metadata and content as JSON, and the buffers.
    """

    channel: str
    frames: list[bytes]


def read_message(
    sent: str | bytes, protocol: str | None, username: str, trace: str = ""
) -> Message:
    """Check a message and take it apart.

    Parameters
    ----------
    sent
        What came, as text or bytes.
    protocol
        The sub-protocol that was agreed upon; ``None`` for none.
    username
        Who the message says it is from when it is passed on, whatever it says itself.
    trace
        The trace that it says it belongs to then; empty for none.

    Raises
    ------
    MalformedMessageError
        It is no message, or larger, deeper or of more parts than any that the page sends.
    RefusedMessageError
        It is one that the page does not send.
    """
    if len(sent) > MOST_BYTES:
        raise MalformedMessageError("too large")
    if protocol == FRAMES:
        if isinstance(sent, str):
            raise MalformedMessageError("text where frames were agreed upon")
        channel, parts, buffers = _from_frames(sent)
    else:
        channel, parts, buffers = _from_json(sent)
    if channel not in _CHANNELS:
        raise RefusedMessageError("another channel")
    header, _parent, metadata, content = parts
    _check_content(str(header.get("msg_type")), content)
    # The page answers nothing that a kernel asks: what it sends has no parent.
    checked: list[Json] = [_checked_header(header, username, trace), {}, metadata, content]
    return Message(channel, [*(json.dumps(part).encode() for part in checked), *buffers])


def _from_frames(sent: bytes) -> tuple[str, list[Json], list[bytes]]:
    """Split a message: number of offsets, the offsets, the channel, four parts, the buffers."""
    number = _number(sent, 0)
    least = len(_PARTS) + 2  # the start of each, of the channel, and the end of the last
    if not least <= number <= least + _MOST_BUFFERS:
        raise MalformedMessageError("another number of frames")
    offsets = [_number(sent, 8 * (index + 1)) for index in range(number)]
    if offsets[0] != 8 * (number + 1) or offsets[-1] != len(sent):
        raise MalformedMessageError("frames that don't fill the message")
    if any(stop < start for start, stop in pairwise(offsets)):
        raise MalformedMessageError("frames out of order")
    channel, *frames = (sent[start:stop] for start, stop in pairwise(offsets))
    parts, buffers = frames[: len(_PARTS)], frames[len(_PARTS) :]
    if any(len(part) > _MOST_HEADER for part in parts[:2]):
        raise MalformedMessageError("a header that is too large")
    return _text(channel), [_object(part) for part in parts], buffers


def _from_json(sent: str | bytes) -> tuple[str, list[Json], list[bytes]]:
    """Split a message: an object of the parts and the channel, and the buffers behind it."""
    first, buffers = (sent, []) if isinstance(sent, str) else _buffers(sent)
    whole = _object(first)
    channel = whole.get("channel", "shell")
    parts = [whole.get(name) for name in _PARTS]
    if not isinstance(channel, str) or not all(isinstance(part, dict) for part in parts):
        raise MalformedMessageError("parts that are missing")
    if any(len(json.dumps(part)) > _MOST_HEADER for part in parts[:2]):
        raise MalformedMessageError("a header that is too large")
    return channel, [part for part in parts if isinstance(part, dict)], buffers


def _buffers(sent: bytes) -> tuple[bytes, list[bytes]]:
    """Cut the older binary form: the number of pieces, where each starts, the pieces."""
    number = _number(sent, 0, size=4, order="big")
    if not 1 <= number <= 1 + _MOST_BUFFERS:
        raise MalformedMessageError("another number of pieces")
    starts = [_number(sent, 4 * (index + 1), size=4, order="big") for index in range(number)]
    offsets = [*starts, len(sent)]
    if starts[0] != 4 * (number + 1) or any(stop < start for start, stop in pairwise(offsets)):
        raise MalformedMessageError("pieces that don't fill the message")
    first, *buffers = (sent[start:stop] for start, stop in pairwise(offsets))
    return first, buffers


def _number(sent: bytes, start: int, *, size: int = 8, order: Any = "little") -> int:
    piece = sent[start : start + size]
    if len(piece) < size:
        raise MalformedMessageError("the end is missing")
    return int.from_bytes(piece, order)


def _text(piece: bytes) -> str:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedMessageError("text that is none") from None


def _object(piece: str | bytes) -> Json:
    text = piece if isinstance(piece, str) else _text(piece)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedMessageError("JSON that is none") from None
    if not isinstance(value, dict):
        raise MalformedMessageError("JSON that is not an object")
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for each in level
            for inner in (each.values() if isinstance(each, dict) else each)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise MalformedMessageError("JSON that is too deep")


def _checked_header(header: Json, username: str, trace: str) -> Json:
    """Return a header of what is known and checked; the kernel reads from it who asks."""
    taken = {name: header.get(name, "") for name in ("msg_id", "session")}
    if not all(isinstance(value, str) and _ID.fullmatch(value) for value in taken.values()):
        raise MalformedMessageError("an id that is none")
    return {
        **taken,
        "msg_type": header["msg_type"],
        "username": username,
        "trace": trace,
        "date": datetime.now(UTC).isoformat(),
        "version": "5.3",
    }


def _check_content(kind: str, content: Json) -> None:
    if kind not in ALLOWED:
        raise RefusedMessageError("another type")
    if kind == "comm_open" and content.get("target_name") not in _TARGETS:
        raise RefusedMessageError("another target")
    if kind in {"comm_open", "comm_msg", "comm_close"}:
        comm = content.get("comm_id")
        if not isinstance(comm, str) or not _ID.fullmatch(comm):
            raise MalformedMessageError("a comm that is none")
        if not isinstance(content.get("data", {}), dict):
            raise MalformedMessageError("data that is not an object")
    if kind == "comm_msg" and content.get("data", {}).get("method") not in _METHODS:
        raise RefusedMessageError("another method")
