"""Remedies that were carried out for a service, as an annotation of it keeps them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.failures.remedies import RemedyKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llm_widgets.domain.failures.remedies import Remedy

MOST = 8
"""The newest are kept: nobody tries more against one failure."""

LONGEST = 4_000
"""Characters of the annotation. All annotations of a service together may have 256 KiB."""

_FAILURE = re.compile(r"[a-z0-9-]{1,80}")
_NAME = re.compile(r"[a-z_]{1,40}")
_LONGEST_VALUE = 300
_MOST_PARAMETERS = 8


@dataclass(frozen=True, slots=True)
class Tried:
    """A remedy that was carried out.

    Attributes
    ----------
    failure
        Id of the diagnosis that offered it.
    parameters
        See :class:`.RemedyKind`.
    """

    failure: str
    kind: RemedyKind
    parameters: Mapping[str, str] = field(default_factory=dict)

    def is_same(self, remedy: Remedy) -> bool:
        """Return whether a remedy would do the same once more."""
        return self.kind is remedy.kind and self.parameters == remedy.parameters


def read(text: str) -> tuple[Tried, ...]:
    """Read the annotation; what is not as :func:`with_one` writes it is left out."""
    if len(text) > LONGEST:
        return ()
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return ()
    return tuple(_checked(found if isinstance(found, list) else []))[-MOST:]


def with_one(text: str, remedy: Remedy) -> str:
    """Return the annotation with one more remedy; the oldest make room for it."""
    new = Tried(remedy.failure, remedy.kind, remedy.parameters)
    kept = [*(each for each in read(text) if each != new), new][-MOST:]
    while len(written := _written(kept)) > LONGEST:
        kept = kept[1:]
    return written


def _written(tried: Iterable[Tried]) -> str:
    return json.dumps(
        [
            {"failure": each.failure, "kind": each.kind.value, "parameters": dict(each.parameters)}
            for each in tried
        ]
    )


def _checked(found: list[Any]) -> Iterator[Tried]:
    for each in found:
        told = each if isinstance(each, dict) else {}
        failure, kind = _text(told, "failure"), _text(told, "kind")
        parameters = told.get("parameters")
        if not isinstance(parameters, dict) or len(parameters) > _MOST_PARAMETERS:
            continue
        are_values = all(_NAME.fullmatch(k) and _is_value(v) for k, v in parameters.items())
        if are_values and _FAILURE.fullmatch(failure) and kind in set(RemedyKind):
            yield Tried(failure, RemedyKind(kind), parameters)


def _text(told: dict[str, Any], name: str) -> str:
    found = told.get(name)
    return found if isinstance(found, str) else ""


def _is_value(found: Any) -> bool:
    return isinstance(found, str) and len(found) <= _LONGEST_VALUE and found.isprintable()
