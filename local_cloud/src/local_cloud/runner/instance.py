"""The instance of a revision: one process, watched, and started again when it ends by itself."""

from __future__ import annotations

import shutil
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING

from local_cloud.runner.container import check, container_port, cpu_limit
from local_cloud.runner.failures import RevisionFailed, container_failed, not_ready
from local_cloud.runner.meter import Gauges
from local_cloud.runner.probe import StartupProbe
from local_cloud.runner.process import Process, memory_used

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.cloud import run_v2

    from local_cloud.runner.container import Program
    from local_cloud.runner.entries import Journal
    from local_cloud.runner.meter import Meter

MIB = 1 << 20
_MEMORY_SECONDS = 1.0  # between two looks at the memory in use
_STEADY_SECONDS = 60.0  # after which an exit counts as the first one again
_LONGEST_PAUSE = 60.0  # seconds between two starts

MEMORY_EXCEEDED = (
    "Memory limit of {limit} MiB exceeded with {used} MiB used. Consider increasing the memory "
    "limit, see https://cloud.google.com/run/docs/configuring/memory-limits"
)


class MemoryGuard:
    """Ends a process that uses more memory than it may, and says so in its log."""

    def __init__(
        self, process: Process, limit: int, journal: Journal, gauges: Gauges | None = None
    ) -> None:
        self._process = process
        self._limit = limit
        self._journal = journal
        self._gauges = gauges
        self._due = 0.0
        self.exceeded = False

    def look(self) -> None:
        """Look at the memory in use, not more often than once a second."""
        if time.monotonic() < self._due or self.exceeded:
            return
        self._due = time.monotonic() + _MEMORY_SECONDS
        used = memory_used(self._process.pid)
        if self._gauges:
            self._gauges.look(used)
        if used > self._limit:
            self.exceeded = True
            text = MEMORY_EXCEEDED.format(limit=self._limit // MIB, used=used // MIB)
            self._journal.system(text, "ERROR")
            self._process.kill()


class StartReason(Enum):
    """Why an instance is started, as the log of Cloud Run tells it."""

    AUTOSCALING = (
        "Instance started due to configured scaling factors (e.g. CPU utilization, request "
        "throughput, etc.) or no existing capacity for current traffic."
    )
    DEPLOYMENT_ROLLOUT = (
        "Instance started due to traffic shifting between revisions due to deployment, traffic "
        "split adjustment, or deployment health check."
    )
    MANUAL_OR_CUSTOMER_MIN_INSTANCE = (
        "Instance started because of customer-configured min-instances or manual scaling."
    )


class Instance:
    """One process of a revision.

    Parameters
    ----------
    revision
        Full resource name.
    template
        Of the revision.
    build
        Makes the program to run; called for each start.
    journal
        Where its output goes.
    meter
        Where its requests and what it uses are measured.

    """

    def __init__(
        self,
        revision: str,
        template: run_v2.RevisionTemplate,
        build: Callable[[], Program],
        journal: Journal,
        meter: Meter,
    ) -> None:
        self.revision = revision
        self.template = template
        self.journal = journal
        self.meter = meter
        self._build = build
        self._probe = StartupProbe.of(check(template), container_port(template.containers[0]))
        self._process: Process | None = None
        self._program: Program | None = None
        self._memory: MemoryGuard | None = None
        self._guard: threading.Thread | None = None
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._stop_cause = ""
        self._lock = threading.Lock()  # start and stop do not overlap

    def start(self, reason: StartReason) -> None:
        """Start the process and wait until its startup probe has passed.

        Raises
        ------
        RevisionFailed
            If it does not come up; it is stopped then.

        """
        try:
            self._launch(reason)
            self._await_probe()
        except RevisionFailed:
            self.stop()
            raise
        self._watch_in_background()

    def start_in_background(self, reason: StartReason) -> None:
        """Start the process and return at once; failures are logged and tried again."""
        self._watch_in_background(reason)

    def port(self, timeout: float) -> int | None:
        """Return the local port to send requests to; wait for it at most ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while not self._stopping.is_set():
            if self._ready.wait(min(0.5, max(0.0, deadline - time.monotonic()))):
                return self._program.port if self._program else None
            if time.monotonic() >= deadline:
                break
        return None

    def stop(self, cause: str = "") -> None:
        """Stop the process: SIGTERM, ten seconds later SIGKILL. Wait for the end.

        Parameters
        ----------
        cause
            What a ``start`` under way fails with.

        """
        self._stop_cause = self._stop_cause or cause
        self._stopping.set()
        self._ready.clear()
        with self._lock:
            process, program = self._process, self._program
        if process:
            process.stop()
        if self._guard and self._guard is not threading.current_thread():
            self._guard.join(timeout=5)
        if program:
            # Home, temporary files, secrets. A file that cannot be removed now goes with the
            # clean-up of the next start.
            shutil.rmtree(program.scratch, ignore_errors=True)

    def _launch(self, reason: StartReason) -> None:
        self.journal.system(f"Starting new instance. Reason: {reason.name} - {reason.value}")
        try:
            program = self._build()
        except RevisionFailed as failure:
            raise not_ready(self.revision, failure.reason, failure.message) from failure
        for note in program.notes:
            self.journal.system(note)
        with self._lock:
            if self._stopping.is_set():
                raise self._stopped()
            self._program = program
            self._process = Process(
                program.command,
                environment=program.environment,
                folder=program.folder,
                receive=self.journal.line,
            )
            cpu = cpu_limit(self.template.containers[0])
            gauges = Gauges(self.meter, self._process.pid, cpu=cpu, memory=program.memory)
            self._memory = MemoryGuard(self._process, program.memory, self.journal, gauges)

    def _running(self) -> bool:
        if not self._process or self._stopping.is_set() or self._process.exit_code is not None:
            return False
        if self._memory:
            self._memory.look()
        return True

    def _await_probe(self) -> None:
        program, process = self._program, self._process
        if not program or not process:
            raise self._stopped()
        port = program.ports.local(self._probe.port)
        begun = time.monotonic()
        if self._probe.wait(port, self._running, self.journal.system):
            self.meter.started(time.monotonic() - begun)
            self._ready.set()
            return
        if self._stopping.is_set():
            raise self._stopped()
        raise container_failed(self.revision, self._cause(process.exit_code))

    def _cause(self, exit_code: int | None) -> str:
        if self._probe.default:
            cause = (
                "The user-provided container failed to start and listen on the port defined "
                f"provided by the PORT={self._probe.port} environment variable within the "
                "allocated timeout. This can happen when the container port is misconfigured or "
                "if the timeout is too short. The health check timeout can be extended."
            )
        else:
            cause = "The user-provided container failed the configured startup probe checks."
        if self._memory and self._memory.exceeded:
            return f"{cause} The container exceeded its memory limit."
        if exit_code is not None:
            self._log_exit(exit_code)
            return f"{cause} Container called exit({exit_code})."
        return cause

    def _stopped(self) -> RevisionFailed:
        cause = self._stop_cause or "The service was deleted before it was ready."
        return not_ready(self.revision, "RETIRED", cause)

    def _log_exit(self, code: int) -> None:
        self.journal.system(f"Container called exit({code}).", "ERROR" if code else "WARNING")

    def _watch_in_background(self, reason: StartReason = StartReason.AUTOSCALING) -> None:
        self._guard = threading.Thread(
            target=self._watch, args=(reason,), name="instance", daemon=True
        )
        self._guard.start()

    def _watch(self, reason: StartReason) -> None:
        """Keep the process running until the instance is stopped."""
        exits = 0
        while not self._stopping.is_set():
            begin = time.monotonic()
            try:
                if not self._process:
                    self._launch(reason)
                    reason = StartReason.AUTOSCALING
                    self._await_probe()
                self._wait_for_end()
            except RevisionFailed as failure:
                if not self._stopping.is_set():
                    self.journal.system(failure.message, "ERROR")
            self._ready.clear()
            with self._lock:
                process, self._process = self._process, None
            if process and not self._stopping.is_set():
                process.stop()
            elif process:
                self._process = process  # stop() has it in hand
            exits = 1 if time.monotonic() - begin > _STEADY_SECONDS else exits + 1
            self._stopping.wait(min(2.0 ** (exits - 1), _LONGEST_PAUSE))

    def _wait_for_end(self) -> None:
        process = self._process
        while process and self._running():
            process.wait(_MEMORY_SECONDS)
        if process and not self._stopping.is_set():
            code = process.wait()
            if code is not None and not (self._memory and self._memory.exceeded):
                self._log_exit(code)
