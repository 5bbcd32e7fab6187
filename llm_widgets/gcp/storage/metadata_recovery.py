"""What a bucket tells of its models besides the metadata file, which may be damaged."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from llm_widgets.documents import manifests as manifest_documents
from llm_widgets.documents import plans as plan_documents
from llm_widgets.documents import progress as progress_documents
from llm_widgets.domain import folders
from llm_widgets.domain.imports import IMPORTS_PREFIX
from llm_widgets.domain.manifest import MANIFESTS_PREFIX
from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import ImportState, merged
from llm_widgets.errors import DocumentError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.storage.objects import content_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.progress import ImportProgress

    _Told = TypeVar("_Told")

_AT_ONCE = 16
_NO_MANIFEST = "Its manifest is gone or damaged."

_log = logging.getLogger(__name__)


def known_models(client: lazy.storage.Client, bucket: str) -> list[ModelRecord]:
    """Make the entries of all models that were imported, or are to be.

    The ready ones are told of by their manifests, the others by the plans and the progress of
    their imports.

    Returns
    -------
    list of ModelRecord
        First the ready ones, then the others, each from the oldest to the newest.

    Raises
    ------
    ManagerError
        The bucket can't be read.
    """
    with (
        explained(f"list the models of {bucket}", bucket=bucket),
        ThreadPoolExecutor(_AT_ONCE, "traces") as pool,
    ):
        manifests = _read(
            client,
            bucket,
            pool,
            f"{MANIFESTS_PREFIX}/*.json",
            lambda raw, key: manifest_documents.read(raw, import_id=key),
        )
        plans = _read(
            client,
            bucket,
            pool,
            f"{IMPORTS_PREFIX}/*/plan.json",
            lambda raw, key: plan_documents.read(raw, bucket=bucket, import_id=key),
        )
        told = _read(
            client,
            bucket,
            pool,
            f"{IMPORTS_PREFIX}/*/progress/*.json",
            lambda raw, key: progress_documents.read(raw, import_id=key),
        )
    by_import: dict[str, list[ImportProgress]] = {}
    for progress in told:
        by_import.setdefault(progress.import_id, []).append(progress)
    ready = [each.record() for each in sorted(manifests, key=lambda each: each.finished_at)]
    unfinished = [
        _unfinished(plan, by_import.get(plan.id, []))
        for plan in sorted(plans, key=lambda plan: plan.created_at)
    ]
    return [*ready, *unfinished]


def _unfinished(plan: ImportPlan, told: list[ImportProgress]) -> ModelRecord:
    progress = merged(told) if told else None
    if progress and progress.state is ImportState.DONE:
        return plan.record(ModelStatus.FAILED, _NO_MANIFEST)
    if progress and progress.state.is_final:
        return plan.record(ModelStatus.FAILED, progress.message)
    return plan.record(ModelStatus.IMPORTING)


def _read(
    client: lazy.storage.Client,
    bucket: str,
    pool: ThreadPoolExecutor,
    pattern: str,
    parse: Callable[[bytes, str], _Told],
) -> list[_Told]:
    """Read the objects whose names match a pattern; what can't be read is left out.

    Parameters
    ----------
    parse
        Reads an object's bytes and the id of the import that its name tells.
    """

    def read(blob: lazy.storage.Blob) -> _Told | None:
        # llm-manager/models/ID.json or llm-manager/imports/ID/…
        import_id = blob.name.split("/")[2].removesuffix(".json")
        if not folders.is_import_id(import_id):
            return None
        try:
            return parse(content_of(blob), import_id)
        except lazy.api_exceptions.NotFound:
            return None  # somebody has just removed it
        except DocumentError as error:
            _log.warning("gs://%s/%r is left out: %s", bucket, blob.name, error.cause)
            return None

    found = pool.map(read, client.list_blobs(bucket, match_glob=pattern))
    return [each for each in found if each is not None]
