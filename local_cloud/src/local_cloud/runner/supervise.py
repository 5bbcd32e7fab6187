"""Runs one program as a container is run: alone, with its children, and no longer than wanted.

The supervisor is a process between the local cloud and the program. It holds the reading end of
a pipe as its standard input. When that end is closed, on purpose or because the local cloud was
killed, the program's whole process group is asked to end and, if it does not, killed. So nothing
outlives the local cloud, on every POSIX system.

Usage: ``python supervise.py GRACE_SECONDS PROGRAM ARGUMENTS…``. The exit code is the program's,
128 + N after signal N, and 127 if it cannot be started.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

NOT_FOUND = 127


def main(grace: float, command: list[str]) -> int:
    """Run ``command`` until it ends or standard input is closed; return its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Only the pipe says when to end. A handler, and not SIG_IGN, which programs inherit.
        signal.signal(number, lambda *_: None)
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        sys.stderr.write(f'Application failed to start: "{command[0]}": {reason}\n')
        return NOT_FOUND
    threading.Thread(target=_end_when_told, args=(program, grace), daemon=True).start()
    code = program.wait()
    _signal_group(program.pid, signal.SIGKILL)  # what a container's first process leaves behind
    return code if code >= 0 else 128 - code


def _end_when_told(program: subprocess.Popen[bytes], grace: float) -> None:
    while os.read(0, 1):
        pass
    _signal_group(program.pid, signal.SIGTERM)
    time.sleep(grace)
    _signal_group(program.pid, signal.SIGKILL)


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # all of it has ended


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
