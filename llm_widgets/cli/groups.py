"""Commands and their groups: what is loaded when, and the flags that all share."""

from __future__ import annotations

import difflib
import importlib
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_widgets.cli import completing
from llm_widgets.cli.output import Format, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from llm_widgets.manager import Manager

F = TypeVar("F", bound="Callable[..., Any]")


class LazyGroup(click.Group):
    """A group whose commands are loaded when they are run, and not for its help.

    Parameters
    ----------
    lazily
        Name of a command to its ``module:function`` and its line in the help; a line that is
        empty hides it.
    """

    def __init__(self, *args: Any, lazily: Mapping[str, tuple[str, str]], **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._lazily = lazily

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        """Return the names, in the order of the help."""
        return list(self._lazily)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """Load a command."""
        place, _ = self._lazily.get(cmd_name, ("", ""))
        if not place:
            return None
        module, _, name = place.partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named; a mistyped one is told with the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            shown = [name for name, (_, line) in self._lazily.items() if line]
            near = difflib.get_close_matches(args[0], shown, n=1)
            if not near:
                raise
            told = f"{error.format_message()} Did you mean {near[0]}?"
            raise click.UsageError(told, ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write the commands without loading them."""
        rows = [(name, line) for name, (_, line) in self._lazily.items() if line]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class ListingGroup(click.Group):
    """A group that lists where no command of it is named: ``services`` is ``services list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``list`` before options that are no options of the group."""
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "-h")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def common(command: F) -> F:
    """Add ``--project`` and ``--format``."""
    for option in (
        click.option(
            "--format", "how", type=Format(), default="table", help="How results are printed."
        ),
        click.option(
            "--project",
            metavar="ID",
            default="",
            help="Project. Default: LLM_WIDGETS_PROJECT, then GOOGLE_CLOUD_PROJECT.",
            shell_complete=completing.projects,
        ),
    ):
        command = option(command)
    return command


in_region = click.option(
    "--region",
    metavar="REGION",
    default="",
    help="Region of the service. Default: any.",
    shell_complete=completing.regions,
)
of_service = click.argument("service", shell_complete=completing.services)
of_bucket = click.option(
    "--bucket",
    metavar="NAME",
    required=True,
    help="Bucket of models.",
    shell_complete=completing.buckets,
)
quiet = click.option("--quiet", "-q", is_flag=True, help="Ask nothing and show no progress.")
in_background = click.option(
    "--async", "in_background", is_flag=True, help="Return at once, without waiting."
)


def manager(project: str) -> Manager:
    """Open a project; see :class:`.Manager`."""
    from llm_widgets.manager import Manager  # noqa: PLC0415 - loads what help does not need

    return Manager(project)


def confirm(question: str, *, quiet: bool) -> None:
    """Ask a person before something is removed or changed.

    Raises
    ------
    click.Abort
        The answer is no, or there is none.
    """
    if not quiet:
        with _answered():
            click.confirm(question, abort=True, err=True)


def confirm_by_name(name: str, *, quiet: bool) -> None:
    """Have a person type the name of what is deleted for good.

    Raises
    ------
    click.Abort
        Another text was typed, or none.
    """
    if not quiet:
        asked = f"Type {name} to delete it"
        with _answered():
            typed = click.prompt(asked, default="", show_default=False, err=True)
            if typed.strip() != name:
                raise click.Abort


@contextmanager
def _answered() -> Iterator[None]:
    """Say how a script goes on, where nobody on a terminal has refused."""
    try:
        yield
    except click.Abort:
        if not sys.stdin.isatty():
            tell("\nNot confirmed. --quiet does it without asking.")
        raise
