"""A service of Cloud Run as the dashboard shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import adoption, leases, pausing
from llm_widgets.domain.actors import Deed, told
from llm_widgets.domain.loading import Task
from llm_widgets.domain.recognition import SeenContainer
from llm_widgets.domain.services import (
    BUCKET_ANNOTATION,
    ENGINE_LABEL,
    MODEL_ANNOTATION,
    SERVED_NAME_ANNOTATION,
    TASK_ANNOTATION,
    ServiceState,
    ServiceSummary,
    told_text,
)
from llm_widgets.engines import registry
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.run.sizes import size_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.pausing import Pause
    from llm_widgets.domain.recognition import Recognition

_PORT = 8080  # where nothing is said
_GPU = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True)
class ConditionFact:
    """One condition of a service.

    Attributes
    ----------
    type
        For example ``Ready``, ``RoutesReady`` or ``ConfigurationsReady``.
    state
        ``PENDING``, ``RECONCILING``, ``FAILED``, ``SUCCEEDED``, or empty.
    reason
        Name of the reason, for example ``HEALTH_CHECK_CONTAINER_ERROR``, or empty.
    """

    type: str
    state: str
    message: str
    reason: str
    changed_at: datetime | None


def summary(service: lazy.run_v2.Service) -> ServiceSummary:
    """Read from a service what the dashboard shows."""
    # The message itself: each attribute of Google's wrapper makes objects, and there may be
    # hundreds of services.
    raw: Any = lazy.run_v2.Service.pb(service)
    state = _state(raw)
    is_broken = state in (ServiceState.ERROR, ServiceState.OLD_SERVING)
    template, annotations = raw.template, dict(raw.annotations)
    model = told_text(annotations.get(MODEL_ANNOTATION, ""))
    least = (template.scaling.min_instance_count, raw.scaling.min_instance_count)
    labels, seen = dict(raw.labels), containers(template)
    is_managed, is_adopted = adoption.is_managed(labels), adoption.is_adopted(labels)
    # What this product deploys says itself what it is.
    found = None if is_managed and not is_adopted else registry.recognised(seen)
    framework = registry.framework_of(
        told_text(labels.get(ENGINE_LABEL, "")), (each.image for each in seen)
    )
    if found and not is_managed:
        framework = found.framework
    known = found if found and found.framework == framework else None
    return ServiceSummary(
        name=raw.name,
        state=state,
        reason=_reason(service) if is_broken else "",
        url=raw.uri,
        framework=framework,
        task=registry.task_of(
            framework, _engine(seen, known), Task.of(annotations.get(TASK_ANNOTATION))
        ),
        model_id=model or (known.model_id if known else ""),
        served_name=told_text(annotations.get(SERVED_NAME_ANNOTATION, ""))
        or model
        or (known.served_name if known else ""),
        bucket=told_text(annotations.get(BUCKET_ANNOTATION, "")) or _mounted_bucket(template),
        gpu=told_text(template.node_selector.accelerator),
        min_instances=max(least),
        max_instances=template.scaling.max_instance_count,
        updated_at=_time(raw, "update_time") or _time(raw, "create_time"),
        updated_by=told_text(told(Deed.CHANGED, annotations, raw.last_modifier or raw.creator)),
        etag=raw.etag,
        uid=raw.uid,
        created_by=told_text(told(Deed.CREATED, annotations, raw.creator)),
        size=size_of(template),
        paused=_pause(raw),
        lease=None if _pause(raw) else leases.read(annotations),
        managed=is_managed,
        adopted=is_adopted,
        recognition=found,
        origin="" if is_managed and not is_adopted else adoption.origin(labels, raw.client),
    )


def containers(template: Any) -> tuple[SeenContainer, ...]:
    """Read the containers of a service's template, its message."""
    is_alone = len(template.containers) == 1
    return tuple(
        SeenContainer(
            image=each.image,
            command=tuple(each.command),
            args=tuple(each.args),
            environment={one.name: one.value for one in each.env if one.value},
            port=(each.ports[0].container_port or _PORT) if each.ports else _PORT * is_alone,
            has_gpu=_GPU in each.resources.limits
            or (is_alone and bool(template.node_selector.accelerator)),
        )
        for each in template.containers
    )


def _engine(seen: Sequence[SeenContainer], found: Recognition | None) -> SeenContainer:
    """Return the container that runs the engine, with all that the engine is told."""
    first = next((each for each in seen if each.has_gpu), next(iter(seen), SeenContainer("")))
    return replace(first, args=(*first.command, *first.args)) if found else first


def conditions(service: lazy.run_v2.Service) -> tuple[ConditionFact, ...]:
    """Read all conditions of a service, the deciding one first."""
    facts: dict[str, ConditionFact] = {}
    for condition in (service.terminal_condition, *service.conditions):
        if condition.type_:
            facts.setdefault(condition.type_, _fact(condition))
    return tuple(facts.values())


def _state(raw: Any) -> ServiceState:
    """Return the state of a service.

    A failed rollout is no deployment that goes on, even though the newest revision is not the
    one that serves.
    """
    states = lazy.run_v2.Condition.State
    state = raw.terminal_condition.state
    if raw.HasField("delete_time"):
        return ServiceState.DELETING
    if raw.reconciling or state not in (states.CONDITION_FAILED, states.CONDITION_SUCCEEDED):
        return ServiceState.DEPLOYING
    if state == states.CONDITION_SUCCEEDED:
        return ServiceState.PAUSED if _pause(raw) else ServiceState.READY
    ready, created = raw.latest_ready_revision, raw.latest_created_revision
    return ServiceState.OLD_SERVING if ready and ready != created else ServiceState.ERROR


def _pause(raw: Any) -> Pause | None:
    """Return what is known of a service's pause; ``None`` where it is not paused."""
    modes = lazy.run_v2.ServiceScaling.ScalingMode
    scaling = {
        "scalingMode": modes(raw.scaling.scaling_mode).name,
        "manualInstanceCount": raw.scaling.manual_instance_count,
    }
    if not pausing.is_paused(scaling):
        return None
    return leases.pause_of(raw.annotations, datetime.now(UTC))


def _time(raw: Any, field: str) -> datetime | None:
    if not raw.HasField(field):
        return None
    found: datetime = getattr(raw, field).ToDatetime(tzinfo=UTC)
    return found


def _reason(service: lazy.run_v2.Service) -> str:
    messages = [service.terminal_condition.message]
    failed = lazy.run_v2.Condition.State.CONDITION_FAILED
    messages += [c.message for c in service.conditions if c.state == failed]
    return "\n".join(dict.fromkeys(message for message in messages if message))


def _mounted_bucket(template: Any) -> str:
    return next((v.gcs.bucket for v in template.volumes if v.gcs.bucket), "")


def _fact(condition: lazy.run_v2.Condition) -> ConditionFact:
    reasons = (
        condition.reason if "reason" in condition else None,
        condition.revision_reason if "revision_reason" in condition else None,
    )
    return ConditionFact(
        type=condition.type_,
        state=condition.state.name.removeprefix("CONDITION_") if condition.state else "",
        message=condition.message,
        reason=next((reason.name for reason in reasons if reason), ""),
        changed_at=condition.last_transition_time or None,
    )
