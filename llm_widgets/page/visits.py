"""Who has clicked: the visitor that the server names in each message of the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from llm_widgets.manager.acting import Request

if TYPE_CHECKING:
    from llm_widgets.config import Settings

_OF_BROWSERS = ("comm_msg", "comm_open")
"""Types of messages that a browser sends. The server runs the notebook in its own name."""


def asked_now(settings: Settings) -> Request:
    """Return the request that the message is which the kernel works on now.

    Only a server behind Identity-Aware Proxy is believed: anywhere else the browser itself
    writes who it is.
    """
    if not settings.is_vouched_for:
        return Request()
    header = _header()
    if header.get("msg_type") not in _OF_BROWSERS:
        return Request()
    return Request(str(header.get("username", "")), str(header.get("trace", "")))


def _header() -> dict[str, Any]:
    kernel = getattr(get_ipython(), "kernel", None)
    parent = kernel.get_parent("shell") if kernel else None
    header: dict[str, Any] = (parent or {}).get("header", {})
    return header
