"""The local cloud: a program of its own, reached by the variables that it prints."""

from __future__ import annotations

import importlib.util
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, ManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

IMAGES = {"llm-manager": (sys.executable, "-m", "llm_widgets")}
"""The image of this product, and the program that the local cloud runs in place of it."""

AS_SLOW = "--as-slow-as-google"
"""Option of the local cloud, with a number of seconds or without."""

_PACKAGE = "local_cloud"
_IMAGE = "llm-manager:local"
_STOP_SECONDS = 20
_NAMES = {
    "LLM_WIDGETS_GOOGLE_ENDPOINT": "LOCAL_CLOUD_ENDPOINT",
    "LLM_WIDGETS_OLLAMA_REGISTRY": "LOCAL_CLOUD_OLLAMA_REGISTRY",
    "HF_ENDPOINT": "HF_ENDPOINT",
    "GOOGLE_APPLICATION_CREDENTIALS": "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT": "GOOGLE_CLOUD_PROJECT",
}


def product_environment(printed: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that make this product use a local cloud.

    Parameters
    ----------
    printed
        Variables that the local cloud prints, by name.
    """
    ours = {name: printed[theirs] for name, theirs in _NAMES.items()}
    return {**ours, "LLM_WIDGETS_IMAGE": _IMAGE}


def exports(variables: Mapping[str, str]) -> str:
    """Return lines that set variables in a shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


@contextmanager
def local_cloud(
    data: Path, *, offline: bool = False, slow: str | None = None
) -> Iterator[Callable[[], dict[str, str]]]:
    """Run the local cloud while the block runs.

    The block is given a function that waits until the local cloud is ready, and returns the
    variables that make this product use it.

    Parameters
    ----------
    data
        Folder of everything that the local cloud keeps; made when it is not there.
    offline
        Whether models that the sample hub lacks are never asked for at the real hubs.
    slow
        Seconds until grants have an effect there, empty for as many as at Google; ``None`` for
        a local cloud in which all happens at once.

    Raises
    ------
    ManagerError
        It is not installed.
    SystemExit
        It did not start; it has said why on standard error.
    """
    words = ["--data", str(data), *(["--offline"] if offline else [])]
    if slow is not None:
        words += [AS_SLOW, *([slow] if slow else [])]
    with _started(words) as process:
        yield lambda: product_environment(_printed(process))


def run_alone(words: Sequence[str], *, until_eof: bool) -> int:
    """Run the local cloud, print the variables that lead to it, and wait until it is ended.

    Parameters
    ----------
    words
        Options of the program ``local-cloud``.
    until_eof
        Whether the end of standard input ends it, besides Ctrl-C and SIGTERM.

    Raises
    ------
    ManagerError
        It is not installed.
    SystemExit
        It did not start; it has said why on standard error.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # At the start too, while nothing is waited for but the other process.
        signal.signal(number, lambda *_: sys.exit(0))
    with _started(words) as process:
        printed = _printed(process)
        print(f"# The local cloud at {printed['LOCAL_CLOUD_ENDPOINT']}")
        print(exports({**product_environment(printed), **printed}))
        print("ready", flush=True)
        for wait in (process.wait, *([sys.stdin.read] if until_eof else [])):
            threading.Thread(target=_set_after, args=(ended, wait), daemon=True).start()
        ended.wait()
    return 0


@contextmanager
def _started(words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run the program while the block runs.

    It also ends when this process dies: it reads a pipe that closes then.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    # The folder of that name in the repository is no package: such a one has no file.
    if spec is None or spec.origin is None:
        raise ManagerError(
            'The local cloud is not installed. It comes with the extra "local".',
            fix=Fix(text="In the folder of this repository:", command="pip install ./local_cloud"),
        )
    images = [f"--image={name}={shlex.join(program)}" for name, program in IMAGES.items()]
    process = subprocess.Popen(  # noqa: S603 - our own program, and options of its own
        [sys.executable, "-m", _PACKAGE, "--until-eof", *images, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches this process only, which then ends the other
    )
    try:
        yield process
    finally:
        _stop(process)


def _printed(process: subprocess.Popen[str]) -> dict[str, str]:
    """Wait until the program is ready, and return the variables that it prints."""
    assert process.stdout is not None
    environment = {}
    for line in process.stdout:
        match shlex.split(line, comments=True):
            case ["export", setting]:
                name, _, value = setting.partition("=")
                environment[name] = value
            case ["ready"]:
                return environment
    raise SystemExit(process.wait())  # it has said why on standard error, which it shares with us


def _set_after(event: threading.Event, wait: Callable[[], object]) -> None:
    wait()
    event.set()


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
