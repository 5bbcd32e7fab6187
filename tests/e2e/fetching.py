"""Fetching a page as a visitor without a browser does."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, cast

from llm_widgets.server.page_files import PageFiles

if TYPE_CHECKING:
    import http.client

SCRIPT = f"{PageFiles().folder}page.js"
"""Where the page's script is, below the page's own address."""


def fetch(url: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Fetch a page; an error is an answer too."""
    request = urllib.request.Request(
        url, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, cast("http.client.HTTPMessage", error.headers), error.read()
