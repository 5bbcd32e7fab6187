"""Removes a model from its bucket: its files, its manifest and import, and its entry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import IMPORTS_PREFIX
from llm_widgets.domain.manifest import MANIFESTS_PREFIX, ModelManifest, manifest_name
from llm_widgets.domain.models import ModelStatus
from llm_widgets.errors import ConflictError, Fix, NotFoundError
from llm_widgets.gcp.storage.metadata import update_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.start import is_running
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.worker import delete_token
from llm_widgets.transfer.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.gcp.client.clients import Clients

_AT_ONCE = 16
_REMOVING = "It is being removed."


def remove_model(clients: Clients, bucket: str, record: ModelRecord) -> None:
    """Remove a model. Files that another model needs too stay.

    The caller checks whether a service mounts it.

    Raises
    ------
    ConflictError
        It is being imported.
    ManagerError
        The bucket refuses; the model is shown as failed, and can be removed again.
    """
    client = clients.storage()
    objects = SmallObjects(client, bucket)
    if record.import_id and is_running(clients, bucket, record.import_id):
        raise ConflictError(
            f"{record.id} is being imported.", fix=Fix(text="Cancel the import first.")
        )
    broken = replace(record, status=ModelStatus.FAILED, error=_REMOVING)
    file = update_metadata(client, bucket, lambda f: f.with_model(broken))
    if owns_files(file.models, record):
        names = [stored.name for stored in objects.list(f"{record.prefix}/")]
        with ThreadPoolExecutor(_AT_ONCE, "remove") as pool:
            list(pool.map(objects.delete, names))
        _remove_other_choices(clients, objects, record)
    if record.import_id:
        objects.delete(manifest_name(record.import_id))
        folder = ImportFolder(objects, record.import_id)
        _remove_import(clients, folder, prefix=record.prefix)
        folder.delete()
    update_metadata(client, bucket, lambda f: f.without(record.key))


def _remove_other_choices(clients: Clients, objects: SmallObjects, record: ModelRecord) -> None:
    """Delete manifests and imports of the same revision with other choices of its files.

    Otherwise a rebuilt metadata file would list the model again.
    """
    for stored in objects.list(f"{MANIFESTS_PREFIX}/"):
        found = objects.read(stored.name)
        with suppress(ValueError):
            if found and ModelManifest.from_json(found[0]).prefix == record.prefix:
                objects.delete(stored.name)
    for stored in objects.list(f"{IMPORTS_PREFIX}/"):
        import_id, _, name = stored.name.removeprefix(f"{IMPORTS_PREFIX}/").partition("/")
        if name == "plan.json":
            _remove_import(clients, ImportFolder(objects, import_id), prefix=record.prefix)


def _remove_import(clients: Clients, folder: ImportFolder, *, prefix: str) -> None:
    """Remove an import into a folder: the parts that it has stored, its token, its objects."""
    try:
        plan = folder.plan()
    except (NotFoundError, ValueError):
        return  # there is no import
    if plan.prefix != prefix:
        return
    if folder.objects.list(f"{plan.folder}/files/"):
        Transfer(plan, clients, folder.objects).discard()
    delete_token(clients, plan)
    folder.delete()


def owns_files(models: Iterable[ModelRecord], record: ModelRecord) -> bool:
    """Return whether no other model of the bucket uses the folder of a model.

    Parameters
    ----------
    models
        All models of the bucket.
    """
    if not record.prefix:
        return False
    if not record.import_id and f"/{record.id}/" not in f"/{record.prefix}/":
        return False  # other applications put all models of some hubs into one folder
    others = (model.prefix for model in models if model.key != record.key)
    return not any(
        f"{other}/".startswith(f"{record.prefix}/") or f"{record.prefix}/".startswith(f"{other}/")
        for other in others
        if other
    )
