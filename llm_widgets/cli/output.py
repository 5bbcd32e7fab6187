"""What commands print: results on standard output, in the format that was asked for."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from llm_widgets.domain.tables import Listing, Shown, plain

if TYPE_CHECKING:
    from llm_widgets.errors import Fix, ManagerError

_VALUE = re.compile(r"value\(([\w, ]+)\)")
_OVERWRITES = re.compile(r"\r(?!\n)")  # what follows would stand in place of what was there
_RAW_IN_JSON = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


COMPLETION = "_LLM_WIDGETS_COMPLETE"
"""Variable by which a shell asks for completions."""


@dataclass(slots=True)
class Chosen:
    """What was chosen for a whole command, also for how its failure is told."""

    how: str = "table"


class Format(click.ParamType[str]):
    """``table``, ``json``, ``value``, or ``value(KEY,…)`` as gcloud has it."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's
        """Return what help shows."""
        return "[table|json|value|value(KEY,…)]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a format."""
        text = str(value)
        if text not in ("table", "json", "value") and not _VALUE.fullmatch(text):
            self.fail(f"{text!r} is not table, json, value or value(KEY,…).", param, ctx)
        if ctx and isinstance(ctx.obj, Chosen):
            ctx.obj.how = text
        return text


def show(found: Shown | Listing[Any], how: str) -> None:
    """Print one thing, or a list of things."""
    keys = _VALUE.fullmatch(how)
    if how == "json":
        print_json(found.values() if isinstance(found, Listing) else found.shown())
    elif how == "value" or keys:
        listed = found if isinstance(found, Listing) else Listing([found])
        chosen = [key.strip() for key in keys[1].split(",")] if keys else list(listed.columns)
        for row in listed.values():
            click.echo("\t".join(_value(row.get(key)) for key in chosen or list(row)))
    elif isinstance(found, Listing) and not found:
        tell("Listed 0 items.")
    else:
        click.echo(terminal(str(found)))


def print_json(told: Any) -> None:
    """Print JSON on standard output; what steers a terminal is written as JSON's escapes."""
    text = json.dumps(told, indent=2, ensure_ascii=False, default=_plain)
    click.echo(_RAW_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def terminal(text: str) -> str:
    """Return a text of any origin as a terminal may be sent it: it steers nothing there."""
    shown = _OVERWRITES.sub(r"\\r", plain(text))
    return shown.encode("utf-8", "backslashreplace").decode()  # half a character is none


def tell(text: str) -> None:
    """Print a sentence for people, on standard error."""
    click.echo(terminal(text), err=True)


def tell_error(error: ManagerError) -> None:
    """Print message, cause and fix on standard error."""
    print(terminal(str(error)), file=sys.stderr)


def tell_interrupted(stopped: BaseException) -> None:
    """Say what keeps running, and how to come back to it."""
    from llm_widgets.manager.interrupting import StillRunningError  # noqa: PLC0415 - loads much

    if isinstance(stopped, StillRunningError):
        work = stopped.work
        tell(f"\nInterrupted. {work.message}\nTo continue: {work.command}")
    else:
        tell("\nInterrupted.")


def fix_as_json(fix: Fix | None) -> dict[str, str]:
    """Return a fix for programs; empty texts where nothing is known."""
    return {
        "text": fix.text if fix else "",
        "command": fix.command if fix else "",
        "url": fix.url if fix else "",
    }


def error_as_json(error: ManagerError) -> dict[str, Any]:
    """Return an error for programs."""
    return {"message": error.message, "cause": error.cause, "fix": fix_as_json(error.fix)}


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return terminal(" ".join(str(value).split()))
    return terminal(json.dumps(value, ensure_ascii=False, default=_plain).strip('"'))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)
