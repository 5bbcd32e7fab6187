"""Limits of a whole service, beside those of its revisions: set by others, or by a pause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import pausing
from llm_widgets.domain.pausing import PAUSED_ANNOTATION
from llm_widgets.serving.codec.places import Json, differs, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from llm_widgets.domain.pausing import Pause
    from llm_widgets.domain.services import Deployment

_FIELDS = {"min_instances": "minInstanceCount", "max_instances": "maxInstanceCount"}


def read(_service: Mapping[str, Any]) -> Json:
    """Read nothing: a deployment has the limits of its revisions."""
    return {}


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Have the service's own limits follow those of its revisions, where it has any.

    They would go before them. Those of a service that is paused are in its annotation.
    """
    if before is None:
        return
    changed = {
        name: getattr(after, field)
        for field, name in _FIELDS.items()
        if differs(before, after, field)
    }
    own = service.get("scaling", {})
    followed = {name: count for name, count in changed.items() if name in own}
    if followed:
        service["scaling"] = {**own, **followed}
    annotations = service.get("annotations", {})
    pause = pause_of(service)
    if PAUSED_ANNOTATION not in annotations:
        return
    if pause is None:  # others have resumed it: the next pause may be theirs
        kept = {name: value for name, value in annotations.items() if name != PAUSED_ANNOTATION}
        service["annotations"] = kept
        return
    if not changed:
        return
    least, most = (changed.get(name) for name in _FIELDS.values())
    followed_by = replace(
        pause,
        least=least if pause.least is not None and least is not None else pause.least,
        most=most if pause.most is not None and most is not None else pause.most,
    )
    service["annotations"] = {
        **annotations,
        PAUSED_ANNOTATION: pausing.written(followed_by),
    }


def pause_of(service: Mapping[str, Any]) -> Pause | None:
    """Return what is known of a service's pause; ``None`` where it is not paused."""
    if not pausing.is_paused(service.get("scaling", {})):
        return None
    return pausing.read(str(service.get("annotations", {}).get(PAUSED_ANNOTATION, "")))


def paused(service: Mapping[str, Any], now: datetime, by: str) -> tuple[Json, tuple[str, ...]]:
    """Have a service run no instances, and remember its limits.

    Returns
    -------
    service, paths
        The whole service, and the fields of it that were written.
    """
    pause = pausing.paused(service.get("scaling", {}), now, by)
    annotations = {
        **service.get("annotations", {}),
        PAUSED_ANNOTATION: pausing.written(pause),
    }
    scaling = {"scalingMode": pausing.MANUAL, "manualInstanceCount": 0}
    return {**service, "annotations": annotations, "scaling": scaling}, ("scaling", "annotations")


def resumed(service: Mapping[str, Any], pause: Pause) -> tuple[Json, tuple[str, ...]]:
    """Have a service scale by itself again, within the limits that it had; see :func:`paused`."""
    annotations = dict(service.get("annotations", {}))
    annotations.pop(PAUSED_ANNOTATION, None)
    scaling = pausing.resumed(pause, template_of(service).get("scaling", {}))
    return {**service, "annotations": annotations, "scaling": scaling}, ("scaling", "annotations")
