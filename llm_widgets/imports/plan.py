"""Makes the plan of an import from what a pre-flight found."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from llm_widgets.domain import folders
from llm_widgets.domain.imports import HubModel, ImportPlan
from llm_widgets.domain.names import shown
from llm_widgets.errors import DocumentError, Fix, InvalidInputError, TransferError
from llm_widgets.hubs import registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubFile
    from llm_widgets.hubs.base import Hub

_TASK_SIZE = 8_000_000_000
"""Bytes that one task is to move: about a minute at the gigabit/s that Cloud Run gives a task."""

_MOST_TASKS = 8
"""The most tasks: they leave room for a service in the 20 vCPU of a new project's quota."""

_TASKS_OF_A_FILE = 4
"""The most tasks that share one file; more would wait for its digest most of the time."""

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_NAME = 1024  # bytes of an object's name in Cloud Storage
_ID_LENGTH = 20


def plan_import(
    model: HubModel,
    *,
    bucket: str,
    project: str,
    requested_by: str = "",
    has_token: bool = False,
) -> ImportPlan:
    """Return the plan of an import.

    Parameters
    ----------
    model
        The result of the pre-flight; its files without a reason to be skipped are imported.
    project
        Project of the bucket, in which the job runs.
    requested_by
        Who asked for it, for example an e-mail address.
    has_token
        Whether a token of the hub is kept for it.

    Raises
    ------
    TransferError
        The model can't be imported as it is; the message names the file.
    InvalidInputError
        Its hub is not known.
    """
    hub = registry.get(model.source)
    prefix = f"{hub.id}/{hub.folder(model)}"
    files = model.chosen
    _check(hub, model, files, prefix)
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
        has_token=has_token,
        facts=dict(model.facts),
    )


def checked(plan: ImportPlan, settings: Settings) -> ImportPlan:
    """Check a plan that was read from a bucket, and return it with what its hub derives.

    Its id is the digest of what is imported into which bucket, so it can't name another model or
    other files than those that it was made for. The folder and the addresses of the files follow
    from the model, its revision and its files.

    Raises
    ------
    DocumentError
        It is no plan that :func:`plan_import` makes with these settings; the cause says why.
    """
    try:
        return _derived(plan, settings)
    except (TransferError, InvalidInputError) as error:
        raise DocumentError(
            f"The plan of the import {plan.id} is not valid.",
            cause=error.message,
            fix=Fix(text="Import the model again."),
        ) from error


def _derived(plan: ImportPlan, settings: Settings) -> ImportPlan:
    hub = registry.get(plan.source)
    files = plan.files
    paths = [file.path for file in files]
    if plan.id != import_id(plan.bucket, plan.source, plan.model_id, plan.revision, paths):
        raise TransferError("The id belongs to another model, other files or another bucket.")
    if not hub.is_id(plan.model_id):
        raise TransferError(f"{shown(plan.model_id)} is not a model of {hub.label}.")
    model = HubModel(hub.id, plan.model_id, plan.revision, files)
    prefix = f"{hub.id}/{hub.folder(model)}"
    if not folders.is_of_model(prefix, hub.id, plan.revision):
        raise TransferError(f"{shown(prefix)} is not a model folder.")
    _check(hub, model, files, prefix)
    located = tuple(
        replace(file, url=hub.file_url(plan.model_id, plan.revision, file, settings))
        if file.content is None and file.size
        else file
        for file in files
    )
    return replace(plan, prefix=prefix, files=located)


def import_id(bucket: str, source: str, model_id: str, revision: str, paths: Iterable[str]) -> str:
    """Return the id of an import: the same for two starts of it with the same choice of files."""
    text = "\n".join([bucket, source, model_id, revision, *sorted(paths)])
    return hashlib.sha256(text.encode()).hexdigest()[:_ID_LENGTH]


def task_count(plan: ImportPlan) -> int:
    """Return among how many tasks of a job an import is distributed."""
    useful = sum(min(_TASKS_OF_A_FILE, -(-file.size // _TASK_SIZE)) for file in plan.files)
    return max(1, min(_MOST_TASKS, useful, -(-plan.size // _TASK_SIZE)))


def _check(hub: Hub, model: HubModel, files: tuple[HubFile, ...], prefix: str) -> None:
    if not files:
        raise TransferError(
            f"No file of {model.id} is chosen.", fix=Fix(text="Choose at least the weights.")
        )
    seen: set[str] = set()
    for file in files:
        path = PurePosixPath(file.path)
        if (
            path.is_absolute()
            or ".." in path.parts
            or str(path) != file.path
            or _CONTROLS.search(file.path)
        ):
            raise TransferError(f"{model.id} has a file with an impossible name: {file.path!r}.")
        if file.path in seen:
            raise TransferError(f"{model.id} names a file twice: {file.path}.")
        seen.add(file.path)
        if len(f"{prefix}/{file.path}".encode()) > _LONGEST_NAME:
            raise TransferError(
                f"The name of {file.path} is too long for Cloud Storage.",
                cause=f"It takes {_LONGEST_NAME} bytes with its folder {prefix}.",
            )
        hub.check_file(file)
