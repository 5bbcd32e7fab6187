"""The HTTP client of ``huggingface_hub``: what is asked here has the limits of our exchanges."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
from huggingface_hub import get_session, set_client_factory
from huggingface_hub.utils._http import hf_request_event_hook

from llm_widgets.hubs import http
from llm_widgets.hubs.failures import Refusal, refuse_page
from llm_widgets.hubs.huggingface.failures import HUB

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 32 << 20
"""Bytes of what the hub may say of one model; one with 10,000 files takes 3 MB."""

_SENT = ("Accept", "Authorization", "User-Agent", "X-Amzn-Trace-Id")
_NOT_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Header fields that don't hold any more once a body is read and decompressed."""


@dataclass(slots=True)
class Exchange:
    """What was asked in a block.

    Attributes
    ----------
    url
        The address that answered last, behind all redirects; empty before.
    """

    url: str = ""


_exchange: ContextVar[Exchange | None] = ContextVar("_exchange", default=None)


@contextmanager
def limited() -> Iterator[Exchange]:
    """Let what ``huggingface_hub`` asks in this block, and in this thread, go our way.

    It reads answers of ``GET``, never asks twice, and raises what :func:`.http.get` raises.
    """
    # Somebody may have given the library another client since.
    if not isinstance(get_session(), LimitedClient):
        set_client_factory(LimitedClient)
    exchange = Exchange()
    before = _exchange.set(exchange)
    try:
        yield exchange
    finally:
        _exchange.reset(before)


class LimitedClient(httpx2.Client):
    """The one client that the library has for a process.

    A notebook may use it too, for downloads of its own: outside of :func:`limited` it does what
    the library's own client does.
    """

    def __init__(self) -> None:
        super().__init__(
            event_hooks={"request": [hf_request_event_hook]}, follow_redirects=True, timeout=None
        )

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request: within limits, where they are asked for."""
        exchange = _exchange.get()
        if exchange is None:
            return super().send(request, **options)
        hf_request_event_hook(request)  # it refuses when the library is to be offline
        headers = {name: request.headers[name] for name in _SENT if name in request.headers}
        with http.session() as session:
            answer = http.get(session, str(request.url), limit=_LARGEST, headers=headers)
        exchange.url = answer.url
        refuse_page(Refusal(answer.status, answer.headers, answer.body), hub=HUB)
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in _NOT_OF_THE_BODY}
        return httpx2.Response(answer.status, headers=kept, content=answer.body, request=request)
