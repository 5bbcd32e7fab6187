"""A service that is created, changed or deleted, followed until that is over."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import DeploymentError, Fix, ManagerError, NotFoundError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained, translated
from llm_widgets.gcp.refusals import rules
from llm_widgets.gcp.refusals.doing import Doing
from llm_widgets.gcp.run import services
from llm_widgets.gcp.run.service_errors import SEE_LOG
from llm_widgets.gcp.run.summaries import ConditionFact, conditions, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients

_PERIOD = 2.0  # seconds between two looks at an operation


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the change of a service is.

    Attributes
    ----------
    done
        Whether it is over, and well: a failure is raised.
    message
        What goes on, in the words of Cloud Run; empty when it says nothing.
    service
        The service as it was last seen; ``None`` before it was and after its deletion.
    """

    done: bool
    message: str
    conditions: tuple[ConditionFact, ...] = ()
    service: ServiceSummary | None = None


def follow(clients: Clients, operation: Any, *, period: float = _PERIOD) -> Iterator[Progress]:
    """Follow the creation, change or deletion of a service until it is over.

    Parameters
    ----------
    operation
        What a function of :mod:`llm_widgets.gcp.run.services` returned.
    period
        Seconds between two looks.

    Yields
    ------
    Progress
        At each look; the last one is done.

    Raises
    ------
    ManagerError
        :class:`DeploymentError` with the reason in the words of Cloud Run when the service did
        not come up.
    """
    while True:
        with explained("follow the service", clients=clients):
            done = operation.done()
            failure = operation.exception() if done else None
            found = operation.metadata
        if failure:
            raise _failed(clients, failure, found)
        is_gone = done and found is not None and bool(found.delete_time)
        yield Progress(
            done=done,
            message=_message(found),
            conditions=conditions(found) if found else (),
            service=None if found is None or is_gone else summary(found),
        )
        if done:
            return
        time.sleep(period)


def follow_service(
    clients: Clients,
    name: str,
    *,
    period: float = _PERIOD,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Progress]:
    """Follow a service by its resource name: for whoever opens the page while it changes.

    Raises
    ------
    ManagerError
        See :func:`follow`.
    """
    failed = lazy.run_v2.Condition.State.CONDITION_FAILED
    while not stopped():
        try:
            found = services.get(clients, name)
        except NotFoundError:
            yield Progress(done=True, message="The service is deleted.")
            return
        state = found.terminal_condition.state
        if not found.reconciling and state == failed:
            raise _did_not_come_up(name, found.terminal_condition.message)
        shown = summary(found)
        done = not found.reconciling and not found.delete_time
        yield Progress(done, _message(found), conditions(found), shown)
        if done:
            return
        time.sleep(period)


def _message(found: lazy.run_v2.Service | None) -> str:
    if found is None:
        return ""
    working = lazy.run_v2.Condition.State.CONDITION_RECONCILING
    facts = [found.terminal_condition, *found.conditions]
    return next((c.message for c in facts if c.state == working and c.message), "")


def _failed(
    clients: Clients, failure: Exception, found: lazy.run_v2.Service | None
) -> ManagerError:
    name = found.name if found else ""
    project = name.split("/")[1] if name else ""
    wording = translated(failure, Doing("deploy the service", clients, project))
    if wording is None:
        raise failure
    # These have a fix of their own; all else is a container that did not come up.
    if isinstance(wording, rules.REFUSALS):
        return wording
    return _did_not_come_up(name, wording.cause)


def _did_not_come_up(name: str, cause: str) -> DeploymentError:
    service_id = name.rsplit("/", 1)[-1]
    return DeploymentError(
        f"The service {service_id} did not come up." if name else "The service did not come up.",
        cause=cause,
        fix=Fix(text=SEE_LOG),
    )
