"""Where a redirect may lead: never out of TLS, and never further into the networks of others."""

from __future__ import annotations

import ipaddress
import socket
from enum import IntEnum
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

import requests
from requests.utils import requote_uri

from llm_widgets.exchanges.environment import proxy_for

MOST = 5
"""Redirects of one request that are followed."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_REMEMBERED = 256  # hosts; signed addresses of one hub are on a few
# Their last four bytes are an address of IPv4: behind a translator
# (https://www.rfc-editor.org/rfc/rfc6052#section-2.1, https://www.rfc-editor.org/rfc/rfc2765#section-2.1),
# and written as one of IPv6 (https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.1)
_TRANSLATED = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::ffff:0:0:0/96", "::/96")))
# Translators of a network's own, which place that address as they like, and addresses of protocols,
# where other clouds have their metadata servers: https://www.rfc-editor.org/rfc/rfc8215,
# https://www.rfc-editor.org/rfc/rfc6890#section-2.2.2
_OF_THE_LINK = (ipaddress.IPv6Network("64:ff9b:1::/48"), ipaddress.IPv4Network("192.0.0.0/24"))
# Of Google's metadata server, whose address is one of the link:
# https://cloud.google.com/compute/docs/metadata/overview
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal"})

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenRedirectError(requests.RequestException):
    """An answer leads to where no request may go."""


class CircleError(requests.TooManyRedirects):
    """An answer leads on and on."""


class Network(IntEnum):
    """Where a host is; the further down, the less others are to reach it through us."""

    INTERNET = 0
    PRIVATE = 1
    """An organisation's own network."""
    MACHINE = 2
    """This machine itself."""
    LINK = 3
    """The wire that this machine is on: there clouds hand tokens to their machines."""


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL: to them a token belongs.

    Raises
    ------
    ValueError
        It is no URL.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def target(first: str, here: str, location: str) -> str:
    """Return the address that a redirect leads to, as a request line takes it.

    Parameters
    ----------
    first
        The address that was asked first, which the configuration allows. A redirect may lead to
        its network and to those before it: a hub of a private network has its files there.
    here
        The address that redirects.
    location
        What it says.

    Raises
    ------
    ForbiddenRedirectError
        It leads to no address, out of HTTP or TLS, or into a network that ``first`` is not in.
    """
    try:
        found = requote_uri(urljoin(here, location))
        scheme, host, _ = origin(found)
    except ValueError as error:
        raise ForbiddenRedirectError(f"{location!r} is not an address") from error
    if scheme not in _DEFAULT_PORTS or not host:
        raise ForbiddenRedirectError(f"{found!r} is not an HTTP address")
    if scheme == "http" and "https" in (urlsplit(first).scheme, urlsplit(here).scheme):
        raise ForbiddenRedirectError(f"{found!r} is not encrypted")
    # A name that is looked up again for the connection may have moved meanwhile. Within TLS
    # whoever is reached there has to prove that the name is theirs.
    if network(found) > network(first):
        raise ForbiddenRedirectError(f"{host} is in a private network")
    return found


def network(url: str) -> Network:
    """Return where a URL's host is; of several addresses, the one that is furthest inside.

    Behind a proxy, names are looked up by the proxy; only what is written as an address, or
    known to be private, is told here.
    """
    host = unquote(urlsplit(url).hostname or "").rstrip(".")
    return _network(host, by_proxy=bool(proxy_for(url)))


@lru_cache(_REMEMBERED)
def _network(host: str, *, by_proxy: bool) -> Network:
    host = _ascii(host)
    if host in _METADATA_NAMES:
        return Network.LINK
    if host == "localhost" or host.endswith(".localhost"):
        return Network.MACHINE
    named = Network.PRIVATE if host.endswith((".internal", ".local")) else Network.INTERNET
    written = _written(host)
    if written is not None:
        return _network_of(written)
    if by_proxy:
        return named
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return named  # it can't be reached either
    parsed = (_written(str(address[0])) for *_, address in found)
    return max(named, *(_network_of(each) for each in parsed if each is not None))


def _ascii(host: str) -> str:
    """Return a host in the letters and digits that a look-up uses."""
    try:
        return host.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:  # too long, or empty between dots
        return host


def _written(host: str) -> _Address | None:
    """Return the address that a host is written as: also ``127.1``, ``0x7f000001`` and the like."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _network_of(address: _Address) -> Network:
    address = _inner(address)
    is_of_the_link = any(address in each for each in _OF_THE_LINK)
    if is_of_the_link or address.is_link_local or address.is_multicast:
        return Network.LINK
    if address.is_loopback or address.is_unspecified:
        return Network.MACHINE
    return Network.INTERNET if address.is_global else Network.PRIVATE


def _inner(address: _Address) -> _Address:
    """Return the address of IPv4 that one of IPv6 stands for, or else the address."""
    if isinstance(address, ipaddress.IPv4Address) or address.is_loopback or address.is_unspecified:
        return address
    if any(address in each for each in _TRANSLATED):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
