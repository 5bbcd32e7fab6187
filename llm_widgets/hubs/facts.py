"""What a model's own files tell that is needed later: does it fit, how much it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import memory
from llm_widgets.domain.memory.numbers import whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.domain.memory import Tensor

SECONDS = 20
"""How long the headers of a model's weights may take."""

# Numbers that the memory of weights and of the key-value cache is computed from.
_MEMORY_KEYS = (
    "attn_layer_indices",
    "full_attention_interval",
    "head_dim",
    "hidden_size",
    "intermediate_size",
    "kv_lora_rank",
    "layer_types",
    "linear_num_value_heads",
    "max_position_embeddings",
    "max_window_layers",
    "moe_intermediate_size",
    "num_attention_heads",
    "num_experts_per_tok",
    "num_hidden_layers",
    "num_key_value_heads",
    "num_kv_shared_layers",
    "qk_rope_head_dim",
    "sliding_window",
    "sliding_window_pattern",
    "use_sliding_window",
    "vocab_size",
)


def from_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Collect the facts of a ``config.json`` as transformers reads it.

    Returns
    -------
    dict
        ``architecture``, ``model_type``, ``dtype``, ``quantization``, ``context_length``
        (tokens) and ``config``, an excerpt with the keys that memory is computed from, taken
        from ``text_config`` where a model nests them. What the configuration does not tell
        or tells as something else than it is, is left out.
    """
    nested = config.get("text_config")
    text = {**config, **nested} if isinstance(nested, dict) else config
    architectures = config.get("architectures") or text.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else None
    quantization = text.get("quantization_config")
    method = quantization.get("quant_method") if isinstance(quantization, dict) else None
    found = {
        "architecture": _text(named),
        "model_type": _text(config.get("model_type")),
        "dtype": _text(text.get("dtype")) or _text(text.get("torch_dtype")),
        "quantization": _text(method),
        "context_length": whole(text, "max_position_embeddings"),
        "config": {key: text[key] for key in _MEMORY_KEYS if text.get(key) is not None},
    }
    return {key: value for key, value in found.items() if value}


def memory_of_safetensors(config: Mapping[str, Any], tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Collect what the GPU memory of a model in safetensors files is computed from.

    Returns
    -------
    dict
        As :func:`.to_facts`; empty where nothing is known of its tensors.
    """
    return memory.to_facts(memory.from_config(config, tensors)) if config and tensors else {}


def memory_of_gguf(
    metadata: Mapping[str, Any], tensors: Sequence[Tensor], *, others: int
) -> dict[str, Any]:
    """Collect what the GPU memory of a GGUF model is computed from.

    Parameters
    ----------
    metadata, tensors
        Of the file's header, see :func:`.gguf.header`.
    others
        Bytes of further files that are loaded with it, such as a projector for pictures.

    Returns
    -------
    dict
        As of :func:`memory_of_safetensors`.
    """
    return memory.to_facts(memory.from_gguf(metadata, tensors, other_weights=others))


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""
