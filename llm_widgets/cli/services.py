"""``llm-widgets deploy``, ``services``, ``logs``, ``edit`` and ``delete``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.deploy_flags import Pairs, fields, of_deployment
from llm_widgets.cli.groups import (
    ListingGroup,
    common,
    confirm,
    in_background,
    in_region,
    manager,
    of_bucket,
    of_service,
    quiet,
)
from llm_widgets.cli.load_tests import measure
from llm_widgets.domain.deploy_options import MEANINGS
from llm_widgets.domain.start_styles import IDS

if TYPE_CHECKING:
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.manager import Manager

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SEVERITIES = ("DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL")

dry = click.option(
    "--dry-run", is_flag=True, help="Show what would be changed, and change nothing."
)
fit_anyway = click.option("--fit-anyway", is_flag=True, help="Deploy despite the memory estimate.")


class Duration(click.ParamType[timedelta]):
    """How far back: ``30m``, ``2h``, ``1d``."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read a duration."""
        found = re.fullmatch(r"(\d{1,6})([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is not a duration such as 30m, 2h or 1d.", param, ctx)
        return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


@click.command()
@click.argument("model", shell_complete=completing.models)
@of_bucket
@click.option("--name", metavar="NAME", help="Name of the service. Default: from the model.")
@click.option(
    "--region",
    metavar="REGION",
    help="Default: the region of the bucket.",
    shell_complete=completing.regions,
)
@click.option("--revision", default="", metavar="REVISION", help="Of the model. Default: newest.")
@click.option("--engine", "framework", metavar="ENGINE", help=MEANINGS["framework"])
@click.option("--allow", "callers", multiple=True, metavar="MEMBER", help="Who can call it too.")
@click.option("--no-grant", is_flag=True, help="Don't let the service account read the bucket.")
@fit_anyway
@click.option("--trust-remote-code", is_flag=True, help="Run code that the model brings.")
@click.option("--start", type=click.Choice(IDS), help="What a start of vLLM is tuned for.")
@click.option(
    "--stream-weights/--mount-weights",
    default=None,
    help="Read weights from gs:// or through the mount. Default: what is known to be faster.",
)
@click.option("--exist-ok", is_flag=True, help="Change a service of that name and model.")
@in_background
@quiet
@of_deployment
@common
def deploy(
    model: str,
    bucket: str,
    revision: str,
    callers: tuple[str, ...],
    no_grant: bool,
    fit_anyway: bool,
    trust_remote_code: bool,
    start: str | None,
    stream_weights: bool | None,
    exist_ok: bool,
    in_background: bool,
    quiet: bool,
    project: str,
    how: str,
    **given: Any,
) -> None:
    """Deploy MODEL of a bucket as a service, and wait until it is ready."""
    wanted = fields(given)
    found = manager(project)
    ready = found.deploy(
        bucket,
        model,
        revision=revision,
        callers=callers,
        grant_access=not no_grant,
        fit_anyway=fit_anyway,
        trust_remote_code=trust_remote_code or None,
        start=start or "",
        stream_weights=stream_weights,
        exist_ok=exist_ok,
        progress=not quiet,
        wait=not in_background,
        **wanted,
    )
    output.show(ready, how)


@click.group(cls=ListingGroup)
def services() -> None:
    """Services that serve models."""


services.add_command(measure)


@services.command("list")
@click.option("--all", "others", is_flag=True, help="Also those that others deployed.")
@common
def list_services(others: bool, project: str, how: str) -> None:
    """List the services that this product has deployed or adopted, in all regions."""
    found = manager(project).services(others=others)
    output.show(found, how)
    for region, error in found.unreachable:
        output.tell(f"No answer from {region}: {error.message}")


@services.command()
@of_service
@in_region
@common
def describe(service: str, region: str, project: str, how: str) -> None:
    """Show a service."""
    output.show(manager(project).service(service, region=region), how)


@services.command()
@of_service
@click.option("--engine", default="", metavar="ENGINE", help="Default: the one recognised.")
@dry
@in_region
@quiet
@common
def adopt(
    service: str, engine: str, dry_run: bool, region: str, quiet: bool, project: str, how: str
) -> None:
    """Adopt a service that others deployed: its labels change, and nothing else."""
    found, named = _opened(project, service, region)
    planned = found.adopt(named, engine=engine, dry_run=True)
    if not dry_run:
        if not quiet:
            output.tell(str(planned))
            confirm(f"Adopt {service} with these labels?", quiet=quiet)
        planned = found.adopt(named, engine=engine)
    output.show(planned, how)


@services.command()
@of_service
@in_region
@common
def release(service: str, region: str, project: str, how: str) -> None:
    """Undo the adoption of a service: its labels are what they were before."""
    found, named = _opened(project, service, region)
    output.show(found.release(named), how)


@services.command()
@of_service
@in_region
@common
def diagnose(service: str, region: str, project: str, how: str) -> None:
    """Tell why a service failed, and what to do."""
    found, named = _opened(project, service, region)
    why = found.diagnose(named)
    if why:
        output.show(why, how)
    elif how == "json":
        output.print_json(None)
    else:
        output.tell(f"{service} has not failed.")


@services.command()
@of_service
@in_region
@common
def revisions(service: str, region: str, project: str, how: str) -> None:
    """List the revisions of a service, with their traffic."""
    found, named = _opened(project, service, region)
    output.show(found.revisions(named), how)


