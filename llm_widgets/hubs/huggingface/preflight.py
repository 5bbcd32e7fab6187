"""The pre-flight of an import from the Hugging Face Hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import documents, facts
from llm_widgets.hubs.huggingface import limits, names, selection
from llm_widgets.hubs.huggingface.repository import Repository

if TYPE_CHECKING:
    from llm_widgets.hubs.huggingface.repository import File, Model

_CONFIG = "config.json"
_LARGEST_CONFIG = 4 << 20  # bytes
_LARGEST_INDEX = 64 << 20  # bytes; a thousand shards of a mixture of experts take 20 MB


class _Index(Struct, frozen=True):
    """The file that names the shards of the weights: ``{tensor: file}``."""

    weight_map: dict[str, str] = {}


def inspect(
    text: str,
    *,
    hub_id: str,
    endpoint: str,
    token: str = "",
    revision: str = "",
    look_inside: bool = True,
) -> HubModel:
    """Find a model and prove that it can be read: the pre-flight of an import.

    Parameters
    ----------
    text
        What was typed: an id, or the address of the model's page.
    endpoint
        Base URL of the hub.
    token
        The hub's token, or empty. It is sent to the hub and kept nowhere.
    revision
        Branch, tag or commit; empty for the newest.
    look_inside
        Whether the headers of the weights are read too.

    Raises
    ------
    InvalidInputError
        The id, the revision or the token can't be one, or the hub does not know the token.
    NotFoundError
        There is no such model or revision.
    GatedModelError
        This token, or none, may not read the model.
    HubError
        The model can't be served by vLLM, or the hub refused.
    TransferError
        A file is too large to be had over HTTP.
    UnavailableError
        The hub does not answer.
    """
    name = names.model(text)
    repository = Repository(endpoint, names.token(token))
    wanted = names.revision(revision) or name.revision or "main"
    model, license_ = repository.model(name.id, wanted)
    if model.gated or model.private:
        repository.check_access(model.id)
    config = _config(repository, model)
    files = _files(repository, model, _shards(repository, model))
    known = _facts(model, config or {})
    if look_inside:
        known |= facts.memory_of_safetensors(config or {}, files, repository.range_reader())
    return HubModel(
        source=hub_id,
        id=model.id,
        revision=model.sha,
        files=files,
        license=license_,
        gated=bool(model.gated),
        facts=known,
        notes=_notes(config, files),
    )


def newest_revision(model_id: str, *, endpoint: str) -> str:
    """Return the newest commit of a model's main branch.

    Raises
    ------
    ManagerError
        As :func:`inspect`.
    """
    model, _ = Repository(endpoint, "").model(names.model(model_id).id, "main")
    return model.sha


def _config(repository: Repository, model: Model) -> dict[str, Any] | None:
    """Read ``config.json``, whose fields differ from one architecture to the next."""
    raw = repository.read(model, _CONFIG, limit=_LARGEST_CONFIG)
    if raw is None:
        return None
    config = documents.parsed(raw, name=f"{_CONFIG} of {model.id}")
    if not isinstance(config, dict):
        raise HubError(f"{_CONFIG} of {model.id} is no JSON object.")
    return config


def _shards(repository: Repository, model: Model) -> set[str]:
    """Return the files that the index of the weights names; none without an index."""
    path = selection.SAFETENSORS_INDEX
    raw = repository.read(model, path, limit=_LARGEST_INDEX)
    if raw is None:
        return set()
    return set(documents.read(raw, _Index, name=f"{path} of {model.id}").weight_map.values())


def _files(repository: Repository, model: Model, shards: set[str]) -> tuple[HubFile, ...]:
    try:
        reasons = selection.choose(model.files.keys(), shards or None)
    except selection.WeightsError as error:
        fix = None
        if any(path.endswith(".gguf") for path in model.files):
            fix = Fix(text=f"Choose Ollama as the source and enter hf.co/{model.id}:Q4_K_M.")
        raise HubError(f"vLLM can't load {model.id}.", cause=str(error), fix=fix) from error
    files = tuple(
        _file(repository, model, file, reasons[path]) for path, file in sorted(model.files.items())
    )
    for file in files:
        if not file.skipped:
            limits.check_file(file)
    return files


def _file(repository: Repository, model: Model, file: File, skipped: str) -> HubFile:
    path = file.rfilename
    if path.startswith("/") or ".." in path.split("/"):
        raise HubError(f"{model.id} has a file that leads out of its folder.", cause=path)
    if file.lfs:
        digest = Digest(DigestKind.SHA256, file.lfs.sha256)
    elif file.blob_id:
        digest = Digest(DigestKind.GIT_SHA1, file.blob_id)
    else:
        raise HubError(f"The hub tells no digest of {path} of {model.id}.")
    return HubFile(
        path=path,
        size=file.size or 0,
        digest=digest,
        url=repository.file_url(model, path),
        skipped=skipped,
    )


def _notes(config: dict[str, Any] | None, files: tuple[HubFile, ...]) -> tuple[str, ...]:
    notes = []
    if config is None:
        notes.append("It has no config.json; vLLM may not know how to load it.")
    if selection.is_pytorch(file.path for file in files if not file.skipped):
        notes.append("Its weights are in PyTorch's format, which loads slowly and can carry code.")
    if config and config.get("auto_map"):
        notes.append("It brings code of its own, which vLLM runs with --trust-remote-code.")
    return tuple(notes)


def _facts(model: Model, config: dict[str, Any]) -> dict[str, Any]:
    found = facts.from_config(config)
    if model.safetensors:
        found["parameters"] = model.safetensors.parameters
        found["parameter_count"] = model.safetensors.total
    if model.pipeline_tag:
        found["task"] = model.pipeline_tag
    if model.last_modified:
        found["last_modified"] = model.last_modified.isoformat()
    return found
