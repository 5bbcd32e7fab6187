from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.gcp.run.sse import EventParser


def parse(pieces: list[bytes]) -> list[str]:
    parser = EventParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return [*events, *parser.end()]


def test_lines_comments_and_other_fields() -> None:
    stream = b": keep alive\n\nevent: x\nid: 1\ndata: one\ndata:two\n\ndata: [DONE]\n\n"
    assert parse([stream]) == ["one\ntwo", "[DONE]"]


def test_an_event_at_the_end_without_a_blank_line() -> None:
    assert parse([b"data: last"]) == ["last"]


def test_line_ends_of_windows() -> None:
    assert parse([b"data: a\r\n\r\ndata: b\r\n\r\n"]) == ["a", "b"]


@given(
    texts=st.lists(st.text(st.characters(exclude_characters="\r\n")), max_size=5),
    cuts=st.lists(st.integers(0, 400), max_size=20),
)
def test_the_pieces_make_no_difference(texts: list[str], cuts: list[int]) -> None:
    stream = "".join(f"data: {text}\n\n" for text in texts).encode(errors="replace")
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert parse(pieces) == [text.encode(errors="replace").decode() for text in texts]
