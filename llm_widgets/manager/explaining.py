"""Why a service failed: what Cloud Run and its log tell, put to the diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Context, Diagnosis, Evidence, LogLine, explain
from llm_widgets.errors import DeploymentError, Fix, ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import revisions, service_json, services, summaries
from llm_widgets.manager import memory, spreading
from llm_widgets.serving import codec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.run.revisions import RevisionFact
    from llm_widgets.gcp.run.summaries import ConditionFact

_LINES = 1000  # of a log: the newest ones tell how it ended


def why(
    clients: Clients,
    document: dict[str, Any],
    facts: Iterable[ConditionFact],
    newest: RevisionFact | None,
    lines: Iterable[LogLine],
    *,
    model: MemoryModel | None,
    project_number: str = "",
) -> Diagnosis:
    """Return why a service failed.

    Parameters
    ----------
    document
        The service as the API writes it.
    facts
        Its conditions.
    newest
        Its newest revision; ``None`` where it has none, or it is not to be seen.
    lines
        Log of that revision, the oldest first.
    model
        What is known of the memory of its model.
    """
    failed = [fact for fact in facts if fact.state == "FAILED"]
    messages = dict.fromkeys(fact.message for fact in failed if fact.message)
    if newest and newest.message:
        messages.setdefault(newest.message)
    evidence = Evidence(
        conditions=tuple(messages),
        reasons=tuple(dict.fromkeys(fact.reason for fact in failed if fact.reason)),
        log=tuple(lines),
    )
    context = Context.of(
        codec.deployment_of(document),
        model=model,
        tried=codec.tried_of(document),
        project_number=project_number,
        caller=identity.current(clients).member,
    )
    return spreading.told(clients, context.project, explain(evidence, context))


def of_service(clients: Clients, name: str, project_number: str = "") -> Diagnosis | None:
    """Read a service and its log, and return why it failed.

    Parameters
    ----------
    name
        Resource name of the service.

    Returns
    -------
    Diagnosis or None
        ``None`` where it has not failed.

    Raises
    ------
    ManagerError
        The service can't be read.
    """
    found = services.get(clients, name)
    facts = summaries.conditions(found)
    if not any(fact.state == "FAILED" for fact in facts):
        return None
    document = service_json.read(clients, name)
    newest = _newest(clients, name)
    return why(
        clients,
        document,
        facts,
        newest,
        _log(clients, name, newest.id if newest else ""),
        model=memory.of_deployment(clients, codec.deployment_of(document)),
        project_number=project_number,
    )


def with_remedy(clients: Clients, name: str, error: DeploymentError) -> DeploymentError:
    """Return why a service did not come up with its diagnosis, where that can be made.

    Parameters
    ----------
    name
        Resource name of the service.
    """
    try:
        found = of_service(clients, name)
    except ManagerError:
        return error
    if found is None:
        return error
    best = found.remedies[0]
    return DeploymentError(
        error.message,
        cause=error.cause if found.cause in error.cause else f"{found.cause} {error.cause}",
        fix=Fix(text=best.text, command=best.command, url=best.url),
    )


def _newest(clients: Clients, name: str) -> RevisionFact | None:
    try:
        return next(iter(revisions.list_revisions(clients, name)), None)
    except ManagerError:
        return None  # who may not see them is told what the service tells


def _log(clients: Clients, name: str, revision: str) -> list[LogLine]:
    _, project, _, region, _, id_ = name.split("/")
    wanted = logs.service_filter(region, id_, revision=revision)
    try:
        found = logs.entries(clients, project, wanted, limit=_LINES)
    except ManagerError:
        return []
    return [LogLine(each.text, each.severity, each.time) for each in reversed(found)]
