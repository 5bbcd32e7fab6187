"""Looks whether an imported model is still whole, without reading its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.manifest import ModelManifest, manifest_name
from llm_widgets.errors import Fix, NotFoundError
from llm_widgets.transfer.objects import SmallObjects

if TYPE_CHECKING:
    from llm_widgets.cloud.clients import Clients
    from llm_widgets.domain.models import ModelRecord


def read_manifest(clients: Clients, bucket: str, record: ModelRecord) -> ModelManifest:
    """Read what is kept beside a model: all files with their digests.

    Raises
    ------
    NotFoundError
        Nothing is kept: the model was not imported by this product.
    ManagerError
        The bucket can't be read.
    """
    objects = SmallObjects(clients.storage(), bucket)
    found = objects.read(manifest_name(record.import_id)) if record.import_id else None
    try:
        if found:
            return ModelManifest.from_json(found[0])
    except ValueError:
        pass
    raise NotFoundError(
        f"Nothing tells what the files of {record.id} should be.",
        fix=Fix(text="Import the model again."),
    )


def verify_model(clients: Clients, bucket: str, record: ModelRecord) -> list[str]:
    """Compare a model's objects with the bytes that were verified when it was imported.

    Cloud Storage computes the CRC-32C of what it holds: no byte has to be read.

    Returns
    -------
    list of str
        What is wrong, one sentence for each file; empty for a model that is whole.

    Raises
    ------
    NotFoundError
        Nothing is kept to compare with.
    ManagerError
        The bucket can't be read.
    """
    manifest = read_manifest(clients, bucket, record)
    objects = SmallObjects(clients.storage(), bucket)
    there = {stored.name: stored for stored in objects.list(f"{manifest.prefix}/")}
    problems = []
    for file in manifest.files:
        stored = there.get(f"{manifest.prefix}/{file.path}")
        if not stored:
            problems.append(f"{file.path} is gone.")
        elif (stored.size, stored.crc32c) != (file.size, file.crc32c):
            problems.append(f"{file.path} was changed after the import.")
    return problems
