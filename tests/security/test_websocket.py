"""Messages of a hostile browser: none runs code, none stops the server."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from tornado.websocket import WebSocketClosedError

from tests.security.visiting import (
    FRAMES,
    PATIENCE,
    Browser,
    answer_to,
    frames,
    message,
    text,
    with_page,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.running import Server

pytestmark = pytest.mark.e2e

KINDS = [
    "execute_request",
    "inspect_request",
    "complete_request",
    "history_request",
    "is_complete_request",
    "connect_request",
    "shutdown_request",
    "interrupt_request",
    "debug_request",
    "input_reply",
    "create_subshell_request",
    "usage_request",
    "apply_request",
    "Execute_Request",
]
CHANNELS = ["shell", "control", "stdin", "iopub", "hb", "", "x" * 1000]


def bombs() -> dict[str, bytes]:
    """Return binary messages that no front end sends."""
    good = frames("shell", message("kernel_info_request"))
    number = int.from_bytes(good[:8], "little")
    end = 8 * number

    def with_number(value: int, at: int = 0) -> bytes:
        return good[:at] + value.to_bytes(8, "little") + good[at + 8 :]

    return {
        "many offsets": (2**40).to_bytes(8, "little") + b"\0" * 100,
        "most offsets": b"\xff" * 108,
        "no offsets": b"\0" * 108,
        "nothing": b"",
        "a byte": b"\1",
        "a few too many": with_number(100_000),
        "one too few": with_number(number - 1),
        "an end far away": with_number(2**63, end),
        "an end before": with_number(0, end),
        "a start before": with_number(0, 8),
        "a start far away": with_number(2**63, 8),
        "half": good[: len(good) // 2],
        "more": good + b"x",
        "channel no text": frames("shell", message("kernel_info_request")).replace(
            b"shell", b"\xff\xfe\xff\xfe\xff"
        ),
        "many buffers": frames("shell", message("comm_msg", {"comm_id": "x"}), *([b""] * 1000)),
        "header no object": frames("shell", {**message("x"), "header": [1]}),
        "header deep": frames("shell", message("kernel_info_request")).replace(
            b'"username": "x"', b'"u": ' + b"[" * 3 + b"]" * 3
        )[:-1],
        "text": b'{"channel": "shell"}',
    }


def texts() -> dict[str, str]:
    """Return text messages that no front end sends."""
    return {
        "nothing": "",
        "null": "null",
        "list": "[]",
        "deep": "[" * 100_000,
        "deep objects": '{"a":' * 100_000,
        "no parts": '{"channel": "shell"}',
        "channel a number": json.dumps({**message("comm_msg"), "channel": 7}),
        "type a list": text("shell", message("x", msg_type=["comm_msg"])),
        "type missing": text("shell", {**message("x"), "header": {}}),
        "content a list": text("shell", message("comm_msg", [])),
        "content deep": text("shell", message("comm_msg", {"comm_id": "x", "data": {}})).replace(
            '"data": {}', '"data": ' + '{"a":' * 200 + "1" + "}" * 200
        ),
        "long number": '{"channel": ' + "1" * 10_000 + "}",
        "id long": text("shell", message("comm_msg", msg_id="x" * 100_000)),
        "id with an escape": text("shell", message("comm_msg", msg_id="\x1b[31m")),
        "comm a list": text("shell", message("comm_msg", {"comm_id": [], "data": {}})),
        "data a list": text("shell", message("comm_msg", {"comm_id": "x", "data": [1]})),
        "target a list": text("shell", message("comm_open", {"comm_id": "x", "target_name": []})),
        "surrogates": text("shell", message("comm_msg", {"comm_id": "\ud800", "data": {}})),
    }


def test_no_type_on_any_channel_runs_code(unlocked: Server, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    code = f"open({str(ran)!r}, 'w')"
    browser = Browser(unlocked.url)

    async def send_all(kernel: str) -> None:
        for protocol in (FRAMES, None):
            link = await browser.join(kernel, protocol)
            for kind in KINDS:
                for channel in CHANNELS:
                    said = message(kind, {"code": code, "value": code, "silent": False})
                    binary = protocol is not None
                    sent: Any = frames(channel, said) if binary else text(channel, said)
                    await link.write_message(sent, binary=binary)
            # The kernel has answered what came after all that: nothing of it is still to come.
            if protocol is None:
                asked = message("kernel_info_request")
                await link.write_message(text("shell", asked))
                reply = await answer_to(link, asked["header"]["msg_id"])
                # Whatever the message says, it is from the visitor.
                assert re.fullmatch("[0-9a-f]{32}", reply["parent_header"]["username"])
            link.close()

    with_page(browser, send_all)
    assert not ran.exists()


def test_comm_targets(unlocked: Server) -> None:
    browser = Browser(unlocked.url)
    targets = ["jupyter.widget", "jupyter.widget.version", "os.system", "", "x" * 1000]

    async def send_all(kernel: str) -> None:
        link = await browser.join(kernel, None)
        for index, target in enumerate(targets):
            opened = {"comm_id": f"c{index}", "target_name": target, "data": {}}
            await link.write_message(text("shell", message("comm_open", opened)))
        asked = message("comm_info_request")
        await link.write_message(text("shell", asked))
        while (reply := await answer_to(link, asked["header"]["msg_id"]))["msg_type"] != (
            "comm_info_reply"
        ):
            pass
        assert not {f"c{index}" for index in range(len(targets))} & set(reply["content"]["comms"])
        link.close()

    with_page(browser, send_all)


def test_malformed_messages_end_the_websocket_alone(unlocked: Server) -> None:
    browser = Browser(unlocked.url)

    async def send_all(kernel: str) -> None:
        malformed: list[tuple[str | None, str | bytes]] = [
            *((FRAMES, each) for each in bombs().values()),
            *((None, each) for each in bombs().values()),
            *((None, each) for each in texts().values()),
        ]
        for protocol, sent in malformed:
            link = await browser.join(kernel, protocol)
            try:
                await link.write_message(sent, binary=isinstance(sent, bytes))
                # Some are refused and the websocket stays; none is answered.
                asked = message("kernel_info_request")
                good = frames("shell", asked) if protocol else text("shell", asked)
                await link.write_message(good, binary=protocol is not None)
                while await asyncio.wait_for(link.read_message(), PATIENCE) is not None:
                    if link.close_code is None:
                        break
            except WebSocketClosedError:
                pass
            link.close()
            began = time.monotonic()
            assert await asyncio.to_thread(lambda: browser.ask("/healthz").body) == "ok"
            assert time.monotonic() - began < 8

    with_page(browser, send_all)


def test_huge_message(unlocked: Server) -> None:
    browser = Browser(unlocked.url)

    async def send(kernel: str) -> None:
        link = await browser.join(kernel)
        try:
            await link.write_message(b"\0" * (100 << 20), binary=True)
            assert await asyncio.wait_for(link.read_message(), PATIENCE) is None
        except (WebSocketClosedError, ConnectionError):
            pass
        assert await asyncio.to_thread(lambda: browser.ask("/healthz").body) == "ok"

    with_page(browser, send)


def test_websockets_of_one_page_are_few(unlocked: Server) -> None:
    browser = Browser(unlocked.url)

    async def join(kernel: str) -> None:
        links = [await browser.join(kernel) for _ in range(4)]
        assert await asyncio.to_thread(browser.knock, kernel) == 429
        for link in links:
            link.close()

    with_page(browser, join)


def test_slow_connections(unlocked: Server) -> None:
    browser = Browser(unlocked.url)
    host, _, port = browser.host.partition(":")
    slow = []
    try:
        for _ in range(300):
            slow.append(socket.create_connection((host, int(port)), timeout=PATIENCE))
            slow[-1].sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert browser.ask("/healthz").body == "ok"
    finally:
        for each in slow:
            each.close()
