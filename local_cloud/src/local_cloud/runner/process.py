"""A running program with its output going to the log book."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

GRACE_SECONDS = 10.0  # between SIGTERM and SIGKILL, as on Cloud Run
LINE_BYTES = 256 * 1024  # Cloud Logging's limit of one entry

Receive = Callable[[str, str], None]  # (stream: "stdout" or "stderr", line)


class Process:
    """A program under a supervisor (see ``supervise.py``).

    Parameters
    ----------
    command
        Program and arguments.
    environment
        All of its environment.
    folder
        Its working directory.
    receive
        Called with each line that it writes, on one thread for each stream.
    grace
        Seconds between the request to end and the kill.

    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        receive: Receive,
        grace: float = GRACE_SECONDS,
    ) -> None:
        supervisor = Path(__file__).with_name("supervise.py")
        self._grace = grace
        self._receive = receive
        # Isolated and without site packages: it starts in a hundredth of a second.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", str(supervisor), str(grace), *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._pumps = [
            threading.Thread(target=self._pump, args=(name, stream), daemon=True)
            for name, stream in (
                ("stdout", self._supervisor.stdout),
                ("stderr", self._supervisor.stderr),
            )
        ]
        for pump in self._pumps:
            pump.start()

    @property
    def pid(self) -> int:
        """Process id of the supervisor; the program and its children descend from it."""
        return self._supervisor.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, 128 + N after signal N; ``None`` while it runs."""
        return self._supervisor.poll()

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end and for the last lines; return the exit code, ``None`` if it runs on."""
        try:
            code = self._supervisor.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        for pump in self._pumps:
            pump.join(timeout=2)
        return code

    def end(self) -> None:
        """Ask the program to end; it is killed when the grace is over. Does not wait."""
        if self._supervisor.stdin and not self._supervisor.stdin.closed:
            self._supervisor.stdin.close()

    def stop(self) -> int:
        """End the program and wait for it; return the exit code."""
        self.end()
        code = self.wait(self._grace + 5)
        if code is None:  # the supervisor itself hangs
            self._supervisor.kill()
            code = self._supervisor.wait()
        return code

    def kill(self) -> None:
        """Kill the program and its children at once."""
        for child in _descendants(self.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    def _pump(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            while line := stream.readline(LINE_BYTES):
                text = line.decode(errors="replace").rstrip("\r\n")
                if text:
                    self._receive(name, text)


def memory_used(pid: int) -> int:
    """Return the bytes of memory that the descendants of a process have for themselves.

    Files that are mapped into memory, such as models, are not counted where the system tells
    them apart (Linux).
    """
    used = 0
    for child in _descendants(pid):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            memory = child.memory_info()
            used += memory.rss - getattr(memory, "shared", 0)
    return used


def cpu_seconds(pid: int) -> float:
    """Return the seconds of a processor that the descendants of a process have used."""
    used = 0.0
    for child in _descendants(pid):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            times = child.cpu_times()
            used += times.user + times.system
    return used


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found
