"""What differs between two deployments, field by field: to be looked at before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.tables import Listing, Shown, Values

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment


@dataclass(frozen=True, slots=True)
class Change(Shown):
    """A field that differs: the lines that go, and those that come."""

    field: str
    removed: tuple[str, ...]
    added: tuple[str, ...]

    def shown(self) -> Values:
        """Return the field and its lines."""
        return {"field": self.field, "removed": list(self.removed), "added": list(self.added)}


def between(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Change, ...]:
    """List the fields that differ; of rows only those that differ.

    Where only the order of rows differs, all of them are listed.
    """
    return tuple(
        _change(field, _lines(old[field]), _lines(new[field]))
        for field in old
        if old[field] != new[field]
    )


def of_deployments(before: Deployment, after: Deployment) -> Listing[Change]:
    """List the fields of a deployment that differ, by the names that Python has for them."""
    names = [each.name for each in fields(before)]
    old, new = ({name: getattr(each, name) for name in names} for each in (before, after))
    return Listing(between(old, new), ("field", "removed", "added"))


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
    if isinstance(value, Mapping):
        return tuple(f"{key}={each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple("=".join(each) if isinstance(each, list) else str(each) for each in value)
    if isinstance(value, bool):
        return ("on" if value else "off",)
    return () if value in ("", None) else (str(value),)
