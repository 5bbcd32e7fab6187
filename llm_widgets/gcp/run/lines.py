"""A request that can be cut off while its answer is still waited for."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any

from llm_widgets.gcp.client import lazy


class Line:
    """Sends one request; :meth:`cut` ends it from any other thread."""

    def __init__(self) -> None:
        self._made: list[Any] = []
        self._is_cut = False
        self._session = lazy.requests.Session()
        adapter: Any = lazy.requests.adapters.HTTPAdapter()
        pool_of = adapter.get_connection_with_tls_context
        adapter.get_connection_with_tls_context = lambda *args, **options: self._watched(
            pool_of(*args, **options)
        )
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def post(self, url: str, **options: Any) -> Any:
        """Send a POST request; the arguments are those of ``requests.post``."""
        return self._session.post(url, **options)

    def cut(self) -> None:
        """Cut it: who waits for an answer gets a ``requests.ConnectionError`` at once."""
        self._is_cut = True
        for connection in self._made:
            line = connection.sock
            if line is not None:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    def _watched(self, pool: Any) -> Any:
        """Have a pool of connections tell of those that it makes."""
        kind = type(pool).ConnectionCls

        def made(*args: Any, **options: Any) -> Any:
            connection = kind(*args, **options)
            connect = connection.connect

            def connect_unless_cut() -> None:
                connect()
                if self._is_cut:
                    connection.sock.shutdown(socket.SHUT_RDWR)

            connection.connect = connect_unless_cut
            self._made.append(connection)
            return connection

        pool.ConnectionCls = made
        return pool
