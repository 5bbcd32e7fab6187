"""Models of Ollama's registry, and GGUF models of Hugging Face in its form: the pre-flight."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import requests

from llm_widgets.config import HUGGING_FACE
from llm_widgets.domain.engines import OLLAMA_VERSION
from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.domain.models import Source
from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import facts, failures, http, names

if TYPE_CHECKING:
    from llm_widgets.hubs.headers import ReadRange
    from llm_widgets.hubs.names import OllamaName

NEWEST_OLLAMA = "0.33.0"
"""The newest Ollama whose models are known here; the registry refuses models that need a newer
one to clients that name an older one."""

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"

_LAYER = "application/vnd.ollama.image."
_HEADERS = {"Accept": MANIFEST_TYPE, "User-Agent": f"ollama/{NEWEST_OLLAMA} (llm-widgets)"}
_LARGEST_MANIFEST = 4 << 20  # bytes
_LARGEST_TEXT = 4 << 20  # bytes; configurations and licences
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_PARAMETERS = re.compile(r"([\d.]+)([KMBT])")
_SCALE = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


def inspect(
    text: str,
    *,
    registry: str,
    hugging_face: str = HUGGING_FACE,
    look_inside: bool = True,
    session: requests.Session | None = None,
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
    name = names.ollama(text)
    source = _Registry(name, _base(name, registry, hugging_face), session or requests.Session())
    raw = source.manifest()
    manifest = _parse(raw, name)
    layers = [_layer(entry, name) for entry in manifest.get("layers") or ()]
    config_kind, config_digest, config_size = _layer(manifest.get("config"), name)
    del config_kind
    config_text = source.blob(config_digest, config_size)
    config = _parse(config_text, name)
    _check_runs(name, config, [kind for kind, _, _ in layers])
    blobs = {
        digest: _blob_file(source, digest, size)
        for _, digest, size in sorted(layers, key=lambda layer: -layer[2])
    }
    blobs[config_digest] = _content_file(f"blobs/sha256-{config_digest}", config_text)
    licences = [layer for layer in layers if layer[0] == "license"]
    return HubModel(
        source=Source.OLLAMA,
        id=name.id,
        revision=hashlib.sha256(raw).hexdigest(),
        files=(*blobs.values(), _content_file(name.manifest_path, raw)),
        license=_first_lines(source, licences[0]) if licences else "",
        facts={**_facts(config), **(_memory(source, layers) if look_inside else {})},
        notes=_notes(config),
    )


def newest_revision(model_id: str, *, registry: str, hugging_face: str = HUGGING_FACE) -> str:
    """Give the sha256 of the manifest that a model's tag has now.

    Raises
    ------
    ManagerError
        As :func:`inspect`.
    """
    name = names.ollama(model_id)
    source = _Registry(name, _base(name, registry, hugging_face), requests.Session())
    return hashlib.sha256(source.manifest()).hexdigest()


class _Registry:
    """The part of a registry that belongs to one model."""

    def __init__(self, name: OllamaName, base: str, session: requests.Session) -> None:
        self._name = name
        self._base = f"{base}/v2/{name.namespace}/{name.model}"
        self._session = session

    def manifest(self) -> bytes:
        """Read the manifest, byte for byte as it must be stored."""
        return self._read(f"{self._base}/manifests/{self._name.tag}", _LARGEST_MANIFEST)

    def blob_url(self, digest: str) -> str:
        """Give the address of a blob; the registry redirects from it to a signed one."""
        return f"{self._base}/blobs/sha256:{digest}"

    def blob(self, digest: str, size: int) -> bytes:
        """Read a short blob and check it."""
        content = self._read(self.blob_url(digest), _LARGEST_TEXT)
        if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
            raise HubError(
                f"The registry sent other bytes for {self._name.id} than its manifest promises.",
                cause=f"Blob sha256:{digest}.",
                fix=Fix(text="Try again."),
            )
        return content

    def range_reader(self) -> ReadRange:
        """Give what reads parts of blobs."""
        return http.range_reader(self._session, headers=_HEADERS, seconds=facts.SECONDS)

    def _read(self, url: str, limit: int) -> bytes:
        answer = http.get(self._session, url, limit=limit, headers=_HEADERS)
        if answer.status != requests.codes.ok:
            said = _said(answer.body)
            raise failures.ollama(answer.status, answer.headers, self._name, said)
        return answer.body


def _base(name: OllamaName, registry: str, hugging_face: str) -> str:
    if name.host != names.HUGGING_FACE_HOST:
        return registry
    # The hub answers as a registry under its short name only.
    return f"https://{name.host}" if hugging_face == HUGGING_FACE else hugging_face


def _parse(raw: bytes, name: OllamaName) -> dict[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise HubError(f"The registry's answer for {name.id} is not JSON.") from error
    if not isinstance(value, dict):
        raise HubError(f"The registry's answer for {name.id} is no JSON object.")
    return value


def _layer(entry: Any, name: OllamaName) -> tuple[str, str, int]:
    """Give kind, digest and size of an entry of the manifest."""
    fields = entry if isinstance(entry, dict) else {}
    digest = _DIGEST.fullmatch(str(fields.get("digest")))
    size = fields.get("size")
    if not digest or not isinstance(size, int) or size < 0:
        raise HubError(f"The manifest of {name.id} is not one of a model.", cause=f"{entry!r}")
    return str(fields.get("mediaType", "")).removeprefix(_LAYER), digest[1], size


def _check_runs(name: OllamaName, config: dict[str, Any], kinds: list[str]) -> None:
    """Refuse what Ollama does not run on Linux from files of its own."""
    other = Fix(text="Choose another model or tag.", url=name.page)
    if config.get("remote_host") or config.get("remote_model"):
        raise HubError(
            f"{name.id} has no weights: it runs in Ollama's cloud.",
            cause=f"Its configuration points to {config.get('remote_host') or 'a remote host'}.",
            fix=other,
        )
    if "tensor" in kinds or config.get("model_format") == "safetensors":
        raise HubError(
            f"{name.id} is an MLX model, which Ollama runs on Apple computers only.",
            cause="Its weights are single tensors instead of a GGUF file.",
            fix=other,
        )
    if "model" not in kinds:
        raise HubError(
            f"{name.id} holds no weights.", cause="Its manifest names no model layer.", fix=other
        )


def _blob_file(source: _Registry, digest: str, size: int) -> HubFile:
    return HubFile(
        path=f"blobs/sha256-{digest}",
        size=size,
        digest=Digest(DigestKind.SHA256, digest),
        url=source.blob_url(digest),
    )


def _content_file(path: str, content: bytes) -> HubFile:
    digest = Digest(DigestKind.SHA256, hashlib.sha256(content).hexdigest())
    return HubFile(path=path, size=len(content), digest=digest, content=content)


def _first_lines(source: _Registry, layer: tuple[str, str, int]) -> str:
    """Give the licence's title: its first line, with the version where the second tells it."""
    _, digest, size = layer
    if size > _LARGEST_TEXT:
        return ""
    text = source.blob(digest, size).decode(errors="replace")
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and lines[1].startswith("Version"):
        return f"{lines[0]}, {lines[1]}"
    return lines[0][:200] if lines else ""


