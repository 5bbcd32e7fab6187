"""What vLLM tells in its log of the memory that it takes when it starts.

Sources: ``gpu_model_runner.py`` ("Model loading took"), ``gpu_worker.py`` ("Available KV cache
memory") and ``kv_cache_utils.py`` (what the cache holds) of vLLM 0.8 to 0.33.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.measured import Measured
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIZE = r"(\d{1,4}(?:\.\d{1,6})?)"
_NUMBER = r"(\d{1,3}(?:,?\d{3}){0,4})"
_LOADED = re.compile(rf"Model loading took {_SIZE} GiB")
_LEFT = re.compile(rf"Available KV cache memory: {_SIZE} GiB")
_TOKENS = re.compile(rf"GPU KV cache size: {_NUMBER} tokens")
_REQUESTS = re.compile(rf"Maximum concurrency for {_NUMBER} tokens per request: {_SIZE}x")


def read(lines: Iterable[str]) -> Measured | None:
    """Return what the last start told; ``None`` where none told of weights and cache."""
    weights = left = tokens = context = 0
    requests = 0.0
    for line in lines:
        if found := _LOADED.search(line):
            weights, left, tokens, context, requests = _bytes(found[1]), 0, 0, 0, 0.0
        if found := _LEFT.search(line):
            left = _bytes(found[1])
        if found := _TOKENS.search(line):
            tokens = _whole(found[1])
        if found := _REQUESTS.search(line):
            context, requests = _whole(found[1]), float(found[2])
    if not weights or not left:
        return None
    return Measured(weights, left, requests=requests, context=context, tokens=tokens)


def _bytes(gib: str) -> int:
    return int(float(gib) * GIB)


def _whole(number: str) -> int:
    return int(number.replace(",", ""))
