"""The settings that make the gcloud command line use a local cloud, as environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_cloud.gcloud.older_apis import PROJECTS_HOST, RUN_HOST

if TYPE_CHECKING:
    from pathlib import Path

_APIS = (
    "cloudbilling",
    "compute",
    "iam",
    "logging",
    "secretmanager",
    "serviceusage",
    "vpcaccess",
)
"""Those that gcloud and the clients speak in the same version."""


def variables(url: str, credentials: Path, project: str, config: Path) -> dict[str, str]:
    """Return the variables.

    Parameters
    ----------
    url
        Address of the Google APIs.
    credentials
        Key file of the service account that gcloud acts as.
    project
        Id of the project that gcloud works in.
    config
        Folder for gcloud's own files, so that those of its user stay as they are.
    """
    endpoints = {
        **dict.fromkeys(_APIS, f"{url}/"),
        "storage": f"{url}/storage/v1/",
        "run": f"http://{RUN_HOST}/",
        "cloudresourcemanager": f"http://{PROJECTS_HOST}/",
    }
    address = urlsplit(url)
    return {
        **{f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{api.upper()}": at for api, at in endpoints.items()},
        "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE": str(credentials),
        "CLOUDSDK_AUTH_TOKEN_HOST": f"{url}/token",
        "CLOUDSDK_CONFIG": str(config),
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "0",
        "CLOUDSDK_CORE_PROJECT": project,
        # The hosts above exist for the proxy only; whatever would go to Google ends there, too.
        "CLOUDSDK_PROXY_TYPE": "http",
        "CLOUDSDK_PROXY_ADDRESS": str(address.hostname),
        "CLOUDSDK_PROXY_PORT": str(address.port),
    }
