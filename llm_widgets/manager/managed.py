"""What may be changed here: services that this product deployed or adopted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import adoption
from llm_widgets.engines import registry
from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import ServiceSummary


def why_not_edited(summary: ServiceSummary) -> str:
    """Return why the form can't change a service without losing something; empty where it can."""
    if not summary.managed:
        return "It is not managed here. Adopt it first."
    if not summary.adopted:
        return ""
    if registry.of(summary.framework) is None:
        engine = registry.label_of(summary.framework) or "its engine"
        return f"This manager does not know the settings of {engine}."
    if summary.recognition and not summary.recognition.is_direct:
        return "Another container takes its requests; the form knows one container."
    return ""


def refuse_edit(summary: ServiceSummary) -> None:
    """Refuse to change the configuration of a service where that may lose something.

    Raises
    ------
    InvalidInputError
        It may.
    """
    refuse_unmanaged(summary.name, is_managed=summary.managed)
    if why := why_not_edited(summary):
        raise InvalidInputError(f"{summary.id} can't be edited here.", cause=why)


def refuse_document(document: Mapping[str, Any]) -> None:
    """Refuse to change a service as the API wrote it; see :func:`refuse_unmanaged`."""
    is_managed = adoption.is_managed(document.get("labels", {}))
    refuse_unmanaged(str(document["name"]), is_managed=is_managed)


def refuse_unmanaged(name: str, *, is_managed: bool) -> None:
    """Refuse to change a service that others deployed and nobody adopted.

    Raises
    ------
    InvalidInputError
        It is one.
    """
    if not is_managed:
        _, _, _, region, _, service = name.split("/")
        raise InvalidInputError(
            f"{service} is not managed here, so it is not changed.",
            cause="Others deployed it.",
            fix=Fix(
                text="Adopt it first: that changes its labels only, and can be undone.",
                command=f"llm-widgets services adopt {service} --region {region}",
            ),
        )
