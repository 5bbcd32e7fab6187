"""What deployed services answer: whatever it is, it becomes text within limits, or one sentence."""

from __future__ import annotations

import gzip
import itertools
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.run import chat_events, invoke, service_call, service_errors
from llm_widgets.manager import comparing
from tests.contract.test_chat_stream import HEAD, HELLO, Service, chat, product, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.product import Product

__all__ = ["product", "serve"]  # fixtures

FAILED = b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
MIB = 1 << 20


def event(value: Any) -> bytes:
    return b"data: %s\n\n" % json.dumps(value).encode()


def delta(**fields: Any) -> bytes:
    return event({"choices": [{"delta": fields}]})


def error_of(product: Product, service: Service) -> ManagerError:
    with pytest.raises(ManagerError) as caught:
        list(chat(product, service.url))
    return caught.value


@pytest.mark.parametrize(
    "odd",
    [
        event({"choices": "all"}),
        event({"choices": [1]}),
        event({"choices": [{"delta": [1]}]}),
        delta(content={"text": "hello"}),
        delta(reasoning=7),
        delta(tool_calls=[{"index": [0], "function": {"name": "f"}}]),
        delta(tool_calls=[{"function": {"name": {}}}]),
        event({"usage": [1]}),
        event({"usage": {"completion_tokens": "many"}}),
        event({"usage": {"completion_tokens": -5}}),
        b'data: {"usage": {"completion_tokens": 1e999}}\n\n',
        b'data: {"usage": {"prompt_tokens": NaN}}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
        b"data: " + b"9" * 10_000 + b"\n\n",
    ],
)
def test_an_event_of_odd_types_is_one_sentence(
    product: Product, serve: Callable[..., Service], odd: bytes
) -> None:
    error = error_of(product, serve(HEAD, HELLO, odd))
    assert "not a chat answer" in error.message
    assert len(error.cause) < 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda each: (
        st.lists(each, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "usage", "index", "function", "name"]),
            each,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_no_event_is_more_than_unreadable(value: Any) -> None:
    count = invoke._Count(0.0)
    try:
        found = list(invoke._deltas(json.dumps(value), count))
    except ManagerError:
        return
    assert all(isinstance(each.text + each.reasoning, str) for each in found)
    count.stats()


def test_an_error_amid_an_answer_is_cut(product: Product, serve: Callable[..., Service]) -> None:
    error = error_of(product, serve(HEAD, HELLO, event({"error": {"message": "x" * (MIB // 2)}})))
    assert error.message == "The engine failed while it answered."
    assert len(error.cause) <= 2000


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 50_000,
        b'{"error": {"message": "%s"}}' % (b"x" * 50_000),
        b'{"error": "%s"}' % (b"x" * 50_000),
        b'{"detail": "%s"}' % (b"x" * 50_000),
        b"\xff\xfe\x00" * 10_000,
    ],
)
def test_what_a_refusal_says_is_cut(
    product: Product, serve: Callable[..., Service], body: bytes
) -> None:
    error = error_of(product, serve(FAILED, body))
    assert error.message == "The service failed."
    assert len(error.cause) < 2100


def test_a_refusal_without_an_end_is_not_read_to_it(
    product: Product, serve: Callable[..., Service]
) -> None:
    service = serve(FAILED, *itertools.repeat(b"x" * MIB, 200))
    assert len(error_of(product, service).cause) < 2100


@pytest.mark.parametrize("pieces", [b": still here\n", b"data: x", b"\n"])
def test_an_answer_without_an_end_is_ended(
    product: Product,
    serve: Callable[..., Service],
    monkeypatch: pytest.MonkeyPatch,
    pieces: bytes,
) -> None:
    monkeypatch.setattr(invoke.ChatStream, "most_bytes", MIB)
    error = error_of(product, serve(HEAD, *itertools.repeat(pieces * 1000, 10_000)))
    assert error.message == "The service did not end its answer."


def test_an_answer_takes_no_longer_than_a_request_may(
    product: Product, serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_call, "_LONGEST_REQUEST", 0.0)
    error = error_of(product, serve(HEAD, HELLO))
    assert error.message == "The service did not end its answer."


def test_an_answer_has_no_more_characters_than_a_model_says(
    product: Product, serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoke, "MOST_CHARACTERS", 1000)
    for piece in (
        delta(content="x" * 600),
        delta(reasoning="x" * 600),
        delta(tool_calls=[{"function": {"name": "f", "arguments": "x" * 600}}]),
    ):
        assert "1,000 characters" in error_of(product, serve(HEAD, piece, piece)).message


def test_nothing_is_decompressed(product: Product, serve: Callable[..., Service]) -> None:
    bomb = gzip.compress(b"x" * (50 * MIB))
    service = serve(FAILED.replace(b"Connection", b"Content-Encoding: gzip\r\nConnection"), bomb)
    assert len(error_of(product, service).cause) < 2100
    assert "accept-encoding: identity\r\n" in service.heads[0].lower()


def test_the_message_of_an_error_is_found_wherever_an_engine_puts_it() -> None:
    for body in ({"error": {"message": "why"}}, {"error": "why"}, {"message": "why"}, "why"):
        assert service_errors.error_text(body, fallback="none") == "why"
    assert chat_events.read('{"error": "why"}').error == "why"


def test_an_answer_in_many_pieces_is_put_together_once() -> None:
    stream: Any = (invoke.ChatEvent("é" * 10, "è") for _ in range(300_000))
    service: Any = None
    begun = time.process_time()
    answer = comparing._answer(service, stream, None, None)
    assert time.process_time() - begun < 10
    assert (len(answer.text), len(answer.thought)) == (3_000_000, 300_000)
