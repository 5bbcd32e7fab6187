"""How long a service takes to start, by phase, beside the revision before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from llm_widgets.domain.starts import compared
from llm_widgets.domain.tables import Listing, Shown, Values
from llm_widgets.domain.units import duration_text
from llm_widgets.engines import registry
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import revisions, service_json
from llm_widgets.manager import change
from llm_widgets.serving import egress, start_phases
from llm_widgets.serving.deployment_steps import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llm_widgets.domain.services import Deployment
    from llm_widgets.domain.starts import Mark, Start, StartPhase
    from llm_widgets.engines.base import Engine
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.observe.logs import LogEntry
    from llm_widgets.gcp.run.revisions import RevisionFact
    from llm_widgets.serving.egress import Advice

_LINES = 2000  # of a log: engines start within the first hundreds
_MOST_LINES = 5000  # of all entries together: one may have any number of lines
_LONGEST_LINE = 2000  # characters: what engines tell of a start is at the beginning
_LOOKED_AT = 2  # earlier revisions whose log is read for one that started
_COLUMNS = ("phase", "seconds", "before", "gib_per_second")


@dataclass(frozen=True, slots=True)
class Started(Shown):
    """How a revision started, beside one before it.

    Attributes
    ----------
    revision, before_revision
        Ids; the second is empty where no earlier revision is known to have started.
    argument
        With it the same configuration starts sooner, as the log tells; empty for none.
    advice
        What would make its weights load faster; ``None`` where they did not take long.
    """

    revision: str
    start: Start
    before_revision: str = ""
    before: Start | None = None
    argument: str = ""
    advice: Advice | None = None

    @property
    def phases(self) -> Listing[StartPhase]:
        """The phases, with the seconds of the same phase before."""
        return Listing(compared(self.start, self.before), _COLUMNS)

    @property
    def text(self) -> str:
        """How long it took, in a sentence."""
        took = duration_text(self.start.seconds)
        if not self.start.is_ready:
            return f"{self.revision} had not started after {took}."
        if self.before is None:
            return f"{self.revision} started in {took}."
        before = duration_text(self.before.seconds)
        return f"{self.revision} started in {took}, {self.before_revision} in {before}."

    def shown(self) -> Values:
        """Return what a program is told of it."""
        return {
            "revision": self.revision,
            "seconds": round(self.start.seconds, 2),
            "is_ready": self.start.is_ready,
            "before_revision": self.before_revision,
            "before_seconds": round(self.before.seconds, 2) if self.before else None,
            "argument": self.argument,
            "advice": f"{self.advice.text} {self.advice.change}" if self.advice else "",
            "command": self.advice.command if self.advice else "",
            "phases": [phase.shown() for phase in self.phases],
        }


def of_service(clients: Clients, name: str) -> Started | None:
    """Read how the newest revision of a service started; ``None`` where its log does not tell.

    Parameters
    ----------
    name
        Resource name of the service.

    Raises
    ------
    ManagerError
        The service, its revisions or its log can't be read.
    """
    deployment = change.deployment_of(service_json.read(clients, name))
    engine = registry.of(deployment.framework)
    listed = revisions.list_revisions(clients, name)
    if not engine or not listed:
        return None
    found = of_entries(log_of(clients, name, listed[0].id), deployment, engine)
    return beside_earlier(clients, name, listed, found, engine) if found else None


def log_of(clients: Clients, name: str, revision: str) -> list[LogEntry]:
    """Read the beginning of the log of a revision, the oldest entry first.

    Raises
    ------
    ManagerError
        The log can't be read.
    """
    _, project, _, region, _, id_ = name.split("/")
    wanted = logs.service_filter(region, id_, revision=revision)
    return logs.entries(clients, project, wanted, limit=_LINES, newest_first=False)


def of_entries(
    entries: Sequence[LogEntry], deployment: Deployment, engine: Engine
) -> Started | None:
    """Read how the newest revision started last; ``None`` where no entry tells.

    An argument for the next start is offered of a start alone that came to its end.

    Parameters
    ----------
    entries
        Of that revision, the oldest first.
    deployment
        What the revision is.
    """
    start = _start(entries, engine.start_marks)
    if start is None:
        return None
    lines = (text for _, text in _lines(entries))
    revision = entries[0].labels.get("revision_name", "")
    argument = engine.told_argument(deployment, lines) if start.is_ready else ""
    return Started(revision, start, argument=argument, advice=egress.after(deployment, start))


def _start(entries: Iterable[LogEntry], marks: Sequence[Mark]) -> Start | None:
    """Read the last start, whatever instance it was of."""
    by_instance: dict[str, list[Line]] = {}
    for entry, text in _lines(entries):
        if not entry.request:
            lines = by_instance.setdefault(entry.labels.get("instanceId", ""), [])
            lines.append(Line(entry.time, text))
    found = [start for each in by_instance.values() if (start := start_phases.read(each, marks))]
    ready = [start for start in found if start.is_ready]
    return next(reversed(ready or found), None)


def _lines(entries: Iterable[LogEntry]) -> Iterator[tuple[LogEntry, str]]:
    """Yield the first lines of entries: a container may write more than can be read."""
    every = ((entry, text[:_LONGEST_LINE]) for entry in entries for text in entry.text.splitlines())
    return islice(every, _MOST_LINES)


def beside_earlier(
    clients: Clients, name: str, listed: Sequence[RevisionFact], started: Started, engine: Engine
) -> Started:
    """Put the start of the newest revision beside that of the last one that started before.

    Parameters
    ----------
    listed
        All revisions, the newest first.

    Raises
    ------
    ManagerError
        A log can't be read.
    """
    earlier = [each for each in listed[1:] if each.state == "ready"]
    for fact in earlier[:_LOOKED_AT]:
        before = _start(log_of(clients, name, fact.id), engine.start_marks)
        if before and before.is_ready:
            return replace(started, before_revision=fact.id, before=before)
    return started
