"""Whether vLLM can load a model, from what its hub tells of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_widgets.domain import weight_files
from llm_widgets.domain.loading import Task, Verdict, Way
from llm_widgets.domain.names import shown
from llm_widgets.engines.vllm import (
    architectures,
    beside,
    drafts,
    formats,
    modules,
    needed,
    quantization,
    tasks,
    weights,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from llm_widgets.domain.loading import Contents

MISTRAL = "mistral"
"""The layout with ``params.json`` and ``consolidated*.safetensors``."""

_VERSION = architectures.VERSION
_ADAPTERS = re.compile(
    r"(\d+_)?adapters?|adapter_model([-.].*)?|pytorch_adapter|(pytorch_)?lora(_weights)?"
    r"|.*[-_.](lora|lycoris|locon|loha|dora)([-_.].*)?|(lora|lycoris)[-_.].*",
    re.IGNORECASE,
)
_GGUF_ADAPTERS = re.compile(
    r"(?:ggml-)?(?:lora|adapter)[-_.].*|.*[-_.](?:lora|adapter)(?:[-_.](?:f16|f32|bf16|q8_0))?",
    re.IGNORECASE,
)
"""Names that llama.cpp's ``convert_lora_to_gguf.py`` writes, and its predecessor's."""

_PIPELINES = frozenset({"model_index.json", "modular_model_index.json"})
_BUILT = re.compile(r"rank\d+\.(?:safetensors|engine)|.*\.neff")


def judge(contents: Contents) -> Verdict:
    """Tell whether vLLM loads a model, what it does then, and what should be known before.

    vLLM is the version that services are deployed with, and the GPUs are those of Cloud Run.
    """
    contents = _with_known_first(contents)
    known = tasks.known_as(contents.architecture)
    looks = (
        *(_adapter, _draft, _other_kind, _modules, _weights),
        *(_quantization, _unnamed, _class, _header),
    )
    for look in looks:
        if refusal := look(contents, known):
            return refusal
    is_mistral = _is_mistral(contents)
    task, source = _mistral_task(contents) if is_mistral else tasks.of(contents)
    code = bool((contents.config or {}).get("auto_map"))
    return Verdict(
        task=task,
        source=source,
        notes=tuple(_notes(contents, known, task, code=code)),
        code=code,
        format=MISTRAL if is_mistral else "",
        beside=beside.weights(contents),
    )


def _with_known_first(contents: Contents) -> Contents:
    """Return contents whose first architecture is the one that vLLM takes of several."""
    config = contents.config or {}
    named = config.get("architectures")
    several = named if isinstance(named, list) and len(named) > 1 else []
    first = next((each for each in several if isinstance(each, str) and tasks.known_as(each)), "")
    return replace(contents, config={**config, "architectures": [first]}) if first else contents


def _other_kind(contents: Contents, known: str) -> Verdict | None:
    """Refuse what is no model of texts at all."""
    label, library = contents.task, contents.library
    if refusal := _diffusers(contents, known):
        return Verdict(refusal, Way.KIND)
    if label in tasks.UNSERVED and not known:
        return Verdict(f"It is for {label}, which vLLM has no endpoint for.", Way.KIND)
    if library.lower() in formats.LIBRARIES and not known:
        return Verdict(f"It is made for {library}, which vLLM does not load.", Way.KIND)
    return None


def _diffusers(contents: Contents, known: str) -> str:
    """Say that it is a pipeline of diffusers, or a part of one; empty for what is neither."""
    if beside.has_others(contents):
        return ""
    if _PIPELINES & contents.top:
        return "It is a pipeline of several models (diffusers), which vLLM does not load."
    config = contents.config or {}
    is_part = "_class_name" in config or "_diffusers_version" in config
    if known or not (is_part or contents.library == "diffusers"):
        return ""
    part = config.get("_class_name")
    named = f" ({shown(part)})" if isinstance(part, str) and part else ""
    return f"It is a part of a pipeline of diffusers{named}, which vLLM does not load."


def _adapter(contents: Contents, known: str) -> Verdict | None:
    """Refuse what only changes another model."""
    held = [path for path in contents.top if _is_weights(path) or path.endswith(".gguf")]
    whole = [path for path in held if not _is_adapter(path)]
    params = contents.documents.get("params.json")
    is_labelled = contents.library in {"peft", "adapter-transformers"} or bool(
        {"lora", "peft", "adapter"} & set(contents.tags)
    )
    is_adapter = (
        (held and not whole)
        or (isinstance(params, Mapping) and isinstance(params.get("lora"), Mapping))
        or ("adapter_config.json" in contents.top and not whole)
        or (is_labelled and contents.config is None and not _is_mistral(contents))
    )
    if not is_adapter or (known and whole) or _PIPELINES & contents.top:
        return None
    made_for = f"that it was made for, {contents.base}" if contents.base else "it was made for"
    way = Way.KIND if _is_for_pictures(contents) else Way.BASE
    return Verdict(f"It is {_kind(contents)}; it needs the model {made_for}.", way)


def _is_for_pictures(contents: Contents) -> bool:
    """Whether the model that an adapter was made for is none that vLLM serves either."""
    words = {contents.task, contents.library, *contents.tags}
    return bool(words & {*tasks.UNSERVED, "diffusers", "stable-diffusion", "flux"})


def _kind(contents: Contents) -> str:
    """Say what an adapter is: most are of LoRA, and PEFT names the others."""
    config = contents.documents.get("adapter_config.json")
    kind = config.get("peft_type") if isinstance(config, Mapping) else None
    if contents.library == "adapter-transformers":
        return "an adapter"
    if isinstance(kind, str) and kind and kind.upper() != "LORA":
        return f"an adapter ({shown(kind)})"
    return "a LoRA adapter"


def _draft(contents: Contents, known: str) -> Verdict | None:  # noqa: ARG001 - as all looks
    reason = drafts.problem(contents)
    return Verdict(reason, Way.BASE) if reason else None


def _modules(contents: Contents, known: str) -> Verdict | None:  # noqa: ARG001 - as all looks
    reason = modules.problem(contents)
    return Verdict(reason, Way.KIND) if reason else None


def _weights(contents: Contents, known: str) -> Verdict | None:  # noqa: ARG001 - as all looks
    """Refuse what has no weights where vLLM looks, or no configuration."""
    if beside.has_others(contents):
        return _instead(contents)
    if _has_weights(contents.top):
        if contents.config is None and not _is_mistral(contents):
            return Verdict(
                "It has no config.json, and no params.json with Mistral's weights: vLLM can't tell "
                "what its weights are.",
                Way.OTHER,
            )
        return None
    return _gguf(contents) or _elsewhere(contents)


def _instead(contents: Contents) -> Verdict | None:
    """Refuse what lacks the folders in which vLLM reads the weights of its architecture."""
    if beside.instead(contents):
        return None
    return _gguf(contents) or Verdict(
        f"vLLM reads the weights of {contents.architecture} in the folders transformer and "
        "vision_encoder, and it has none there.",
        Way.OTHER,
    )


def _gguf(contents: Contents) -> Verdict | None:
    """Refuse GGUF files, of which Ollama loads those that are whole."""
    names = [PurePosixPath(path).name.lower() for path in contents.paths]
    if any(name.endswith(".gguf") for name in names):
        return Verdict("Its weights are GGUF files, which Ollama loads.", Way.GGUF)
    if any(".gguf" in name for name in names):
        return Verdict(
            "Its weights are GGUF files that were cut into parts: they have to be put together "
            "before Ollama loads them.",
            Way.OTHER,
        )
    return None


def _elsewhere(contents: Contents) -> Verdict:
    """Refuse weights that are not where vLLM looks, or no safetensors; or that are none."""
    folders = sorted(
        {str(PurePosixPath(path).parent) for path in contents.paths if _is_any_weights(path)}
        - {"."}
    )
    if folders and not any(map(_is_built, contents.paths)):
        named = f"{', '.join(folders[:3])}{' and others' if len(folders) > 3 else ''}"  # noqa: PLR2004 - enough to find them
        return Verdict(
            f"Its weights are in subfolders ({named}); vLLM loads those of the top folder.",
            Way.OTHER,
        )
    if found := formats.of(contents.paths):
        return Verdict(f"Its weights are in a format that vLLM does not load: {found}.", Way.OTHER)
    return Verdict("It holds no weights.", Way.OTHER)


def _quantization(contents: Contents, known: str) -> Verdict | None:  # noqa: ARG001 - as all looks
    method = quantization.method_of(contents)
    reason = quantization.problem(method) if method else ""
    return Verdict(reason, Way.BASE if contents.base else Way.OTHER) if reason else None


def _unnamed(contents: Contents, known: str) -> Verdict | None:  # noqa: ARG001 - as all looks
    """Refuse what names a library of its own, and no architecture."""
    library = contents.library
    if contents.architecture or not library or library.lower() in formats.LOADED:
        return None
    if _is_mistral(contents):
        return None
    return Verdict(
        f"It is made for {shown(library)}, and its config.json names no architecture that vLLM "
        "could load.",
        Way.KIND,
    )


def _class(contents: Contents, known: str) -> Verdict | None:
    """Refuse an architecture that vLLM surely has nothing for."""
    name = contents.architecture
    if not name or known or _is_mistral(contents):
        return None
    if name in architectures.PLUGINS:
        return Verdict(
            f"vLLM loads {name} with a plug-in only ({architectures.PLUGINS[name]}); its image "
            "has none.",
            Way.KIND,
        )
    config = contents.config or {}
    if config.get("is_encoder_decoder") is True:
        return Verdict(
            f"It is an encoder with a decoder ({shown(name)}), which vLLM {_VERSION} does not "
            "load.",
            Way.KIND,
        )
    if contents.task == tasks.WRITES and name.endswith("Model") and not tasks.is_writer(name):
        return Verdict(
            f"It writes text, and vLLM {_VERSION} has no class for {shown(name)}: of one that it "
            "does not know under such a name it makes vectors.",
            Way.KIND,
        )
    if not config.get("auto_map") and not name.endswith(tasks.ENDINGS):
        return Verdict(f"vLLM {_VERSION} has no architecture {shown(name)}.", Way.KIND)
    return None


def _header(contents: Contents, known: str) -> Verdict | None:  # noqa: ARG001 - as all looks
    """Refuse weights that contradict the configuration, and those that are elsewhere."""
    if reason := beside.problem(contents):
        return Verdict(reason, Way.KIND)
    reason = weights.problem(contents)
    return Verdict(reason, Way.BASE if contents.base else Way.OTHER) if reason else None


def _notes(contents: Contents, known: str, task: Task, *, code: bool) -> list[str]:
    name = contents.architecture
    method = quantization.method_of(contents)
    said = [
        tasks.advice(task),
        *quantization.notes(method),
        modules.note(contents),
        _unknown(contents, known),
        beside.note(contents),
        needed.note(contents, known),
    ]
    if contents.adapters:
        said.append(
            f"It brings LoRA adapters of its own ({', '.join(contents.adapters)}): vLLM loads them "
            "with --enable-lora and --lora-modules."
        )
    if contents.task in tasks.UNSERVED:
        said.append(f"Its author labels it {contents.task}; vLLM answers with text or numbers.")
    if task is Task.RERANK and name.endswith("ForCausalLM"):
        said.append(
            f"It ranks by words that {name} writes: vLLM needs --hf-overrides for it, which its "
            "page names."
        )
    has_safetensors = any(path.endswith(".safetensors") for path in contents.top)
    if not has_safetensors and not beside.instead(contents):
        said.append("Its weights are in PyTorch's format, which loads slowly and can carry code.")
        said.append(_unusual(contents))
    if contents.library == "mlx" and not method:
        said.append("It was converted for MLX: vLLM might fail to load it. Its original is safer.")
    if code:
        said.append(
            "It brings code of its own, which vLLM runs with --trust-remote-code: you are asked "
            "when you deploy it."
        )
    return [note for note in said if note]


def _unusual(contents: Contents) -> str:
    """Name the weights that nothing but their suffix tells as such."""
    if any(map(weight_files.is_usual, contents.top)):
        return ""
    found = sorted(weight_files.unusual(contents.top))
    return (
        f"vLLM takes {' and '.join(map(shown, found))} as its weights, by the suffix alone: "
        "it does not start if they hold anything else, as the state of a training."
    )


def _unknown(contents: Contents, known: str) -> str:
    """Say what vLLM does with an architecture that it has no class for."""
    name = contents.architecture
    if known or _is_mistral(contents):
        return ""
    if not name:
        return "Its config.json names no architecture; vLLM might fail to load it."
    if version := architectures.REMOVED.get(name):
        return (
            f"vLLM {version} was the last that knew {name}: deploy with the image "
            f"vllm/vllm-openai:v{version}."
        )
    return (
        f"vLLM {_VERSION} does not know {shown(name)} itself and tries the class of "
        "Transformers or of the model, which might not fit. A newer image may know it."
    )


def _is_mistral(contents: Contents) -> bool:
    """Whether vLLM reads a model in Mistral's own layout."""
    has_weights = any(re.fullmatch(r"consolidated.*\.safetensors", path) for path in contents.top)
    others = any(
        _is_weights(path) and not path.startswith("consolidated") and not _is_adapter(path)
        for path in contents.top
    )
    return "params.json" in contents.top and has_weights and not others


