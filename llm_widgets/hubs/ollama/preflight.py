"""The pre-flight of an import from Ollama's registry, or of a GGUF model of Hugging Face."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.engines.ollama.version import VERSION
from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import documents, facts
from llm_widgets.hubs.ollama import names
from llm_widgets.hubs.ollama.client import LARGEST_TEXT, Registry
from llm_widgets.hubs.ollama.documents import Layer, Manifest, ModelConfig

if TYPE_CHECKING:
    from llm_widgets.hubs.ollama.names import Name

_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)([KMBT])")
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def inspect(
    text: str, *, hub_id: str, registry: str, hugging_face: str, look_inside: bool = True
) -> HubModel:
    """Find a model and see that Ollama can run it on Linux: the pre-flight of an import.

    The files are laid out as Ollama's own folder of models, the manifest last.

    Parameters
    ----------
    text
        What was typed: a name, the address of the model's page, or an ``ollama pull`` command.
    registry, hugging_face
        Base URLs of Ollama's registry, and of the hub that answers for ``hf.co/…`` names.
    look_inside
        Whether the header of the weights is read too.

    Raises
    ------
    InvalidInputError
        The name can't be one.
    NotFoundError
        There is no such model or tag.
    GatedModelError
        The model is private or gated.
    HubError
        Ollama can't run it on Linux, or the registry refused.
    UnavailableError
        The registry does not answer.
    """
    name = names.model(text)
    source = Registry(name, registry=registry, hugging_face=hugging_face)
    raw = source.manifest()
    answer = f"The registry's answer for {name.id}"
    wrong = f"The manifest of {name.id} is not one of a model."
    manifest = documents.read(raw, Manifest, name=answer, wrong=wrong)
    layers = manifest.layers or ()
    config_text = source.blob(manifest.config)
    config = documents.read(config_text, ModelConfig, name=f"The configuration of {name.id}")
    _check_runs(name, config, {layer.kind for layer in layers})
    blobs = {
        layer.sha256: _blob_file(source, layer)
        for layer in sorted(layers, key=lambda layer: -layer.size)
    }
    config_digest = manifest.config.sha256
    blobs[config_digest] = _content_file(f"blobs/sha256-{config_digest}", config_text)
    licences = [layer for layer in layers if layer.kind == "license"]
    return HubModel(
        source=hub_id,
        id=name.id,
        revision=hashlib.sha256(raw).hexdigest(),
        files=(*blobs.values(), _content_file(name.manifest_path, raw)),
        license=_first_lines(source, licences[0]) if licences else "",
        facts={**_facts(config), **(_memory(source, layers) if look_inside else {})},
        notes=_notes(config),
    )


def newest_revision(model_id: str, *, registry: str, hugging_face: str) -> str:
    """Return the sha256 of the manifest that a model's tag has now.

    Raises
    ------
    ManagerError
        As :func:`inspect`.
    """
    source = Registry(names.model(model_id), registry=registry, hugging_face=hugging_face)
    return hashlib.sha256(source.manifest()).hexdigest()


def _check_runs(name: Name, config: ModelConfig, kinds: set[str]) -> None:
    """Refuse what Ollama does not run on Linux from files of its own."""
    other = Fix(text="Choose another model or tag.", url=name.page)
    if config.remote_host or config.remote_model:
        raise HubError(
            f"{name.id} has no weights: it runs in Ollama's cloud.",
            cause=f"Its configuration points to {config.remote_host or 'a remote host'}.",
            fix=other,
        )
    if "tensor" in kinds or config.model_format == "safetensors":
        raise HubError(
            f"{name.id} is an MLX model, which Ollama runs on Apple computers only.",
            cause="Its weights are single tensors instead of a GGUF file.",
            fix=other,
        )
    if "model" not in kinds:
        raise HubError(
            f"{name.id} holds no weights.", cause="Its manifest names no model layer.", fix=other
        )


def _blob_file(source: Registry, layer: Layer) -> HubFile:
    return HubFile(
        path=f"blobs/sha256-{layer.sha256}",
        size=layer.size,
        digest=Digest(DigestKind.SHA256, layer.sha256),
        url=source.blob_url(layer),
    )


def _content_file(path: str, content: bytes) -> HubFile:
    digest = Digest(DigestKind.SHA256, hashlib.sha256(content).hexdigest())
    return HubFile(path=path, size=len(content), digest=digest, content=content)


def _first_lines(source: Registry, layer: Layer) -> str:
    """Return the licence's title: its first line, with the version where the second tells it."""
    if layer.size > LARGEST_TEXT:
        return ""
    text = source.blob(layer).decode(errors="replace")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and lines[1].startswith("Version"):
        return f"{lines[0]}, {lines[1]}"
    return lines[0][:200] if lines else ""


def _facts(config: ModelConfig) -> dict[str, Any]:
    size = config.model_type or ""
    count = _PARAMETERS.fullmatch(size)
    found = {
        "architecture": config.model_family,
        "parameter_size": size,
        "parameter_count": round(float(count[1]) * _SCALE[count[2]]) if count else None,
        "quantization": config.file_type,
        "context_length": config.context_length,
        "requires": config.requires,
    }
    return {key: value for key, value in found.items() if value}


def _memory(source: Registry, layers: tuple[Layer, ...]) -> dict[str, Any]:
    """Read the header of the weights; a model in several files has no such facts."""
    weights = [layer for layer in layers if layer.kind == "model"]
    if len(weights) != 1:
        return {}
    others = sum(layer.size for layer in layers if layer.kind in {"projector", "adapter"})
    return facts.memory_of_gguf(
        source.blob_url(weights[0]), weights[0].size, source.range_reader(), others=others
    )


def _notes(config: ModelConfig) -> tuple[str, ...]:
    needed = config.requires or ""
    if not needed or _version(needed) <= _version(VERSION):
        return ()
    note = (
        f"It needs Ollama {needed} or later, and services are deployed with {VERSION}: "
        "enter a newer image when you deploy it. The drivers of some GPUs are too old for that."
    )
    return (note,)


def _version(text: str) -> tuple[int, ...]:
    """Read the numbers of a version; what follows them is left out."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
