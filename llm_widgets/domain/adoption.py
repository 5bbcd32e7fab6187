"""Services that others deployed, and what adopting one changes: labels, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.actors import Deed, label_value
from llm_widgets.domain.services import ENGINE_LABEL, MANAGED_BY, told_text
from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from collections.abc import Mapping

ADOPTED_LABEL = "llm-adopted-by"
"""Label of a service that was adopted: who did it, as :func:`.label_value` writes it."""

_BEFORE = "llm-before-"
# What this product sets: by adopting a service, and by changing it later.
_SET = (MANAGED_BY[0], ENGINE_LABEL, Deed.CHANGED.label)

LABELS = (ADOPTED_LABEL, *(f"{_BEFORE}{name}" for name in _SET))
"""Labels that are there for as long as a service is adopted; nobody sets them by hand."""

_CODELAB = "dev-tutorial"
_PROVISIONED = "goog-terraform-provisioned"
TERRAFORM = "Terraform"
_TOOLS = {"cloud-console": "Google Cloud console", "gcloud": "gcloud"}


@dataclass(frozen=True, slots=True)
class LabelChange(Shown):
    """A label that is changed; ``None`` where it is not there."""

    label: str
    before: str | None
    after: str | None

    def shown(self) -> Values:
        """Return the label with its two values."""
        return {"label": self.label, "before": self.before, "after": self.after}


def is_managed(labels: Mapping[str, str]) -> bool:
    """Return whether a service is one that this product deployed or adopted."""
    return labels.get(MANAGED_BY[0]) == MANAGED_BY[1]


def is_adopted(labels: Mapping[str, str]) -> bool:
    """Return whether a service is managed though others deployed it."""
    return is_managed(labels) and ADOPTED_LABEL in labels


def adopted(labels: Mapping[str, str], framework: str, by: str) -> dict[str, str]:
    """Return the labels of a service once it is adopted; what they were before is kept in them.

    Parameters
    ----------
    framework
        Id of its engine.
    by
        Who adopts it.
    """
    theirs = {name: value for name, value in labels.items() if name not in LABELS}
    before = {f"{_BEFORE}{name}": labels[name] for name in _SET if name in labels}
    told = {MANAGED_BY[0]: MANAGED_BY[1], ENGINE_LABEL: framework, ADOPTED_LABEL: label_value(by)}
    return {**theirs, **before, **told}


def released(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of an adopted service as they were before; others' changes since stay."""
    kept = {name: value for name, value in labels.items() if name not in (*_SET, *LABELS)}
    there = {name: labels[f"{_BEFORE}{name}"] for name in _SET if f"{_BEFORE}{name}" in labels}
    return {**kept, **there}


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[LabelChange, ...]:
    """Return the labels that differ, in the order of their names."""
    return tuple(
        LabelChange(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    )


def origin(labels: Mapping[str, str], client: str) -> str:
    """Return what a service was deployed with, as far as it says; empty where it does not.

    Parameters
    ----------
    client
        What Cloud Run was told by whoever deployed it last.
    """
    manager = labels.get(f"{_BEFORE}{MANAGED_BY[0]}", labels.get(MANAGED_BY[0], ""))
    if manager and manager != MANAGED_BY[1]:
        return told_text(manager)
    if _CODELAB in labels:
        return f"codelab {told_text(labels[_CODELAB])}"
    if labels.get(_PROVISIONED) == "true" or client.lower().startswith("terraform"):
        return TERRAFORM
    return _TOOLS.get(client, told_text(client))
