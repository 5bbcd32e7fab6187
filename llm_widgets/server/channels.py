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
    MalformedMessageError,
    RefusedMessageError,
    read_message,
)

_SESSION = re.compile(r"[A-Za-z0-9-]{1,64}")
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
            message = read_message(incoming_msg, self.subprotocol, handler.visitor.username)
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
        await super().get(kernel_id)  # type: ignore[misc] # its decorator hides that it waits

    def tell_once(self, what: str) -> None:
        """Say in the log that a message was refused, the first time."""
        if not self._told:
            self._told = True
            self.log.warning("Refused a message of a websocket: %s", what)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """End the answer: Jupyter's page of errors needs files that this server has not."""
        Guarded.write_error(self, status_code, **kwargs)
