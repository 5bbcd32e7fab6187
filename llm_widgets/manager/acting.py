"""Who acts, in one place: the visitor that is vouched for, and the account of the credentials."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from llm_widgets.domain.actors import Actor
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client.clients import Clients


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for at once: a click on the page, a call of Python.

    Attributes
    ----------
    visitor
        E-mail address of the person, as Identity-Aware Proxy vouches for it; else empty.
    trace
        Id of the trace that the browser's connection belongs to; empty where there is none.
    id
        A random id: what it leads to has the same.
    """

    visitor: str = ""
    trace: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


_request: ContextVar[Request | None] = ContextVar("request", default=None)


def request() -> Request | None:
    """Return the request that this thread works on; ``None`` where nobody has said so."""
    return _request.get()


@contextmanager
def working_on(request: Request) -> Iterator[None]:
    """Say which request this thread works on."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def actor(clients: Clients) -> Actor:
    """Find out who acts; the account is left out where nobody who knows it answers."""
    current = request()
    visitor = current.visitor if current else ""
    try:
        found = identity.current(clients)
    except ManagerError:
        return Actor("", visitor)
    return Actor(found.email or found.member, visitor)
