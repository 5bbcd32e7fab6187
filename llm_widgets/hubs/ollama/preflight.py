"""The pre-flight of an import from Ollama's registry, or of a GGUF model of Hugging Face."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.domain.loading import HEADER, LAYERS, Contents
from llm_widgets.engines.ollama.version import VERSION
from llm_widgets.errors import Fix, HubError, ManagerError
from llm_widgets.hubs import documents, facts, gguf, large_files, loadability
from llm_widgets.hubs.failures import Refusal
from llm_widgets.hubs.headers import DamagedError
from llm_widgets.hubs.ollama import names
from llm_widgets.hubs.ollama.client import LARGEST_TEXT
from llm_widgets.hubs.ollama.documents import PARTS, Layer, Manifest, ModelConfig
from llm_widgets.hubs.ollama.sources import opened

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Verdict
    from llm_widgets.domain.memory import Tensor
    from llm_widgets.engines.base import Engine
    from llm_widgets.hubs.ollama.names import Name
    from llm_widgets.hubs.ollama.sources import Source

_OK = 200
_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)([KMBT])")
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def inspect(
    text: str,
    *,
    hub_id: str,
    registry: str,
    hugging_face: str,
    token: str = "",
    look_inside: bool = True,
) -> HubModel:
    """Find a model and see that Ollama can run it on Linux: the pre-flight of an import.

    The files are laid out as Ollama's own folder of models, the manifest last.

    Parameters
    ----------
    text
        What was typed: a name, the address of the model's page, or an ``ollama pull`` command.
    registry, hugging_face
        Base URLs of Ollama's registry, and of the hub that answers for ``hf.co/…`` names.
    token
        One of Hugging Face, for private and gated repositories of GGUF files; or empty.
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
    TransferError
        The registry does not give a large file over HTTP.
    UnavailableError
        The registry does not answer.
    """
    name = names.model(text)
    source = opened(name, registry=registry, hugging_face=hugging_face, token=token)
    raw = source.manifest()
    manifest = _manifest(raw, name)
    layers = manifest.layers or ()
    config_text = source.blob(manifest.config)
    config = _config(config_text, name)
    metadata, tensors = _header(source, layers, name) if look_inside else ({}, ())
    engine, verdict = _judged(name, hub_id, config, layers, gguf.described(metadata, tensors))
    others = sum(layer.size for layer in layers if layer.kind in {"projector", "adapter"})
    known = _facts(config)
    known[LAYERS] = {
        layer.kind: f"blobs/sha256-{layer.sha256}"
        for layer in layers
        if layer.kind in {"model", "projector"}
    }
    if metadata:
        known |= facts.memory_of_gguf(metadata, tensors, others=others)
    blobs = {
        layer.sha256: _blob_file(source, layer)
        for layer in sorted(layers, key=lambda layer: -layer.size)
    }
    large_files.check(blobs.values(), source.range_reader(), hub=name.host)
    config_digest = manifest.config.sha256
    blobs[config_digest] = replace(
        _content_file(f"blobs/sha256-{config_digest}", config_text), part="Configuration"
    )
    licences = [layer for layer in layers if layer.kind == "license"]
    return HubModel(
        source=hub_id,
        id=name.id,
        revision=hashlib.sha256(raw).hexdigest(),
        files=(*blobs.values(), _content_file(name.manifest_path, raw)),
        license=_first_lines(source, licences[0]) if licences else source.license,
        facts={**known, "loading": verdict.to_facts(engine.id)},
        notes=(*verdict.notes, *_notes(config)),
    )


def _manifest(raw: bytes, name: Name) -> Manifest:
    answer = f"The registry's answer for {name.id}"
    wrong = f"The manifest of {name.id} is not one of a model."
    try:
        return documents.read(raw, Manifest, name=answer, wrong=wrong)
    except HubError as error:
        error.cause = Refusal(_OK, body=raw).told or error.cause
        error.fix = _other(name)
        raise


def _config(raw: bytes, name: Name) -> ModelConfig:
    try:
        return documents.read(raw, ModelConfig, name=f"The configuration of {name.id}")
    except HubError as error:
        error.fix = _other(name)
        raise


def _other(name: Name) -> Fix:
    return Fix(text="Choose another model or tag.", url=name.page)


def newest_revision(model_id: str, *, registry: str, hugging_face: str) -> str:
    """Return the sha256 of the manifest that a model's tag has now.

    Raises
    ------
    ManagerError
        As :func:`inspect`.
    """
    source = opened(names.model(model_id), registry=registry, hugging_face=hugging_face)
    return hashlib.sha256(source.manifest()).hexdigest()


def _judged(
    name: Name,
    hub_id: str,
    config: ModelConfig,
    layers: tuple[Layer, ...],
    header: dict[str, Any],
) -> tuple[Engine, Verdict]:
    """Refuse what Ollama does not run on Linux from files of its own."""
    other = _other(name)
    if config.remote_host or config.remote_model:
        raise HubError(
            f"{name.id} has no weights: it runs in Ollama's cloud.",
            cause=f"Its configuration points to {config.remote_host or 'a remote host'}.",
            fix=other,
        )
    contents = Contents(
        paths=frozenset(layer.kind for layer in layers),
        config=to_builtins(config),
        documents={HEADER: header} if header else {},
    )
    engine, verdict = loadability.judged(hub_id, contents)
    if verdict.refusal:
        raise HubError(f"{engine.label} can't run {name.id}.", cause=verdict.refusal, fix=other)
    return engine, verdict


def _blob_file(source: Source, layer: Layer) -> HubFile:
    return HubFile(
        path=f"blobs/sha256-{layer.sha256}",
        size=layer.size,
        digest=Digest(DigestKind.SHA256, layer.sha256),
        url=source.blob_url(layer),
        part=PARTS.get(layer.kind, ""),
    )


def _content_file(path: str, content: bytes) -> HubFile:
    digest = Digest(DigestKind.SHA256, hashlib.sha256(content).hexdigest())
    return HubFile(path=path, size=len(content), digest=digest, content=content)


def _first_lines(source: Source, layer: Layer) -> str:
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


def _header(
    source: Source, layers: tuple[Layer, ...], name: Name
) -> tuple[dict[str, Any], tuple[Tensor, ...]]:
    """Read the header of the weights: metadata and tensors.

    It is empty of a model in several files, and where it can't be read now: an import does not
    depend on it.

    Raises
    ------
    DamagedError
        The file is no whole GGUF file.
    """
    weights = [layer for layer in layers if layer.kind == "model"]
    if len(weights) != 1:
        return {}, ()
    url, size = source.blob_url(weights[0]), weights[0].size
    try:
        return gguf.header(url, size, source.range_reader(), seconds=facts.SECONDS)
    except DamagedError as error:
        error.fix = Fix(text="Tell its author, or choose another tag or model.", url=name.page)
        raise
    except (ManagerError, TimeoutError):
        return {}, ()


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
