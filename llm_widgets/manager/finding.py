"""Services, models and buckets by the names that people have for them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import ServiceSummary
from llm_widgets.errors import Fix, InvalidInputError, NotFoundError
from llm_widgets.gcp.run import service_list, services, summaries
from llm_widgets.gcp.run.service_list import Others
from llm_widgets.gcp.storage import metadata

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.run.service_list import ServiceListing
    from llm_widgets.gcp.storage.buckets import BucketListing

_PARTS = 6  # of a resource name projects/P/locations/R/services/S
_NAMED = 5  # services that are named to somebody who looks for one
_SHORTEST_REVISION = 7  # characters by which git, too, tells commits apart


def service(
    clients: Clients, project: str, named: ServiceSummary | str, region: str = ""
) -> ServiceSummary:
    """Return a service as it is now.

    Parameters
    ----------
    named
        Its name, its resource name, or what was listed of it.
    region
        Where it is; all regions are asked when left out.

    Raises
    ------
    NotFoundError
        There is none; the message names one with a similar name.
    InvalidInputError
        Several regions have a service of the name.
    """
    name = resource_name(clients, project, named, region)
    return summaries.summary(services.get(clients, name))


def _others(listed: ServiceListing) -> str:
    """Tell which services there are; empty where that is not known."""
    if not listed.services:
        return "" if listed.unreachable else "Deploy a model first."
    named = sorted({each.id for each in listed.services})
    more = f" and {len(named) - _NAMED} more" * (len(named) > _NAMED)
    return f"Choose one of those that are there: {', '.join(named[:_NAMED])}{more}."


def resource_name(
    clients: Clients, project: str, named: ServiceSummary | str, region: str = ""
) -> str:
    """Return the resource name of a service; see :func:`service`."""
    if isinstance(named, ServiceSummary):
        return named.name
    text = named.strip()
    if text.startswith("projects/") and text.count("/") == _PARTS - 1:
        return text
    if region and "/" not in text:
        return f"projects/{project}/locations/{region}/services/{text}"
    listed = service_list.list_services(clients, project, others=Others.ALL)
    named_so = [each for each in listed.services if text in (each.id, each.url)]
    found = [each for each in named_so if each.managed] or named_so
    if len(found) > 1:
        regions = ", ".join(each.region for each in found)
        raise InvalidInputError(
            f"Several services have the name {text}: in {regions}.",
            field="region",
            fix=Fix(text="Name the region too."),
        )
    if not found:
        served = [each.id for each in listed.services if each.managed or each.recognition]
        near = difflib.get_close_matches(text, served, n=1)
        unknown = ", ".join(region for region, _ in listed.unreachable)
        advice = f"Did you mean {near[0]}?" if near else _others(listed)
        raise NotFoundError(
            f"There is no service {text} in {project}.",
            field="service",
            cause=f"No answer from {unknown}." if unknown else "",
            fix=Fix(text=advice) if advice else None,
        )
    return found[0].name


def bucket_name(bucket: str | BucketListing) -> str:
    """Return the name of a bucket that was named or listed."""
    return bucket if isinstance(bucket, str) else bucket.name


def models(clients: Clients, project: str, bucket: str) -> tuple[ModelRecord, ...]:
    """Return the models of a bucket.

    Raises
    ------
    ManagerError
        The bucket, or its list of models, can't be read.
    """
    return metadata.read_metadata(clients.storage(project), bucket)[0].models


def model(
    clients: Clients, project: str, bucket: str, model_id: str, revision: str = ""
) -> ModelRecord:
    """Return a model; of several revisions the one that was imported last, best a ready one.

    Parameters
    ----------
    revision
        The one that is meant, or its first seven characters or more; any when left out.

    Raises
    ------
    NotFoundError
        The bucket has none; the fix names one with a similar ID.
    """
    there = models(clients, project, bucket)
    found = _of_revision(there, model_id, revision)
    if not found:
        near = difflib.get_close_matches(model_id, [each.id for each in there], n=1)
        fix = Fix(text=f"Did you mean {near[0]}?") if near else None
        raise NotFoundError(f"{bucket} has no model {model_id}.", fix=fix)
    return max(found, key=_preference)


def unfinished_import(
    clients: Clients, project: str, bucket: str, model_id: str, revision: str = ""
) -> ModelRecord:
    """Return the model of the last import that is not finished; see :func:`model`.

    Raises
    ------
    NotFoundError
        There is none.
    """
    found = [
        record
        for record in _of_revision(models(clients, project, bucket), model_id, revision)
        if record.import_id and record.status not in {ModelStatus.READY, ModelStatus.UNKNOWN}
    ]
    if not found:
        raise NotFoundError(f"{bucket} has no unfinished import of {model_id}.")
    return found[-1]


def _of_revision(
    records: tuple[ModelRecord, ...], model_id: str, revision: str
) -> list[ModelRecord]:
    return [each for each in records if each.id == model_id and _is_revision(each, revision)]


def _is_revision(record: ModelRecord, wanted: str) -> bool:
    """Return whether a revision is the record's, or the beginning of it that is long enough."""
    is_short = len(wanted) >= _SHORTEST_REVISION and record.revision.startswith(wanted)
    return wanted in {"", record.revision} or is_short


def _preference(record: ModelRecord) -> tuple[bool, float]:
    finished = record.finished_at.timestamp() if record.finished_at else 0.0
    return record.status is ModelStatus.READY, finished
