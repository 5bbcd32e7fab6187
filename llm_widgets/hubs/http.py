"""Short answers of hubs, read whole into memory."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from llm_widgets.errors import Fix, HubError, UnavailableError
from llm_widgets.exchanges import limits, redirects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SECONDS = 45.0
"""Seconds that a short answer may take in all, redirects included."""


def session() -> requests.Session:
    """Make a session that uses no credentials but those it is given, and has limits."""
    made = requests.Session()
    limits.secured(made, seconds=SECONDS)
    return made


def get(
    session: requests.Session,
    url: str,
    *,
    limit: int,
    token: str = "",
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> limits.Answer:
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
    with _explained(url):
        return limits.get(
            session, url, limit=limit, seconds=seconds, headers=_signed(headers, token)
        )


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
        wanted = {**_signed(headers, token), "Range": f"bytes={start}-{end - 1}"}
        wanted["Accept-Encoding"] = "identity"
        body = bytearray()
        with _explained(url), limits.answered(session, url, wanted, deadline) as response:
            if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
                raise HubError(
                    f"The hub does not give a part of a file: HTTP {response.status_code}.",
                    cause=url,
                )
            # A hub that knows no ranges sends the file from its start.
            first = start if response.status_code == requests.codes.partial_content else 0
            if start - first > limits.LARGEST:
                raise HubError("The hub gives the file whole only, not in ranges.", cause=url)
            # The last piece may go beyond the end.
            for piece in limits.pieces(response, limits.LARGEST + end, deadline):
                body += piece
                if first + len(body) >= end:
                    break
        return bytes(body[start - first : end - first])

    return read


def _signed(headers: Mapping[str, str] | None, token: str) -> dict[str, str]:
    return {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn failures of an exchange into errors for a person."""
    host = urlsplit(url).netloc
    try:
        yield
    except limits.TooLongError as error:
        raise HubError(f"The hub sends {error}.", cause=f"It was {url}.") from error
    except redirects.ForbiddenRedirectError as error:
        raise HubError(
            f"{host} redirects to where nothing is read from.",
            cause=f"{error}, from {url}."[:300],
        ) from error
    except redirects.CircleError as error:
        raise HubError(
            f"{host} redirects in a circle.",
            cause=f"The request was for {url}.",
            fix=Fix(text=f"Try again later, or report this to the operator of {host}."),
        ) from error
    except requests.RequestException as error:
        raise unreachable(url, error) from error


def unreachable(url: str, error: Exception) -> UnavailableError:
    """Make the failure of a hub that does not answer."""
    parts = urlsplit(url)
    return UnavailableError(
        f"{parts.netloc} can't be reached.",
        cause=f"{type(error).__name__}: {error}",
        fix=Fix(text="Check the network of this machine, then try again."),
    )
