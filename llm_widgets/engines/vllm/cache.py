"""The cache of keys and values as vLLM lays it out.

Sources: ``vllm/v1/kv_cache_interface.py`` (what a request takes at most) and
``vllm/v1/core/kv_cache_utils.py`` (layers of several kinds are put into groups of one size).
"""

from __future__ import annotations

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
_UNEVEN = 1.25  # groups have the size of the rarest kind, unless the kinds are about as many


def token_bytes(layer: Attention | Latent, element: int) -> int:
    """Return the bytes of one token in one layer's cache; ``element`` is 1 or 2 bytes."""
    if isinstance(layer, Attention):
        return layer.heads * (layer.key + layer.value) * element
    index = layer.index + _INDEX_SCALE if layer.index else 0
    if layer.index and element == 1:
        return _SPARSE_TOKEN + index
    return layer.width * element + index


def state_bytes(layer: Recurrent) -> int:
    """Return the bytes of one request's state in one layer."""
    return layer.convolution * 2 + layer.state * layer.state_bytes


def cache_bytes(model: MemoryModel, context: int, *, element: int = 2, batch: int = 2048) -> int:
    """Return the bytes of the cache of one request of a whole context.

    Parameters
    ----------
    context
        Tokens.
    element
        Bytes of an element: 2, or 1 for 8-bit caches.
    batch
        Tokens that are worked on at once: a window keeps them beside itself.
    """
    return Cache(model, element).bytes(context, batch)


class Cache:
    """The cache as vLLM divides it: pages of one size, groups of as many layers.

    Parameters
    ----------
    element
        Bytes of an element: 2, or 1 for 8-bit caches.
    """

    def __init__(self, model: MemoryModel, element: int) -> None:
        self._growing = model.growing
        self._recurrent = model.recurrent
        self._element = element
        self._block = BLOCK
        self._state = max((state_bytes(layer) for layer in self._recurrent), default=0)
        per_token = max((token_bytes(layer, element) for layer in self._growing), default=0)
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
        total = sum(self._padded(layer.layers) * self._state * STATES for layer in self._recurrent)
        for layer in self._growing:
            blocks = -(-context // self._block)
            if isinstance(layer, Attention) and layer.window:
                # One more, as a window may begin within a block.
                kept = min(layer.window - 1 + batch, context)
                blocks = -(-kept // self._block) + 1
            page = self._block * token_bytes(layer, self._element)
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
