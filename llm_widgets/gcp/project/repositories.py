"""Repositories of container images in Artifact Registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from llm_widgets.domain import google_apis
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.client import operations
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.gcp.client.clients import Clients

_HOST = google_apis.ARTIFACT_REGISTRY
_WITHIN = 120.0  # seconds


def labels(clients: Clients, name: str) -> Mapping[str, str] | None:
    """Return the labels of a repository, given its resource name; ``None`` if there is none.

    Raises
    ------
    ManagerError
        It is not to be seen.
    """
    try:
        with _explained(clients, name, "open", "get"):
            found: Mapping[str, str] = call(clients, "GET", _HOST, f"/v1/{name}").get("labels", {})
            return found
    except NotFoundError:
        return None


def create(clients: Clients, name: str, made_by: Mapping[str, str]) -> None:
    """Create a repository of container images.

    Parameters
    ----------
    made_by
        Its labels.

    Raises
    ------
    ManagerError
        It may not be created.
    """
    parent, _, short = name.rpartition("/repositories/")
    body: dict[str, Any] = {"format": "DOCKER", "labels": dict(made_by)}
    with _explained(clients, name, "create", "create"):
        path = f"/v1/{parent}/repositories?repositoryId={short}"
        operation = call(clients, "POST", _HOST, path, body)
        operations.result(clients, _HOST, "v1", operation, within=_WITHIN)


def delete(clients: Clients, name: str) -> None:
    """Delete a repository with all its images.

    Raises
    ------
    ManagerError
        It is gone already, or may not be deleted.
    """
    with _explained(clients, name, "delete", "delete"):
        operation = call(clients, "DELETE", _HOST, f"/v1/{name}")
        operations.result(clients, _HOST, "v1", operation, within=_WITHIN)


def digest(clients: Clients, name: str, image: str, tag: str) -> str:
    """Return the digest of an image of a repository, ``sha256:…``; empty where there is none.

    Raises
    ------
    ManagerError
        It is not to be seen.
    """
    path = f"/v1/{name}/packages/{quote(image, safe='')}/tags/{tag}"
    try:
        with explained(
            f"look for the image {image}:{tag}",
            clients=clients,
            project=name.split("/")[1],
            permission="artifactregistry.tags.get",
        ):
            version = str(call(clients, "GET", _HOST, path).get("version", ""))
    except NotFoundError:
        return ""
    return version.rpartition("/")[2]


def _explained(clients: Clients, name: str, verb: str, permission: str) -> Any:
    _, project, _, region, _, short = name.split("/")
    return explained(
        f"{verb} the repository {short} in {region}",
        clients=clients,
        project=project,
        permission=f"artifactregistry.repositories.{permission}",
    )
