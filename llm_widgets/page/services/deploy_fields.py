"""The fields of a deployment as widgets show them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets.page.services.deploy_values import CARDS, values_of
from llm_widgets.page.services.form_entry import Entry, Shown
from llm_widgets.page.services.hardware_entries import PLACE
from llm_widgets.widgets.fields import Field, FieldValue, Option

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine


def deploy_fields(
    offered: Deployment,
    now: Deployment,
    location: str,
    *,
    engines: Sequence[Engine] = (),
    is_refused: bool = False,
    has_code: bool = False,
) -> list[Field]:
    """Make the fields of the form, for what :class:`Shown` says."""
    shown = Shown(offered, now, location, engines, is_refused=is_refused, has_code=has_code)
    entries = [(card, entry) for card in CARDS for entry in card.entries if entry.is_shown(shown)]
    return [
        *(_field(entry, PLACE.title, shown) for _, entry in entries if entry.is_basic),
        *(_field(entry, card.title, shown) for card, entry in entries if not entry.is_basic),
    ]


def beginning(fields: Iterable[Field], now: Deployment) -> list[Field]:
    """Return fields that hold at first what a deployment has."""
    values = values_of(now)
    return [
        replace(each, value=_frozen(each.kind, values[each.key])) if each.key in values else each
        for each in fields
    ]


def summaries(deployment: Deployment) -> dict[str, str]:
    """Return a line on each card that is folded at first: what stands on it."""
    return {card.title: card.summary(deployment) for card in CARDS if card.summary}


def advanced(offered: Deployment, now: Deployment) -> str:
    """Return a line on what is advanced: which fields differ, or else what there is."""
    rare = [(card, entry) for card in CARDS for entry in card.entries if not entry.is_basic]
    changed = [
        entry.label
        for _, entry in rare
        if entry.is_of_deployment and entry.value_of(offered) != entry.value_of(now)
    ]
    if changed:
        return f"Changed: {', '.join(changed)}"
    return ", ".join(dict.fromkeys(card.title for card, _ in rare))


def _field(entry: Entry, group: str, shown: Shown) -> Field:
    value = _frozen(entry.kind, entry.value_of(shown.offered))
    options = tuple(Option(*choice) for choice in entry.choices(shown))
    restores = entry.restores and (not options or any(each.value == value for each in options))
    least, most = entry.limits
    return Field(
        entry.key,
        entry.label,
        entry.kind,
        help=entry.help if isinstance(entry.help, str) else entry.help(shown),
        required=entry.is_required or entry.kind == "number",
        value=value,
        options=options,
        placeholder=entry.placeholder,
        max_length=entry.max_length,
        minimum=least,
        maximum=most,
        group=group,
        is_advanced=not entry.is_basic,
        show_when=entry.show_when,
        default=value if restores else None,
        is_long=entry.is_long,
        columns=entry.columns,
        add_label=entry.add_label,
    )


def _frozen(kind: str, value: Any) -> FieldValue:
    """Return a value as a field takes it."""
    if kind == "pairs":
        return tuple((name, text) for name, text in value)
    frozen: FieldValue = tuple(value) if kind == "rows" else value
    return frozen
