"""Services of Cloud Run: created, listed, followed and deleted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.cloud import packages
from llm_widgets.cloud.failures import Doing, explained, translated
from llm_widgets.cloud.parallel import outcomes
from llm_widgets.cloud.summaries import ConditionFact, conditions, summary
from llm_widgets.domain import gpus
from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.errors import (
    ApiDisabledError,
    BillingError,
    DeniedError,
    DeploymentError,
    Fix,
    ManagerError,
    NotFoundError,
    QuotaError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llm_widgets.cloud.clients import Clients
    from llm_widgets.domain.services import ServiceSummary

_PERIOD = 2.0  # seconds between two looks at an operation


@dataclass(frozen=True, slots=True)
class ServiceListing:
    """Services of many regions.

    Attributes
    ----------
    unreachable
        Regions that did not answer, each with the reason: their services are not known.
    """

    services: tuple[ServiceSummary, ...]
    unreachable: tuple[tuple[str, ManagerError], ...]


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


def create(
    clients: Clients,
    project: str,
    region: str,
    service_id: str,
    service: packages.run_v2.Service,
    *,
    validate_only: bool = False,
) -> Any:
    """Create a service.

    Parameters
    ----------
    validate_only
        Ask Cloud Run whether it would accept the service; nothing is created, and the answer
        is waited for.

    Returns
    -------
    google.api_core.operation.Operation
        For :func:`follow`.

    Raises
    ------
    ManagerError
        Cloud Run refuses it.
    """
    request: Any = {
        "parent": f"projects/{project}/locations/{region}",
        "service_id": service_id,
        "service": service,
        "validate_only": validate_only,
    }
    with explained(
        f"create the service {service_id} in {region}",
        clients=clients,
        project=project,
        permission="run.services.create",
    ):
        operation: Any = clients.services.create_service(request=request)
        if validate_only:
            operation.result(timeout=60)
        return operation


def update(clients: Clients, service: packages.run_v2.Service, paths: Iterable[str]) -> Any:
    """Change a service that was read with :func:`get`.

    Parameters
    ----------
    service
        As read, with its ``etag``, and then changed.
    paths
        What was changed, for example ``["template", "labels"]``; the rest stays.

    Returns
    -------
    google.api_core.operation.Operation
        For :func:`follow`.

    Raises
    ------
    ManagerError
        :class:`ConflictError` when somebody else changed it since.
    """
    request: Any = {"service": service, "update_mask": {"paths": list(paths)}}
    with _about(clients, service.name, "change", "update"):
        return clients.services.update_service(request=request)


def delete(clients: Clients, name: str) -> Any:
    """Delete a service, given its resource name.

    Returns
    -------
    google.api_core.operation.Operation
        For :func:`follow`.

    Raises
    ------
    ManagerError
        It is gone already, or may not be deleted.
    """
    with _about(clients, name, "delete", "delete"):
        return clients.services.delete_service(name=name)


def get(clients: Clients, name: str) -> packages.run_v2.Service:
    """Read a service, given its resource name.

    Raises
    ------
    ManagerError
        It is gone, or not to be seen.
    """
    with _about(clients, name, "open", "get"):
        return clients.services.get_service(name=name)


def list_services(clients: Clients, project: str, regions: Iterable[str] = ()) -> ServiceListing:
    """List the services that this product manages, in many regions at once.

    Parameters
    ----------
    regions
        Where to look besides the regions that have GPUs.
    """

    def in_region(region: str) -> list[ServiceSummary]:
        with explained(
            f"list the services in {region}",
            clients=clients,
            project=project,
            permission="run.services.list",
        ):
            parent = f"projects/{project}/locations/{region}"
            found = clients.services.list_services(request={"parent": parent, "page_size": 500})
            key, value = MANAGED_BY
            return [summary(service) for service in found if service.labels.get(key) == value]

    results = outcomes(in_region, dict.fromkeys([*gpus.regions(), *regions]))
    services = [service for result in results for service in result.value or []]
    return ServiceListing(
        tuple(sorted(services, key=lambda service: (service.id, service.region))),
        tuple((result.key, result.error) for result in results if result.error),
    )


def follow(clients: Clients, operation: Any, *, period: float = _PERIOD) -> Iterator[Progress]:
    """Follow the creation, change or deletion of a service until it is over.

    Parameters
    ----------
    operation
        What :func:`create`, :func:`update` or :func:`delete` gave.
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
    failed = packages.run_v2.Condition.State.CONDITION_FAILED
    while not stopped():
        try:
            found = get(clients, name)
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


def _message(found: packages.run_v2.Service | None) -> str:
    if found is None:
        return ""
    working = packages.run_v2.Condition.State.CONDITION_RECONCILING
    facts = [found.terminal_condition, *found.conditions]
    return next((c.message for c in facts if c.state == working and c.message), "")


def _failed(
    clients: Clients, failure: Exception, found: packages.run_v2.Service | None
) -> ManagerError:
    name = found.name if found else ""
    project = name.split("/")[1] if name else ""
    wording = translated(failure, Doing("deploy the service", clients, project))
    if wording is None:
        raise failure
    # These have a fix of their own; all else is a container that did not come up.
    if isinstance(wording, QuotaError | DeniedError | ApiDisabledError | BillingError):
        return wording
    return _did_not_come_up(name, wording.cause)


def _did_not_come_up(name: str, cause: str) -> DeploymentError:
    service_id = name.rsplit("/", 1)[-1]
    return DeploymentError(
        f"The service {service_id} did not come up." if name else "The service did not come up.",
        cause=cause,
        fix=Fix(text="Its log has the details."),
    )


def _about(clients: Clients, name: str, verb: str, permission: str) -> Any:
    _, project, _, region, _, service_id = name.split("/")
    return explained(
        f"{verb} the service {service_id} in {region}",
        clients=clients,
        project=project,
        permission=f"run.services.{permission}",
    )
