"""The startup probe: whether a container has come up, and when to give up waiting."""

from __future__ import annotations

import http.client
import socket
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from local_cloud.runner.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud import run_v2

# Cloud Run's probe of a container that has none of its own: one try of four minutes.
_DEFAULT_SECONDS = 240.0
_FASTEST, _SLOWEST = 0.05, 1.0  # seconds between two looks; Ready is not to be kept waiting


@dataclass(frozen=True)
class StartupProbe:
    """What is asked of a starting container, and how often.

    Attributes
    ----------
    kind
        ``"TCP"`` or ``"HTTP"``.
    port
        The container's port.
    path, headers
        Of the HTTP request.
    delay, period, timeout
        Seconds: before the first try, between tries, for one try.
    threshold
        Number of failures that end the wait.
    default
        Whether it is the probe of a container that has none of its own.

    """

    kind: str
    port: int
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    period: float = _DEFAULT_SECONDS
    timeout: float = 1.0
    threshold: int = 1
    default: bool = False

    @classmethod
    def of(cls, container: run_v2.Container, port: int) -> StartupProbe:
        """Return a container's startup probe; ``port`` is the one it serves on."""
        if "startup_probe" not in container:
            return cls("TCP", port, default=True)
        probe = container.startup_probe
        common = cls(
            "TCP",
            port,
            delay=float(probe.initial_delay_seconds),
            period=float(probe.period_seconds or 10),
            timeout=float(probe.timeout_seconds or 1),
            threshold=probe.failure_threshold or 3,
        )
        if "http_get" in probe:
            get = probe.http_get
            return replace(
                common,
                kind="HTTP",
                port=get.port or port,
                path=get.path or "/",
                headers={header.name: header.value for header in get.http_headers},
            )
        # A gRPC health check is taken for a look at its port.
        return replace(common, port=probe.tcp_socket.port or probe.grpc.port or port)

    def try_once(self, local_port: int) -> str:
        """Look once; return what was wrong, or nothing."""
        try:
            if self.kind == "TCP":
                socket.create_connection((LOOPBACK, local_port), self.timeout).close()
                return ""
            return self._get(local_port)
        except TimeoutError:
            return "DEADLINE_EXCEEDED"
        except OSError:
            return "ERROR_CONNECTION_FAILED"
        except http.client.HTTPException:
            return "CANCELLED"

    def _get(self, local_port: int) -> str:
        connection = http.client.HTTPConnection(LOOPBACK, local_port, timeout=self.timeout)
        try:
            connection.request("GET", self.path, headers=self.headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        # 200 to 399 is success.
        return (
            "" if http.HTTPStatus.OK <= status < http.HTTPStatus.BAD_REQUEST else f"HTTP {status}"
        )

    def wait(
        self, local_port: int, running: Callable[[], bool], report: Callable[[str, str], None]
    ) -> bool:
        """Wait until the container answers; return whether it did in time.

        It is looked at often, also before the first try is due, so that a container is taken for
        ready as soon as it is. What counts as a failure is a period without an answer.

        Parameters
        ----------
        local_port
            The port of this machine that stands for the probe's.
        running
            Whether the wait makes sense still.
        report
            Takes lines for the log, with their severity.

        """
        begin = time.monotonic()
        pause, failures = _FASTEST, 0
        while running():
            trouble = self.try_once(local_port)
            if not trouble:
                report(
                    f"{self._name} probe succeeded after {failures + 1} "
                    f"attempt{'s' if failures else ''} {self._where}.",
                    "INFO",
                )
                return True
            if time.monotonic() - begin >= self.delay + self.period * (failures + 1):
                failures += 1
                report(
                    f"{self._name} probe failed {failures} time{'s' if failures > 1 else ''} "
                    f"consecutively {self._where}. The instance was not started.\n"
                    f"Connection failed with status {trouble}.",
                    "ERROR" if failures >= self.threshold else "WARNING",
                )
                if failures >= self.threshold:
                    return False
            time.sleep(pause)
            pause = min(pause * 1.2, _SLOWEST, self.period)
        return False

    @property
    def _name(self) -> str:
        return f"{'Default ' if self.default else ''}STARTUP {self.kind}"

    @property
    def _where(self) -> str:
        path = f' path "{self.path}"' if self.path else ""
        return f"for container on port {self.port}{path}"
