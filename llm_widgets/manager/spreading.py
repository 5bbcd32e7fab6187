"""Services that fail for want of what was granted moments ago: deployed again by themselves."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.diagnosis import Context, Diagnosis, Evidence, LogLine, RemedyKind, diagnose
from llm_widgets.domain import adoption
from llm_widgets.domain.failures.remedies import Remedy
from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import (
    ConflictError,
    DeniedError,
    DeploymentError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import policy, propagation
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import rollout, service_json
from llm_widgets.manager import change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.run.rollout import Progress

PERIOD = 2.0
"""Seconds between two looks at a service."""

_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 120.0
# Seconds from a failure to the next deployment, twice as long each time: each makes a revision.

_FAILED = "CONDITION_FAILED"
_LINES = 50


def told(clients: Clients, project: str, found: Diagnosis) -> Diagnosis:
    """Return a diagnosis that does not ask for what these clients have granted already.

    Parameters
    ----------
    project
        Id of the project in which the failure was met.
    """
    ages = [_age(clients, project, remedy) for remedy in found.remedies]
    granted = [age for age in ages if age is not None]
    if not granted:
        return found
    since, remedy = min(granted), found.remedies[ages.index(min(granted))]
    role, member = remedy.parameters["role"], remedy.parameters["member"].partition(":")[2]
    what = f"{role} was granted to {member} {propagation.ago(since)}"
    if propagation.left(since):
        return replace(
            found,
            cause=f"{what}. The grant takes {propagation.HOW_LONG} to take effect.",
            remedies=(Remedy(RemedyKind.NONE, "Trying again automatically until then."),),
            passes=True,
        )
    again = Remedy(RemedyKind.REDEPLOY, f"{what} and should have taken effect. Deploy again.")
    others = (each for each, age in zip(found.remedies, ages, strict=True) if age is None)
    return replace(found, remedies=(again, *others))


def waiting(service: ServiceSummary) -> ServiceSummary:
    """Return a service that failed for want of what is still spreading as what it is.

    It is being deployed: it will be deployed again by itself.
    """
    reason = (
        f"The service waits for a new grant, which takes {propagation.HOW_LONG} to take effect."
    )
    return replace(service, state=ServiceState.DEPLOYING, reason=reason)


class Redeployment:
    """Deploys a service again while it fails for want of what was granted moments ago.

    A revision that failed is not tried again by Cloud Run.

    Parameters
    ----------
    name
        Resource name of the service.

    Attributes
    ----------
    deployments
        How often it was deployed again.
    """

    def __init__(self, clients: Clients, name: str) -> None:
        self.deployments = 0
        self._clients = clients
        self._name = name
        self._pause = _FIRST_PAUSE
        self._due: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the service has failed, and is to be deployed again."""
        return self._due is not None

    def look(self) -> bool:
        """Look at the service, and deploy it again when that is due.

        Returns
        -------
        bool
            Whether there is anything left to look for: nothing, where the service is gone.

        Raises
        ------
        ManagerError
            The service may not be looked at or changed.
        """
        try:
            return self._look()
        except NotFoundError:
            return False

    def _look(self) -> bool:
        document = service_json.read(self._clients, self._name)
        state = document.get("terminalCondition", {}).get("state", "")
        if document.get("reconciling") or state != _FAILED:
            is_under_way = bool(document.get("reconciling")) and not document.get("deleteTime")
            return is_under_way and self._is_in_flight(document)
        if self._due is None:
            if not self._passes(document):
                return False
            self._due = time.monotonic() + self._pause
        if time.monotonic() >= self._due:
            self._deploy_again(document)
        return True

    def _deploy_again(self, document: dict[str, Any]) -> None:
        self._due = None
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        before = change.deployment_of(document)
        try:
            change.send(self._clients, change.again(change.prepared(document, before, before)))
        except ConflictError:
            return  # somebody else was faster; the next look sees what came of it
        self.deployments += 1

    def _passes(self, document: dict[str, Any]) -> bool:
        """Return whether a service of ours failed for want of what is still spreading."""
        is_managed = adoption.is_managed(document.get("labels", {}))
        if not is_managed or not self._is_in_flight(document):
            return False
        facts = [document.get("terminalCondition", {}), *document.get("conditions", [])]
        failed = dict.fromkeys(
            fact["message"]
            for fact in facts
            if fact.get("state") == _FAILED and fact.get("message")
        )
        evidence = Evidence(conditions=tuple(failed))
        # What refused a mount stands in the log at times, and that is read once only.
        return self._is_passing(document, evidence) or self._is_passing(
            document, replace(evidence, log=self._log(document))
        )

    def _is_passing(self, document: dict[str, Any], evidence: Evidence) -> bool:
        caller = identity.current(self._clients).member
        context = Context.of(change.deployment_of(document), caller=caller)
        found = diagnose(evidence, context)
        return found is not None and told(self._clients, context.project, found).passes

    def _log(self, document: dict[str, Any]) -> tuple[LogLine, ...]:
        _, project, _, region, _, id_ = self._name.split("/")
        revision = str(document.get("latestCreatedRevision", "")).rsplit("/", 1)[-1]
        wanted = logs.service_filter(region, id_, revision=revision)
        try:
            found = logs.entries(self._clients, project, wanted, limit=_LINES)
        except ManagerError:
            return ()  # who may not read it is told what Cloud Run says
        return tuple(LogLine(each.text, each.severity, each.time) for each in reversed(found))

    def _is_in_flight(self, document: dict[str, Any]) -> bool:
        deployment = change.deployment_of(document)
        member = f"serviceAccount:{deployment.service_account}"
        own = identity.current(self._clients).member
        age = propagation.of(self._clients).youngest(member, own)
        return propagation.left(age) > 0


def settled(
    clients: Clients,
    name: str,
    followed: Iterable[Progress],
    watch: Callable[[str], None] = lambda _: None,
) -> ServiceSummary | None:
    """Follow a service until it is ready, also where what was granted has to spread first.

    Parameters
    ----------
    name
        Resource name of the service.
    followed
        How far its deployment is.
    watch
        Called with what Cloud Run says of it, at each look.

    Raises
    ------
    ManagerError
        It does not come up.
    """
    try:
        return _last(followed, watch)
    except (DeniedError, DeploymentError):
        again = Redeployment(clients, name)
        if not again.look():
            raise
        made = propagation.of(clients)
        made.tell(
            f"{name.rsplit('/', 1)[-1]} waits for a new grant, which takes "
            f"{propagation.HOW_LONG} to take effect. The manager then deploys again "
            "automatically."
        )
        while again.look():
            time.sleep(PERIOD)
        return _last(rollout.follow_service(clients, name), watch)


def _last(followed: Iterable[Progress], watch: Callable[[str], None]) -> ServiceSummary | None:
    last = None
    for progress in followed:
        watch(progress.message)
        last = progress.service or last
    return last


def _age(clients: Clients, project: str, remedy: Remedy) -> float | None:
    """Return how long ago what a remedy asks for was granted, in seconds, if it was."""
    if remedy.kind is not RemedyKind.GRANT or not remedy.parameters:
        return None
    resource = policy.named(remedy.parameters["resource"], project=project)
    return propagation.of(clients).age(resource.path, remedy.parameters["member"])
