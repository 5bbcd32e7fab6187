"""Keeps out of the log what the server's parts say and nobody can do anything about."""

from __future__ import annotations

import logging

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

_LOGGERS = ("llm_widgets.server", "tornado.general", "asyncio", "traitlets")
_SAID = (
    # Jupyter would hide the outputs of such a notebook; the page makes its own.
    "Notebook %s is not trusted",
    # Jupyter pings its websockets itself, in milliseconds; tornado reads the same as seconds.
    "The websocket_ping_timeout ",
    # The server or a page ends while its kernel is still being talked to.
    "Could not destroy zmq context for %s",
    "Got events for closed stream %s",
)
# A tab was closed while something was on its way to it.
_GONE = (StreamClosedError, WebSocketClosedError)


class _Noise(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        failure = record.exc_info[1] if record.exc_info else None
        return not str(record.msg).startswith(_SAID) and not isinstance(failure, _GONE)


def keep_out() -> None:
    """Drop those messages from now on."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Noise) for each in logger.filters):
            logger.addFilter(_Noise())
