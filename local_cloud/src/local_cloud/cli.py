"""The command ``local-cloud``: runs a local cloud and prints the variables that lead to it."""

from __future__ import annotations

import argparse
import math
import os
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from local_cloud import slow
from local_cloud.cloud import PROJECTS, LocalCloud
from local_cloud.errors import LocalCloudError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

LAST_PORT = 65535
"""The largest number of a TCP port."""

_LONGEST_STOP = 15.0
"""Seconds after which what does not stop is left behind: the grace of containers, and more."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a local cloud until it is interrupted.

    Parameters
    ----------
    argv
        The words after the program's name; those of the process when left out.

    Returns
    -------
    int
        0 when it was ended; 1 when it could not start, which is told on standard error.

    """
    options = _parser().parse_args(argv)
    try:
        return _run(options)
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="local-cloud",
        description="Google Cloud Run and the APIs around it on this machine.",
        epilog="Prints lines for a shell, then the line `ready`, and runs until Ctrl-C.",
    )
    parser.add_argument(
        "--data", type=Path, default=Path(".local-cloud"), help="folder of everything that is kept"
    )
    parser.add_argument("--port", type=_port, default=0, help="port of the Google APIs; 0: free")
    parser.add_argument("--grpc-port", type=_port, default=0, help="port for gRPC; 0: free one")
    parser.add_argument("--hub-port", type=_port, default=0, help="port of the sample hub; 0: free")
    parser.add_argument(
        "--project", action="append", help="id of a project (may be repeated) in a new DATA folder"
    )
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        type=_image,
        metavar="NAME=COMMAND",
        help="run COMMAND in place of containers of the image NAME (may be repeated)",
    )
    parser.add_argument(
        "--offline", action="store_true", help="never ask the real hubs for other models"
    )
    parser.add_argument(
        "--as-slow-as-google",
        type=_seconds,
        nargs="?",
        const=slow.GRANT_SECONDS,
        metavar="SECONDS",
        help="grants take effect after SECONDS (%(const)g), new accounts are unknown at first, "
        "rates and ingress settings are enforced",
    )
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: they are 0 to {LAST_PORT}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def _image(text: str) -> tuple[str, list[str]]:
    name, _, command = text.partition("=")
    words = shlex.split(command)
    if not (name and words):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=COMMAND")
    return name, words


def _run(options: argparse.Namespace) -> int:
    # Whatever is made here holds keys, secrets or data of its owner.
    os.umask(0o077)
    # Nothing is lost at the start: what is kept survives a kill, and samples are made anew.
    _on_signals(lambda *_: os._exit(0))
    if options.until_eof:
        threading.Thread(target=_end_at_end_of_input, daemon=True).start()
    cloud = LocalCloud(
        options.data,
        port=options.port,
        grpc_port=options.grpc_port,
        hub_port=options.hub_port,
        projects=options.project or PROJECTS,
        offline=options.offline,
        images=dict(options.image),
    )
    seconds = options.as_slow_as_google
    cloud.faults.update(**(slow.AT_ONCE if seconds is None else slow.as_slow_as_google(seconds)))
    try:
        cloud.start()
        ended = threading.Event()
        _on_signals(lambda *_: ended.set())
        print(f"# The local cloud at {cloud.url}")
        for key, value in cloud.environment().items():
            print(f"export {key}={shlex.quote(value)}")
        print("ready", flush=True)
        ended.wait()
    finally:
        late = threading.Timer(_LONGEST_STOP, os._exit, (1,))
        late.daemon = True
        late.start()
        cloud.stop()
        late.cancel()
    return 0


def _on_signals(handler: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _end_at_end_of_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
