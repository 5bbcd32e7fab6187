"""HTTP sessions whose connections can be cut while an answer is still waited for."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from requests import Session
from requests.adapters import HTTPAdapter


class _Cuttable(HTTPAdapter):
    """Remembers the connections that it makes."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.is_cut = False
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Give the pool of a request, which makes its connections here."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        kind = type(pool).ConnectionCls

        def connection(*given: Any, **named: Any) -> Any:
            made = kind(*given, **named)
            connect = made.connect

            def connect_unless_cut() -> None:
                connect()
                if self.is_cut:
                    made.sock.shutdown(socket.SHUT_RDWR)

            made.connect = connect_unless_cut
            self.made.append(made)
            return made

        pool.ConnectionCls = connection
        return pool


class Line(Session):
    """A session for one request; :meth:`cut` ends it from any other thread."""

    def __init__(self) -> None:
        super().__init__()
        self._adapter = _Cuttable()
        self.mount("https://", self._adapter)
        self.mount("http://", self._adapter)

    def cut(self) -> None:
        """Cut it: who waits for an answer gets a ``requests.ConnectionError`` at once."""
        self._adapter.is_cut = True
        for connection in self._adapter.made:
            line = connection.sock
            if line is not None:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
