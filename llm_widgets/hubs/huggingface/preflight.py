"""The pre-flight of an import from the Hugging Face Hub."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.domain.loading import HEADER, QUANTIZED_FROM, Way
from llm_widgets.domain.names import shown
from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import documents, facts, headers, large_files, loadability, quantizations
from llm_widgets.hubs.huggingface import contents, names, selection, weights
from llm_widgets.hubs.huggingface.failures import HUB
from llm_widgets.hubs.huggingface.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from llm_widgets.domain.loading import Contents, Verdict
    from llm_widgets.domain.memory import Tensor
    from llm_widgets.engines.base import Engine
    from llm_widgets.hubs.huggingface.repository import File, Model

_LONGEST_PATH = 800
"""Bytes of a path; names of objects take 1024, of which the model's folder takes a part
(https://cloud.google.com/storage/docs/objects#naming)."""

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
        The hub does not give a large file over HTTP.
    UnavailableError
        The hub does not answer.
    """
    name = names.model(text, endpoint)
    repository = Repository(endpoint, names.token(token))
    wanted = names.revision(revision) or name.revision or "main"
    model, license_ = repository.model(name.id, wanted)
    if model.gated or model.private:
        repository.check_access(model.id)
    with _its_author_mends(endpoint, model):
        found = contents.read(repository, model)
        engine, verdict = _judged(hub_id, endpoint, model, found)
        index = _index(repository, model)
        beside = (*contents.folders(found), *verdict.beside)
        files = _files(repository, model, set(index.values()), beside)
    known = _facts(model, found.config or {})
    if look_inside and (tensors := _tensors(repository, model, files, index, found)):
        known |= facts.memory_of_safetensors(found.config or {}, tensors)
        header = {HEADER: headers.described(tensors)}
        found = replace(found, documents={**found.documents, **header})
        engine, verdict = _judged(hub_id, endpoint, model, found)
    known["loading"] = verdict.to_facts(engine.id)
    return HubModel(
        source=hub_id,
        id=model.id,
        revision=model.sha,
        files=files,
        license=license_,
        gated=bool(model.gated),
        facts=known,
        notes=verdict.notes,
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


@contextmanager
def _its_author_mends(endpoint: str, model: Model) -> Iterator[None]:
    """Add where to turn to the error of a repository that is not as it should be."""
    try:
        yield
    except HubError as error:
        if error.fix is None:
            text = "Tell its author, or choose another revision or model."
            error.fix = Fix(text=text, url=f"{endpoint}/{model.id}/discussions")
        raise


def _judged(hub_id: str, endpoint: str, model: Model, found: Contents) -> tuple[Engine, Verdict]:
    """Refuse what no engine of this hub loads, with the way to what one does."""
    engine, verdict = loadability.judged(hub_id, found)
    if verdict.refusal:
        raise HubError(
            f"{engine.label} can't load {model.id}.",
            cause=verdict.refusal,
            fix=_way(endpoint, model, verdict.way, found.base),
        )
    return engine, verdict


def _way(endpoint: str, model: Model, way: Way, base: str) -> Fix | None:
    """Return where the model is to be had in a form that an engine loads."""
    if way is Way.GGUF:
        tags = quantizations.offered(model.files)
        name = f"hf.co/{model.id}:{tags[0]}" if tags else ""
        return Fix(
            text=f"Choose Ollama as the source and enter {name}."
            if name
            else "Ollama loads models in one file: put the files together with llama-gguf-split "
            "--merge and upload the result, or choose another repository.",
            url="" if name else f"{endpoint}/{model.id}",
        )
    if base and way in {Way.BASE, Way.OTHER}:
        return Fix(text=f"Import {base}, which it was made from.", url=f"{endpoint}/{base}")
    if way is Way.NONE:
        return None
    return Fix(
        text="Choose another model.",
        url=f"{endpoint}/models?pipeline_tag=text-generation&sort=trending",
    )


def _index(repository: Repository, model: Model) -> dict[str, str]:
    """Return which tensor is in which file by the index of the weights; empty without one."""
    path = selection.SAFETENSORS_INDEX
    raw = repository.read(model, path, limit=_LARGEST_INDEX)
    if raw is None:
        return {}
    return documents.read(raw, _Index, name=f"{path} of {model.id}").weight_map


def _tensors(
    repository: Repository,
    model: Model,
    files: tuple[HubFile, ...],
    index: dict[str, str],
    found: Contents,
) -> tuple[Tensor, ...]:
    """Read the headers of the weights, and refuse those that are none."""
    with _its_author_mends(repository.endpoint, model):
        tensors = weights.read(files, index, repository.range_reader())
    if weights.is_adapter(tensors):
        cause = "All of its weights are those of an adapter."
        fix = _way(repository.endpoint, model, Way.BASE, found.base)
        raise HubError(f"{model.id} is not a model.", cause=cause, fix=fix)
    return tensors


def _files(
    repository: Repository, model: Model, shards: set[str], beside: Collection[str]
) -> tuple[HubFile, ...]:
    try:
        reasons = selection.choose(model.files.keys(), shards or None, beside)
    except selection.WeightsError as error:
        raise HubError(f"The weights of {model.id} are not whole.", cause=str(error)) from error
    files = tuple(
        _file(repository, model, file, reasons[path]) for path, file in sorted(model.files.items())
    )
    large_files.check(files, repository.range_reader(), hub=HUB)
    return files


def _file(repository: Repository, model: Model, file: File, skipped: str) -> HubFile:
    path = file.rfilename
    if path.startswith("/") or ".." in path.split("/"):
        raise HubError(f"{model.id} has a file that leads out of its folder.", cause=path)
    if path != str(PurePosixPath(path)) or len(path.encode()) > _LONGEST_PATH:
        raise HubError(f"{model.id} has a file that a bucket can't hold.", cause=shown(path))
    if file.lfs:
        digest = Digest(DigestKind.SHA256, file.lfs.sha256)
    elif file.blob_id:
        digest = Digest(DigestKind.GIT_SHA1, file.blob_id)
    else:
        raise HubError(f"The hub has no checksum for {path} of {model.id}.")
    return HubFile(
        path=path,
        size=file.size or 0,
        digest=digest,
        url=repository.file_url(model, path),
        skipped=skipped,
    )


def _facts(model: Model, config: Mapping[str, Any]) -> dict[str, Any]:
    found = facts.from_config(config)
    if model.safetensors:
        found["parameters"] = model.safetensors.parameters
        found["parameter_count"] = model.safetensors.total
    if model.quantized_from:
        found[QUANTIZED_FROM] = model.quantized_from
    if model.pipeline_tag:
        found["task"] = model.pipeline_tag
    if model.last_modified:
        found["last_modified"] = model.last_modified.isoformat()
    return found
