"""Proxies and certificates of connections that no Google client makes: the same as theirs."""

from __future__ import annotations

import os
import ssl
from functools import cache
from pathlib import Path


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy that ``requests`` uses for a URL, ``None`` for no proxy.

    The environment names it: ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY``, ``NO_PROXY``.
    """
    from requests import utils  # noqa: PLC0415 - drawing the page need not import it

    proxy = utils.select_proxy(url, utils.get_environ_proxies(url))
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts whom ``requests`` trusts.

    These are the certificates of ``REQUESTS_CA_BUNDLE`` or ``CURL_CA_BUNDLE`` (a file or a
    folder), or else of certifi. ``SSL_CERT_FILE`` has no effect, as in ``requests``.
    """
    from requests import utils  # noqa: PLC0415 - as above

    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    return _trusting(bundle or utils.DEFAULT_CA_BUNDLE_PATH)


@cache
def _trusting(bundle: str) -> ssl.SSLContext:
    if Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)
