"""The memory of a GGUF model, from the metadata and the table of tensors in its header.

Sources: llama.cpp (``llama-model.cpp``: windows by architecture; ``llama-hparams.cpp``: sizes of
states) and the format's description of its keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.memory.model import (
    Attention,
    Latent,
    Layers,
    MemoryModel,
    Recurrent,
    UnknownLayersError,
    grouped,
)
from llm_widgets.domain.memory.numbers import MOST_LAYERS, first, required, whole

if TYPE_CHECKING:
    from llm_widgets.domain.memory.tensors import Tensor

Metadata = Mapping[str, Any]

# Every n-th layer looks at everything, in architectures whose pattern is part of llama.cpp.
# An architecture with a window that stands neither here nor in the file slides nowhere.
_PATTERNS = {
    "cohere2": 4,
    "exaone4": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "gptoss": 2,
    "llama4": 4,
    "olmo2": 4,
    "olmo3": 4,
}
_LINEAR_INTERVAL = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
_STRANGE = ("rwkv", "arwkv", "falcon-h1", "mllama", "t5", "kimi-linear", "plamo")
_STRANGE_KEYS = ("wkv.", "kda.", "compress", "cross_attention_layers")


def from_gguf(
    metadata: Metadata, tensors: Sequence[Tensor], *, other_weights: int = 0
) -> MemoryModel:
    """Make the model from the header of its file.

    Parameters
    ----------
    metadata
        Keys and values of the header; the vocabulary's may be anything that has a length.
    tensors
        The header's table.
    other_weights
        Bytes of further files that are loaded, such as a projector for pictures.
    """
    kind = str(metadata.get("general.architecture", ""))
    own = {
        key.removeprefix(f"{kind}."): value
        for key, value in metadata.items()
        if key.startswith(f"{kind}.")
    }
    found: tuple[Layers, ...] = ()
    unknown = ""
    try:
        found = _layers(kind, own)
    except UnknownLayersError as error:
        unknown = f"{error}."
    total = sum(tensor.size for tensor in tensors)
    host = _host_weights(tensors)
    words = metadata.get("tokenizer.ggml.tokens")
    vocab = len(words) if isinstance(words, Sized) else whole(own, "vocab_size") or 0
    if not total:
        unknown = unknown or "its file names no tensors."
    return MemoryModel(
        architecture=kind,
        experts=whole(own, "expert_used_count") or 0,
        weights=total - host + other_weights,
        host_weights=host,
        layers=found,
        hidden=whole(own, "embedding_length") or 0,
        intermediate=_intermediate(own),
        vocab=vocab,
        heads=max(_each(own, "attention.head_count", 1), default=0),
        context_length=whole(own, "context_length") or 0,
        pictures=other_weights > 0 or any(tensor.name.startswith("v.") for tensor in tensors),
        unknown=unknown,
    )


def _host_weights(tensors: Sequence[Tensor]) -> int:
    """Sum what only looks tokens up, which llama.cpp does without the GPU.

    An embedding that serves as the output too is in the GPU, so it is not among them.
    """
    has_output = any(tensor.name == "output.weight" for tensor in tensors)
    names = {"per_layer_token_embd.weight"} | ({"token_embd.weight"} if has_output else set())
    return sum(tensor.size for tensor in tensors if tensor.name in names)


def _layers(kind: str, own: Metadata) -> tuple[Layers, ...]:
    _refuse_strange(kind, own)
    count = required(own, "block_count")
    heads = _each(own, "attention.head_count", count)
    key_heads = _each(own, "attention.head_count_kv", count) or heads
    if len(heads) != count or len(key_heads) != count:
        raise UnknownLayersError("its file does not list the heads of its layers")
    if whole(own, "attention.key_length_mla"):
        return (Latent(count, required(own, "attention.key_length")),)
    recurrent = _recurrent(kind, own, key_heads)
    sliding = _sliding(kind, own, count)
    own_cache = count - (whole(own, "attention.shared_kv_layers") or 0)
    found: list[Layers] = []
    for i in range(own_cache):
        if recurrent[i]:
            found.append(_state(own))
        elif key_heads[i]:
            found.append(_attention(own, heads[i], key_heads[i], sliding=sliding[i]))
    if any(key.startswith("ssm.") for key in own) and not any(recurrent):
        raise UnknownLayersError("its file does not say which layers are recurrent")
    return grouped(found)


def _refuse_strange(kind: str, own: Metadata) -> None:
    if not kind or kind.startswith(_STRANGE):
        raise UnknownLayersError(f"models of the kind “{kind}” are not known to this version")
    for key in own:
        if any(word in key for word in _STRANGE_KEYS):
            raise UnknownLayersError(f"its layers are described by “{key}”")
    if (count := whole(own, "block_count") or 0) > MOST_LAYERS:
        raise UnknownLayersError(f"it claims to have {count:,} layers")


def _recurrent(kind: str, own: Metadata, key_heads: list[int]) -> list[bool]:
    """Return which layers keep a state: those without heads, but for plain networks."""
    count = len(key_heads)
    interval = whole(own, "full_attention_interval") or _LINEAR_INTERVAL.get(kind)
    if interval:
        return [(i + 1) % interval != 0 for i in range(count)]
    networks = [0] * count
    if kind.startswith("nemotron_h"):
        networks = _each(own, "feed_forward_length", count) or networks
    return [not heads and not network for heads, network in zip(key_heads, networks, strict=True)]


def _sliding(kind: str, own: Metadata, count: int) -> list[bool]:
    pattern = own.get("attention.sliding_window_pattern", _PATTERNS.get(kind))
    if not whole(own, "attention.sliding_window") or not pattern:
        return [False] * count
    if isinstance(pattern, int):
        return [(i + 1) % pattern != 0 for i in range(count)]
    if not isinstance(pattern, list):
        raise UnknownLayersError("its file describes its windows in an unknown way")
    return [bool(pattern[i % len(pattern)]) for i in range(count)]


def _attention(own: Metadata, heads: int, key_heads: int, *, sliding: bool) -> Attention:
    ending = "_swa" if sliding else ""
    key = first(own, f"attention.key_length{ending}", "attention.key_length")
    if key is None:
        key = required(own, "embedding_length") // max(1, heads)
    value = first(own, f"attention.value_length{ending}", "attention.value_length") or key
    window = required(own, "attention.sliding_window") if sliding else 0
    return Attention(1, key_heads, key, value, window=window)


def _state(own: Metadata) -> Recurrent:
    """``n_embd_r`` and ``n_embd_s`` of llama.cpp."""
    if short := whole(own, "shortconv.l_cache"):
        return Recurrent(1, required(own, "embedding_length") * (short - 1), 0, state_bytes=4)
    inner, state = required(own, "ssm.inner_size"), required(own, "ssm.state_size")
    groups = whole(own, "ssm.group_count") or 0
    kernel = required(own, "ssm.conv_kernel")
    return Recurrent(1, (kernel - 1) * (inner + 2 * groups * state), inner * state, state_bytes=4)


def _intermediate(own: Metadata) -> int:
    dense = max(_each(own, "feed_forward_length", 1), default=0)
    used = whole(own, "expert_used_count")
    width = whole(own, "expert_feed_forward_length")
    if not used:
        return dense
    return used * (width or dense) + (whole(own, "expert_shared_feed_forward_length") or 0)


def _each(own: Metadata, key: str, count: int) -> list[int]:
    """Return a number for each layer, whether the file tells one for all or one for each."""
    value = own.get(key)
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, int):
        return [value] * count
    if not isinstance(value, list):
        return []
    return [n if isinstance(n, int) and n > 0 else 0 for n in value]
