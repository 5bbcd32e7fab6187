"""Where things stand in the JSON of a service, and whether they are to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

Json = dict[str, Any]


def template_of(service: Mapping[str, Any]) -> Json:
    """Return the template of the revisions."""
    template: Json = service.get("template", {})
    return template


def container_of(service: Mapping[str, Any]) -> Json:
    """Return the container that takes the requests; the others are sidecars."""
    containers: list[Json] = template_of(service).get("containers", [])
    return next((each for each in containers if each.get("ports")), (containers or [{}])[0])


def differs(before: Deployment | None, after: Deployment, *fields: str) -> bool:
    """Return whether one of these fields changes; all do where there was nothing before."""
    return before is None or any(getattr(before, f) != getattr(after, f) for f in fields)
