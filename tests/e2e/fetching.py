"""Fetching a page as a visitor without a browser does."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import http.client


def fetch(url: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Fetch a page; an error is an answer too."""
    request = urllib.request.Request(
        url, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
