"""Whether weights are those that their configuration speaks of, from the headers of their files.

vLLM 0.33.0 makes a model's parameters from ``config.json`` alone and copies the tensors into them:
what differs ends the start, after everything was read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.loading import HEADER
from llm_widgets.domain.memory.numbers import MOST_LAYERS, whole
from llm_widgets.engines.vllm import drafts, quantization

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents

_PLAIN = frozenset(
    {
        "Gemma2ForCausalLM",
        "Gemma3ForCausalLM",
        "GemmaForCausalLM",
        "GraniteForCausalLM",
        "LlamaForCausalLM",
        "MistralForCausalLM",
        "MixtralForCausalLM",
        "Olmo2ForCausalLM",
        "Phi3ForCausalLM",
        "Qwen2ForCausalLM",
        "Qwen2MoeForCausalLM",
        "Qwen3ForCausalLM",
        "Qwen3MoeForCausalLM",
        "SmolLM3ForCausalLM",
    }
)
"""Architectures whose layers all have tensors, and whose embeddings are a row for each token."""

_GUESSES = "num_nextn_predict_layers"
"""Key of how many layers follow that only guess tokens, which vLLM leaves out."""

_GUESSING = re.compile(r"(?:model\.)?layers\.(\d{1,5})\.eh_proj\.")

_EMBEDDINGS = re.compile(r"(?:model\.)?embed_tokens\.weight")
_LAYER = re.compile(r"(?:model\.)?layers\.(\d{1,5})\.")
_FLOATS = frozenset({"BF16", "F16", "F32"})
# Ends of names that only quantized weights have, by AutoGPTQ and AutoAWQ, compressed-tensors,
# and bitsandbytes.
_PACKED = (".qweight", ".weight_packed", ".weight.absmax", ".weight.quant_map")
# Methods whose linear layers all have a qweight.
_QWEIGHTS = frozenset({"awq", "awq_marlin", "gptq", "gptq_marlin", "gptqmodel"})


def problem(contents: Contents) -> str:
    """Say why vLLM does not load the weights; empty where nothing speaks against it."""
    header = contents.documents.get(HEADER)
    if not isinstance(header, Mapping):
        return ""
    shapes: Mapping[str, tuple[int, ...]] = header["shapes"]
    types: Mapping[str, str] = header["types"]
    return (
        _empty(shapes)
        or drafts.by_weights(shapes)
        or _quantized(types, quantization.method_of(contents))
        or _other_size(contents, shapes, types)
    )


def _empty(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Tell tensors without values; packed layouts have such beside their weights."""
    empty = [name for name, shape in shapes.items() if name.endswith(".weight") and 0 in shape]
    if not empty:
        return ""
    return (
        f"{len(empty)} of its {len(shapes)} tensors hold no values, for example {empty[0]}: "
        "DeepSpeed ZeRO-3 leaves such where weights are saved without being gathered."
    )


def _quantized(types: Mapping[str, str], method: str) -> str:
    packed = next((name for name in types if name.endswith(_PACKED)), "")
    if not method and packed:
        return (
            f"Its weights are quantized ({packed}), and config.json has no quantization_config "
            "that says how."
        )
    if not method and _is_mlx(types):
        return "Its weights are quantized as MLX does it, which runs on Apple computers."
    is_plain = set(types.values()) <= _FLOATS
    if is_plain and (method in _QWEIGHTS or method == "fp8") and not packed:
        return (
            f"Its config.json says that its weights are quantized with {method}; they are not: "
            "all of them are in 16 or 32 bits."
        )
    return ""


def _is_mlx(types: Mapping[str, str]) -> bool:
    """Whether weights are packed into whole numbers with scales and biases beside them."""
    packed = (
        name.removesuffix(".weight")
        for name, dtype in types.items()
        if dtype == "U32" and name.endswith(".weight")
    )
    return any({f"{name}.scales", f"{name}.biases"} <= types.keys() for name in packed)


def _other_size(
    contents: Contents, shapes: Mapping[str, tuple[int, ...]], types: Mapping[str, str]
) -> str:
    """Tell embeddings of another size than the configuration's, and another number of layers."""
    config = contents.config or {}
    if contents.architecture not in _PLAIN:
        return ""
    tokens, width = whole(config, "vocab_size"), whole(config, "hidden_size")
    name = next((name for name in shapes if _EMBEDDINGS.fullmatch(name)), "")
    if name and types[name] in _FLOATS and len(shapes[name]) == 2:  # noqa: PLR2004 - a table
        rows, columns = shapes[name]
        if tokens and rows != tokens:
            return (
                f"Its weights have {rows} tokens, and config.json says {tokens}: it was trained "
                "with other tokens than it was saved for."
            )
        if width and columns != width:
            return f"Its weights are {columns} wide, and config.json says {width} (hidden_size)."
    return _other_layers(config, shapes)


def _other_layers(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> str:
    there = {int(found[1]) for name in shapes if (found := _LAYER.match(name))}
    count = min(whole(config, "num_hidden_layers") or 0, MOST_LAYERS)
    missing = count - len(there & set(range(count))) if there else 0
    guessing = {int(found[1]) for name in shapes if (found := _GUESSING.match(name))}
    further = there - guessing - set(range(count)) if count and not config.get(_GUESSES) else ()
    if not missing and further:
        return (
            f"Its weights have {count + len(further)} layers, and config.json says {count} "
            "(num_hidden_layers): vLLM has no place for the others."
        )
    if not missing:
        return ""
    return f"Its weights lack {missing} of {count} layers that config.json speaks of."
