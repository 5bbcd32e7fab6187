"""What differs between two deployments, as it is shown before it is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.page.services.deploy_values import values_of

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs: the lines that go, and those that come."""

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


def differences(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    """List the fields that differ, as a form holds them; of rows only those that differ.

    Where only the order of rows differs, all of them are listed.
    """
    old, new = values_of(before), values_of(after)
    return tuple(
        _change(field, _lines(old[field]), _lines(new[field]))
        for field in old
        if old[field] != new[field]
    )


def _change(field: str, was: tuple[str, ...], becomes: tuple[str, ...]) -> Change:
    if sorted(was) == sorted(becomes):
        return Change(field, was, becomes)
    gone, come = list(was), list(becomes)
    for line in was:
        if line in come:
            gone.remove(line)
            come.remove(line)
    return Change(field, tuple(gone), tuple(come))


def _lines(value: Any) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple("=".join(each) if isinstance(each, list) else each for each in value)
    if isinstance(value, bool):
        return ("on" if value else "off",)
    return (str(value),) if value != "" else ()