@services.command("start-phases")
@of_service
@in_region
@common
def start_phases(service: str, region: str, project: str, how: str) -> None:
    """Show how long the newest revision took to start, by phase."""
    found, named = _opened(project, service, region)
    started = found.start_phases(named)
    if started is None and how == "json":
        output.print_json(None)
    elif started is None:
        output.tell(f"The log of {service} lacks the lines of its start.")
    else:
        output.show(started if how == "json" else started.phases, how)
        output.tell(started.text)
        if started.argument:
            output.tell(f"The same configuration starts sooner with {started.argument}.")
        if started.advice:
            output.tell(f"{started.advice.text} {started.advice.change}\n{started.advice.command}")


@services.command("update-traffic")
@of_service
@click.option("--to-latest", is_flag=True, help="Send all traffic to the latest revision.")
@click.option("--to-revisions", type=Pairs(), help="REVISION=PERCENT,…, 100 in total.")
@in_region
@common
def update_traffic(
    service: str,
    to_latest: bool,
    to_revisions: dict[str, str] | None,
    region: str,
    project: str,
    how: str,
) -> None:
    """Split the traffic of a service among its revisions."""
    if to_latest == bool(to_revisions):
        raise click.UsageError("Name one of --to-latest and --to-revisions.")
    told = to_revisions or {"latest": "100"}
    if not all(share.isdigit() for share in told.values()):
        raise click.UsageError("A share is a whole number of per cent.")
    found, named = _opened(project, service, region)
    shares = {name: int(share) for name, share in told.items()}
    output.show(found.set_traffic(named, shares), how)


@services.command()
@of_service
@click.option("--minutes", type=int, default=60, show_default=True, help="How far back.")
@in_region
@common
def metrics(service: str, minutes: int, region: str, project: str, how: str) -> None:
    """Show what Cloud Monitoring has measured of a service."""
    found, named = _opened(project, service, region)
    output.show(found.metrics(named, minutes=minutes), how)


@services.command()
@of_service
@click.argument("member")
@click.option("--public", is_flag=True, help="Allow allUsers and allAuthenticatedUsers.")
@in_region
@common
def allow(service: str, member: str, public: bool, region: str, project: str, how: str) -> None:  # noqa: ARG001 - click calls it so
    """Let MEMBER (user:…, group:…, serviceAccount:…, domain:…) call a service."""
    found, named = _opened(project, service, region)
    found.let_in(named, member, everybody=public)
    output.tell(f"{member} can call {service}.")


@click.command()
@of_service
@click.option("--follow", "-f", is_flag=True, help="Keep running and print new entries.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--severity", type=click.Choice(_SEVERITIES), help="The lowest one.")
@click.option("--search", "text", default="", metavar="TEXT", help="Is part of the entry.")
@click.option("--since", type=Duration(), help="How far back: 30m, 2h, 1d.")
@in_region
@common
def logs(
    service: str,
    follow: bool,
    limit: int,
    severity: str | None,
    text: str,
    since: timedelta | None,
    region: str,
    project: str,
    how: str,
) -> None:
    """Print the log of a service, the oldest entry first."""
    found, named = _opened(project, service, region)
    least = severity or ""
    if not follow and how != "table":
        output.show(found.logs(named, limit=limit, severity=least, text=text, since=since), how)
        return
    entries = (
        found.follow_logs(named, severity=least, text=text, limit=limit)
        if follow
        else found.logs(named, limit=limit, severity=least, text=text, since=since)
    )
    for entry in entries:  # whole lines: a table would cut them
        moment = entry.time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if entry.time else ""
        click.echo(f"{moment} {entry.severity:8} {output.terminal(entry.text)}")


@click.command()
@of_service
@dry
@fit_anyway
@in_background
@quiet
@of_deployment
@in_region
@common
def edit(
    service: str,
    dry_run: bool,
    fit_anyway: bool,
    in_background: bool,
    quiet: bool,
    region: str,
    project: str,
    how: str,
    **given: Any,
) -> None:
    """Change a service: show what changes, ask, and deploy a new revision."""
    wanted = fields(given)
    found, named = _opened(project, service, region)
    changes = found.diff(named, **wanted)
    if dry_run:
        output.show(changes, how)
        return
    if changes and not quiet:
        output.tell(str(changes))
        confirm(f"Deploy {service} with these changes?", quiet=quiet)
    done = found.change(
        named, fit_anyway=fit_anyway, progress=not quiet, wait=not in_background, **wanted
    )
    output.show(done, how)


@click.command()
@click.argument(
    "names",
    metavar="SERVICE...",
    nargs=-1,
    required=True,
    shell_complete=completing.services,
)
@click.option("--with-model", is_flag=True, help="Delete their models from the buckets too.")
@in_region
@quiet
@common
def delete(
    names: tuple[str, ...],
    with_model: bool,
    region: str,
    quiet: bool,
    project: str,
    how: str,  # noqa: ARG001 - the flag is common
) -> None:
    """Delete services; their models stay in the buckets unless you say otherwise."""
    found = manager(project)
    named = [found.service(each, region=region) for each in names]
    its = " and its model" if with_model else ""
    too = its if len(named) == 1 else its.replace("its model", "their models")
    confirm(f"Delete {', '.join(each.name for each in named)}{too}?", quiet=quiet)

    def tell(service: ServiceSummary, error: ManagerError | None) -> None:
        told = f"Failed to delete {service.id}" if error else f"Deleted {service.id}"
        output.tell(f"{told}{its}.")

    found.delete(*named, with_model=with_model, ended=tell)


def _opened(project: str, service: str, region: str) -> tuple[Manager, str]:
    """Open a project, and return the resource name of a service in it."""
    found = manager(project)
    return found, found.service(service, region=region).name
