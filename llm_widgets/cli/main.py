"""The command line: the manager, the local cloud, and the worker that an import job runs."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.cli import local_cloud
from llm_widgets.config import settings
from llm_widgets.domain.networks import LARGEST_PORT
from llm_widgets.errors import ManagerError

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = Path(".local-cloud")
_FOR_EVERYBODY = "let in whoever reaches the page, other users of this machine too"
_PACKAGE = Path(__file__).parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        The words after the program's name; those of the process when left out.

    Returns
    -------
    int
        0 when it did what was asked; 1 after a failure, told in a sentence on standard error;
        2 for words that make no command.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if rest and options.run is not _local:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        code: int = options.run(options)
    except ManagerError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="llm-widgets", description="Open LLMs on Google Cloud Run: import, deploy, use."
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    run = commands.add_parser("run", help="the page on the embedded local cloud (make run)")
    run.add_argument(
        "--data", type=Path, default=DATA, help="folder of everything that the local cloud keeps"
    )
    run.add_argument("--host", default="127.0.0.1", help="address of the page")
    run.add_argument("--port", type=_port, default=8866, help="port of the page; 0: a free one")
    run.add_argument(
        "--offline", action="store_true", help="never ask the real hubs for other models"
    )
    run.add_argument("--no-token", action="store_true", help=_FOR_EVERYBODY)
    run.set_defaults(run=_run)

    serve = commands.add_parser("serve", help="the page on Google Cloud, by your credentials")
    serve.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    serve.add_argument("--port", type=_port, default=None, help="else $PORT, else 8866")
    serve.add_argument("--no-token", action="store_true", help=_FOR_EVERYBODY)
    serve.set_defaults(run=_serve)

    local = commands.add_parser(
        "local",
        help="the embedded local cloud alone",
        epilog="All other options are those of the program that is run: `local-cloud --help`.",
        allow_abbrev=False,
    )
    local.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    local.set_defaults(run=_local)

    doctor = commands.add_parser("doctor", help="check what a project needs, and say what to do")
    doctor.add_argument("--project", default="", help="id of the project; else the default one")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)

    worker = commands.add_parser("import-worker", help="carry one import out (used by the job)")
    worker.add_argument("--bucket", required=True)
    worker.add_argument("--import", dest="import_id", required=True)
    worker.add_argument("--project", default="", help="where the token of the hub is kept")
    worker.set_defaults(run=_import_worker)
    return parser


def _notebook() -> Path:
    """Return the notebook that is the page: in a wheel, or at the top of the repository."""
    packaged = _PACKAGE / "notebooks" / "app.ipynb"
    return packaged if packaged.exists() else _PACKAGE.parent / "notebooks" / "app.ipynb"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= LARGEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: they are 0 to {LARGEST_PORT}")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    from llm_widgets.cli import quickstart  # noqa: PLC0415 - starts a web server

    return quickstart.run(
        data=options.data,
        notebook=_notebook(),
        host=options.host,
        port=options.port,
        offline=options.offline,
        token="" if options.no_token else None,
    )


def _serve(options: argparse.Namespace) -> int:
    from llm_widgets import hubs  # noqa: PLC0415 - what only this command needs
    from llm_widgets.server import launch  # noqa: PLC0415 - starts a web server

    hubs.check_endpoints(settings())
    launch(
        _notebook(),
        host=options.host,
        port=options.port,
        token="" if options.no_token else None,
        most_kernels=settings().most_kernels,
        iap_audience=settings().iap_audience,
        without_iap=settings().without_iap,
        on_ready=lambda url: print(f"The page is at {url}", flush=True),
    )
    return 0


def _local(options: argparse.Namespace) -> int:
    return local_cloud.run_alone(options.rest, until_eof=options.until_eof)


def _doctor(options: argparse.Namespace) -> int:
    from llm_widgets.cli.doctor import doctor  # noqa: PLC0415 - imports Google's packages

    return doctor(options.project, as_json=options.json)


def _import_worker(options: argparse.Namespace) -> int:
    from llm_widgets.imports.worker import worker_main  # noqa: PLC0415 - imports Google's packages

    return worker_main(options.bucket, options.import_id, project=options.project)
