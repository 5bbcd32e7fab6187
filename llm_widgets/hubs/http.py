"""Short answers of hubs, read whole into memory."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from llm_widgets.errors import Fix, HubError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT = 15
"""Seconds to wait for a connection, and then for each piece of an answer."""

_PIECE = 64 << 10  # bytes


class _Bearer(AuthBase):
    """Sends the token that it was given, or none: never one from a .netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub answered: HTTP status, header fields (any case) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def get(
    session: requests.Session,
    url: str,
    *,
    limit: int,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Read an answer; redirects are followed, and the token stays with the first host.

    Parameters
    ----------
    limit
        The most bytes that the body may have.

    Raises
    ------
    UnavailableError
        The hub can't be reached, or went silent.
    HubError
        The body is longer than ``limit``.
    """
    body = bytearray()
    try:
        with session.get(
            url, headers=headers, auth=_Bearer(token), stream=True, timeout=TIMEOUT
        ) as response:
            for piece in response.iter_content(_PIECE):
                body += piece
                if len(body) > limit:
                    raise HubError(
                        f"The hub's answer is longer than {limit} bytes.", cause=f"It was {url}."
                    )
            return Answer(response.status_code, response.headers, bytes(body))
    except requests.RequestException as error:
        raise unreachable(url, error) from error


def range_reader(
    session: requests.Session,
    *,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    seconds: float,
) -> Callable[[str, int, int], bytes]:
    """Make what reads a URL's bytes from a first one up to, but not including, an end.

    A file that ends before gives fewer bytes. Redirects are followed, and the token stays with
    the first host.

    Parameters
    ----------
    seconds
        From now on; later nothing is read any more.

    Returns
    -------
    callable
        Raises UnavailableError when the hub can't be reached, HubError when it refuses, and
        TimeoutError when the time is over.
    """
    deadline = time.monotonic() + seconds

    def read(url: str, start: int, end: int) -> bytes:
        wanted = {**(headers or {}), "Range": f"bytes={start}-{end - 1}"}
        wanted["Accept-Encoding"] = "identity"
        body = bytearray()
        try:
            with session.get(
                url, headers=wanted, auth=_Bearer(token), stream=True, timeout=TIMEOUT
            ) as response:
                if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
                    raise HubError(
                        f"The hub does not give a part of a file: HTTP {response.status_code}.",
                        cause=url,
                    )
                # A hub that knows no ranges sends the file from its start.
                first = start if response.status_code == requests.codes.partial_content else 0
                for piece in response.iter_content(_PIECE):
                    body += piece
                    if first + len(body) >= end:
                        break
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"{urlsplit(url).netloc} took too long.")
        except requests.RequestException as error:
            raise unreachable(url, error) from error
        return bytes(body[start - first : end - first])

    return read


def unreachable(url: str, error: Exception) -> UnavailableError:
    """Make the failure of a hub that does not answer."""
    parts = urlsplit(url)
    return UnavailableError(
        f"{parts.netloc} can't be reached.",
        cause=f"{type(error).__name__}: {error}",
        fix=Fix(text="Check the network of this machine, then try again."),
    )
