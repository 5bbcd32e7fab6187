"""What vLLM is told of guessing further tokens: ``--speculative-config``.

Sources: ``vllm/config/speculative.py`` (methods; ``num_speculative_tokens``),
``v1/kv_cache_interface.py`` (a recurrent layer keeps a state for each token that is guessed).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_WITHOUT_WEIGHTS = {"ngram", "ngram_gpu", "suffix"}
_MOST_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Speculation:
    """How further tokens are guessed.

    Attributes
    ----------
    tokens
        Tokens that are guessed at once; 0 for none.
    has_own_heads
        Whether heads of the model itself guess them (multi-token prediction).
    has_other_model
        Whether a model of its own guesses them, of which nothing is known here.
    """

    tokens: int = 0
    has_own_heads: bool = False
    has_other_model: bool = False


NONE = Speculation()


def told(text: str) -> Speculation:
    """Read the value of ``--speculative-config``; what is none tells of no guessing."""
    try:
        found = json.loads(text) if text else None
    except ValueError:
        return NONE
    if not isinstance(found, dict):
        return NONE
    method = str(found.get("method") or "")
    own = method.endswith("mtp")
    other = not own and method not in _WITHOUT_WEIGHTS
    return Speculation(_tokens(found), own, other)


def _tokens(found: Mapping[str, object]) -> int:
    tokens = found.get("num_speculative_tokens")
    return min(tokens, _MOST_TOKENS) if type(tokens) is int and tokens > 0 else 1
