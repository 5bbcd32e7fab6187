"""``llm-widgets costs``, ``pause`` and ``resume``."""

from __future__ import annotations

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.groups import common, in_background, in_region, manager


@click.command()
@common
def costs(project: str, how: str) -> None:
    """Tell what services have cost since the first of the month.

    List prices times the time that instances were billed for. What is not known is "unknown".
    """
    output.show(manager(project).costs(), how)


@click.command()
@click.argument("service", shell_complete=completing.services)
@in_background
@in_region
@common
def pause(service: str, in_background: bool, region: str, project: str, how: str) -> None:
    """Pause a service: it runs no instances, and its callers are refused, until it is resumed."""
    found = manager(project)
    named = found.service(service, region=region).name
    output.show(found.pause(named, wait=not in_background), how)


@click.command()
@click.argument("service", shell_complete=completing.services)
@in_background
@in_region
@common
def resume(service: str, in_background: bool, region: str, project: str, how: str) -> None:
    """Resume a paused service: it scales by itself again, as it did before."""
    found = manager(project)
    named = found.service(service, region=region).name
    output.show(found.resume(named, wait=not in_background), how)
