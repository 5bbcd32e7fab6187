"""Whom the assertions of Identity-Aware Proxy must be for, when this runs on Cloud Run."""

from __future__ import annotations

import os
import re
from http import HTTPStatus

import requests

from llm_widgets.errors import Fix, ManagerError
from llm_widgets.exchanges import limits

SERVICE_VARIABLE = "K_SERVICE"
AUDIENCE_VARIABLE = "LLM_WIDGETS_IAP_AUDIENCE"
WITHOUT_VARIABLE = "LLM_WIDGETS_WITHOUT_IAP"

# https://cloud.google.com/run/docs/container-contract#metadata-server
_HOST_VARIABLE = "GCE_METADATA_HOST"  # as Google's own clients read it
_HOST = "metadata.google.internal"
_PATH = "/computeMetadata/v1/instance/region"
_HEADERS = {"Metadata-Flavor": "Google"}
_REGION = re.compile(r"projects/([0-9]{1,20})/regions/([a-z]+-[a-z]+[0-9]{1,2})")
_SERVICE = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_TRIES = 3
_TIMEOUT = 2.0
"""Seconds for each try; the metadata server is on the same machine."""
_MOST_BYTES = 256


def own_audience() -> str:
    """Return the audience of the Cloud Run service that this process is, or an empty text.

    The text is empty anywhere else than on Cloud Run.

    Raises
    ------
    ManagerError
        This is a Cloud Run service, and its metadata server does not say which.
    """
    service = os.environ.get(SERVICE_VARIABLE, "")
    if not service:
        return ""
    cause = f"{SERVICE_VARIABLE} is not the name of a service: {service!r}."
    if _SERVICE.fullmatch(service):
        for _ in range(_TRIES):
            try:
                number, region = _number_and_region()
            except (requests.RequestException, ValueError) as error:
                cause = str(error)
            else:
                return f"/projects/{number}/locations/{region}/services/{service}"
    name = service if _SERVICE.fullmatch(service) else "SERVICE"
    raise ManagerError(
        "The page does not start: it can't find out the audience of Identity-Aware Proxy, and "
        "without one anyone could use the page.",
        cause=cause,
        fix=Fix(
            text=f"Set {AUDIENCE_VARIABLE} on the service. If you know that nobody else can reach "
            f"it, set {WITHOUT_VARIABLE}=1 instead.",
            command=f"gcloud run services update {name} --region=REGION "
            f"--update-env-vars={AUDIENCE_VARIABLE}="
            f"/projects/PROJECT_NUMBER/locations/REGION/services/{name}",
        ),
    )


def _number_and_region() -> tuple[str, str]:
    host = os.environ.get(_HOST_VARIABLE) or _HOST
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment is not for this machine's own
        limits.secured(session, seconds=_TIMEOUT)
        answer = limits.get(
            session, f"http://{host}{_PATH}", headers=_HEADERS, limit=_MOST_BYTES, seconds=_TIMEOUT
        )
    match = _REGION.fullmatch(answer.body.decode("utf-8").strip())
    if answer.status != HTTPStatus.OK or match is None:
        raise ValueError("The metadata server does not say the project and the region.")
    return match[1], match[2]
