"""A deployment as the fields of a form hold it, back again, and what differs between two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.manager.deploy import with_changes
from llm_widgets.page.services.access_entries import ACCESS, NETWORK
from llm_widgets.page.services.container_entries import COMMAND, CONTAINER, PROBE, STORAGE
from llm_widgets.page.services.hardware_entries import HARDWARE, PLACE, SCALING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.services.form_entry import Values

CARDS = (PLACE, HARDWARE, SCALING, CONTAINER, COMMAND, PROBE, STORAGE, ACCESS, NETWORK)
"""All that the form asks, in its order."""

_ENTRIES = tuple(entry for card in CARDS for entry in card.entries if entry.is_of_deployment)


def values_of(deployment: Deployment) -> Values:
    """Write a deployment as the values of a form."""
    return {entry.key: entry.value_of(deployment) for entry in _ENTRIES}


def deployment_from(base: Deployment, values: Mapping[str, Any]) -> Deployment:
    """Read a deployment from the values of a form.

    Parameters
    ----------
    base
        What the form held before: fields that it does not have are taken from here. What the
        engine is told of mount path, port and concurrency follows them, unless the person has
        changed that.

    Raises
    ------
    InvalidInputError
        A value has no such form at all; whether it can be used is another question, see
        :func:`llm_widgets.serving.checks.problems`.
    """
    given = {**values_of(base), **values}
    found = {entry.place: entry.read_from(given) for entry in _ENTRIES if entry.is_held}
    for card in CARDS:
        found |= card.read(given, base)
    changes: Values = {}
    for place, value in found.items():
        field, _, part = place.partition(".")
        if part:
            changes[field] = replace(changes.get(field, getattr(base, field)), **{part: value})
        else:
            changes[field] = value
    return with_changes(base, changes)


def followers(deployment: Deployment, values: Mapping[str, Any]) -> Values:
    """Return the fields that are no longer what a form holds, as they follow other fields."""
    now = {entry.key: entry.value_of(deployment) for entry in _ENTRIES if entry.follows}
    return {key: value for key, value in now.items() if key in values and values[key] != value}


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