def _facts(config: dict[str, Any]) -> dict[str, Any]:
    size = str(config.get("model_type", ""))
    count = _PARAMETERS.fullmatch(size)
    found = {
        "architecture": config.get("model_family"),
        "parameter_size": size,
        "parameter_count": round(float(count[1]) * _SCALE[count[2]]) if count else None,
        "quantization": config.get("file_type"),
        "context_length": config.get("context_length"),
        "requires": config.get("requires"),
    }
    return {key: value for key, value in found.items() if value}


def _memory(source: _Registry, layers: list[tuple[str, str, int]]) -> dict[str, Any]:
    """Read the header of the weights; a model in several files has no such facts."""
    weights = [(digest, size) for kind, digest, size in layers if kind == "model"]
    if len(weights) != 1:
        return {}
    ((digest, size),) = weights
    others = sum(size for kind, _, size in layers if kind in {"projector", "adapter"})
    return facts.memory_of_gguf(source.blob_url(digest), size, source.range_reader(), others=others)


def _notes(config: dict[str, Any]) -> tuple[str, ...]:
    needed = str(config.get("requires") or "")
    if not needed or _version(needed) <= _version(OLLAMA_VERSION):
        return ()
    note = (
        f"It needs Ollama {needed} or later, and services are deployed with {OLLAMA_VERSION}: "
        "enter a newer image when you deploy it. The drivers of some GPUs are too old for that."
    )
    return (note,)


def _version(text: str) -> tuple[int, ...]:
    """Read the numbers of a version; what follows them is left out."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def _said(body: bytes) -> str:
    """Give the message of a registry's error: JSON in the OCI form, or plain text."""
    text = " ".join(body.decode(errors="replace").split())
    try:
        return str(json.loads(body)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return text[:300] if not text.startswith("<") else ""
