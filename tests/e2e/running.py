"""The page's server as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

DEMO = Path(__file__).parent / "demo"
MARK = "LLM_WIDGETS_TEST_MARK"


@dataclass
class Server:
    """A running server; ``url`` is empty when it did not start."""

    url: str
    process: subprocess.Popen[str]
    log: Path
    mark: str

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and give its exit code."""
        self.process.send_signal(how)
        return self.process.wait(60)

    def kernels(self) -> set[int]:
        """Find its kernels, also those that have outlived it."""
        found = set()
        for each in psutil.process_iter():
            with suppress(psutil.Error):
                command = " ".join(each.cmdline())
                # One that was forked looks like the process that it was forked from.
                is_kernel = "ipykernel" in command or (
                    "server import prepared" in command and each.ppid() != self.process.pid
                )
                if is_kernel and each.environ().get(MARK) == self.mark:
                    found.add(each.pid)
        return found


@contextmanager
def running_server(folder: Path, notebook: str, **options: Any) -> Iterator[Server]:
    """Serve a notebook of the demos with these options of ``launch``; without a token as a rule."""
    log = folder / "server.log"
    mark = uuid.uuid4().hex
    environment = {
        **os.environ,
        MARK: mark,
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    script, page = str(DEMO / "serve.py"), str(DEMO / notebook)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, script, page, json.dumps({"port": 0, "token": "", **options})],
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            env=environment,
        )
    assert process.stdout is not None
    server = Server(process.stdout.readline().strip(), process, log, mark)
    try:
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        process.stdout.close()
