"""llama.cpp's answers in the words of Ollama: one object for each token, and a last one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_cloud.runner.ollama_api.llama import Answer

_NS = 10**9  # nanoseconds in a second: Ollama's unit of durations
_NS_OF_MS = 10**6

Part = dict[str, Any]


def response_part(text: str) -> Part:
    """Return what /api/generate says of a piece of text."""
    return {"response": text}


def message_part(text: str) -> Part:
    """Return what /api/chat says of a piece of text."""
    return {"message": {"role": "assistant", "content": text}}


def loaded(name: str, part: Callable[[str], Part], reason: str) -> Part:
    """Return the only object of the answer to a request that loads or unloads a model."""
    return _object(name, part(""), done=True) | {"done_reason": reason}


def stream(
    name: str, part: Callable[[str], Part], answer: Answer, *, begin: float, load_seconds: float
) -> Iterator[Part]:
    """Yield the objects of an answer.

    Parameters
    ----------
    name
        Of the model, as the request gave it.
    part
        Makes what is said of a piece of text.
    answer
        Of llama.cpp, streamed.
    begin
        Time (``time.monotonic``) at which the request came.
    load_seconds
        How long the model took to load for it.

    """
    reason = "stop"
    timings: dict[str, Any] = {}
    for event in answer.events():
        timings = event.get("timings", timings)
        for choice in event.get("choices", []):
            text = choice.get("text") or choice.get("delta", {}).get("content")
            if text:
                yield _object(name, part(text), done=False)
            reason = choice.get("finish_reason") or reason
    prompt_tokens = timings.get("cache_n", 0) + timings.get("prompt_n", 0)
    yield _object(name, part(""), done=True) | {
        "done_reason": reason,
        "total_duration": int((time.monotonic() - begin) * _NS),
        "load_duration": int(load_seconds * _NS),
        "prompt_eval_count": prompt_tokens,
        "prompt_eval_duration": int(timings.get("prompt_ms", 0) * _NS_OF_MS),
        "eval_count": timings.get("predicted_n", 0),
        "eval_duration": int(timings.get("predicted_ms", 0) * _NS_OF_MS),
    }


def whole(objects: Iterator[Part]) -> Part:
    """Return the one object that a stream adds up to."""
    texts: list[str] = []
    last: Part = {}
    for last in objects:
        texts.append(last["response"] if "response" in last else last["message"]["content"])
    if "response" in last:
        last["response"] = "".join(texts)
    else:
        last["message"]["content"] = "".join(texts)
    return last


def _object(name: str, part: Part, *, done: bool) -> Part:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return {"model": name, "created_at": now, **part, "done": done}
