"""A deployment as the fields of a form hold it, back again, and what differs between two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets.manager.differences import Change, between
from llm_widgets.manager.offering import with_changes
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


def differences(before: Deployment, after: Deployment) -> tuple[Change, ...]:
    """List the fields that differ, as a form holds them: see :func:`.between`."""
    return between(values_of(before), values_of(after))
