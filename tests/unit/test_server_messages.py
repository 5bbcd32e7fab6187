"""Messages of a browser to its kernel: what is passed on, and that nothing else ends it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.server.messages import (
    FRAMES,
    MOST_BYTES,
    MalformedMessageError,
    Message,
    RefusedMessageError,
    read_message,
)
from tests.security.visiting import frames, message, text

COMM = {"comm_id": "c1", "data": {"method": "custom", "content": {"a": [1, None, "ä"]}}}


def pieces(said: dict[str, Any], *buffers: bytes) -> bytes:
    """Return a message in the older binary form."""
    parts = [text("shell", said).encode(), *buffers]
    offsets = [4 * (len(parts) + 1)]
    for part in parts[:-1]:
        offsets.append(offsets[-1] + len(part))
    numbers = [len(parts), *offsets]
    return b"".join([*(number.to_bytes(4, "big") for number in numbers), *parts])


@pytest.mark.parametrize("form", ["frames", "text", "pieces"])
def test_all_forms_come_to_the_same(form: str) -> None:
    said = message("comm_msg", COMM)
    forms: dict[str, tuple[str | None, str | bytes, list[bytes]]] = {
        "frames": (FRAMES, frames("control", said, b"\0buffer"), [b"\0buffer"]),
        "text": (None, text("control", said), []),
        "pieces": (None, pieces(said, b"\0buffer", b""), [b"\0buffer", b""]),
    }
    protocol, sent, buffers = forms[form]
    read = read_message(sent, protocol, "ada@example.com")
    assert read.channel == ("shell" if form == "pieces" else "control")
    header, parent, metadata, content = (json.loads(each) for each in read.frames[:4])
    assert header["msg_type"] == "comm_msg"
    assert header["msg_id"] == said["header"]["msg_id"]
    assert header["username"] == "ada@example.com"
    assert (parent, metadata, content) == ({}, {}, COMM)
    assert read.frames[4:] == buffers


@pytest.mark.parametrize("form", [FRAMES, None])
def test_who_and_which_trace_are_what_the_server_says(form: str | None) -> None:
    said = message("comm_msg", COMM, username="eve@example.com", trace="f" * 32)
    sent = frames("shell", said) if form else text("shell", said)
    for trace in ("", "a" * 32):
        read = read_message(sent, form, "ada@example.com", trace)
        header = json.loads(read.frames[0])
        assert (header["username"], header["trace"]) == ("ada@example.com", trace)
        assert b"eve" not in b"".join(read.frames)


def test_parent_and_unknown_fields_are_left_behind() -> None:
    said = {**message("kernel_info_request", x=1, date="9999-99-99"), "parent_header": {"date": 1}}
    header, parent = (
        json.loads(each) for each in read_message(text("shell", said), None, "x").frames[:2]
    )
    known = {"msg_id", "session", "msg_type", "username", "trace", "date", "version"}
    assert set(header) == known
    assert header["date"] != "9999-99-99"
    assert parent == {}


def test_size_is_the_first_that_is_looked_at() -> None:
    for sent in ("x" * (MOST_BYTES + 1), b"\0" * (MOST_BYTES + 1)):
        with pytest.raises(MalformedMessageError, match="too large"):
            read_message(sent, FRAMES, "x")


@pytest.mark.parametrize("channel", ["iopub", "hb", "", "Shell"])
def test_other_channels(channel: str) -> None:
    with pytest.raises(RefusedMessageError, match="channel"):
        read_message(frames(channel, message("comm_msg", COMM)), FRAMES, "x")


@pytest.mark.parametrize("target", ["jupyter.widget", "x", "", None, [], {}])
def test_other_targets(target: Any) -> None:
    opened = {**COMM, "target_name": target}
    with pytest.raises(RefusedMessageError, match="target"):
        read_message(text("shell", message("comm_open", opened)), None, "x")


def read(sent: str | bytes, protocol: str | None) -> Message | None:
    try:
        return read_message(sent, protocol, "x")
    except (MalformedMessageError, RefusedMessageError):
        return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)
PARTS = st.sampled_from(["header", "parent_header", "metadata", "content", "channel"])


class TestNothingElseIsRaised:
    @given(st.binary(max_size=300) | st.text(max_size=300), st.sampled_from([FRAMES, None]))
    def test_by_noise(self, sent: str | bytes, protocol: str | None) -> None:
        assert read(sent, protocol) is None

    @given(st.data())
    def test_by_changed_bytes(self, data: st.DataObject) -> None:
        good = data.draw(
            st.sampled_from(
                [
                    frames("shell", message("comm_msg", COMM), b"x"),
                    pieces(message("comm_msg", COMM)),
                ]
            )
        )
        at = data.draw(st.integers(0, len(good) - 1))
        changed = good[:at] + data.draw(st.binary(max_size=9)) + good[at + 1 :]
        for protocol in (FRAMES, None):
            made = read(changed, protocol)
            assert made is None or sum(map(len, made.frames)) < 2 * len(good) + 1000

    @given(PARTS, JSON)
    def test_by_any_part(self, name: str, value: Any) -> None:
        read(json.dumps({**message("comm_msg", COMM), "channel": "shell", name: value}), None)

    @given(st.sampled_from(["msg_id", "session", "msg_type", "username", "date"]), JSON)
    def test_by_any_field_of_the_header(self, name: str, value: Any) -> None:
        read(text("shell", message("comm_msg", COMM, **{name: value})), None)

    @given(st.sampled_from(["comm_id", "data", "target_name"]), JSON)
    def test_by_any_field_of_the_content(self, name: str, value: Any) -> None:
        read(text("shell", message("comm_open", {**COMM, name: value})), None)


@pytest.mark.parametrize("method", ["forged\n\x1b[31mERROR", "echo_update", "", None, [], {}, 7])
def test_a_kernel_logs_no_word_of_a_browser(method: Any) -> None:
    said = message("comm_msg", {"comm_id": "c1", "data": {"method": method}})
    with pytest.raises(RefusedMessageError, match="another method"):
        read_message(text("shell", said), None, "x")
