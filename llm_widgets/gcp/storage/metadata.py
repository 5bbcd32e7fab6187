"""Reads and changes the metadata file of a bucket: no update is lost, no damage is hidden."""

from __future__ import annotations

import logging
import random
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.documents import metadata as documents
from llm_widgets.domain.metadata import METADATA_NAME, MetadataFile, MetadataFileError
from llm_widgets.domain.models import ModelStatus
from llm_widgets.errors import ConflictError, Fix, NotFoundError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.messages import readable
from llm_widgets.gcp.storage.metadata_recovery import known_models
from llm_widgets.gcp.storage.objects import content_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.client.clients import Clients

_PATIENCE = 180.0
"""Seconds after which an update gives up; Cloud Storage takes one write a second."""

_FIRST_WAIT = 0.05
_LONGEST_WAIT = 2.0

_log = logging.getLogger(__name__)


def read_metadata(
    client: lazy.storage.Client, bucket: str, *, clients: Clients | None = None
) -> tuple[MetadataFile, int]:
    """Read the metadata file of a bucket, and its generation.

    Parameters
    ----------
    clients
        Tell who lacks a permission, where that is worth finding out.

    Raises
    ------
    NotFoundError
        The bucket has none.
    MetadataFileError
        It is damaged; the next update repairs it.
    """
    text, generation = _read(client, bucket, clients)
    return _parsed(text, bucket), generation


def update_metadata(
    client: lazy.storage.Client,
    bucket: str,
    change: Callable[[MetadataFile], MetadataFile],
) -> MetadataFile:
    """Change the metadata file of a bucket, however many others do so at the same time.

    A damaged file is kept beside it and rebuilt first: from what can still be read of it, from
    the models' manifests, and from the imports' plans.

    Parameters
    ----------
    change
        Gives the new file for the old one; called again where somebody else was faster.

    Raises
    ------
    NotFoundError
        The bucket has no metadata file.
    ConflictError
        Others were faster for minutes.
    """
    until = time.monotonic() + _PATIENCE
    wait = _FIRST_WAIT
    while True:
        text, generation = _read(client, bucket)
        is_damaged = False
        try:
            found = _parsed(text, bucket)
            if found.is_mended:
                is_damaged = True
                found = found.with_repair(_kept(client, bucket, generation), datetime.now(UTC))
        except MetadataFileError:
            is_damaged = True
            found = _rebuilt(client, bucket, text, generation)
        changed = change(found)
        if changed == found and not is_damaged:
            return found
        try:
            _write(client, bucket, METADATA_NAME, changed.to_json(), generation=generation)
        except ConflictError:
            if time.monotonic() > until:
                raise
            time.sleep(random.uniform(0, wait))  # noqa: S311 - spreads writers, hides nothing
            wait = min(2 * wait, _LONGEST_WAIT)
        else:
            return changed


def _kept(client: lazy.storage.Client, bucket: str, generation: int) -> str:
    """Keep a damaged file beside it, and return the name of the copy."""
    # Named after its generation, so that many who find the damage at once keep it once.
    backup = f"{METADATA_NAME.removesuffix('.json')}.corrupt-{generation}.json"
    with suppress(ConflictError):
        _copy(client, bucket, backup, generation)
    return backup


def _rebuilt(
    client: lazy.storage.Client, bucket: str, text: bytes, generation: int
) -> MetadataFile:
    """Make a new file of what can be read of a damaged one, and of what else is known."""
    backup = _kept(client, bucket, generation)
    rebuilt = documents.salvaged(text).with_repair(backup, datetime.now(UTC))
    for record in known_models(client, bucket):
        is_ready = record.status is ModelStatus.READY
        rebuilt = rebuilt.with_model(record) if is_ready else rebuilt.with_unfinished(record)
    _log.warning(
        "gs://%s/%s was damaged; kept as %s and rebuilt with %d models",
        bucket,
        METADATA_NAME,
        backup,
        len(rebuilt.models),
    )
    return rebuilt


def _parsed(text: bytes, bucket: str) -> MetadataFile:
    try:
        return documents.read(text)
    except MetadataFileError as error:
        raise MetadataFileError(
            f"The metadata file of {bucket} is damaged.",
            cause=error.cause,
            fix=Fix(
                text="Repair the list: the damaged file is kept beside a new one, made from "
                "its readable part and the manifests of the imports.",
                action=f"repair-metadata:{bucket}",
            ),
        ) from error


def _read(
    client: lazy.storage.Client, bucket: str, clients: Clients | None = None
) -> tuple[bytes, int]:
    blob = client.bucket(bucket).blob(METADATA_NAME)
    with explained(
        f"read the metadata file of {bucket}",
        clients=clients,
        bucket=bucket,
        permission="storage.objects.get",
    ):
        try:
            text: bytes = content_of(blob)
        except lazy.api_exceptions.NotFound as error:
            raise NotFoundError(
                f"{bucket} has no {METADATA_NAME}, or does not exist.",
                cause=readable(error.message),
                fix=Fix(text="Check the name, or add it as a bucket of models."),
            ) from error
    return text, int(blob.generation)


def _copy(client: lazy.storage.Client, bucket: str, name: str, generation: int) -> None:
    there = client.bucket(bucket)
    with explained(
        f"keep the metadata file of {bucket}", bucket=bucket, permission="storage.objects.create"
    ):
        there.copy_blob(
            there.blob(METADATA_NAME),
            there,
            name,
            source_generation=generation,
            if_generation_match=0,
            retry=lazy.storage.retry.DEFAULT_RETRY,
        )


def _write(
    client: lazy.storage.Client, bucket: str, name: str, text: str | bytes, *, generation: int
) -> None:
    blob = client.bucket(bucket).blob(name)
    with explained(
        f"write the metadata file of {bucket}", bucket=bucket, permission="storage.objects.create"
    ):
        blob.upload_from_string(
            text,
            content_type="application/json",
            if_generation_match=generation,
            checksum="crc32c",
            retry=lazy.storage.retry.DEFAULT_RETRY,
        )
