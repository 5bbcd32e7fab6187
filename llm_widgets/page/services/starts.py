"""How the newest revision of a service started, read once for each revision."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from llm_widgets.errors import ManagerError
from llm_widgets.manager import starting

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine
    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.gcp.run.revisions import RevisionFact
    from llm_widgets.manager.starting import Started
    from llm_widgets.page.session import Session

_log = logging.getLogger(__name__)


class Starts:
    """Reads starts out of the log that a page follows, and out of older logs where it must."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self._known: dict[str, Started] = {}
        self._asked: set[str] = set()

    def look(
        self,
        listed: Sequence[RevisionFact],
        deployment: Deployment,
        engine: Engine,
        entries: Iterable[LogEntry],
    ) -> Started | None:
        """Return how the newest revision started; ``None`` where no log tells.

        Parameters
        ----------
        listed
            All revisions, the newest first.
        entries
            Of the service, the oldest first, as far as they are known.
        """
        newest = listed[0].id
        if newest in self._known:
            return self._known[newest]
        own = [entry for entry in entries if entry.labels.get("revision_name") == newest]
        started = starting.of_entries(own, deployment, engine)
        clients = self._session.clients
        try:
            if not (started and started.start.is_ready) and newest not in self._asked:
                self._asked.add(newest)
                own = starting.log_of(clients, self._name, newest)
                started = starting.of_entries(own, deployment, engine)
            if started is None or not started.start.is_ready:
                return started
            self._known[newest] = started
            self._known[newest] = starting.beside_earlier(
                clients, self._name, listed, started, engine
            )
        except ManagerError as error:
            _log.info("An older log of %s can't be read: %s", self._name, error.message)
        return self._known.get(newest)
