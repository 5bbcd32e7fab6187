"""Where in a form the problems of a deployment are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

_SHOWN_AT = {"probe": "probe_failures", "network": "network_kind"}


def placed(problems: Mapping[str, str], keys: Container[str]) -> tuple[str, dict[str, str]]:
    """Put each problem at its field.

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
