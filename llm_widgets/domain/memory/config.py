"""The memory of a Hugging Face model, from its ``config.json`` and its table of tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.memory.layers import layers as layers_of
from llm_widgets.domain.memory.model import Attention, Layers, MemoryModel, UnknownLayersError
from llm_widgets.domain.memory.numbers import first, whole

if TYPE_CHECKING:
    from llm_widgets.domain.memory.tensors import Tensor

Config = Mapping[str, Any]

_NESTED = ("thinker_config", "text_config", "llm_config", "language_config")
_OTHER_SENSES = ("vision_config", "audio_config", "visual", "vision_tower")
_STRETCHED = ("linear", "dynamic", "yarn")
_MOST_STRETCHED = 1024
_EXPERTS = ("num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk")
_DRAFT_LAYERS = ("num_nextn_predict_layers", "mtp_num_hidden_layers")
_VOCAB_STEP = 64  # vLLM pads the vocabulary to it: DEFAULT_VOCAB_PADDING_SIZE

# What the configuration classes of transformers add to files that leave it out.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "gemma3_text": {
        "head_dim": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "vocab_size": 262208,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": True,
    },
}
_WIDE = {"F32": 4, "F64": 8}
_PLAIN = {"BF16", "F16", "F32", "F8_E4M3", "F8_E5M2"}
_KEYS = re.compile(r"(?:^|\.)layers\.(\d+)\.self_attn\.k_proj\.weight$")
_LAYER = re.compile(r"(?:^|\.)layers\.(\d+)\.")
_EYES_AND_EARS = ("vision", "visual", "audio", "image")


def from_config(config: Config, tensors: Sequence[Tensor]) -> MemoryModel:
    """Make the model from its configuration and the tensors of the files that are loaded.

    Parameters
    ----------
    config
        Content of ``config.json``.
    tensors
        From the headers of the safetensors files of one format, all shards.

    Returns
    -------
    MemoryModel
        With ``unknown`` set where the configuration has layers that are not understood, or
        contradicts the weights.
    """
    text = text_config(config)
    found: tuple[Layers, ...] = ()
    unknown = ""
    try:
        found = layers_of(text)
        _check_keys(text, found, tensors)
    except UnknownLayersError as error:
        unknown = f"{error}."
    intermediate = _intermediate(text)
    if not tensors:
        unknown = unknown or "the sizes of its weights were not read."
    elif not intermediate:
        unknown = unknown or "its configuration lacks “intermediate_size”."
    drafts = [tensor for tensor in tensors if _is_for_drafts(tensor.name, text)]
    return MemoryModel(
        weights=_weights(config, text, tensors),
        layers=found,
        hidden=first(text, "hidden_size", "n_embd", "d_model") or 0,
        intermediate=intermediate,
        vocab=whole(text, "vocab_size") or 0,
        heads=first(text, "num_attention_heads", "n_head", "n_heads") or 0,
        context_length=first(text, "max_position_embeddings", "n_positions", "seq_length") or 0,
        quantization=quantization(config),
        pictures=any(config.get(key) for key in _OTHER_SENSES),
        experts=first(text, *_EXPERTS) or 0,
        positions=_positions(text),
        drafts=sum(tensor.size for tensor in drafts),
        draft_layers=(first(text, *_DRAFT_LAYERS) or 1) if drafts else 0,
        unknown=unknown,
    )


def text_config(config: Config) -> dict[str, Any]:
    """Return the configuration of the language model, which models with other senses nest."""
    text = dict(config)
    for key in _NESTED:
        nested = text.get(key)
        if isinstance(nested, Mapping):
            # The outer numbers may be those of another part, but its quantisation holds.
            text = {**text, **nested}
    defaults = _DEFAULTS.get(str(text.get("model_type", "")), {})
    return {**defaults, **{key: value for key, value in text.items() if value is not None}}


def quantization(config: Config) -> str:
    """Name the method by which the weights are quantised; empty for none."""
    for place in (config, text_config(config)):
        for key in ("quantization_config", "compression_config"):
            found = place.get(key)
            if isinstance(found, Mapping):
                return str(found.get("quant_method") or "unnamed").lower()
    return ""


def _weights(config: Config, text: Config, tensors: Sequence[Tensor]) -> int:
    """Sum the bytes that vLLM loads: mixed types as they are, what is tied once.

    Weights of 32 bits in a model that is not quantised are turned to 16 when they are loaded.
    """
    is_plain = not quantization(config)
    is_tied = bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings")))
    heads = 0
    total = 0
    for tensor in tensors:
        if _is_for_drafts(tensor.name, text):
            continue
        if tensor.name.endswith("lm_head.weight"):
            if is_tied:
                continue
            heads += 1
        narrowed = is_plain and tensor.dtype in _WIDE
        total += prod(tensor.shape) * 2 if narrowed else tensor.size
    padding = -(whole(text, "vocab_size") or 0) % _VOCAB_STEP * (whole(text, "hidden_size") or 0)
    return total + padding * 2 * (1 + heads) if total else 0


def _is_for_drafts(name: str, text: Config) -> bool:
    """Whether a tensor guesses further tokens, which is not loaded without being asked for."""
    if name.startswith("mtp.") or ".mtp." in name:
        return True
    count = whole(text, "num_hidden_layers") if text.get("num_nextn_predict_layers") else None
    layer = _LAYER.search(name)
    return bool(count and layer and int(layer[1]) >= count)


def _positions(text: Config) -> int:
    """Count the elements of the tables of rotary positions: ``RotaryEmbedding`` of vLLM.

    A table has a row for each token of the context. Where positions are stretched, it has as many
    more; layers that slide have one of their own then, which is not stretched.
    """
    rows = first(text, "max_position_embeddings", "n_positions", "seq_length") or 0
    heads = first(text, "num_attention_heads", "n_head", "n_heads") or 1
    width = (
        first(text, "qk_rope_head_dim", "head_dim") or (whole(text, "hidden_size") or 0) // heads
    )
    for key in ("rope_scaling", "rope_parameters"):
        told = text.get(key)
        if isinstance(told, Mapping) and (told.get("rope_type") or told.get("type")) in _STRETCHED:
            factor = told.get("factor")
            if isinstance(factor, int | float) and 1 < factor <= _MOST_STRETCHED:
                rows = int((whole(told, "original_max_position_embeddings") or rows) * factor) + (
                    rows if whole(text, "sliding_window") else 0
                )
            break
    return rows * width


def _check_keys(text: Config, found: tuple[Layers, ...], tensors: Sequence[Tensor]) -> None:
    """See that the keys are as wide in the weights as in the configuration."""
    expected = {kind.heads * kind.key for kind in found if isinstance(kind, Attention)}
    if not expected:
        return
    count = whole(text, "num_hidden_layers") or 0
    for tensor in tensors:
        match = _KEYS.search(tensor.name)
        if not match or int(match[1]) >= count or tensor.dtype not in _PLAIN:
            continue
        if any(word in tensor.name for word in _EYES_AND_EARS):
            continue
        if tensor.shape[0] not in expected:
            raise UnknownLayersError(
                f"{tensor.name} gives {tensor.shape[0]} elements a token and its configuration "
                f"{' or '.join(map(str, sorted(expected)))}"
            )


def _intermediate(text: Config) -> int:
    """Return the elements that one token is spread to between two layers."""
    dense = _largest(text, "intermediate_size_mlp", "intermediate_size", "ffn_hidden_size")
    dense = dense or whole(text, "n_inner") or 4 * (whole(text, "n_embd") or 0)
    used = first(text, *_EXPERTS)
    if not used:
        return dense
    width = first(text, "moe_intermediate_size", "expert_ffn_hidden_size")
    if width is None:  # Mixtral, gpt-oss, Llama 4: the plain name is that of an expert
        return max(dense, used * _largest(text, "intermediate_size"))
    shared = whole(text, "shared_expert_intermediate_size") or (
        (whole(text, "n_shared_experts") or 0) * width
    )
    has_dense = text.get("first_k_dense_replace") or text.get("mlp_only_layers")
    # What goes into an expert and what comes out share a place (fused_experts of vLLM): of narrow
    # experts, the copies of a token for each of them are the larger part.
    width = max(width, (whole(text, "hidden_size") or 0) // 2)
    return max(used * width + shared, dense if has_dense else 0)


def _largest(text: Config, *keys: str) -> int:
    """Return the number under the first of several names; the largest of a list for each layer."""
    for key in keys:
        value = text.get(key)
        numbers = value if isinstance(value, list) else [value]
        found = [n for n in numbers if isinstance(n, int) and not isinstance(n, bool) and n > 0]
        if found:
            return max(found)
    return 0
