"""What vLLM reads beside the weights of the top folder, or instead of them: files, repositories.

From the ``secondary_weights`` of vLLM 0.33.0 (``vllm/model_executor/models``), and from what
transformers fetches for ``auto_map``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents

_BY_ARCHITECTURE = {
    "JinaEmbeddingsV5Model": ("adapters",),
    "MiMoV2OmniForCausalLM": ("audio_tokenizer",),
    "MoonshotKimiaForCausalLM": ("whisper-large-v3",),
    "Qwen3OmniMoeForConditionalGeneration": ("joint_head.safetensors",),
    "Qwen3_5ForConditionalGeneration": ("joint_head.safetensors",),
    "Qwen3_5Model": ("readout.safetensors",),
    "XLMRobertaModel": ("colbert_linear.pt", "sparse_linear.pt"),
}
"""Architecture to files and folders; those of XLMRobertaModel are BGE-M3's, which vLLM reads with
``--hf-overrides '{"architectures": ["BgeM3EmbeddingModel"]}'``."""

_ENCODERS = re.compile(r"([tv][^/]*er)/[^/]+\.safetensors")
_INSTEAD = {
    "Cosmos3EdgeForConditionalGeneration": _ENCODERS,
    "Cosmos3ForConditionalGeneration": _ENCODERS,
}
"""Architecture to the weights that vLLM reads instead of those of the top folder, as its
``allow_patterns_overrides`` say (``[tv]*er/*.safetensors``): a part of a layout of diffusers."""

_OWN_ADAPTER = ("adapter_model.safetensors", "adapter_model.bin")
_OTHER_MODELS = {"UltravoxModel": ("text_model_id", "audio_model_id")}
"""Architecture to the keys that name repositories with the rest of the weights."""


def weights(contents: Contents) -> tuple[str, ...]:
    """Return the files and folders of the repository with further weights that vLLM reads."""
    found = _BY_ARCHITECTURE.get(contents.architecture, ())
    own = _OWN_ADAPTER if _has_own_adapter(contents) else ()
    top = {path.partition("/")[0] for path in contents.paths}
    return (*(name for name in (*found, *own) if name in top), *instead(contents))


def has_others(contents: Contents) -> bool:
    """Whether vLLM reads the weights of this architecture in folders of a pipeline."""
    return contents.architecture in _INSTEAD


def instead(contents: Contents) -> tuple[str, ...]:
    """Return the folders whose weights vLLM reads instead of those of the top folder."""
    pattern = _INSTEAD.get(contents.architecture)
    if pattern is None:
        return ()
    found = filter(None, map(pattern.fullmatch, contents.paths))
    return tuple(sorted({match[1] for match in found}))


def problem(contents: Contents) -> str:
    """Say which weights are in other repositories; empty where all are in this one."""
    config = contents.config or {}
    keys = _OTHER_MODELS.get(contents.architecture, ())
    named = [config[key] for key in keys if isinstance(config.get(key), str) and config[key]]
    if not named:
        return ""
    others = " and ".join(shown(name) for name in named)
    return (
        f"It is a part of a model: vLLM fetches the rest ({others}) from its hub when it starts, "
        "and services have what was imported only."
    )


def note(contents: Contents) -> str:
    """Tell what a person has to add for it; empty for nothing."""
    if _has_own_adapter(contents) and set(_OWN_ADAPTER) & contents.top:
        return (
            "It brings a LoRA adapter of its own for what it hears: vLLM loads it with "
            "--enable-lora and --lora-modules, from the model's own folder."
        )
    if others := _code_elsewhere(contents):
        return (
            f"Its code is in another repository ({', '.join(others)}), which is not copied: "
            "deploy with HF_HUB_OFFLINE=0, so that vLLM can fetch it."
        )
    return ""


def _has_own_adapter(contents: Contents) -> bool:
    """Whether the configuration says that the top folder holds an adapter, as Granite Speech."""
    return (contents.config or {}).get("has_lora_adapter") is True


def _code_elsewhere(contents: Contents) -> list[str]:
    """Return the repositories that ``auto_map`` takes classes from: ``org/name--module.Class``."""
    auto = (contents.config or {}).get("auto_map")
    values = auto.values() if isinstance(auto, Mapping) else ()
    classes = [each for value in values for each in (value if isinstance(value, list) else [value])]
    named = {text.partition("--")[0] for text in classes if isinstance(text, str) and "--" in text}
    return [shown(name) for name in sorted(named)]
