"""Limits of a whole service, beside those of its revisions: set by others, or by a pause."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import pausing
from llm_widgets.domain.load_tests.kept import LIMITS_ANNOTATION
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
    own, _ = released(service) or (service, ())  # what a load test has limited is not its own
    pause = pausing.paused(own.get("scaling", {}), now, by)
    annotations = {**own.get("annotations", {}), PAUSED_ANNOTATION: pausing.written(pause)}
    scaling = {"scalingMode": pausing.MANUAL, "manualInstanceCount": 0}
    return {**service, "annotations": annotations, "scaling": scaling}, ("scaling", "annotations")


def resumed(service: Mapping[str, Any], pause: Pause) -> tuple[Json, tuple[str, ...]]:
    """Have a service scale by itself again, within the limits that it had; see :func:`paused`."""
    annotations = dict(service.get("annotations", {}))
    annotations.pop(PAUSED_ANNOTATION, None)
    scaling = pausing.resumed(pause, template_of(service).get("scaling", {}))
    return {**service, "annotations": annotations, "scaling": scaling}, ("scaling", "annotations")


def instances(service: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many instances a service has at least, and how many it may have."""
    own, revision = service.get("scaling", {}), template_of(service).get("scaling", {})
    if own.get("scalingMode") == pausing.MANUAL:
        count = int(own.get("manualInstanceCount", 0))
        return count, count
    least = max(int(each.get("minInstanceCount", 0)) for each in (own, revision))
    told = [int(each.get("maxInstanceCount", 0)) for each in (own, revision)]
    return least, min(filter(None, told), default=pausing.DEFAULT_MAX)


def limit_of(service: Mapping[str, Any]) -> Pause | None:
    """Return since when, and by whom, a service runs one instance at most for a load test.

    Returns
    -------
    Pause or None
        With the service's own limits before; ``None`` where it has not been limited.
    """
    told = service.get("annotations", {}).get(LIMITS_ANNOTATION)
    return None if told is None else pausing.read(str(told))


def limited(
    service: Mapping[str, Any], now: datetime, by: str
) -> tuple[Json, tuple[str, ...]] | None:
    """Have a service run one instance at most, and remember its own limits.

    Returns
    -------
    service, paths or None
        As :func:`paused`; ``None`` where it has one at most.
    """
    if instances(service)[1] <= 1:
        return None
    own = service.get("scaling", {})
    known = pausing.written(pausing.paused(own, now, by))
    annotations = {**service.get("annotations", {}), LIMITS_ANNOTATION: known}
    changed = {**service, "annotations": annotations, "scaling": {**own, "maxInstanceCount": 1}}
    return changed, ("scaling", "annotations")


def released(service: Mapping[str, Any]) -> tuple[Json, tuple[str, ...]] | None:
    """Give a service its own limit back; see :func:`limited`. One that others have set stays.

    Returns
    -------
    service, paths or None
        As :func:`paused`; ``None`` where nothing is remembered.
    """
    known = limit_of(service)
    if known is None:
        return None
    annotations = {k: v for k, v in service["annotations"].items() if k != LIMITS_ANNOTATION}
    changed, own = {**service, "annotations": annotations}, service.get("scaling", {})
    if own.get("maxInstanceCount") != 1:
        return changed, ("annotations",)
    scaling = {name: value for name, value in own.items() if name != "maxInstanceCount"}
    if known.most is not None:
        scaling["maxInstanceCount"] = known.most
    return {**changed, "scaling": scaling}, ("scaling", "annotations")
