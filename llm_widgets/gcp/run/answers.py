"""Calls of a deployed service whose answer comes whole: vectors, rankings, labels, transcripts.

The protocols are those of OpenAI's API, for rankings of Jina's, and for labels of vLLM, as the
engines have them. What comes back is checked: it is an engine's word.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from llm_widgets.domain.answers import (
    Classified,
    Embedding,
    LabelScore,
    Ranked,
    ToolCall,
    Transcript,
)
from llm_widgets.domain.services import told_text
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.run.service_call import ServiceCall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx2

    from llm_widgets.gcp.client.clients import Clients

T = TypeVar("T")

MOST_BYTES = 64 * 2**20
"""Of an answer: a thousand vectors of 4096 numbers are less."""

_CUT = 300  # characters of an answer that is told in an error


class Whole(ServiceCall[bytes]):
    """An answer that is read to its end before anything of it is used."""

    most_bytes = MOST_BYTES

    def _read(self, response: httpx2.Response) -> Iterator[bytes]:
        yield response.read()


class Listed(Whole):
    """The list of what an engine serves, which is asked for without sending anything."""

    method = "GET"
    most_bytes = 2**20


@dataclass(frozen=True, slots=True)
class Message:
    """What a model answers in a chat: text, what it thought before, calls of tools."""

    text: str
    thought: str
    calls: tuple[ToolCall, ...]


class _Function(msgspec.Struct):
    name: str = ""
    arguments: Any = ""


class _Called(msgspec.Struct):
    function: _Function


class _Said(msgspec.Struct):
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[_Called] | None = None


class _Choice(msgspec.Struct):
    message: _Said


class _Chat(msgspec.Struct):
    choices: list[_Choice]


class _Vector(msgspec.Struct):
    embedding: list[float]
    index: int = -1


class _Vectors(msgspec.Struct):
    data: list[_Vector]


class _Score(msgspec.Struct):
    index: int
    relevance_score: float


class _Scores(msgspec.Struct):
    results: list[_Score]


class _Class(msgspec.Struct):
    probs: list[float]
    index: int
    label: str | None = None


class _Classes(msgspec.Struct):
    data: list[_Class]


class _Text(msgspec.Struct):
    text: str


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


def posted(
    clients: Clients, url: str, path: str, body: Mapping[str, Any], *, service: str = ""
) -> Whole:
    """Return the call that posts JSON, sent when it is iterated.

    Parameters
    ----------
    url, path
        Of the service, and where its engine is asked.
    service
        Resource name, for the fix of a refusal.
    """
    request = {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    return Whole(clients, url, path, request, service=service)


def embeddings(call: Whole, texts: Sequence[str]) -> list[Embedding]:
    """Return the vectors of texts, in their order.

    Raises
    ------
    ManagerError
        The service refuses, fails, or answers with something else.
    """
    found = _decoded(call, _Vectors).data
    places = [each.index if each.index >= 0 else place for place, each in enumerate(found)]
    if sorted(places) != list(range(len(texts))):
        raise _not_an_answer(f"{len(texts)} texts were sent, and {len(found)} vectors came back.")
    by_place = dict(zip(places, found, strict=True))
    vectors = [tuple(by_place[place].embedding) for place in range(len(texts))]
    if not all(vector and all(map(math.isfinite, vector)) for vector in vectors):
        raise _not_an_answer("A vector is empty, or has a number that is none.")
    return [Embedding(text, vector) for text, vector in zip(texts, vectors, strict=True)]


def ranking(call: Whole, passages: Sequence[str]) -> list[Ranked]:
    """Return passages by their scores, the best one first.

    Raises
    ------
    ManagerError
        The service refuses, fails, or answers with something else.
    """
    found = _decoded(call, _Scores).results
    if sorted(each.index for each in found) != list(range(len(passages))):
        raise _not_an_answer(
            f"{len(passages)} passages were sent, and {len(found)} scores came back."
        )
    ranked = [Ranked(each.index, each.relevance_score, passages[each.index]) for each in found]
    return sorted(ranked, key=lambda each: (-each.score, each.index))


def classification(call: Whole, texts: Sequence[str]) -> list[Classified]:
    """Return texts with the scores of their labels, in their order.

    vLLM names the label that fits best, and tells of the others only their scores.

    Raises
    ------
    ManagerError
        The service refuses, fails, or answers with something else.
    """
    found = sorted(_decoded(call, _Classes).data, key=lambda each: each.index)
    if [each.index for each in found] != list(range(len(texts))):
        raise _not_an_answer(f"{len(texts)} texts were sent, and {len(found)} labels came back.")
    if not all(each.probs and all(map(math.isfinite, each.probs)) for each in found):
        raise _not_an_answer("A text has no scores, or one that is not a number.")
    return [Classified(text, _labels(each)) for text, each in zip(texts, found, strict=True)]


def _labels(found: _Class) -> tuple[LabelScore, ...]:
    best = max(range(len(found.probs)), key=found.probs.__getitem__)
    names = {best: told_text(found.label)} if found.label else {}
    scores = [
        LabelScore(names.get(place, f"label {place}"), score)
        for place, score in enumerate(found.probs)
    ]
    return tuple(sorted(scores, key=lambda each: -each.score))


def message(call: Whole) -> Message:
    """Return what a model answers in a chat.

    Raises
    ------
    ManagerError
        The service refuses, fails, or answers with something else.
    """
    choices = _decoded(call, _Chat).choices
    if not choices:
        raise _not_an_answer("It holds no choice.")
    said = choices[0].message
    return Message(
        text=said.content or "",
        thought=said.reasoning or said.reasoning_content or "",
        calls=tuple(_call(each.function) for each in said.tool_calls or ()),
    )


def _call(function: _Function) -> ToolCall:
    given = function.arguments
    return ToolCall(function.name, given if isinstance(given, str) else json.dumps(given))


def transcript(call: Whole) -> Transcript:
    """Return what is said in a recording.

    Raises
    ------
    ManagerError
        The service refuses, fails, or answers with something else.
    """
    return Transcript(_decoded(call, _Text).text)


def models(call: Listed) -> list[str]:
    """Return the names of the models that an engine serves.

    Raises
    ------
    ManagerError
        The service refuses, fails, or answers with something else.
    """
    return [each.id for each in _decoded(call, _Models).data]


def _decoded(call: Whole, kind: type[T]) -> T:
    body = next(iter(call), b"")
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text = body[:_CUT].decode(errors="replace")
        raise _not_an_answer(f"{error}: {text}") from error


def _not_an_answer(cause: str) -> ManagerError:
    return ManagerError("The service sent something that is not an answer.", cause=cause)
