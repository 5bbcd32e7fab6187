"""``llm-widgets costs``, ``pause`` and ``resume``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from llm_widgets.cli import output
from llm_widgets.cli.groups import common, in_background, in_region, manager, of_service
from llm_widgets.domain import leases

if TYPE_CHECKING:
    from datetime import timedelta

    from llm_widgets.errors import ManagerError


@click.command()
@common
def costs(project: str, how: str) -> None:
    """Tell what services have cost since the first of the month.

    List prices times the time that instances were billed for. What is not known is "unknown".
    """
    output.show(manager(project).costs(), how)


@click.command()
@of_service
@click.option(
    "--at", default="", metavar="TIME", help="Pause it automatically, at 18:00 or a date."
)
@click.option(
    "--in", "after", default="", metavar="TIME", help="Pause it automatically, in 4h or 90m."
)
@click.option("--off", is_flag=True, help="Don't pause it automatically any more.")
@in_background
@in_region
@common
def pause(
    service: str,
    at: str,
    after: str,
    off: bool,
    in_background: bool,
    region: str,
    project: str,
    how: str,
) -> None:
    """Pause a service: it runs no instances, and its callers are refused, until it is resumed.

    With --at or --in, Cloud Scheduler does it then. Times are of this machine's time zone.
    """
    if sum(map(bool, (at, after, off))) > 1:
        raise click.UsageError("Give one of --at, --in and --off.")
    when = _when(at, after)
    found = manager(project)
    named = found.service(service, region=region).name
    if when or off:
        output.show(found.lease(named, when, untold=_tell_untold), how)
        return
    output.show(found.pause(named, wait=not in_background), how)


@click.command()
@of_service
@in_background
@in_region
@common
def resume(service: str, in_background: bool, region: str, project: str, how: str) -> None:
    """Resume a paused service: it scales by itself again, as it did before."""
    found = manager(project)
    named = found.service(service, region=region).name
    output.show(found.resume(named, wait=not in_background), how)


def _when(at: str, after: str) -> datetime | timedelta | None:
    try:
        if at:
            return leases.moment(at, datetime.now().astimezone())
        return leases.after(after) if after else None
    except (ValueError, OverflowError) as error:
        raise click.UsageError(str(error)) from error


def _tell_untold(error: ManagerError) -> None:
    """Say that nothing pauses a service by itself, and why."""
    output.tell("The time is kept with the service, but nothing pauses it automatically.")
    output.tell_error(error)
