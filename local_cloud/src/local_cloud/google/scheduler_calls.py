"""What Cloud Scheduler sends when the time of a job has come."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import requests
from google.rpc import status_pb2

from local_cloud.errors import HTTP_STATUS, RPC_CODE

if TYPE_CHECKING:
    from google.cloud import scheduler_v1

    from local_cloud.issuer import Issuer

_GOOGLE_APIS = ".googleapis.com"
_CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
_OK = range(200, 300)
_CODES = {status: RPC_CODE[reason] for reason, status in reversed(HTTP_STATUS.items())}


class Calls:
    """Sends the requests of jobs; those to Google's APIs go to the local cloud.

    Parameters
    ----------
    issuer
        Signs the tokens of the jobs' accounts.
    url
        Address of the local cloud's APIs.

    """

    def __init__(self, issuer: Issuer, url: str) -> None:
        self._issuer = issuer
        self._url = url

    def send(self, job: scheduler_v1.Job) -> status_pb2.Status:
        """Send a job's request, and return how it was answered: a code, 0 for success."""
        target = job.http_target
        try:
            answer = requests.request(
                target.http_method.name,
                self._address(target.uri),
                data=target.body or None,
                headers=self._headers(job),
                timeout=job.attempt_deadline.total_seconds(),
                allow_redirects=False,
            )
        except requests.Timeout:
            return status_pb2.Status(code=RPC_CODE["DEADLINE_EXCEEDED"])
        except (requests.RequestException, ValueError):
            return status_pb2.Status(code=RPC_CODE["UNAVAILABLE"])
        if answer.status_code in _OK:
            return status_pb2.Status()
        code = _CODES.get(answer.status_code, RPC_CODE["UNKNOWN"])
        return status_pb2.Status(code=code)

    def _address(self, uri: str) -> str:
        parts = urlsplit(uri)
        if not f".{parts.hostname}".endswith(_GOOGLE_APIS):
            return uri
        here = urlsplit(self._url)
        return urlunsplit((here.scheme, here.netloc, parts.path, parts.query, ""))

    def _headers(self, job: scheduler_v1.Job) -> dict[str, str]:
        target = job.http_target
        headers = {"User-Agent": "Google-Cloud-Scheduler", "X-CloudScheduler": "true"}
        if target.body:
            headers["Content-Type"] = "application/octet-stream"
        headers |= dict(target.headers)
        headers["X-CloudScheduler-JobName"] = job.name.rsplit("/", 1)[1]
        oauth, oidc = target.oauth_token, target.oidc_token
        if oauth.service_account_email:
            token = self._issuer.access_token(
                oauth.service_account_email, oauth.scope or _CLOUD_PLATFORM
            )
            headers["Authorization"] = f"Bearer {token}"
        elif oidc.service_account_email:
            token = self._issuer.id_token(oidc.service_account_email, oidc.audience or target.uri)
            headers["Authorization"] = f"Bearer {token}"
        return headers
