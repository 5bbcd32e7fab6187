"""Learning from a start: what an engine measured is kept with the model, for the next time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.measured import MeasuredStart
from llm_widgets.engines import measuring, registry
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import service_json
from llm_widgets.gcp.storage import metadata
from llm_widgets.manager import change, memory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.gcp.client.clients import Clients

_LINES = 1000  # of a log: engines tell it within the first hundreds

_log = logging.getLogger(__name__)


def of_service(clients: Clients, name: str) -> MeasuredStart | None:
    """Read what the newest revision of a service measured, and keep it with its model.

    Parameters
    ----------
    name
        Resource name of the service.

    Returns
    -------
    MeasuredStart or None
        ``None`` where its log tells nothing that can be of its model.

    Raises
    ------
    ManagerError
        The service or its log can't be read, or the bucket's list can't be changed.
    """
    document = service_json.read(clients, name)
    deployment = change.deployment_of(document)
    record = memory.served(clients, deployment.bucket, deployment.folder)
    if record is None:
        return None
    lines = _lines(clients, name, document)
    model = memory.model_of(record, memory.kept(clients, deployment.bucket, record))
    found = told(model, deployment, lines)
    if found:
        keep(clients, deployment, record, found)
    return found


def after_start(clients: Clients, name: str) -> None:
    """Do the same after a deployment, which is no worse where it can't be done."""
    try:
        of_service(clients, name)
    except ManagerError as error:
        _log.info("What %s measured is not kept: %s", name.rsplit("/", 1)[-1], error.message)


def told(model: MemoryModel, deployment: Deployment, lines: Iterable[str]) -> MeasuredStart | None:
    """Return what lines of a log tell of a start of a deployment with a model."""
    engine = registry.of(deployment.framework)
    found = measuring.measured(engine, model, deployment, lines) if engine else None
    if not engine or not found:
        return None
    return MeasuredStart(
        measuring.configuration(engine, deployment), found, datetime.now(UTC).replace(microsecond=0)
    )


def keep(
    clients: Clients, deployment: Deployment, record: ModelRecord, start: MeasuredStart
) -> None:
    """Keep what was measured with a model, unless the same is kept already.

    Raises
    ------
    ManagerError
        The bucket's list can't be changed.
    """
    known = {each.configuration: each.measured for each in record.starts}
    if known.get(start.configuration) == start.measured:
        return
    metadata.update_metadata(
        clients.storage(), deployment.bucket, lambda file: file.with_measured(record.key, start)
    )


def _lines(clients: Clients, name: str, document: dict[str, Any]) -> list[str]:
    """Return the log of a service's newest revision, the oldest line first."""
    _, project, _, region, _, id_ = name.split("/")
    revision = str(document.get("latestCreatedRevision", "")).rsplit("/", 1)[-1]
    wanted = logs.service_filter(region, id_, revision=revision)
    found = logs.entries(clients, project, wanted, limit=_LINES, newest_first=False)
    return [line for entry in found for line in entry.text.splitlines()]
