"""Keeps out of the log what the server's parts say and nobody can do anything about."""

from __future__ import annotations

import logging

from nbclient.exceptions import DeadKernelError
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

_LOGGERS = ("llm_widgets.server", "tornado.application", "tornado.general", "asyncio", "traitlets")
_SAID = (
    # Jupyter would hide the outputs of such a notebook; the page makes its own.
    "Notebook %s is not trusted",
    # Jupyter pings its websockets itself, in milliseconds; tornado reads the same as seconds.
    "The websocket_ping_timeout ",
    # A page that comes back after its server was gone.
    "No session ID specified",
    # The server or a page ends while its kernel is still being talked to.
    "Could not destroy zmq context for %s",
    "Got events for closed stream %s",
)
# A tab was closed while something was on its way to it.
_GONE = (StreamClosedError, WebSocketClosedError)


def _failure(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


class _Noise(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(_SAID) and not isinstance(_failure(record), _GONE)


class _Ends(logging.Filter):
    """A page that was being made when the server ended: its kernel has not died by itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not isinstance(_failure(record), DeadKernelError)


def keep_out() -> None:
    """Drop those messages from now on."""
    _drop(_Noise)


def keep_out_ends() -> None:
    """Drop from now on what is said of kernels because the server ends them."""
    _drop(_Ends)


def _drop(kind: type[logging.Filter]) -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, kind) for each in logger.filters):
            logger.addFilter(kind())
