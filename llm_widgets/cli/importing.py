"""``llm-widgets import`` and ``estimate``."""

from __future__ import annotations

import sys

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.groups import common, in_background, manager, of_bucket, quiet
from llm_widgets.domain.gpus import GPUS

_TOKENS = ("HF_TOKEN", "hf auth login", "-")

with_token = click.option(
    "--token",
    type=click.Choice(_TOKENS),
    help="Where the hub's token is: that variable, that sign-in, or - to enter it. It is never "
    "an argument, which other users of the machine could read.",
)
of_revision = click.option("--revision", default="", metavar="REVISION", help="Default: newest.")


def read_token(named: str | None) -> str:
    """Return a token as Python takes it; one that is entered is not shown."""
    if named != "-":
        return named or ""
    if sys.stdin.isatty():
        return str(click.prompt("Token", hide_input=True, err=True))
    return sys.stdin.readline().strip()


@click.command("import")
@click.argument("hub")
@click.argument("model")
@of_bucket
@of_revision
@with_token
@click.option("--file", "files", multiple=True, metavar="PATH", help="Copy only these files.")
@click.option(
    "--create-in",
    default="",
    metavar="REGION",
    help="Create the bucket if missing.",
    shell_complete=completing.regions,
)
@click.option("--adopt", is_flag=True, help="Make a bucket without models a model bucket.")
@click.option("--exist-ok", is_flag=True, help="Don't compare a model that is there already.")
@click.option("--dry-run", is_flag=True, help="Check everything and import nothing.")
@in_background
@quiet
@common
def import_model(
    hub: str,
    model: str,
    bucket: str,
    revision: str,
    token: str | None,
    files: tuple[str, ...],
    create_in: str,
    adopt: bool,
    exist_ok: bool,
    dry_run: bool,
    in_background: bool,
    quiet: bool,
    project: str,
    how: str,
) -> None:
    """Import MODEL from HUB (huggingface or ollama) into a bucket.

    The same command again joins an import that runs, and continues one that was interrupted.
    """
    choices = {
        "revision": revision,
        "files": files or None,
        "create_in": create_in,
        "adopt": adopt,
        "token": read_token(token),
    }
    found = manager(project)
    if dry_run:
        checked = found.check_import(bucket, hub, model, **choices)  # type: ignore[arg-type] # each has its type
        output.tell("\n".join(checked.warnings))
        output.print_json(
            {
                "model": checked.model.id,
                "revision": checked.model.revision,
                "size": checked.model.size,
                "present": checked.present,
                "seconds": round(checked.seconds, 1),
                "files": [file.path for file in checked.model.chosen],
            }
        )
        return
    record = found.import_model(
        bucket,
        hub,
        model,
        progress=not quiet,
        wait=not in_background,
        exist_ok=exist_ok,
        **choices,  # type: ignore[arg-type] # each has its type
    )
    output.show(record, how)


@click.command()
@click.argument("hub")
@click.argument("model")
@of_revision
@with_token
@click.option("--gpu-type", type=click.Choice([gpu.accelerator for gpu in GPUS]), help="One GPU.")
@click.option("--context", type=int, metavar="TOKENS", help="Tokens of a request.")
@common
def estimate(
    hub: str,
    model: str,
    revision: str,
    token: str | None,
    gpu_type: str | None,
    context: int | None,
    project: str,  # noqa: ARG001 - the flag is common
    how: str,
) -> None:
    """Tell whether MODEL of HUB fits into each GPU, and what it costs an hour.

    It takes no account of Google Cloud.
    """
    from llm_widgets.manager.estimating import estimate as fits  # noqa: PLC0415 - loads engines

    found = fits(
        hub,
        model,
        revision=revision,
        token=read_token(token),
        accelerator=gpu_type or "",
        context_length=context,
    )
    output.show(found, how)
    for reason in dict.fromkeys(each.memory.reason for each in found if each.memory):
        if reason:
            output.tell(reason)
    for advice in dict.fromkeys(each.network for each in found if each.network):
        output.tell(advice)
