"""A kernel's websocket: joined by its own visitor only, and passing on checked messages only."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from tornado.web import HTTPError
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from llm_widgets.server.guard import Guarded
from llm_widgets.server.messages import (
    FRAMES,
    MalformedMessageError,
    RefusedMessageError,
    read_message,
)

_SESSION = re.compile(r"[A-Za-z0-9-]{1,64}")
# https://cloud.google.com/trace/docs/trace-context#legacy-http-header: TRACE/SPAN;o=OPTIONS
_TRACE = re.compile(r"([0-9a-f]{32})(?![^/;])")
_EXTENSIONS = "Sec-WebSocket-Extensions"
# What browsers offer (https://www.rfc-editor.org/rfc/rfc7692#section-7.1). Tornado fails on any
# other parameter; zlib has no window of 8 bits.
_COMPRESSION = re.compile(
    r"permessage-deflate(?: *; *(?:(?:server|client)_no_context_takeover|client_max_window_bits"
    r"|(?:server|client)_max_window_bits=(?:9|1[0-5])))*"
)
_MOST_BROWSERS = 4
"""Websockets of one kernel: a page has one, and a second while the first one is being lost."""
_POLICY_VIOLATION = 1008  # https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1


class CheckedConnection(ZMQChannelsWebsocketConnection):
    """Passes messages on to the kernel after they have been checked."""

    def handle_incoming_message(self, incoming_msg: str | bytes) -> None:
        """Check a message, and pass it on."""
        handler = self.websocket_handler
        if not self.channels or not isinstance(handler, ChannelsHandler):
            return
        try:
            message = read_message(
                incoming_msg, self.subprotocol, handler.visitor.username, handler.trace
            )
        except RefusedMessageError as error:
            handler.tell_once(str(error))
        except MalformedMessageError as error:
            handler.tell_once(str(error))
            handler.close(_POLICY_VIOLATION, "No such message.")
        else:
            self.session.send_raw(self.channels[message.channel], message.frames)


class ChannelsHandler(Guarded, VoilaKernelWebsocketHandler):  # type: ignore[misc] # Voilà has no types
    """A kernel's websocket; whoever is refused is told by the status alone."""

    is_websocket = True
    connection: CheckedConnection | None = None
    _told = False

    async def get(self, kernel_id: str) -> None:
        """Open the websocket.

        Raises
        ------
        HTTPError
            It is not this visitor's kernel, or the request is not one of the page.
        """
        if not self.kernels.is_there(kernel_id):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        if not self.kernels.is_of(kernel_id, self.visitor.key):
            raise HTTPError(HTTPStatus.FORBIDDEN)
        session = self.get_query_argument("session_id", "")  # a page that comes back has none
        if session and not _SESSION.fullmatch(session):
            raise HTTPError(HTTPStatus.BAD_REQUEST)
        if self.kernels.browsers(kernel_id) >= _MOST_BROWSERS:
            raise HTTPError(HTTPStatus.TOO_MANY_REQUESTS)
        if not _COMPRESSION.fullmatch(self.request.headers.get(_EXTENSIONS, "")):
            self.request.headers.pop(_EXTENSIONS, None)  # an offer that is not taken
        await super().get(kernel_id)  # type: ignore[misc] # its decorator hides that it waits

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Take the binary one if the browser offers it; it may have gone meanwhile."""
        return FRAMES if FRAMES in subprotocols else None

    async def open(self, kernel_id: str) -> None:
        """Join the kernel, unless the browser has gone meanwhile."""
        if self.connection is not None:
            await super().open(kernel_id)

    def on_close(self) -> None:
        """Leave the kernel, if it was come to."""
        if self.connection is not None:
            super().on_close()

    @property
    def trace(self) -> str:
        """Id of the trace that the websocket's request belongs to; empty where it has none."""
        found = _TRACE.match(self.request.headers.get("X-Cloud-Trace-Context", ""))
        return found[1] if found else ""

    def tell_once(self, what: str) -> None:
        """Say in the log that a message was refused, the first time."""
        if not self._told:
            self._told = True
            self.log.warning("Refused a message of a websocket: %s", what)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """End the answer: Jupyter's page of errors needs files that this server has not."""
        Guarded.write_error(self, status_code, **kwargs)
