"""Images that Cloud Run has built from an archive, as ``gcloud run deploy --source`` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis
from llm_widgets.errors import DeploymentError, Fix, UnavailableError
from llm_widgets.gcp.client import lazy, operations
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

_WITHIN = 20 * 60.0
"""Seconds that a build may take; that of this product's image takes minutes."""


def build(
    clients: Clients, parent: str, source: tuple[str, str, int], image: str, account: str
) -> str:
    """Build an image from an archive with a Dockerfile, and return its digest, ``sha256:…``.

    Parameters
    ----------
    parent
        ``projects/P/locations/R``.
    source
        Bucket, object and generation of the archive.
    image
        Address of the image, with its tag.
    account
        Address of the service account that builds.

    Raises
    ------
    DeploymentError
        The build failed.
    ManagerError
        It may not be begun, or does not end.
    """
    _, project, _, region = parent.split("/")
    bucket, name, generation = source
    doing = f"build the image {image}"
    request: Any = {
        "parent": parent,
        "storage_source": {"bucket": bucket, "object_": name, "generation": generation},
        "image_uri": image,
        "docker_build": {},
        "service_account": f"projects/{project}/serviceAccounts/{account}",
    }
    with explained(doing, clients=clients, project=project, permission="cloudbuild.builds.create"):
        submitted = clients.builds.submit_build(request=request).build_operation
    host = google_apis.CLOUD_BUILD
    page = f"https://console.cloud.google.com/cloud-build/builds;region={region}?project={project}"
    try:
        ended = operations.result(clients, host, "v1", {"name": submitted.name}, within=_WITHIN)
    except TimeoutError as error:
        raise UnavailableError(
            f"The build of {image} does not end.",
            cause=str(error),
            fix=Fix(text="See the log of the build, then run the command again.", url=page),
        ) from error
    except lazy.api_exceptions.GoogleAPICallError as error:
        raise DeploymentError(
            f"The image {image} was not built.",
            cause=error.message,
            fix=Fix(text="See the log of the build.", url=page),
        ) from error
    return str(ended["results"]["images"][0]["digest"])
