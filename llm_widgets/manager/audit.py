"""One line in the log for each change: who, what, on what, with which result.

The lines are JSON as Cloud Logging reads it from the standard error of a container
(https://cloud.google.com/logging/docs/structured-logging). They are written there on Cloud Run and
behind Identity-Aware Proxy: a person at a terminal knows what they did. They go to the logger
``llm_widgets.changes`` everywhere; whoever embeds the product may send them elsewhere.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import os
import sys
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from llm_widgets.errors import ManagerError
from llm_widgets.manager import acting

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.client.clients import Clients

P = ParamSpec("P")
T = TypeVar("T")

DONE = "done"
PARTLY_DONE = "partly done"
PRODUCER = "llm-manager"
"""What Cloud Logging groups the lines of one request by, together with its id."""

_LONGEST = 500  # characters of a text; what others name may be of any length


@dataclass(slots=True)
class Step:
    """A change, or a part of one.

    Attributes
    ----------
    what
        What is done, for example ``service.create``.
    on
        What it is done to: a resource name, and what belongs to it.
    result
        ``done``, ``partly done``, or the class of the error; empty while it goes on.
    severity
        Of the result, in Cloud Logging's words: a failure without a sentence of its own is an
        error of the product.
    """

    what: str
    on: str
    result: str = ""
    severity: str = "NOTICE"

    def as_json(self) -> dict[str, str]:
        """Return what is written of it."""
        return {"what": self.what, "on": _short(self.on), "result": self.result}


@dataclass(slots=True)
class _Open:
    """A change that goes on, with the changes that it consists of."""

    step: Step
    parts: list[Step] = field(default_factory=list)

    def sum_up(self) -> None:
        """Note that a part has failed, where the rest was done all the same."""
        if self.step.result == DONE and any(part.result != DONE for part in self.parts):
            self.step.result, self.step.severity = PARTLY_DONE, "WARNING"


_log = logging.getLogger("llm_widgets.changes")
_open: ContextVar[_Open | None] = ContextVar("change", default=None)


def recorded(what: str, on: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Have a use case write one line for each call, whether it succeeds or fails.

    A use case that is called by another is written as a part of that one's line.

    Parameters
    ----------
    what
        What is done, for example ``service.create``.
    on
        To what: a format string of the use case's arguments. Name nothing secret in it.
    """

    def decorate(use_case: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(use_case)

        @functools.wraps(use_case)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            step = Step(what, on.format_map(given.arguments))
            outer = _open.get()
            if outer:
                outer.parts.append(step)
                return _carry_out(step, lambda: use_case(*args, **kwargs))
            change = _Open(step)
            token = _open.set(change)
            try:
                return _carry_out(step, lambda: use_case(*args, **kwargs))
            finally:
                _open.reset(token)
                change.sum_up()
                _write(given.arguments["clients"], change)

        call.is_recorded = True  # type: ignore[attr-defined] # a test asks for it
        return call

    return decorate


def _carry_out(step: Step, work: Callable[[], T]) -> T:
    try:
        done = work()
    except BaseException as error:  # also one that a person interrupts
        step.result = type(error).__name__
        step.severity = "WARNING" if isinstance(error, ManagerError) else "ERROR"
        raise
    step.result = DONE
    return done


def _write(clients: Clients, change: _Open) -> None:
    """Write the line of a change that has come to its end."""
    who = acting.actor(clients)
    request = acting.request() or acting.Request()
    step = change.step
    entry: dict[str, Any] = {
        "severity": step.severity,
        "time": datetime.now(UTC).isoformat(),
        "message": _short(f"{step.what} {step.on} by {who.name or 'nobody known'}: {step.result}"),
        "who": _short(who.name),
        "account": _short(who.account),
        **step.as_json(),
        "request_id": request.id,
        "logging.googleapis.com/labels": {"kind": "change"},
        "logging.googleapis.com/operation": {"id": request.id, "producer": PRODUCER},
    }
    if change.parts:
        entry["parts"] = [part.as_json() for part in change.parts]
    settings = clients.settings
    if request.trace and settings.default_project:
        traces = f"projects/{settings.default_project}/traces"
        entry["logging.googleapis.com/trace"] = f"{traces}/{request.trace}"
    # In ASCII: control characters, line ends and bidi marks of others' names are escapes.
    line = json.dumps(entry, ensure_ascii=True)
    if settings.is_vouched_for or "K_SERVICE" in settings.variables:
        _write_to_standard_error(line)
    _log.info("%s", line)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text)} characters)"


def _write_to_standard_error(line: str) -> None:
    """Write a line at once and whole, also where a kernel has taken the stream's place."""
    with suppress(OSError):  # nobody reads it any more
        os.write(_descriptor(), f"{line}\n".encode())


def _descriptor() -> int:
    """Return the file descriptor of the standard error.

    A Jupyter kernel sends what is written to ``sys.stderr`` to the page; the descriptor that it
    names is the one that it was started with.
    """
    try:
        return sys.stderr.fileno()
    except (OSError, AttributeError):
        return 2
