"""``llm-widgets projects``, ``buckets`` and ``models``."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.groups import (
    ListingGroup,
    common,
    confirm,
    confirm_by_name,
    manager,
    of_bucket,
    quiet,
)
from llm_widgets.cli.importing import read_token, with_token
from llm_widgets.domain.found_models import LIMIT, MOST, SORTS
from llm_widgets.domain.gpus import GPUS
from llm_widgets.domain.storage_use import FINDINGS
from llm_widgets.domain.tables import Listing

if TYPE_CHECKING:
    from collections.abc import Iterator

of_revision = click.option(
    "--revision", default="", metavar="REVISION", help="Default: the last import."
)


@click.group(cls=ListingGroup)
def projects() -> None:
    """Projects that you can see."""


@projects.command("list")
@click.option("--filter", "text", metavar="TEXT", default="", help="Beginning of ID or name.")
@common
def list_projects(text: str, project: str, how: str) -> None:  # noqa: ARG001 - the flag is common
    """List the projects that you can see."""
    from llm_widgets.config import settings  # noqa: PLC0415 - loads what help does not need
    from llm_widgets.gcp.client.clients import Clients  # noqa: PLC0415 - the same
    from llm_widgets.manager.projects import visible  # noqa: PLC0415 - the same

    output.show(visible(Clients(settings()), text), how)


@click.group(cls=ListingGroup)
def buckets() -> None:
    """Buckets of models."""


@buckets.command("list")
@common
def list_buckets(project: str, how: str) -> None:
    """List the buckets of the project that hold models."""
    output.show(manager(project).buckets(), how)


@buckets.command("create")
@click.argument("name")
@click.option(
    "--region",
    required=True,
    metavar="REGION",
    help="Best one that has GPUs.",
    shell_complete=completing.regions,
)
@click.option("--exist-ok", is_flag=True, help="Succeed if it exists already.")
@common
def create_bucket(name: str, region: str, exist_ok: bool, project: str, how: str) -> None:
    """Create a bucket for models."""
    output.show(manager(project).create_bucket(name, region, exist_ok=exist_ok), how)


@buckets.command("use")
@click.argument("name", required=False, default="", shell_complete=completing.buckets)
@common
def use(name: str, project: str, how: str) -> None:
    """Tell what buckets store, by kind; of one bucket also what may be superfluous.

    What can't be read is "unknown".
    """
    found = manager(project).storage_use(name)
    output.show(found[0] if name else found, how)
    if name and how == "table":
        listed = found[0].findings
        if listed:
            click.echo()
            output.show(Listing(listed, FINDINGS), how)


@buckets.command("tidy")
@click.argument("name", shell_complete=completing.buckets)
@common
def tidy(name: str, project: str, how: str) -> None:
    """List what nobody seems to need, with reasons and ages; deletes nothing."""
    output.show(manager(project).tidy(name), how)


@buckets.command("delete")
@click.argument("name", shell_complete=completing.buckets)
@click.option("--folder", default="", help="Delete only this folder, which no model owns.")
@quiet
@common
def delete_bucket(
    name: str,
    folder: str,
    quiet: bool,
    project: str,
    how: str,  # noqa: ARG001 - the flag is common
) -> None:
    """Delete an empty bucket, or a folder of a bucket that no model owns."""
    found = manager(project)
    confirm_by_name(folder or name, quiet=quiet)
    if folder:
        found.delete_folder(name, folder)
        output.tell(f"Deleted the folder {folder} from {name}.")
    else:
        found.delete_bucket(name)
        output.tell(f"Deleted the bucket {name}.")


@click.group(cls=ListingGroup)
def models() -> None:
    """Models in buckets, and those of the hubs."""


@models.command("list")
@of_bucket
@common
def list_models(bucket: str, project: str, how: str) -> None:
    """List the models of a bucket."""
    output.show(manager(project).models(bucket), how)


@models.command("find")
@click.argument("text", default="")
@click.option("--hub", default="", metavar="HUB", help="huggingface or ollama. Default: both.")
@click.option("--task", default="", metavar="TASK", help="In the hub's word: text-generation.")
@click.option(
    "--sort", type=click.Choice(SORTS), default=SORTS[0], show_default=True, help="Most first."
)
@click.option(
    "--limit", type=click.IntRange(1, MOST), default=LIMIT, show_default=True, help="Models."
)
@click.option("--no-fits", is_flag=True, help="Don't tell which GPUs each fits into: faster.")
@with_token
@common
def find_models(
    text: str,
    hub: str,
    task: str,
    sort: str,
    limit: int,
    no_fits: bool,
    token: str | None,
    project: str,  # noqa: ARG001 - the flag is common
    how: str,
) -> None:
    """Search the hubs for models whose ID contains TEXT, the most downloaded first.

    It takes no account of Google Cloud.
    """
    from llm_widgets.manager import model_search  # noqa: PLC0415 - loads engines

    with _told_warnings():
        found = model_search.find(
            text,
            source=hub,
            task=task,
            sort=sort,
            limit=limit,
            token=read_token(token),
            fits=not no_fits,
        )
    output.show(found, how)


@models.command("siblings")
@click.argument("hub")
@click.argument("model")
@click.option("--gpu-type", type=click.Choice([gpu.accelerator for gpu in GPUS]), help="One GPU.")
@with_token
@common
def siblings(
    hub: str,
    model: str,
    gpu_type: str | None,
    token: str | None,
    project: str,  # noqa: ARG001 - the flag is common
    how: str,
) -> None:
    """List quantized versions of MODEL of HUB that fit into a GPU.

    It takes no account of Google Cloud.
    """
    from llm_widgets.manager import model_search  # noqa: PLC0415 - loads engines

    with _told_warnings():
        found = model_search.siblings_that_fit(
            hub, model, accelerator=gpu_type or "", token=read_token(token)
        )
    output.show(found, how)


@models.command("delete")
@click.argument("model", shell_complete=completing.models)
@of_bucket
@of_revision
@click.option("--force", is_flag=True, help="Delete it even if services read it.")
@quiet
@common
def delete_model(
    model: str,
    bucket: str,
    revision: str,
    force: bool,
    quiet: bool,
    project: str,
    how: str,  # noqa: ARG001 - the flag is common
) -> None:
    """Delete the files of a model and its entry."""
    found = manager(project)
    confirm(f"Delete {model} from {bucket}?", quiet=quiet)
    found.delete_model(bucket, model, revision=revision, force=force)
    output.tell(f"Deleted {model} from {bucket}.")


@models.command("cancel")
@click.argument("model", shell_complete=completing.models)
@of_bucket
@of_revision
@common
def cancel(model: str, bucket: str, revision: str, project: str, how: str) -> None:  # noqa: ARG001 - the flag is common
    """Cancel the import of a model; what it has copied is deleted."""
    manager(project).cancel_import(bucket, model, revision=revision)
    output.tell(f"Cancelled the import of {model}.")


@models.command("resume")
@click.argument("model", shell_complete=completing.models)
@of_bucket
@of_revision
@quiet
@common
def resume(model: str, bucket: str, revision: str, quiet: bool, project: str, how: str) -> None:
    """Resume an import that failed, was cancelled or lost its worker."""
    done = manager(project).resume_import(bucket, model, revision=revision, progress=not quiet)
    output.show(done, how)


@contextmanager
def _told_warnings() -> Iterator[None]:
    """Tell what Python warns of as sentences."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for each in caught:
        output.tell(str(each.message))
