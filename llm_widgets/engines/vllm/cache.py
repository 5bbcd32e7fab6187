"""The cache of keys and values as vLLM lays it out.

Sources: ``vllm/v1/kv_cache_interface.py`` (what a request takes at most) and
``vllm/v1/core/kv_cache_utils.py`` (layers of several kinds are put into groups of one size).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.model import Attention, Latent

if TYPE_CHECKING:
    from llm_widgets.domain.memory.model import MemoryModel, Recurrent

BLOCK = 16
"""Tokens that are given out at once; a context is best a multiple."""

STATES = 2
"""States of one request that a recurrent layer keeps: the one in use, and one at a block's end that
other requests may begin with (``mamba_cache_mode`` "align", which vLLM 0.29 takes by default)."""

_SPARSE_TOKEN = 656  # bytes of the layout fp8_ds_mla
_INDEX_SCALE = 4  # bytes beside the 8-bit key of the index
_UNEVEN = 1.5  # groups have the size of the rarest kind, unless the kinds are about as many


@dataclass(frozen=True, slots=True)
class ElementType:
    """How a number of a key or a value is kept (``--kv-cache-dtype``).

    Attributes
    ----------
    element
        Bytes of a number.
    scale
        Bytes beside each head's key, and beside its value.
    """

    element: Fraction
    scale: int = 0


_SIXTEEN_BITS = ElementType(Fraction(2))
_EIGHT_BITS = ElementType(Fraction(1))
# By the beginning of the name, the longest first: KVQuantMode and AttentionSpec of vLLM.
_TYPES = {
    "fp8_per_token_head": ElementType(Fraction(1), scale=4),
    "int8_per_token_head": ElementType(Fraction(1), scale=4),
    "int4_per_token_head": ElementType(Fraction(1, 2), scale=4),
    "nvfp4_ds_mla": _EIGHT_BITS,
    # Four bits each, and eight for every sixteen.
    "nvfp4": ElementType(Fraction(9, 16)),
    # Its widest form has keys of eight bits: never too little for the others.
    "turboquant": _EIGHT_BITS,
    "fp8": _EIGHT_BITS,
}


def element_type(name: str) -> ElementType:
    """Return how ``--kv-cache-dtype`` of this name keeps a number.

    ``auto`` is the type of the model, not of its weights: 16 bits also where the weights have 8
    or 4; so is a name that is not known, which is never too little.
    """
    found = (kind for start, kind in _TYPES.items() if name.startswith(start))
    return next(found, _SIXTEEN_BITS)


def token_bytes(layer: Attention | Latent, kind: ElementType = _SIXTEEN_BITS) -> int:
    """Return the bytes of one token in one layer's cache."""
    if isinstance(layer, Attention):
        return int(layer.heads * ((layer.key + layer.value) * kind.element + 2 * kind.scale))
    index = layer.index + _INDEX_SCALE if layer.index else 0
    if layer.index and kind.element <= 1:
        return _SPARSE_TOKEN + index
    return int(layer.width * kind.element) + index


def state_bytes(layer: Recurrent) -> int:
    """Return the bytes of one request's state in one layer."""
    return layer.convolution * 2 + layer.state * layer.state_bytes


def cache_bytes(
    model: MemoryModel, context: int, *, kv_dtype: str = "auto", batch: int = 2048
) -> int:
    """Return the bytes of the cache of one request of a whole context.

    Parameters
    ----------
    context
        Tokens.
    kv_dtype
        ``--kv-cache-dtype``.
    batch
        Tokens that are worked on at once: a window keeps them beside itself.
    """
    return Cache(model, element_type(kv_dtype)).bytes(context, batch)


class Cache:
    """The cache as vLLM divides it: pages of one size, groups of as many layers.

    Parameters
    ----------
    kind
        How a number is kept.
    guessed
        Tokens that are guessed at once: a recurrent layer keeps a state for each.
    """

    def __init__(self, model: MemoryModel, kind: ElementType, *, guessed: int = 0) -> None:
        self._growing = model.growing
        self._recurrent = model.recurrent
        self._kind = kind
        self._states = STATES + guessed
        self._block = BLOCK
        self._state = max((state_bytes(layer) for layer in self._recurrent), default=0)
        per_token = max((token_bytes(layer, kind) for layer in self._growing), default=0)
        if self._state and per_token:
            # A page of attention is made as large as a state, and states are padded to it.
            self._block = -(-self._state // (per_token * BLOCK)) * BLOCK
            self._state = self._block * per_token
        kinds = {_kind(layer): 0 for layer in model.layers}
        for layer in model.layers:
            kinds[_kind(layer)] += layer.layers
        fewest, most = min(kinds.values(), default=1), max(kinds.values(), default=1)
        self._group = most if most < fewest * _UNEVEN else fewest
        self._is_mixed = len(kinds) > 1

    def bytes(self, context: int, batch: int) -> int:
        """Return the bytes of one request of a whole context."""
        total = sum(
            self._padded(layer.layers) * self._state * self._states for layer in self._recurrent
        )
        for layer in self._growing:
            blocks = -(-context // self._block)
            if isinstance(layer, Attention) and layer.window:
                # One more, as a window may begin within a block.
                kept = min(layer.window - 1 + batch, context)
                blocks = -(-kept // self._block) + 1
            page = self._block * token_bytes(layer, self._kind)
            total += self._padded(layer.layers) * blocks * page
        return total

    def least(self, requests: int) -> int:
        """Return the bytes without which graphs of so many requests can't be made.

        Each needs a page for its state: "max_num_seqs exceeds available Mamba cache blocks".
        """
        return requests * self._group * self._state if self._recurrent else 0

    def _padded(self, layers: int) -> int:
        """Round a number of layers up to whole groups, where there are layers of many kinds."""
        return -(-layers // self._group) * self._group if self._is_mixed else layers


def _kind(layer: object) -> object:
    return (type(layer), layer.window) if isinstance(layer, Attention) else type(layer)
