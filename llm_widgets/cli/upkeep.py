"""``llm-widgets doctor``, ``completion``, and the worker of imports."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from llm_widgets.cli import output
from llm_widgets.cli.groups import common

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For maintainers: record answers of Google Cloud, without details of the project; see "
    "docs/contributing/recording.md.",
)
@common
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, record: Path | None, project: str, how: str) -> int:
    """Check what a project lacks, and print the fix of each."""
    from llm_widgets.cli.doctor import doctor as check  # noqa: PLC0415 - imports Google's packages

    is_json = as_json or how == "json"
    ctx.obj.how = "table"  # it tells its failures as JSON itself
    return check(project, as_json=is_json, record=record)


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion for a shell.

    For bash, for example: llm-widgets completion bash >> ~/.bashrc
    """
    root = ctx.find_root()
    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(root.command, {}, "llm-widgets", output.COMPLETION).source())


@click.command("import-worker")
@click.option("--bucket", required=True)
@click.option("--import", "import_id", required=True)
@click.option("--project", default="", help="Project of the secret that holds the hub token.")
def import_worker(bucket: str, import_id: str, project: str) -> int:
    """Run one import; used by the import job."""
    from llm_widgets.imports.worker import worker_main  # noqa: PLC0415 - imports Google's packages

    return worker_main(bucket, import_id, project=project)
