"""Which quantized weights vLLM loads, and on which GPUs of Cloud Run.

From ``vllm/model_executor/layers/quantization`` of vLLM 0.33.0: ``QUANTIZATION_METHODS``,
``DEPRECATED_QUANTIZATION_METHODS`` and each ``get_min_capability``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.gpus import GPUS
from llm_widgets.domain.names import shown

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents

MLX = "MLX"

# Method to the least compute capability, times ten. Those that a newer GPU has units for (FP8,
# MXFP4, NVFP4) are unpacked on an older one.
_LEAST = {
    "auto_awq": 75,
    "auto_gptq": 60,
    "awq": 75,
    "awq_marlin": 75,
    "compressed-tensors": 70,
    "deepseek_v4_fp8": 75,
    "experts_int8": 80,
    "fbgemm_fp8": 80,
    "fp8": 75,
    "fp_quant": 100,
    "gpt_oss_mxfp4": 80,
    "gptq": 60,
    "gptq_marlin": 60,
    "humming": 75,
    "inc": 60,
    "modelopt": 80,
    "modelopt_fp4": 75,
    "modelopt_mixed": 80,
    "modelopt_mxfp8": 80,
    "moe_wna16": 70,
    "mxfp4": 80,
    "mxfp8": 80,
    "quark": 70,
    "torchao": 75,
}
# Other names in files of models.
_SAME = {
    "auto-round": "inc",
    "auto_round": "inc",
    "compressed_tensors": "compressed-tensors",
    "gptqmodel": "gptq",
    "intel/auto-round": "inc",
}
_DEPRECATED = frozenset({"fbgemm_fp8", "fp_quant"})
_PLUGINS = {
    "bitsandbytes": "vllm-bnb-plugin",
    "gguf": "vllm-gguf-plugin",
}
# Files in which weights without a line in config.json say how they were quantized.
_FILES = {
    "quantize_config.json": "gptq",
    "quant_config.json": "awq",
    "hf_quant_config.json": "modelopt",
}


def method_of(contents: Contents) -> str:
    """Return how the weights were quantized; empty where nothing tells that they were."""
    config = contents.config or {}
    nested = config.get("text_config")
    for place in (config, nested if isinstance(nested, Mapping) else {}):
        for key in ("quantization_config", "compression_config", "quantization"):
            found = place.get(key)
            if isinstance(found, Mapping) and found:
                return _named(found) or _unnamed(found, contents)
    return next((_FILES[path] for path in _FILES if path in contents.top), "")


def problem(method: str) -> str:
    """Say why vLLM does not load weights of a method; empty where it does."""
    known = _SAME.get(method, method)
    if method == MLX:
        return "Its weights are quantized for MLX, which runs on Apple computers."
    if known in _PLUGINS:
        return (
            f"Its weights are quantized with {known}, which vLLM loads with {_PLUGINS[known]} "
            "only; its image has none."
        )
    if known not in _LEAST:
        return f"Its weights are quantized with {shown(method)}, which vLLM does not load."
    if not _gpus(known):
        return f"Its weights are quantized with {known}, which no GPU of Cloud Run computes."
    return ""


def notes(method: str) -> tuple[str, ...]:
    """Say what should be known of weights that vLLM loads."""
    known = _SAME.get(method, method)
    said = []
    fitting = _gpus(known)
    if len(fitting) < len(GPUS):
        said.append(f"Its weights are quantized with {known}, which needs {' or '.join(fitting)}.")
    if known in _DEPRECATED:
        said.append(
            f"vLLM is about to drop {known}: deploy with the argument "
            "--allow-deprecated-quantization."
        )
    return tuple(said)


def _gpus(method: str) -> list[str]:
    least = _LEAST.get(method, 0)
    return [gpu.short_label for gpu in GPUS if gpu.capability >= least]


def _named(found: Mapping[str, Any]) -> str:
    method = found.get("quant_method")
    if isinstance(method, str) and method:
        return method.lower()
    if found.get("load_in_4bit") is True or found.get("load_in_8bit") is True:
        return "bitsandbytes"
    producer = found.get("producer")
    name = producer.get("name") if isinstance(producer, Mapping) else ""
    return name if isinstance(name, str) else ""


def _unnamed(found: Mapping[str, Any], contents: Contents) -> str:
    """Tell MLX, which names no method, from what is not known."""
    is_mlx = contents.library == "mlx" or "mlx" in contents.tags
    return MLX if is_mlx or {"bits", "group_size"} <= found.keys() else ""
