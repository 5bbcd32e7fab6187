"""``llm-widgets services measure``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from llm_widgets.cli import output
from llm_widgets.cli.groups import common, confirm, in_region, manager, of_service, quiet
from llm_widgets.domain.load_tests.plan import LEAST_SECONDS, MOST_SECONDS

if TYPE_CHECKING:
    from llm_widgets.manager import Manager


@click.command()
@of_service
@click.option(
    "--seconds",
    type=click.FloatRange(LEAST_SECONDS, MOST_SECONDS),
    default=MOST_SECONDS,
    show_default=True,
    help="Time for all of it, beside the start of an instance.",
)
@click.option("--last", is_flag=True, help="Show the last test, and send nothing.")
@click.option("--apply", is_flag=True, help="Change the service as the last test advises.")
@click.option("--restore", is_flag=True, help="Only undo what a test that was broken off has left.")
@in_region
@quiet
@common
def measure(
    service: str,
    seconds: float,
    last: bool,
    apply: bool,
    restore: bool,
    region: str,
    quiet: bool,
    project: str,
    how: str,
) -> None:
    """Load-test a service: how many requests at once it is good for, and what tokens cost.

    It says what that costs, and asks. Ctrl-C ends it; the service is left as it was.
    """
    if last + apply + restore > 1:
        raise click.UsageError("Name one of --last, --apply and --restore.")
    found = manager(project)
    named = found.service(service, region=region).name
    if restore:
        found.restore_limit(named)
        output.tell(f"{service} has its own limit of instances again.")
        return
    if apply:
        _apply(found, named, quiet=quiet, how=how)
        return
    if last:
        test = found.load_test(named)
        if test is None and how == "json":
            output.print_json(None)
        elif test is None:
            output.tell(f"{service} was never tested.")
        else:
            output.show(test, how)
            _offer(found, named)
        return
    output.tell(found.load_test_offer(named, seconds=seconds).text)
    confirm(f"Test {service}?", quiet=quiet)
    output.show(found.measure(named, seconds=seconds, progress=not quiet), how)
    _offer(found, named)


def _apply(found: Manager, name: str, *, quiet: bool, how: str) -> None:
    """Show what the last test advises, ask, and deploy it."""
    service, wanted = name.rsplit("/", 1)[-1], found.advised(name)
    if not wanted:
        output.tell(f"Nothing to change: {service} is as its last load test advises, or has none.")
        return
    if not quiet:
        output.tell(str(found.diff(name, **wanted)))
        confirm(f"Deploy {service} with these changes?", quiet=quiet)
    output.show(found.change(name, progress=not quiet, **wanted), how)


def _offer(found: Manager, name: str) -> None:
    """Say how to apply what a test advises, where it is something else than now."""
    _, _, _, region, _, service = name.split("/")
    if found.advised(name):
        output.tell(
            f"To apply it: llm-widgets services measure {service} --region {region} --apply"
        )
