"""The address of a service: asks who calls, finds a place at an instance, passes bytes through.

What is simulated of Cloud Run's front end: the invoker check, the limit of concurrent requests
(concurrency x maximum of instances, all of them served by the one process of the revision), the
queue of requests before it, the request timeout, the request log, trace headers. No more than 64
requests of a service are under way at a time, others wait in the system. Not simulated: scaling to
zero and the cold start that follows, session affinity, WebSockets, HTTP/2.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from werkzeug import Request, Response

from local_cloud.errors import LocalCloudError
from local_cloud.runner.entries import Journal
from local_cloud.runner.meter import Meter
from local_cloud.runner.ports import candidate_ports
from local_cloud.runner.proxy import Exchange, UpstreamError
from local_cloud.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_cloud.logs import LogBook
    from local_cloud.metrics import MetricBook
    from local_cloud.runner.instance import Instance

DEFAULT_CONCURRENCY = 80
DEFAULT_MAX_INSTANCES = 100
DEFAULT_TIMEOUT = 300.0  # seconds
QUEUE_SECONDS = 10.0  # that a request waits for a place, as long as Cloud Run lets it wait
_THREADS = 64  # requests of one service under way, waiting ones included

_NO_INSTANCE = "The request was aborted because there was no available instance."
_NOT_AVAILABLE = "The service you requested is not available yet.\nPlease try again in 30 seconds."
_BROKEN = (
    "The request failed because either the HTTP response was malformed or connection to the "
    "instance had an error."
)
_TOO_LATE = "upstream request timeout"


class Front:
    """The web server of one service.

    Parameters
    ----------
    service
        Full resource name.
    preferred
        The port that it had before, if any.
    invoker
        Returns the refusal of a request to the named service, or ``None``.
    log, metrics
        Where requests are recorded.
    queue_seconds
        How long a request waits for a place at an instance.

    """

    def __init__(
        self,
        service: str,
        preferred: int | None,
        invoker: Callable[[Request, str], Response | None],
        log: LogBook,
        metrics: MetricBook,
        *,
        queue_seconds: float = QUEUE_SECONDS,
    ) -> None:
        self._service = service
        self._invoker = invoker
        self._queue_seconds = queue_seconds
        self._nobody = Journal.of_revision(log, f"{service}/revisions/")
        self._unmetered = Meter(metrics, self._nobody.resource)
        self._instance: Instance | None = None
        self._busy = 0
        self._capacity = 0
        self._place = threading.Condition()
        self._server = _listen(self._handle, preferred)

    @property
    def port(self) -> int:
        """Port of the address."""
        return self._server.port

    @property
    def url(self) -> str:
        """Address of the service."""
        return self._server.url

    def direct(self, instance: Instance | None, max_instances: int = 0) -> None:
        """Send requests to this instance from now on; those under way stay where they are."""
        with self._place:
            self._instance = instance
            if instance:
                template = instance.template
                concurrency = template.max_instance_request_concurrency or DEFAULT_CONCURRENCY
                self._capacity = concurrency * (max_instances or DEFAULT_MAX_INSTANCES)
            self._place.notify_all()

    def close(self) -> None:
        """Stop listening."""
        self._server.stop()

    def _handle(self, request: Request) -> Response:
        begin = time.monotonic()
        instance = self._instance
        journal = instance.journal if instance else self._nobody
        meter = instance.meter if instance else self._unmetered
        exchange = Exchange(request, self.url)
        response = self._answer(request, exchange, instance, begin)

        def record() -> None:
            status = response.status_code
            severity = "INFO" if status < 400 else "WARNING" if status < 500 else "ERROR"  # noqa: PLR2004 - the classes of HTTP status codes
            taken = time.monotonic() - begin
            meter.request(status, taken)
            entry = exchange.log_entry(status, taken)
            journal.request(entry, exchange.trace, severity)

        response.call_on_close(record)
        return response

    def _answer(
        self, request: Request, exchange: Exchange, instance: Instance | None, begin: float
    ) -> Response:
        refusal = self._invoker(request, self._service)
        if refusal is not None:
            return refusal
        if instance is None:
            return _plain(503, _NOT_AVAILABLE)
        if not self._enter(begin + self._queue_seconds):
            return _plain(429, _NO_INSTANCE)
        timeout = instance.template.timeout.total_seconds() or DEFAULT_TIMEOUT
        instance.meter.began()
        response = self._forward(exchange, instance, begin + timeout)
        response.call_on_close(instance.meter.ended)
        response.call_on_close(self._leave)
        return response

    def _forward(self, exchange: Exchange, instance: Instance, deadline: float) -> Response:
        wait = min(self._queue_seconds, deadline - time.monotonic())
        port = instance.port(wait)
        if port is None and self._instance not in (None, instance):
            return self._forward(exchange, self._instance, deadline)  # replaced in the meantime
        if port is None:
            return _plain(503, _NO_INSTANCE)
        try:
            return exchange.forward(port, deadline)
        except TimeoutError:
            return _plain(504, _TOO_LATE)
        except UpstreamError:
            return _plain(503, _BROKEN)

    def _enter(self, deadline: float) -> bool:
        with self._place:
            while self._busy >= self._capacity:
                if not self._place.wait(max(0.0, deadline - time.monotonic())):
                    return False
            self._busy += 1
            return True

    def _leave(self) -> None:
        with self._place:
            self._busy -= 1
            self._place.notify()


def _listen(route: Callable[[Request], Response | None], preferred: int | None) -> WebServer:
    """Return a running server on the preferred port, or on another one that stays free."""
    failure: LocalCloudError | None = None
    for port in candidate_ports(preferred):
        server = WebServer([route], port=port, threads=_THREADS)
        try:
            server.start()
        except LocalCloudError as error:
            failure = error
        else:
            return server
    raise failure or RuntimeError("no port was tried")


def _plain(status: int, text: str) -> Response:
    return Response(f"{text}\n", status, content_type="text/plain; charset=utf-8")
