"""Names that a shell completes: asked for in the project, for a short time, and never an error.

Whoever presses Tab waits for it and wants no sentence: what can't be told soon is not offered.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
from typing import TYPE_CHECKING, TypeVar

from click.shell_completion import shell_complete

from llm_widgets.cli.output import COMPLETION
from llm_widgets.domain.regions import REGIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    import click

    from llm_widgets.manager import Manager

_T = TypeVar("_T")

LIMIT = 3.0
"""Seconds after which nothing more is waited for."""


def complete(root: click.Command, program: str, instruction: str) -> NoReturn:
    """Answer a shell, and end the process: what is still being asked must not hold the prompt.

    Parameters
    ----------
    instruction
        What the shell asks for, as click's scripts write it.
    """
    # Libraries warn on standard error, which would stand in the middle of what is typed.
    with contextlib.redirect_stderr(io.StringIO()):
        code = shell_complete(root, {}, program, COMPLETION, instruction)
    sys.stdout.flush()
    os._exit(code)


def services(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the services that begin so, without those that stand there already."""
    region, there = ctx.params.get("region"), ctx.params.get(param.name or "") or ()
    found = _asked(lambda: [(s.region, s.id) for s in _manager(ctx).services().services])
    return _beginning(
        incomplete,
        (name for place, name in found if region in (None, "", place) and name not in there),
    )


def buckets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the buckets of models that begin so."""
    del param
    return _beginning(incomplete, _asked(lambda: [each.name for each in _manager(ctx).buckets()]))


def models(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the models that begin so: those of the bucket, where it is named before."""
    del param
    bucket = ctx.params.get("bucket")

    def find() -> list[str]:
        found = _manager(ctx)
        named = [bucket] if bucket else [each.name for each in found.buckets()]
        return [each.id for name in named for each in found.models(name)]

    return _beginning(incomplete, _asked(find))


def projects(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the projects whose ID begins so."""
    del ctx, param

    def find() -> list[str]:
        from llm_widgets.config import settings  # noqa: PLC0415 - loads what help does not need
        from llm_widgets.gcp.client.clients import Clients  # noqa: PLC0415 - the same
        from llm_widgets.manager.projects import visible  # noqa: PLC0415 - the same

        return [each.id for each in visible(Clients(settings()), incomplete)]

    return _beginning(incomplete, _asked(find))


def regions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the regions that begin so; nothing is asked for them."""
    del ctx, param
    return _beginning(incomplete, REGIONS)


def _manager(ctx: click.Context) -> Manager:
    from llm_widgets.manager import Manager  # noqa: PLC0415 - loads what help does not need

    return Manager(ctx.params.get("project") or "")


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    """Return the names that begin so, each once: a shell reads one line for each."""
    return sorted({each for each in names if each.startswith(incomplete) and each.isprintable()})


def _asked(work: Callable[[], list[_T]]) -> list[_T]:
    """Return what the work finds; nothing where it fails or takes too long."""
    found: list[_T] = []

    def ask() -> None:
        with contextlib.suppress(Exception):  # whatever it is: an error is no name
            found.extend(work())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(LIMIT)
    return list(found)
