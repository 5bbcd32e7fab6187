"""``llm-widgets deploy-manager``: the page for colleagues, on Cloud Run."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.groups import common, confirm, quiet
from llm_widgets.domain import members

if TYPE_CHECKING:
    from llm_widgets.manager.hosting.plan import Page

SECRET_VARIABLE = "LLM_WIDGETS_CLIENT_SECRET"  # noqa: S105 - the name of a variable
_WRITTEN = ("gcloud", "terraform")


@click.command("deploy-manager")
@click.option(
    "--region",
    metavar="REGION",
    default="",
    help="Default: LLM_WIDGETS_REGION.",
    shell_complete=completing.regions,
)
@click.option("--service", "name", metavar="NAME", default="llm-manager", show_default=True)
@click.option("--image", metavar="IMAGE", default="", help="Default: built of this installation.")
@click.option(
    "--visitor",
    "visitors",
    multiple=True,
    metavar="MEMBER",
    help="Who can open the page: user:…, group:…, domain:…. Default: you.",
)
@click.option(
    "--visitors-at-once",
    "at_once",
    type=int,
    default=10,
    show_default=True,
    help="Sets the memory.",
)
@click.option(
    "--min-instances",
    type=click.IntRange(0, 1),
    default=0,
    show_default=True,
    help="1 keeps the page running, and costs while nobody visits.",
)
@click.option("--client-id", default="", metavar="ID", help="OAuth client of your own.")
@click.option(
    "--client-secret",
    "secret_file",
    type=click.File("r"),
    metavar="FILE",
    help=f"File with its secret, or - for standard input. Default: {SECRET_VARIABLE}.",
)
@click.option(
    "--print",
    "written",
    type=click.Choice(_WRITTEN),
    help="Print every step in place of taking it. Needs no account.",
)
@click.option("--delete", is_flag=True, help="Delete all that this command created.")
@quiet
@common
def deploy_manager(
    region: str,
    name: str,
    image: str,
    visitors: tuple[str, ...],
    at_once: int,
    min_instances: int,
    client_id: str,
    secret_file: IO[str] | None,
    written: str | None,
    delete: bool,
    quiet: bool,
    project: str,
    how: str,
) -> None:
    """Deploy the page for colleagues: a service on Cloud Run behind Identity-Aware Proxy.

    The same command again changes only what is different. It ends by asking for the page without
    credentials, to see that strangers are sent to sign in.
    """
    from llm_widgets.config import settings  # noqa: PLC0415 - what help does not need
    from llm_widgets.gcp.client.clients import Clients  # noqa: PLC0415 - the same
    from llm_widgets.gcp.iap import OAuthClient  # noqa: PLC0415 - the same
    from llm_widgets.manager import projects  # noqa: PLC0415 - the same
    from llm_widgets.manager.hosting import deploy, plan  # noqa: PLC0415 - the same
    from llm_widgets.manager.hosting import written as texts  # noqa: PLC0415 - the same

    if written and delete:
        raise click.UsageError("Name one of --print and --delete.")
    client = None
    if client_id or secret_file:
        client = OAuthClient(client_id, _secret(client_id, secret_file))
    chosen = settings()
    let_in = tuple(members.parsed(each) for each in visitors)

    asked = projects.named(chosen, project)

    def page(let_in: tuple[str, ...]) -> Page:
        where = region or chosen.region
        return plan.Page(asked, where, name, image, let_in, at_once, min_instances, client)

    wanted = page(let_in)
    if written:
        click.echo(getattr(texts, written)(wanted), nl=False)
        return
    clients = Clients(chosen)
    tell = _silent if quiet else output.tell
    if delete:
        confirm(
            f"Delete the service {name} in {wanted.region}, its accounts, roles and images?",
            quiet=quiet,
        )
        for note in deploy.delete_manager(clients, wanted, tell=tell):
            output.tell(note)
        return
    wanted = page(let_in or deploy.own_visitor(clients))
    output.show(deploy.deploy_manager(clients, wanted, tell=tell), how)


def _silent(_: str) -> None:
    """Say nothing."""


def _secret(client_id: str, file: IO[str] | None) -> str:
    """Read the secret of an OAuth client: other users of the machine can't see it there."""
    secret = file.read() if file else os.environ.get(SECRET_VARIABLE, "")
    if not (client_id and secret.strip()):
        raise click.UsageError(
            f"Name --client-id, and its secret by --client-secret FILE or {SECRET_VARIABLE}."
        )
    return secret.strip()
