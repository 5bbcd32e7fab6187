"""Services as the API writes them: with every field, also those newer than Google's client.

Whoever changes a service reads it here, changes what is to change and sends it back; what
nobody touched stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis
from llm_widgets.gcp.client.failures import about_service
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llm_widgets.gcp.client.clients import Clients

Json = dict[str, Any]
_LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_ALL = 100  # per cent
_REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

# What a person decides of a service, and what does not belong to one region.
_SETTINGS = (
    *("annotations", "binaryAuthorization", "customAudiences", "defaultUriDisabled"),
    *("description", "iapEnabled", "ingress", "invokerIamDisabled", "labels", "launchStage"),
    *("scaling", "template"),
)


def read(clients: Clients, name: str) -> Json:
    """Read a service, given its resource name.

    Raises
    ------
    ManagerError
        It is gone, or not to be seen.
    """
    with about_service(clients, name, "open", "get"):
        return call(clients, "GET", google_apis.RUN, f"/v2/{name}")


def patch(
    clients: Clients,
    service: Mapping[str, Any],
    paths: Iterable[str],
    *,
    validate_only: bool = False,
) -> None:
    """Change a service that was read with :func:`read`.

    Parameters
    ----------
    service
        As read, with its ``etag``, and then changed.
    paths
        Fields of the service that were changed; nothing else is sent.
    validate_only
        Ask only whether the change would be taken.

    Raises
    ------
    ManagerError
        :class:`ConflictError` when somebody else changed it since it was read.
    """
    fields = list(paths)
    body = {field: service[field] for field in ("name", "etag", *fields) if field in service}
    query = f"updateMask={','.join(fields)}" + ("&validateOnly=true" if validate_only else "")
    with about_service(clients, str(service["name"]), "change", "update"):
        call(clients, "PATCH", google_apis.RUN, f"/v2/{service['name']}?{query}", body)


def copy(clients: Clients, service: Mapping[str, Any], region: str) -> str:
    """Create a service in another region as one is that was read with :func:`read`.

    Returns
    -------
    str
        Resource name of the new one. Who may call it is not copied.

    Raises
    ------
    ManagerError
        Cloud Run refuses it, or there is one of that name already.
    """
    _, project, _, _, _, service_id = str(service["name"]).split("/")
    body = {field: service[field] for field in _SETTINGS if field in service}
    body["template"] = {k: v for k, v in body.get("template", {}).items() if k != "revision"}
    parent = f"projects/{project}/locations/{region}"
    name = f"{parent}/services/{service_id}"
    with about_service(clients, name, "create", "create"):
        call(
            clients, "POST", google_apis.RUN, f"/v2/{parent}/services?serviceId={service_id}", body
        )
    return name


def with_traffic(service: Json, shares: Mapping[str, int]) -> tuple[Json, tuple[str, ...]]:
    """Divide the requests of a service among its revisions.

    Parameters
    ----------
    service
        As read.
    shares
        Per cent by the id of a revision, together 100; the empty id is whatever is latest. Tags
        are kept.

    Returns
    -------
    service, paths
        The changed service, and the fields that were changed.
    """
    tags = [each for each in service.get("traffic", []) if each.get("tag")]
    wanted = [
        {**_target(revision), "percent": share} for revision, share in shares.items() if share
    ]
    traffic = [*wanted, *({**each, "percent": 0} for each in tags)]
    return {**service, "traffic": traffic}, ("traffic",)


def shares(service: Json) -> dict[str, int]:
    """Return the per cent of the requests by revision; the empty id is the latest."""
    found: dict[str, int] = {}
    for target in service.get("traffic", []):
        name = target.get("revision", "")
        found[name] = found.get(name, 0) + int(target.get("percent", 0))
    return found


def percent(revision: str, service: Json) -> int:
    """Return the per cent of the requests that a revision gets, by its id."""
    found = shares(service)
    is_latest = service.get("latestReadyRevision", "").rsplit("/", 1)[-1] == revision
    of_latest = (found.get("", 0) if found else _ALL) if is_latest else 0
    return found.get(revision, 0) + of_latest


def _target(revision: str) -> Json:
    return {"type": _REVISION, "revision": revision} if revision else {"type": _LATEST}
