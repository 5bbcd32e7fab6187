"""Which layers a Hugging Face model has, as its ``config.json`` tells.

Sources: the configuration classes of ``transformers`` and the readers of vLLM
(``transformers_utils/model_arch_config_convertor.py``, ``model_executor/layers/mamba``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_widgets.domain.memory.model import (
    Attention,
    Latent,
    Layers,
    Recurrent,
    UnknownLayersError,
    grouped,
)
from llm_widgets.domain.memory.numbers import MOST_LAYERS, first, required, whole

Config = Mapping[str, Any]

FULL, SLIDING, LINEAR, MAMBA, SHORT, NONE = "full", "sliding", "linear", "mamba", "short", "none"

# The words of ``layer_types`` and of the fields like it.
_WORDS = {
    "full_attention": FULL,
    "attention": FULL,
    "sliding_attention": SLIDING,
    "chunked_attention": FULL,  # versions of vLLM differ in whether they use what it spares
    "linear_attention": LINEAR,
    "mamba": MAMBA,
    "mamba2": MAMBA,
    "conv": SHORT,
    "mlp": NONE,
    "moe": NONE,
}
# The letters of Nemotron-H's ``hybrid_override_pattern``.
_LETTERS = {"M": MAMBA, "*": FULL, "-": NONE, "E": NONE}

# Every n-th layer looks at everything, where a configuration leaves out what its class adds.
_PATTERNS = {
    "cohere2": 4,
    "exaone4": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3_text": 6,
    "gemma3n_text": 5,
    "gemma4": 6,
    "gemma4_text": 6,
    "gpt_oss": 2,
}
# Models whose window holds for all layers. For other models without a pattern the whole text is
# counted, which is never too little.
_ALL_SLIDE = {"mistral", "mixtral", "phi3", "phimoe", "starcoder2"}

# Models that vLLM serves with compressed keys and values; it expands those of others.
_LATENT = {
    "deepseek_v2",
    "deepseek_v3",
    "deepseek_v32",
    "glm4_moe_lite",
    "glm_moe_dsa",
    "kimi_k2",
    "pangu_ultra_moe",
}
# Fields of models whose layers are like no others.
_STRANGE = (
    "block_configs",
    "block_types",
    "compress_ratios",
    "cross_attention_layers",
    "hybrid_layer_pattern",
    "layer_group_size",
    "linear_attn_config",
    "lru_width",
    "rswa_window",
    "ssm_cfg",
    "swa_head_dim",
    "swa_num_key_value_heads",
)
_STRANGE_TYPES = ("rwkv", "falcon_h1", "hymba", "zamba", "longcat")
_RECURRENT_KEYS = ("mamba_", "ssm_", "linear_num_", "linear_key_")


def layers(text: Config) -> tuple[Layers, ...]:
    """Return the layers that keep a cache or a state.

    Parameters
    ----------
    text
        The configuration of the language model itself.

    Raises
    ------
    UnknownLayersError
        There are layers whose memory is not understood, or a number is missing.
    """
    _refuse_strange(text)
    count = required(text, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
    if count > MOST_LAYERS:
        raise UnknownLayersError(f"it claims to have {count:,} layers")
    if whole(text, "kv_lora_rank"):
        return (_latent(text, count),)
    kinds = _kinds(text, count)
    if len(kinds) != count:
        raise UnknownLayersError(f"it names the kinds of {len(kinds)} of its {count} layers")
    if not {LINEAR, MAMBA} & set(kinds) and any(key.startswith(_RECURRENT_KEYS) for key in text):
        raise UnknownLayersError("it does not say which layers are recurrent")
    shared = whole(text, "num_kv_shared_layers") or 0
    # The last ones use the cache of one before them.
    kinds = kinds[: count - shared]
    return grouped([_layer(kind, text) for kind in kinds if kind != NONE])


def _refuse_strange(text: Config) -> None:
    kind = str(text.get("model_type", ""))
    if kind.startswith(_STRANGE_TYPES):
        raise UnknownLayersError(f"models of the kind {kind} are not known to this version")
    for key in _STRANGE:
        if text.get(key):
            raise UnknownLayersError(f"its layers are described by “{key}”")
    types = text.get("attn_type_list")
    if isinstance(types, list) and 0 in types:  # MiniMax: 1 is attention as elsewhere
        raise UnknownLayersError("its layers are described by “attn_type_list”")
    if text.get("use_cla") or (whole(text, "cla_share_factor") or 1) > 1:
        raise UnknownLayersError("its layers share their caches in a way of their own")
    if text.get("is_encoder_decoder"):
        raise UnknownLayersError("it is an encoder and a decoder")


def _latent(text: Config, count: int) -> Latent:
    kind = str(text.get("model_type", ""))
    if kind not in _LATENT:
        raise UnknownLayersError(
            f"whether an engine keeps the cache of “{kind}” compressed is open"
        )
    width = required(text, "kv_lora_rank") + required(text, "qk_rope_head_dim")
    return Latent(count, width, index=whole(text, "index_head_dim") or 0)


def _kinds(text: Config, count: int) -> list[str]:
    """Name the kind of each layer."""
    for key in ("layer_types", "layers_block_type"):
        if isinstance(text.get(key), list):
            return [_word(word) for word in text[key]]
    pattern = text.get("hybrid_override_pattern")
    if isinstance(pattern, str):
        if set(pattern) - set(_LETTERS):
            raise UnknownLayersError(f"its layers are described by “{pattern}”")
        return [_LETTERS[letter] for letter in pattern]
    if interval := whole(text, "full_attention_interval"):
        return [LINEAR if (i + 1) % interval else FULL for i in range(count)]
    if period := whole(text, "attn_layer_period"):
        offset = text.get("attn_layer_offset", 0)
        return [FULL if i % period == offset else MAMBA for i in range(count)]
    for key, other in (("attn_layer_indices", MAMBA), ("full_attn_idxs", SHORT)):
        if isinstance(text.get(key), list):
            return [FULL if i in text[key] else other for i in range(count)]
    return _windows(text, count)


def _word(word: Any) -> str:
    if not isinstance(word, str) or word not in _WORDS:
        raise UnknownLayersError(f"it has layers of the kind “{word}”")
    return _WORDS[word]


def _windows(text: Config, count: int) -> list[str]:
    """Name the kind of each layer of a model that has attention only."""
    if not _window(text):
        return [FULL] * count
    kind = str(text.get("model_type", ""))
    pattern = text.get("sliding_window_pattern", _PATTERNS.get(kind))
    if isinstance(pattern, str) and pattern:  # such as LLLG
        return [FULL if pattern[i % len(pattern)] == "G" else SLIDING for i in range(count)]
    if isinstance(pattern, int) and pattern > 0:
        return [SLIDING if (i + 1) % pattern else FULL for i in range(count)]
    if text.get("use_sliding_window"):  # Qwen: the first layers look at everything
        start = whole(text, "max_window_layers") or 0
        return [SLIDING if i >= start else FULL for i in range(count)]
    return [SLIDING if kind in _ALL_SLIDE else FULL] * count


def _window(text: Config) -> int:
    """Return the window of the layers that slide; 0 where a configuration has an unused one."""
    if text.get("use_sliding_window") is False:
        return 0
    return whole(text, "sliding_window") or 0


def _layer(kind: str, text: Config) -> Layers:
    if kind == LINEAR:
        return _gated_delta(text)
    if kind == MAMBA:
        return _mamba(text)
    if kind == SHORT:
        kernel = required(text, "conv_L_cache")
        return Recurrent(1, required(text, "hidden_size") * (kernel - 1), 0)
    return _attention(text, sliding=kind == SLIDING)


def _attention(text: Config, *, sliding: bool) -> Attention:
    heads = required(text, "num_attention_heads", "n_head", "n_heads")
    nested = text.get("attn_config")
    key_heads = first(
        text, "num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num"
    ) or (whole(nested, "kv_n_heads") if isinstance(nested, Mapping) else None)
    if key_heads is None:
        one = text.get("multi_query") and not text.get("new_decoder_architecture")
        key_heads = 1 if one else heads
    width = first(text, "head_dim", "attention_head_dim")
    if width is None:
        width = required(text, "hidden_size", "n_embd", "d_model") // heads
    if not sliding:  # Gemma 4: layers that look at everything have wider and fewer heads
        width = whole(text, "global_head_dim") or width
        if text.get("attention_k_eq_v"):
            key_heads = whole(text, "num_global_key_value_heads") or key_heads
    return Attention(
        layers=1,
        heads=key_heads,
        key=width,
        value=whole(text, "v_head_dim") or width,
        window=_window(text) if sliding else 0,
    )


def _gated_delta(text: Config) -> Recurrent:
    """Qwen3-Next and Qwen3.5: ``gated_delta_net_state_shape`` of vLLM."""
    keys = required(text, "linear_num_key_heads") * required(text, "linear_key_head_dim")
    values = required(text, "linear_num_value_heads") * required(text, "linear_value_head_dim")
    kernel = required(text, "linear_conv_kernel_dim")
    return Recurrent(
        layers=1,
        convolution=(kernel - 1) * (2 * keys + values),
        state=values * required(text, "linear_key_head_dim"),
        state_bytes=4 if text.get("mamba_ssm_dtype") == "float32" else 2,
    )


def _mamba(text: Config) -> Recurrent:
    """Mamba 2 where heads are named, otherwise Mamba 1: ``mamba2_state_shape`` of vLLM."""
    state = required(text, "mamba_d_state", "ssm_state_size")
    kernel = required(text, "mamba_d_conv", "conv_kernel")
    heads = first(text, "mamba_n_heads", "mamba_num_heads")
    if heads is None:
        inner = required(text, "mamba_expand") * required(text, "hidden_size")
        return Recurrent(1, (kernel - 1) * inner, inner * state)
    inner = heads * required(text, "mamba_d_head", "mamba_head_dim")
    groups = first(text, "mamba_n_groups", "n_groups") or 1
    return Recurrent(
        layers=1,
        convolution=(kernel - 1) * (inner + 2 * groups * state),
        state=inner * state,
        state_bytes=4 if text.get("mamba_ssm_dtype") == "float32" else 2,
    )
