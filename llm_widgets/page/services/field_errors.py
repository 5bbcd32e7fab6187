"""Problems of a deployment in words, and where in a form they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from llm_widgets.errors import ManagerError

_SHOWN_AT = {"probe": "probe_failures", "network": "network_kind"}


def placed(problems: Mapping[str, str], keys: Container[str]) -> tuple[str, dict[str, str]]:
    """Return the problems by their fields.

    Parameters
    ----------
    keys
        Of the fields that the form has.

    Returns
    -------
    text, errors
        What belongs to no field, and the errors by the fields' keys.
    """
    errors: dict[str, str] = {}
    rest: list[str] = []
    for field, text in problems.items():
        key = field if field in keys else _SHOWN_AT.get(field, "")
        if key in keys:
            errors[key] = text
        else:
            rest.append(text)
    return "\n".join(rest), errors


def told(problems: Iterable[ManagerError]) -> dict[str, str]:
    """Word problems for the fields of a form, the first of each."""
    found: dict[str, str] = {}
    for each in problems:
        text = [each.message, each.cause, each.fix.text if each.fix else ""]
        found.setdefault(each.field, " ".join(part for part in text if part))
    return found
