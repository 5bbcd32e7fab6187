"""Removing models and services: nothing goes that something else still needs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from llm_widgets.domain.services import MODEL_ANNOTATION
from llm_widgets.errors import ConflictError, Fix, InUseError, ManagerError, NotFoundError
from llm_widgets.gcp.client.parallel import Outcome, outcomes
from llm_widgets.gcp.run import rollout, service_json, services
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.imports import remove
from llm_widgets.imports.reach import can_read
from llm_widgets.imports.usage import Usage, services_with
from llm_widgets.manager import leasing, managed
from llm_widgets.manager.audit import recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients

DELETE_SERVICES = "Delete these services first."
"""What to do before something that services read can be removed."""


@recorded("model.delete", on="{bucket}: {record.id} {record.revision}")
def remove_model(
    clients: Clients,
    project: str,
    bucket: str,
    location: str,
    record: ModelRecord,
    *,
    force: bool = False,
) -> None:
    """Remove a model's files and its entry; nothing that another model needs.

    Parameters
    ----------
    location
        Region of the bucket, for the services beside it; may be empty.
    force
        Whether to remove it though services read it, or that can't be told.

    Raises
    ------
    InUseError
        Services read it, or that can't be told; nothing was changed.
    ConflictError
        It is being imported.
    ManagerError
        The bucket refuses.
    """
    if not force:
        _refuse_used(services_with(clients, project, bucket, location, record), record)
    remove.remove_model(clients, bucket, record)


def model_of(clients: Clients, summary: ServiceSummary) -> ModelRecord:
    """Find the model that a service serves, to be removed with it.

    Raises
    ------
    NotFoundError
        The list of its bucket has no model that the service reads.
    ConflictError
        Which one it reads is not clear, or other services read it too, or that is not known;
        nothing was changed.
    """
    bucket, project = summary.bucket, summary.project
    service = services.get(clients, summary.name)
    file, _ = metadata.read_metadata(clients.storage(project), bucket)
    read = [each for each in file.models if can_read(service.template, bucket, each)]
    model = service.annotations.get(MODEL_ANNOTATION, "")
    read = [each for each in read if each.id == model] or read
    record = next(iter(read), None)
    if len({each.prefix for each in read}) > 1:
        raise ConflictError(
            f"Unknown which model of {bucket} {summary.id} uses. Nothing was deleted.",
            cause="It mounts the whole bucket, where several models are.",
            fix=Fix(text="Delete the service alone, then the model in the Models tab."),
        )
    if record is None:
        raise NotFoundError(
            f"The model of {summary.id} is not in the list of {bucket}.",
            fix=Fix(text="Delete the service alone; the Models tab shows what the bucket holds."),
        )
    place = buckets.get_bucket(clients, bucket, project=project)
    found = services_with(clients, project, bucket, place.location, record)
    others = Usage(tuple(name for name in found.services if name != summary.name))
    if others.services:
        raise ConflictError(
            f"{record.id} is in use by {others.names} too, so nothing was deleted.",
            fix=Fix(text="Delete this service alone, or the others first."),
        )
    if found.reason:
        raise ConflictError(
            f"Unknown whether a service in {found.unknown} uses {record.id}. Nothing was deleted.",
            cause=found.reason.message,
            fix=Fix(text="Delete this service alone, or try again later."),
        )
    return record


@recorded("service.delete", on="{service.name}")
def remove_service(clients: Clients, service: ServiceSummary, record: ModelRecord | None) -> None:
    """Delete a service, wait until it is gone, and remove its model where that is asked for.

    Parameters
    ----------
    record
        What :func:`model_of` gave; ``None`` where the model's files stay.

    Raises
    ------
    InvalidInputError
        Others deployed the service, and nobody adopted it.
    ManagerError
        The service is gone already or may not be deleted; the bucket refuses.
    """
    managed.refuse_unmanaged(service.name, is_managed=service.managed)
    if service.lease:
        with suppress(ManagerError):  # a job that calls a service which is gone changes nothing
            leasing.forget(clients, service_json.read(clients, service.name))
    for _ in rollout.follow(clients, services.delete(clients, service.name)):
        pass  # until it is gone
    if record:
        _remove_files(clients, service.bucket, record)


def remove_services(
    clients: Clients,
    found: Sequence[ServiceSummary],
    records: Mapping[str, ModelRecord],
    ended: Callable[[ServiceSummary, ManagerError | None], object],
) -> list[Outcome[ServiceSummary, None]]:
    """Delete services at the same time, each by itself: one that fails stops no other.

    Parameters
    ----------
    records
        What :func:`model_of` gave, by the resource names of the services that it goes with.
    ended
        Called for each service once it is gone, or with why it failed; in any thread.

    Returns
    -------
    list
        Those that failed, with their errors, in the order of ``found``.
    """

    def remove_one(service: ServiceSummary) -> None:
        try:
            remove_service(clients, service, records.get(service.name))
        except ManagerError as error:
            ended(service, error)
            raise
        ended(service, None)

    return [each for each in outcomes(remove_one, found) if each.error]


def failure_of(failed: Sequence[Outcome[ServiceSummary, None]], wanted: int) -> ManagerError | None:
    """Return what tells of those that failed, of so many that were to go; ``None`` of none."""
    if not failed or wanted == 1:
        return failed[0].error if failed else None
    return ManagerError(
        f"Deleting {len(failed)} of {wanted} services failed: "
        f"{', '.join(each.key.id for each in failed)}.",
        cause="\n".join(f"{each.key.id}: {each.error}" for each in failed),
    )


@recorded("model.delete", on="{bucket}: {record.id} {record.revision}")
def _remove_files(clients: Clients, bucket: str, record: ModelRecord) -> None:
    remove.remove_model(clients, bucket, record)


def _refuse_used(usage: Usage, record: ModelRecord) -> None:
    if usage.services:
        raise InUseError(
            f"{record.id} is in use: {usage.names}.",
            cause="Instances read the model's files at every start.",
            fix=Fix(text=DELETE_SERVICES),
        )
    if usage.reason:
        raise InUseError(
            f"Unknown whether a service in {usage.unknown} uses {record.id}.",
            cause=usage.reason.message,
            fix=usage.reason.fix or Fix(text="Try again later."),
        )
