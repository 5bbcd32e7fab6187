"""Makes the plan of an import from what a pre-flight found."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import ImportPlan, refuse_too_large
from llm_widgets.domain.models import Source
from llm_widgets.errors import Fix, TransferError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.imports import HubFile, HubModel

_TASK_SIZE = 8_000_000_000
"""Bytes that one task is to move: some minute at the gigabit a second that Cloud Run gives it."""

_MOST_TASKS = 8
"""Tasks at the most: they leave room for a service in the 20 vCPU of a new project."""

_TASKS_OF_A_FILE = 4
"""Tasks that can share one file well; more of them wait for its digest most of the time."""

_LONGEST_NAME = 1024  # bytes of an object's name in Cloud Storage
_ID_LENGTH = 20
_OLLAMA_MANIFESTS = "manifests"
_OLLAMA_MANIFEST_PARTS = 5  # manifests/<host>/<namespace>/<model>/<tag>


def plan_import(
    model: HubModel,
    *,
    bucket: str,
    project: str,
    requested_by: str = "",
    token_secret: str = "",
) -> ImportPlan:
    """Make the plan of an import.

    Parameters
    ----------
    model
        The answer of the pre-flight; its files without a reason to be skipped are copied.
    project
        Project of the bucket, in which the job runs.
    requested_by
        Who asked for it, for example an e-mail address.
    token_secret
        Resource name of the Secret Manager version that holds the hub's token, or empty.

    Raises
    ------
    TransferError
        The model can't be imported as it is; the message names the file.
    """
    prefix = _prefix(model)
    files = model.chosen
    _check(model, files, prefix)
    return ImportPlan(
        id=import_id(bucket, model.source, model.id, model.revision, (f.path for f in files)),
        bucket=bucket,
        project=project,
        source=model.source,
        model_id=model.id,
        revision=model.revision,
        prefix=prefix,
        files=files,
        created_at=datetime.now(UTC),
        created_by=requested_by,
        license=model.license,
        token_secret=token_secret,
        facts=dict(model.facts),
    )


def import_id(
    bucket: str, source: Source, model_id: str, revision: str, paths: Iterable[str]
) -> str:
    """Name an import: the same for two starts of the same one, with the same choice of files."""
    text = "\n".join([bucket, source.value, model_id, revision, *sorted(paths)])
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def task_count(plan: ImportPlan) -> int:
    """Tell among how many tasks of a job an import is shared out."""
    useful = sum(min(_TASKS_OF_A_FILE, -(-file.size // _TASK_SIZE)) for file in plan.files)
    return max(1, min(_MOST_TASKS, useful, -(-plan.size // _TASK_SIZE)))


def _prefix(model: HubModel) -> str:
    if model.source is Source.HUGGING_FACE:
        return f"{model.source}/{model.id}/{model.revision}"
    # One folder for each manifest: it is a complete OLLAMA_MODELS, and can be removed alone.
    for file in model.files:
        parts = PurePosixPath(file.path).parts
        if len(parts) == _OLLAMA_MANIFEST_PARTS and parts[0] == _OLLAMA_MANIFESTS:
            name = "/".join(part.replace(":", "-") for part in parts[1:])
            return f"{model.source}/{name}/{model.revision[:12]}"
    raise TransferError(f"{model.id} has no manifest, so Ollama could not load it.")


def _check(model: HubModel, files: tuple[HubFile, ...], prefix: str) -> None:
    if not files:
        raise TransferError(
            f"No file of {model.id} is chosen.", fix=Fix(text="Choose at least the weights.")
        )
    seen: set[str] = set()
    for file in files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or str(path) != file.path or "\n" in str(path):
            raise TransferError(f"{model.id} has a file with an impossible name: {file.path!r}.")
        if file.path in seen:
            raise TransferError(f"{model.id} names a file twice: {file.path}.")
        seen.add(file.path)
        if len(f"{prefix}/{file.path}".encode()) > _LONGEST_NAME:
            raise TransferError(
                f"The name of {file.path} is too long for Cloud Storage.",
                cause=f"It takes {_LONGEST_NAME} bytes with its folder {prefix}.",
            )
        refuse_too_large(model.source, file)
