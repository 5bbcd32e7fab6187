"""What the engine of a service measured when it started, which is kept with the model."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.measured import with_start
from llm_widgets.errors import ManagerError
from llm_widgets.manager import measuring, memory
from llm_widgets.serving import measured_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.memory.measured import MeasuredStart
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.session import Session

_log = logging.getLogger(__name__)


class FirstStart:
    """Reads what was measured out of the log of a service, once for each revision."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[str, str] = {}
        self._served: dict[tuple[str, str], tuple[ModelRecord, MemoryModel] | None] = {}

    def look(self, revision: str, deployment: Deployment, lines: Iterable[str]) -> str:
        """Return what was measured beside the estimate; empty where nothing is known.

        Parameters
        ----------
        revision
            Id of the revision that wrote the lines.
        """
        if revision in self._known:
            return self._known[revision]
        served = self._of(deployment)
        if served is None:
            return ""
        record, model = served
        start = measuring.told(model, deployment, lines)
        if start is None:
            return measured_memory.compared(model, deployment)
        self._keep(deployment, record, start)
        model = replace(model, starts=with_start(model.starts, start))
        self._known[revision] = measured_memory.compared(model, deployment)
        return self._known[revision]

    def _keep(self, deployment: Deployment, record: ModelRecord, start: MeasuredStart) -> None:
        """Keep it with the model; who may not change the bucket sees it all the same."""
        try:
            measuring.keep(self._session.clients, deployment, record, start)
        except ManagerError as error:
            _log.info("What was measured of %s is not kept: %s", record.id, error.message)

    def _of(self, deployment: Deployment) -> tuple[ModelRecord, MemoryModel] | None:
        """Return the model that is served, and what is known of its memory; it is read once."""
        place = (deployment.bucket, deployment.folder)
        if place not in self._served:
            clients = self._session.clients
            try:
                record = memory.served(clients, *place)
            except ManagerError:
                record = None  # who may not read the bucket sees the rest
            model = (
                memory.model_of(record, memory.kept(clients, place[0], record)) if record else None
            )
            self._served[place] = (record, model) if record and model else None
        return self._served[place]
