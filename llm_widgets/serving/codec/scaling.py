"""Limits of a whole service, beside those of its revisions: set by others, or by a pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from llm_widgets.domain import leases, pausing
from llm_widgets.domain.leases import LEASE_ANNOTATION, Lease
from llm_widgets.domain.load_tests.kept import LIMITS_ANNOTATION
from llm_widgets.domain.pausing import PAUSED_ANNOTATION, Pause
from llm_widgets.serving.codec.places import Json, differs, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

_Kept = TypeVar("_Kept", Pause, Lease)
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
    _follow_in_lease(service, changed)
    annotations = service.get("annotations", {})
    pause = pause_of(service)
    if PAUSED_ANNOTATION not in annotations:
        return
    if pause is None:  # others have resumed it: the next pause may be theirs
        kept = {name: value for name, value in annotations.items() if name != PAUSED_ANNOTATION}
        service["annotations"] = kept
        return
    if changed:
        followed_by = _followed(pause, changed)
        service["annotations"] = {**annotations, PAUSED_ANNOTATION: pausing.written(followed_by)}


def _follow_in_lease(service: Json, changed: Mapping[str, int]) -> None:
    """Have what a service is resumed with after its lease follow, too."""
    annotations = service.get("annotations", {})
    lease = leases.read(annotations)
    if lease and changed:
        followed_by = leases.written(_followed(lease, changed))
        service["annotations"] = {**annotations, LEASE_ANNOTATION: followed_by}


def _followed(kept: _Kept, changed: Mapping[str, int]) -> _Kept:
    """Return what is remembered with those limits changed that the service has itself."""
    least, most = (changed.get(name) for name in _FIELDS.values())
    return replace(
        kept,
        least=least if kept.least is not None and least is not None else kept.least,
        most=most if kept.most is not None and most is not None else kept.most,
    )


def pause_of(service: Mapping[str, Any]) -> Pause | None:
    """Return what is known of a service's pause; ``None`` where it is not paused."""
    if not pausing.is_paused(service.get("scaling", {})):
        return None
    return leases.pause_of(service.get("annotations", {}), datetime.now(UTC))


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
    for name in (PAUSED_ANNOTATION, LEASE_ANNOTATION):
        annotations.pop(name, None)
    scaling = pausing.resumed(pause, template_of(service).get("scaling", {}))
    return {**service, "annotations": annotations, "scaling": scaling}, ("scaling", "annotations")


def leased(
    service: Mapping[str, Any], at: datetime, by: str, *, is_scheduled: bool
) -> tuple[Json, tuple[str, ...]]:
    """Have a service remember when it is to be paused, and its limits; see :func:`paused`."""
    own, _ = released(service) or (service, ())
    limits = pausing.paused(own.get("scaling", {}), at, by)
    lease = Lease(at, by, limits.least, limits.most, is_scheduled)
    annotations = {**service.get("annotations", {}), LEASE_ANNOTATION: leases.written(lease)}
    annotations.pop(PAUSED_ANNOTATION, None)  # of a pause that others have ended
    return {**service, "annotations": annotations}, ("annotations",)


def without_lease(service: Mapping[str, Any], now: datetime) -> tuple[Json, tuple[str, ...]] | None:
    """Have a service forget its lease; where it is paused, what it is resumed with stays.

    Returns
    -------
    service, paths or None
        As :func:`paused`; ``None`` where there is none.
    """
    annotations = dict(service.get("annotations", {}))
    if LEASE_ANNOTATION not in annotations:
        return None
    if pausing.is_paused(service.get("scaling", {})):
        pause = leases.pause_of(annotations, now)
        annotations[PAUSED_ANNOTATION] = pausing.written(pause)
    del annotations[LEASE_ANNOTATION]
    return {**service, "annotations": annotations}, ("annotations",)


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
