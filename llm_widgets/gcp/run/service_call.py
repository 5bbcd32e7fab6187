"""A call of a deployed service, with the caller's ID token; another thread can end it."""

from __future__ import annotations

import socket
import threading
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from llm_widgets.errors import DeniedError, Fix, UnavailableError
from llm_widgets.exchanges import environment
from llm_widgets.gcp.auth import id_tokens, identity
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.iam import policy, propagation
from llm_widgets.gcp.run import service_keys
from llm_widgets.gcp.run.service_errors import refusal, silence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import httpx2

    from llm_widgets.gcp.client.clients import Clients

T = TypeVar("T")

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection must stand."""

SILENCE_TIMEOUT = 900.0
"""Seconds without a byte after which a service counts as silent; a cold start may take minutes."""

_LONGEST_REQUEST = 3600.0
"""Seconds of a request to Cloud Run at most (its page on request timeouts)."""

_MOST_OF_A_REFUSAL = 64 << 10
"""Bytes of a refusal that are read: a person reads fewer."""

_CONNECTED = ("connect_tcp.complete", "start_tls.complete")
"""Ends of the names of httpx's trace events that bring the socket of a connection."""


class ServiceCall(ABC, Generic[T]):
    """What a service answers to a request, as it comes.

    Iterate once, in any thread. :meth:`close` stops it from any other thread; the iteration
    then ends early.

    Parameters
    ----------
    url
        URL of the service, the audience of the ID token.
    path
        Where it is asked.
    request
        What is sent, as the arguments of httpx say it: ``content``, ``headers``, ``files``.
    service
        Resource name of the service, for the fix of a refusal.
    connect_timeout, silence_timeout
        Seconds.

    Attributes
    ----------
    method
        Of the request.
    most_bytes
        Of an answer; the connection of a longer one is closed.
    waits_for
        What keeps it from being asked, in a sentence, while a new right to call has no effect.
    """

    method = "POST"
    most_bytes = 64 << 20

    def __init__(
        self,
        clients: Clients,
        url: str,
        path: str,
        request: Mapping[str, Any],
        *,
        service: str = "",
        connect_timeout: float = CONNECT_TIMEOUT,
        silence_timeout: float = SILENCE_TIMEOUT,
    ) -> None:
        self._clients = clients
        self._service = service
        self._url = url.rstrip("/")
        self._path = path
        self._request_parts = request
        self._connect_timeout = connect_timeout
        self._silence_timeout = silence_timeout
        self.waits_for = ""
        self._begun = 0.0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None

    @abstractmethod
    def _read(self, response: httpx2.Response) -> Iterator[T]:
        """Yield what an answer says; its body has not been read."""

    def close(self) -> None:
        """Stop, also before anything has come: the engine sees the connection end and stops too."""
        self._closed.set()
        with self._lock:
            if self._socket is not None:
                _shut_down(self._socket)

    def __iter__(self) -> Iterator[T]:
        """Send the request, and yield the answer as it comes.

        Raises
        ------
        ManagerError
            The service refuses, fails or falls silent.
        """
        if self._closed.is_set():
            return
        self._begun = time.monotonic()
        token = id_tokens.of(self._clients).token(self._url)
        try:
            yield from self._answer(token)
        except lazy.httpx2.RequestError as error:
            if not self._closed.is_set():
                raise silence(self._url, error, self._silence_timeout) from error
        finally:
            self._closed.set()

    def _answer(self, token: str) -> Iterator[T]:
        """Ask, again with the engine's key, and while the right to call was granted moments ago."""
        patience = propagation.Patience(propagation.left(self._let_in()))
        key = ""
        while not self._closed.is_set():
            with self._request(token, key) as response:
                if self._closed.is_set():
                    return
                deadline = time.monotonic() + _LONGEST_REQUEST
                lazy.streams.bound(response, self.most_bytes, deadline)
                if response.is_success:
                    self.waits_for = ""
                    yield from self._read(response)
                    return
                body = lazy.streams.beginning(response, _MOST_OF_A_REFUSAL)
                is_locked = service_keys.is_asked_for(response.status_code, body)
                if not key and is_locked and (key := self._key()):
                    continue
                error = refusal(response.status_code, body, self._clients, self._service)
            if not isinstance(error, DeniedError):
                raise error
            self.waits_for = (
                f"You were granted access {propagation.ago(self._let_in() or 0)}. The grant "
                f"takes {propagation.HOW_LONG} to take effect. Trying again automatically."
            )
            patience.wait(error, self._closed.wait)

    def _let_in(self) -> float | None:
        """Return how many seconds ago the caller was let call the service, if it was."""
        path = policy.of_cloud_run(self._service).path if self._service else ""
        own = identity.current(self._clients).member
        return propagation.of(self._clients).age(path, own)

    def _key(self) -> str:
        return service_keys.configured(self._clients, self._service, self._url)

    @contextmanager
    def _request(self, token: str, key: str) -> Iterator[httpx2.Response]:
        parts = dict(self._request_parts)
        headers = {**parts.pop("headers", {}), "Accept-Encoding": "identity"}
        with (
            self._client() as client,
            client.stream(
                self.method,
                f"{self._url}{self._path}",
                auth=_bearer(token, key),
                extensions={"trace": self._on_trace},
                headers=headers,
                **parts,
            ) as response,
        ):
            yield response

    def _client(self) -> httpx2.Client:
        """Return a client that reads the environment as ``requests`` does, without ``.netrc``."""
        httpx2 = lazy.httpx2
        try:
            return httpx2.Client(
                timeout=httpx2.Timeout(self._silence_timeout, connect=self._connect_timeout),
                verify=environment.tls_context(),
                proxy=environment.proxy_for(self._url),
                trust_env=False,
            )
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            raise UnavailableError(
                "No connection to the service can be made with these settings of the environment.",
                cause=str(error),
                fix=Fix(text="Check HTTPS_PROXY, ALL_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE."),
            ) from error

    def _on_trace(self, event: str, info: dict[str, Any]) -> None:
        """Keep the socket of the connection: closing a response does not wake who reads from it."""
        if event.endswith(_CONNECTED):
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
                if self._closed.is_set():
                    _shut_down(self._socket)


def _bearer(token: str, key: str) -> Callable[[httpx2.Request], httpx2.Request]:
    """Return what authorizes a request: given as ``auth``, so that nothing else does."""

    def authorize(request: httpx2.Request) -> httpx2.Request:
        if key:
            request.headers["X-Serverless-Authorization"] = f"Bearer {token}"
        request.headers["Authorization"] = f"Bearer {key or token}"
        return request

    return authorize


def _shut_down(line: socket.socket) -> None:
    """End a connection, and wake the thread that waits for its bytes; closing alone does not."""
    with suppress(OSError):  # it has ended already
        # Not SSLSocket.shutdown: it takes the TLS layer away from the thread that reads.
        socket.socket.shutdown(line, socket.SHUT_RDWR)
