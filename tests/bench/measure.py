"""Runs a command and looks at all of its processes: seconds, CPU seconds, most memory."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EVERY = 0.15  # seconds between two looks at the memory
PYTHON = sys.executable


@dataclass
class Measured:
    """What a command took.

    Attributes
    ----------
    seconds, cpu
        Wall clock, and CPU of the whole process tree, seconds.
    memory
        Most proportional set size of the tree, MB.
    told
        What it printed as JSON on its last line, else empty.
    """

    seconds: float
    cpu: float
    memory: float
    told: dict[str, Any]


def run(command: Sequence[str], **environment: str) -> Measured:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        It failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    most = 0.0
    done = threading.Event()

    def look() -> None:
        nonlocal most
        while not done.wait(EVERY):
            most = max(most, sum(map(memory_of, processes_of(process.pid))))

    watcher = threading.Thread(target=look)
    watcher.start()
    out, err = process.communicate()
    seconds = time.monotonic() - begun
    done.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{err[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    lines = out.strip().splitlines()
    told = json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {}
    return Measured(seconds, cpu, most, told)


def sink_state(endpoint: str, *, clear: bool = False) -> dict[str, Any]:
    """Ask the sink what it holds; optionally let it forget everything."""
    method = "DELETE" if clear else "GET"
    request = urllib.request.Request(f"{endpoint}/_state", method=method)
    with urllib.request.urlopen(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def processes_of(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from processes_of(int(child))


def memory_of(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0
