"""Serves a notebook for the tests: ``python serve.py NOTEBOOK OPTIONS`` with options as JSON."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from llm_widgets.errors import ManagerError
from llm_widgets.server.launcher import launch


def main() -> int:
    """Serve until a signal comes."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    try:
        launch(
            Path(sys.argv[1]),
            on_ready=lambda url: sys.stdout.write(f"{url}\n") and sys.stdout.flush(),
            **json.loads(sys.argv[2]),
        )
    except ManagerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
