"""Requests to Cloud Storage's XML API: authorized, retried where that may help, explained."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote
from xml.etree import ElementTree as ET

import google.auth.exceptions

from llm_widgets.domain import json_text
from llm_widgets.errors import (
    DeniedError,
    Fix,
    RateLimitError,
    SignInError,
    TransferError,
)
from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.gcp.auth.sign_in import token_request
from llm_widgets.gcp.refusals import reading, rules
from llm_widgets.gcp.refusals.doing import Doing
from llm_widgets.gcp.storage.objects import bucket_gone
from llm_widgets.transfer.retry import Backoff, Stopped, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from google.auth.credentials import Credentials

    from llm_widgets.transfer.connections import Connections, Response
    from llm_widgets.transfer.options import Options

ENDPOINT = "https://storage.googleapis.com"
_RETRIED = (401, 408, 409, 429)
"""And those of 500 and more. 409 is a second request while the first is being worked on."""


class UploadGoneError(Exception):
    """The upload was completed or aborted, by us before a crash or by the bucket's lifecycle."""


class Authorizer:
    """Adds an access token to each request, and renews it when it is about to expire.

    Safe to use from threads: one of them renews, the others wait.
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._request = token_request()
        self._lock = threading.Lock()

    def headers(self, method: str, url: str) -> dict[str, str]:
        """Return the header fields that authorize a request.

        Raises
        ------
        SignInError
            The credentials are no longer good.
        TransientError
            A token could not be had this time.
        """
        headers: dict[str, str] = {}
        try:
            with self._lock:
                self._credentials.before_request(self._request, method, url, headers)
        except google.auth.exceptions.TransportError as error:
            raise TransientError(f"no access token: {error}") from error
        except google.auth.exceptions.GoogleAuthError as error:
            raise SignInError(
                "Google Cloud no longer accepts the credentials of this import.", cause=str(error)
            ) from error
        return headers

    def refused(self, headers: dict[str, str]) -> None:
        """Record that a token was refused, so that the next request gets a new one."""
        with self._lock:
            refused = headers.get("authorization", "").removeprefix("Bearer ")
            if self._credentials.token == refused:
                self._credentials.token = None


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as the XML API knows it.

    Attributes
    ----------
    endpoint
        Base URL without a slash at the end.
    tell
        Called with what failed and is tried again, in one sentence.
    """

    name: str
    endpoint: str
    authorizer: Authorizer
    options: Options
    stop: threading.Event
    tell: Callable[[str], None]

    def url(self, name: str, query: str) -> str:
        """Return the URL of an object."""
        return f"{self.endpoint}/{self.name}/{quote(name)}?{query}"

    def call(
        self,
        connections: Connections,
        method: str,
        name: str,
        query: str,
        *,
        headers: dict[str, str] | None = None,
        body: Sequence[bytes] = (),
    ) -> tuple[str, dict[str, str]]:
        """Send a request about an object until it succeeds; return text and header fields.

        Raises
        ------
        UploadGoneError
            There is no such upload.
        ManagerError
            Cloud Storage refuses, or did not answer for too long.
        Stopped
            The transfer was stopped.
        """
        url = self.url(name, query)
        backoff = Backoff(f"writing to gs://{self.name}", self.options, self.stop, self.tell)
        while True:
            if self.stop.is_set():
                raise Stopped
            try:
                token = self.authorizer.headers(method, url)
                response = connections.request(method, url, {**token, **(headers or {})}, body)
                text = response.text()
            except TransientError as error:
                connections.drop(url)
                backoff.wait_after(error)
                continue
            if response.status < HTTPStatus.MULTIPLE_CHOICES:
                return text, response.headers
            if not response.is_finished or body:
                connections.drop(url)  # it may have been refused before all of it was read
            if response.status == HTTPStatus.UNAUTHORIZED:
                self.authorizer.refused(token)
            backoff.wait_after(self._failure(response, text))

    def _failure(self, response: Response, text: str) -> TransientError:
        """Return the error of a failure that may pass, raise that of any other one."""
        code, message = _error_of(text)
        status = f"HTTP {response.status} {code}".rstrip()
        told = f"{status}: {message}" if message else status
        gs = f"gs://{self.name}"
        if response.status == HTTPStatus.NOT_FOUND and code == "NoSuchUpload":
            raise UploadGoneError(told)
        if code == "NoSuchBucket":
            raise bucket_gone(self.name, message)
        if response.status in _RETRIED or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientError(told, retry_after=retry_after(response.headers))
        refusal = reading.of_xml(response.status, code, message)
        worded = rules.special(refusal, Doing(f"write to {gs}", bucket=self.name))
        if isinstance(worded, RateLimitError):
            return TransientError(told, retry_after=retry_after(response.headers))
        if worded and not (isinstance(worded, DeniedError) and refusal.permission):
            raise worded
        if response.status == HTTPStatus.FORBIDDEN:
            raise DeniedError(
                f"This import can't write to {gs}.",
                cause=message or told,
                fix=Fix(
                    text="Grant the import's identity the role Storage Object User on the bucket, "
                    "then resume the import."
                ),
            )
        if code in ("BadDigest", "InvalidDigest", "IncompleteBody", "RequestTimeout"):
            return TransientError(told)
        raise TransferError(f"Cloud Storage refuses to write to {gs}.", cause=told)


def tag_of(element: ET.Element) -> str:
    """Return an element's tag without its namespace: Google's responses are in that of S3."""
    return element.tag.rpartition("}")[2]


def find(root: ET.Element, tag: str, default: str | None = None) -> str:
    """Return the text of the first element with a tag, anywhere below.

    Raises
    ------
    TransferError
        There is none, and no default.
    """
    for element in root.iter():
        if tag_of(element) == tag:
            return element.text or ""
    if default is None:
        raise TransferError("Cloud Storage gave an answer without an expected field.", cause=tag)
    return default


def _error_of(text: str) -> tuple[str, str]:
    """Return code and message of an error response; both empty where it is something else."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - Google's answer
    except ET.ParseError:
        return "", _json_message(text) or text[:200]
    details = find(root, "Details", "")
    return find(root, "Code", ""), " ".join(filter(None, (find(root, "Message", ""), details)))


def _json_message(text: str) -> str:
    """Return the message of an error from in front of the XML API; empty where it has none."""
    try:
        message = json_text.loads(text)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return message if isinstance(message, str) else ""
