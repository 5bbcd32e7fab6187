"""Services of Cloud Run: created, listed, changed and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import about_service, explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llm_widgets.gcp.client.clients import Clients


def message(document: Mapping[str, Any]) -> lazy.run_v2.Service:
    """Write the JSON of a service to create as the message that Google's client takes.

    Its name is left out: project, region and id are arguments of the request.
    """
    service = lazy.run_v2.Service()
    fields = {field: value for field, value in document.items() if field != "name"}
    lazy.json_format.ParseDict(fields, lazy.run_v2.Service.pb(service))
    return service


def create_from(
    clients: Clients, document: Mapping[str, Any], *, validate_only: bool = False
) -> Any:
    """Create the service of a JSON document; see :func:`create`."""
    _, project, _, region, _, service_id = str(document["name"]).split("/")
    service = message(document)
    return create(clients, project, region, service_id, service, validate_only=validate_only)


def create(
    clients: Clients,
    project: str,
    region: str,
    service_id: str,
    service: lazy.run_v2.Service,
    *,
    validate_only: bool = False,
) -> Any:
    """Create a service.

    Parameters
    ----------
    validate_only
        Ask Cloud Run whether it would accept the service; nothing is created. That it accepts
        is the answer: what it returns need not be an operation that can be followed.

    Returns
    -------
    google.api_core.operation.Operation
        For :func:`llm_widgets.gcp.run.rollout.follow`.

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
        if validate_only and operation.operation.HasField("error"):
            operation.result()
        return operation


def update(clients: Clients, service: lazy.run_v2.Service, paths: Iterable[str]) -> Any:
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
        For :func:`llm_widgets.gcp.run.rollout.follow`.

    Raises
    ------
    ManagerError
        :class:`ConflictError` when somebody else changed it since.
    """
    request: Any = {"service": service, "update_mask": {"paths": list(paths)}}
    with about_service(clients, service.name, "change", "update"):
        return clients.services.update_service(request=request)


def delete(clients: Clients, name: str) -> Any:
    """Delete a service, given its resource name.

    Returns
    -------
    google.api_core.operation.Operation
        For :func:`llm_widgets.gcp.run.rollout.follow`.

    Raises
    ------
    ManagerError
        It is gone already, or may not be deleted.
    """
    with about_service(clients, name, "delete", "delete"):
        return clients.services.delete_service(name=name)


def get(clients: Clients, name: str) -> lazy.run_v2.Service:
    """Read a service, given its resource name.

    Raises
    ------
    ManagerError
        It is gone, or not to be seen.
    """
    with about_service(clients, name, "open", "get"):
        return clients.services.get_service(name=name)


def all_in_region(clients: Clients, project: str, region: str) -> list[lazy.run_v2.Service]:
    """Read all services of a region, whoever made them: they share its quotas.

    Raises
    ------
    ManagerError
        The region does not answer, or its services are not to be seen.
    """
    with explained(
        f"list the services in {region}",
        clients=clients,
        project=project,
        permission="run.services.list",
    ):
        parent = f"projects/{project}/locations/{region}"
        request: Any = {"parent": parent, "page_size": 500}
        return list(clients.services.list_services(request=request))