def _mistral_task(contents: Contents) -> tuple[Task, str]:
    params = contents.documents.get("params.json")
    params = params if isinstance(params, Mapping) else {}
    senses = ("vision_encoder", "multimodal", "whisper_model_args")
    if any(params.get(key) for key in senses):
        is_speech = contents.task == "automatic-speech-recognition"
        return Task.TRANSCRIBE if is_speech else Task.VISION, "params.json"
    return Task.CHAT, "params.json"


def _has_weights(top: Collection[str]) -> bool:
    """Whether the top folder has what vLLM looks for, made for no other engine."""
    found = {path for path in top if _is_weights(path) and not _is_built(path)}
    return bool(found) and not (found == {"model.bin"} and formats.is_ctranslate2(top))


def _is_weights(path: str) -> bool:
    return path.endswith(".safetensors") or weight_files.is_pytorch(path) or _is_adapter(path)


def _is_built(path: str) -> bool:
    """Whether a file was built for another engine, whatever its suffix is."""
    return bool(_BUILT.fullmatch(PurePosixPath(path).name))


def _is_any_weights(path: str) -> bool:
    return path.endswith((".safetensors", ".bin"))


def _is_adapter(path: str) -> bool:
    name = PurePosixPath(path)
    if name.suffix == ".gguf" or name.name.startswith("ggml-"):
        return bool(_GGUF_ADAPTERS.fullmatch(name.stem))
    return name.suffix in {".safetensors", ".bin", ".pt"} and bool(_ADAPTERS.fullmatch(name.stem))
