"""Serves the Ollama API; the environment says where, and from which folder."""

from __future__ import annotations

import os
import signal
import sys
import threading

from local_cloud.errors import LocalCloudError
from local_cloud.runner.ollama_api.app import VERSION, App
from local_cloud.runner.ollama_api.library import Library, LibraryError
from local_cloud.runner.ollama_api.settings import Settings
from local_cloud.web import WebServer

_THREADS = 64  # requests at a time, waiting ones included


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        settings = Settings.read(os.environ)
        library = Library(settings.models)
        app = App(settings, library)
        server = WebServer([app.handle], settings.host, settings.port, threads=_THREADS)
        address = f"{settings.host}:{server.port}"  # the port is bound, but nothing answers yet
        library.open(prune=settings.prune)
    except (LocalCloudError, LibraryError, ValueError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the log of this process
        return 1
    server.start()
    print(f"Listening on {address} (version {VERSION})", flush=True)  # noqa: T201 - the same
    ending.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    # Without the interpreter's own end: threads of llama.cpp may be at work still.
    code = main()
    sys.stdout.flush()
    os._exit(code)
