"""Short answers of hubs, read whole into memory."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from llm_widgets import exchanges
from llm_widgets.errors import Fix, HubError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

TIMEOUT = 15
"""Seconds to wait for a connection, and then for each piece of an answer."""

SECONDS = 45.0
"""Seconds that a short answer may take in all, redirects included."""


def session() -> requests.Session:
    """Make a session that uses no credentials but those it is given, and has limits."""
    made = requests.Session()
    exchanges.secured(made, seconds=SECONDS)
    return made


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
    seconds: float = SECONDS,
) -> Answer:
    """Read an answer; redirects are followed, and the token stays with the first origin.

    Parameters
    ----------
    session
        One of :func:`session`.
    limit
        The most bytes that the body may have, after decompression.
    seconds
        That it may take in all.

    Raises
    ------
    UnavailableError
        The hub can't be reached, went silent, or takes too long.
    HubError
        The body is longer than ``limit``, or the hub redirects to where nothing may be read.
    """
    deadline = time.monotonic() + seconds
    with _answered(session, url, token, headers or {}, deadline) as response:
        body = b"".join(exchanges.pieces(response, limit, deadline))
        return Answer(response.status_code, response.headers, body)


def range_reader(
    session: requests.Session,
    *,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    seconds: float,
) -> Callable[[str, int, int], bytes]:
    """Make what reads a URL's bytes from a first one up to, but not including, an end.

    A file that ends before gives fewer bytes. Redirects are followed, and the token stays with
    the first origin.

    Parameters
    ----------
    session
        One of :func:`session`.
    seconds
        From now on; later nothing is read any more.

    Returns
    -------
    callable
        Raises UnavailableError when the hub can't be reached or takes too long, and HubError when
        it refuses.
    """
    deadline = time.monotonic() + seconds

    def read(url: str, start: int, end: int) -> bytes:
        wanted = {**(headers or {}), "Range": f"bytes={start}-{end - 1}"}
        wanted["Accept-Encoding"] = "identity"
        body = bytearray()
        with _answered(session, url, token, wanted, deadline) as response:
            if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
                raise HubError(
                    f"The hub does not give a part of a file: HTTP {response.status_code}.",
                    cause=url,
                )
            # A hub that knows no ranges sends the file from its start.
            first = start if response.status_code == requests.codes.partial_content else 0
            # The last piece may go beyond the end.
            for piece in exchanges.pieces(response, exchanges.LARGEST + end, deadline):
                body += piece
                if first + len(body) >= end:
                    break
        return bytes(body[start - first : end - first])

    return read


@contextmanager
def _answered(
    session: requests.Session,
    url: str,
    token: str,
    headers: Mapping[str, str],
    deadline: float,
) -> Iterator[requests.Response]:
    """Ask, follow redirects, and give the answer, whose body is still to be read."""
    first = exchanges.origin(url)
    here = url
    try:
        for _ in range(exchanges.REDIRECTS + 1):
            sent = dict(headers)
            if token and exchanges.origin(here) == first:
                sent["Authorization"] = f"Bearer {token}"
            if time.monotonic() > deadline:
                raise requests.Timeout("the answer took too long")
            with session.get(
                here, headers=sent, stream=True, timeout=TIMEOUT, allow_redirects=False
            ) as response:
                if not response.is_redirect:
                    yield response
                    return
                here = exchanges.redirected(here, response.headers["Location"])
    except exchanges.TooLongError as error:
        raise HubError(f"The hub sends {error}.", cause=f"It was {url}.") from error
    except exchanges.ForbiddenRedirectError as error:
        raise HubError(
            "The hub redirects to an address that is not followed.", cause=f"{error}, from {url}."
        ) from error
    except requests.RequestException as error:
        raise unreachable(url, error) from error
    raise HubError(f"{urlsplit(url).netloc} redirects in a circle.", cause=url)


def unreachable(url: str, error: Exception) -> UnavailableError:
    """Make the failure of a hub that does not answer."""
    parts = urlsplit(url)
    return UnavailableError(
        f"{parts.netloc} can't be reached.",
        cause=f"{type(error).__name__}: {error}",
        fix=Fix(text="Check the network of this machine, then try again."),
    )
