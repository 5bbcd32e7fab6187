"""The page in JupyterLab's launcher: jupyter-server-proxy starts ``llm-widgets serve`` for it.

It is read in Jupyter's own process, so it imports nothing of the page.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

from llm_widgets.config import PAGE_TOKEN_VARIABLE

_ICON = (
    Path(__file__).parents[1]
    / "server/share/jupyter/nbconvert/templates/llm_widgets/static/favicon.svg"
)
_NAME = "llm-widgets"
_STARTED_WITHIN = 60  # seconds; a busy machine takes ten
_TOKEN_BYTES = 24


def launcher_entry() -> dict[str, Any]:
    """Return how jupyter-server-proxy starts the page and passes it on.

    Jupyter lets its own person in, and shows the page's token for them with each request: other
    users of the machine, who reach the port, don't have it. The keys are those of
    https://jupyter-server-proxy.readthedocs.io/en/latest/server-process.html.
    """
    token = secrets.token_hex(_TOKEN_BYTES)
    serve = [sys.executable, "-m", "llm_widgets", "serve", "--host", "127.0.0.1"]
    where = ["--port", "{port}", "--base-url", f"{{base_url}}{_NAME}/", "--allow-host", "*"]
    return {
        "command": [*serve, *where],
        "environment": {PAGE_TOKEN_VARIABLE: token},
        "request_headers_override": {"Authorization": f"token {token}"},
        "absolute_url": True,
        "timeout": _STARTED_WITHIN,
        "launcher_entry": {"title": "Cloud Run LLM Manager", "icon_path": str(_ICON)},
    }
