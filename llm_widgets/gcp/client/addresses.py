"""Where a redirect may lead: never from the internet into a private network."""

from __future__ import annotations

import ipaddress
import socket
from functools import lru_cache
from urllib.parse import urlsplit

from llm_widgets.errors import HubError
from llm_widgets.gcp.client.connection import proxy_for

_REMEMBERED = 256  # hosts; signed addresses of one hub are on a few


def check_redirect(start: str, target: str) -> None:
    """Check that a redirect may be followed.

    Private are all addresses that the internet has not: of loopback, of a link (where clouds
    serve tokens to their machines) and of private networks. A hub that is itself in a private
    network may redirect there.

    Parameters
    ----------
    start
        The address that was asked first, which the configuration allows.

    Raises
    ------
    HubError
        It leads to another scheme, out of TLS, or into a private network.
    """
    before, after = urlsplit(start), urlsplit(target)
    schemes = {"https"} if before.scheme == "https" else {"http", "https"}
    if after.scheme not in schemes or not after.hostname:
        raise _refused(start, target, f"It leads to {after.scheme or 'no address'}.")
    if not is_private(start) and is_private(target):
        raise _refused(start, target, f"{after.hostname} is in a private network.")


def is_private(url: str) -> bool:
    """Return whether a URL's host is, or may be, in a private network.

    Behind a proxy, names are looked up by the proxy; only what is written as an address, or
    known to be private, is told here.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    return _is_private(host, by_proxy=bool(proxy_for(url)))


@lru_cache(_REMEMBERED)
def _is_private(host: str, *, by_proxy: bool) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".internal", ".local")):
        return True
    try:
        return not _is_global(host)
    except ValueError:  # a name
        pass
    if by_proxy:
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False  # it can't be reached either
    return not all(_is_global(str(address[0])) for *_, address in found)


def _is_global(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not address.is_multicast


def _refused(start: str, target: str, cause: str) -> HubError:
    host = urlsplit(start).hostname
    return HubError(
        f"{host} redirects to where nothing is read from.", cause=f"{cause} {target}"[:300]
    )
