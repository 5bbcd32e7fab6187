"""Keeps the log readable: leaves out what nobody can do anything about, one line a message.

What a stranger sends may stand in a message. It can neither begin a line of its own there, nor
command a terminal, nor turn the text around.
"""

from __future__ import annotations

import logging
import re
import warnings

from nbclient.exceptions import DeadKernelError
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

_LOGGERS = (
    "llm_widgets.server",
    "tornado.access",
    "tornado.application",
    "tornado.general",
    "asyncio",
    "traitlets",
)
_LONGEST = 2000  # characters of a message; a request's address alone may have 64,000
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


_TOKEN = re.compile(r"(?<=[?&]token=)[^&\s]+")


class _OneLine(logging.Filter):
    """Escapes what is no printable character, cuts what is too long, and leaves out tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            return True  # logging itself says where the mistake is
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]} … ({len(text)} characters)"
        record.msg, record.args = one_line(_TOKEN.sub("...", text)), ()
        return True


def one_line(text: str) -> str:
    """Return a text with its control characters, line ends and bidi marks as escapes."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


class _Ends(logging.Filter):
    """A page that was being made when the server ended: its kernel has not died by itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not isinstance(_failure(record), DeadKernelError)


def keep_out() -> None:
    """Drop those messages from now on, and write the others on a line each."""
    _add(_Noise)
    _add(_OneLine)


def keep_out_ends() -> None:
    """Drop from now on what is said of kernels because the server ends them."""
    _add(_Ends)
    # Voilà's, of a kernel that was to be kept ready a little later.
    warnings.filterwarnings("ignore", r"coroutine '.*\._initialize' was never", RuntimeWarning)


def _add(kind: type[logging.Filter]) -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, kind) for each in logger.filters):
            logger.addFilter(kind())
