"""Removes a model from its bucket: its files, its manifest and import, and its entry.

The list of a bucket may name any folder and any import as a model's. So what is removed is what
follows from the model: the folder that an import of it makes, and imports whose plan or manifest
is of this very model.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.documents import manifests
from llm_widgets.domain import folders
from llm_widgets.domain.imports import IMPORTS_PREFIX
from llm_widgets.domain.manifest import MANIFESTS_PREFIX, manifest_name
from llm_widgets.domain.models import ModelStatus
from llm_widgets.errors import ConflictError, DocumentError, Fix, NotFoundError
from llm_widgets.gcp.storage.metadata import update_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.hubs import registry
from llm_widgets.imports import token
from llm_widgets.imports.start import is_running
from llm_widgets.imports.store import ImportFolder
from llm_widgets.transfer.transfer import Transfer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.gcp.client.clients import Clients

_AT_ONCE = 16
_REMOVING = "The model is being removed."
_WEIGHTS_BEGIN = "config.json"
"""What lies in the folder of every model that the application before this one imported alone."""

CANCEL_FIRST = "Cancel the import first."
"""What to do before a model that is being imported can be removed."""


def remove_model(clients: Clients, bucket: str, record: ModelRecord) -> None:
    """Remove a model. Files that another model needs too stay, and all that is not its own.

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
        raise ConflictError(f"{record.id} is being imported.", fix=Fix(text=CANCEL_FIRST))
    broken = replace(record, status=ModelStatus.FAILED, error=_REMOVING)
    file = update_metadata(client, bucket, lambda f: f.with_model(broken))
    if owns_files(file.models, record) and _is_its_folder(objects, record):
        names = [stored.name for stored in objects.list(f"{record.prefix}/")]
        with ThreadPoolExecutor(_AT_ONCE, "remove") as pool:
            list(pool.map(objects.delete, names))
    for import_id in _imports(objects, record, file.models):
        _remove_import(clients, ImportFolder(objects, import_id))
    update_metadata(client, bucket, lambda f: f.without(record.key))


def remove_leftover(clients: Clients, bucket: str, import_id: str) -> None:
    """Remove what is left of an import that no model of the bucket names.

    Raises
    ------
    ConflictError
        It is running.
    ManagerError
        The bucket refuses.
    """
    if is_running(clients, bucket, import_id):
        raise ConflictError(f"The import {import_id} is running.", fix=Fix(text=CANCEL_FIRST))
    _remove_import(clients, ImportFolder(SmallObjects(clients.storage(), bucket), import_id))


def owns_files(models: Iterable[ModelRecord], record: ModelRecord) -> bool:
    """Return whether a model has a folder of its own, that no other model of the bucket uses.

    Parameters
    ----------
    models
        All models of the bucket.
    """
    if not folders.is_plain(record.prefix) or not registry.of(record.source):
        return False
    if record.import_id or record.revision:
        is_own = folders.is_of_model(record.prefix, record.source, record.revision)
    else:
        # The application before this one put all models of some hubs into one folder.
        is_own = record.prefix == record.id and "/" in record.id
    others = (model.prefix for model in models if model.key != record.key)
    return is_own and not any(folders.overlap(record.prefix, other) for other in others if other)


def _is_its_folder(objects: SmallObjects, record: ModelRecord) -> bool:
    """Return whether the folder holds a model, where only its entry says so."""
    if record.import_id or record.revision:
        return True
    return objects.find(f"{record.prefix}/{_WEIGHTS_BEGIN}") is not None


def _imports(objects: SmallObjects, record: ModelRecord, models: Iterable[ModelRecord]) -> set[str]:
    """Return the ids of a model's imports, with other choices of its files too.

    Otherwise a rebuilt metadata file would list the model again. The import that the entry names
    is one of them, unless it is another model's, by its plan or by another entry.
    """
    manifest_ids = [
        stored.name.removeprefix(f"{MANIFESTS_PREFIX}/").removesuffix(".json")
        for stored in objects.list(f"{MANIFESTS_PREFIX}/")
    ]
    plan_ids = [
        import_id
        for stored in objects.list(f"{IMPORTS_PREFIX}/")
        for import_id, _, name in [stored.name.removeprefix(f"{IMPORTS_PREFIX}/").partition("/")]
        if name == "plan.json"
    ]
    known = filter(folders.is_import_id, dict.fromkeys([*manifest_ids, *plan_ids]))
    with ThreadPoolExecutor(_AT_ONCE, "imports") as pool:
        keys = dict(pool.map(lambda key: (key, _keys_of(objects, key)), list(known)))
    found = {import_id for import_id, of in keys.items() if of == {record.key}}
    named = record.import_id
    claimed = {model.import_id for model in models if model.key != record.key}
    if named and named not in claimed and not keys.get(named):
        found.add(named)  # nobody knows whose it is but the entry
    return found


def _keys_of(objects: SmallObjects, import_id: str) -> set[tuple[str, str, str]]:
    """Return of which models an import is, by its manifest and by its plan."""
    found = set()
    manifest = objects.read(manifest_name(import_id))
    try:
        if manifest:
            found.add(manifests.read(manifest[0], import_id=import_id).record().key)
    except DocumentError:
        pass
    try:
        plan = ImportFolder(objects, import_id).plan_as_told()
        found.add(plan.record(ModelStatus.FAILED).key)
    except (DocumentError, NotFoundError):
        pass
    return found


def _remove_import(clients: Clients, folder: ImportFolder) -> None:
    """Remove an import: the parts that it has stored, its token, its manifest, its objects."""
    try:
        plan = folder.plan(clients.settings)
    except (DocumentError, NotFoundError):
        plan = None
    if plan:
        if folder.objects.list(f"{plan.folder}/files/"):
            Transfer(plan, clients, folder.objects).discard()
        token.delete(clients, plan)
    folder.objects.delete(manifest_name(folder.import_id))
    folder.delete()
