"""The page on the embedded local cloud, in one command: what a newcomer runs."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_STOP_SECONDS = 20
_EXPORT = "export "


def run(*, data: Path, notebook: Path, host: str, port: int, offline: bool = False) -> int:
    """Start the local cloud and the page, and run until interrupted.

    Parameters
    ----------
    data
        Folder of everything that the local cloud keeps; made when it is not there.
    notebook
        The notebook that is the page.
    host, port
        Where the page is served.
    offline
        Whether models that the sample hub lacks are never asked for at the real hubs.

    Raises
    ------
    ManagerError
        The page did not start; says why and what to do.
    """
    print("Starting the local cloud ...", flush=True)
    with local_cloud(data, offline=offline) as environment:
        from llm_widgets.server import launch  # noqa: PLC0415 - loads while the cloud starts

        os.environ.update(environment())
        launch(
            notebook,
            host=host,
            port=port,
            on_ready=lambda url: print(f"\n  Open {url}\n\nCtrl-C stops everything.", flush=True),
        )
    return 0


@contextmanager
def local_cloud(data: Path, *, offline: bool = False) -> Iterator[Callable[[], dict[str, str]]]:
    """Run the local cloud as a process of its own.

    Gives a function that waits until it is ready and answers with the environment that leads to
    it. The process ends with the block, and also when this process dies: it reads a pipe that
    closes then.

    Raises
    ------
    SystemExit
        It did not start; it has said why on standard error.
    """
    process = subprocess.Popen(  # noqa: S603 - our own program with our own words
        [
            *(sys.executable, "-m", "llm_widgets", "local", "--data", str(data), "--until-eof"),
            *(["--offline"] if offline else []),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the other
    )
    try:
        yield lambda: _environment(process)
    finally:
        _stop(process)


def _environment(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    environment = {}
    for line in process.stdout:
        if line.startswith(_EXPORT):
            name, _, value = line.removeprefix(_EXPORT).rstrip("\n").partition("=")
            environment[name] = value
        elif line.strip() == "ready":
            return environment
    raise SystemExit(process.wait())  # it has said why on standard error, which it shares with us


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
