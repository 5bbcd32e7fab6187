"""A service of Cloud Run as the dashboard shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.cloud import packages
from llm_widgets.domain.models import Framework
from llm_widgets.domain.services import (
    BUCKET_ANNOTATION,
    ENGINE_LABEL,
    MODEL_ANNOTATION,
    SERVED_NAME_ANNOTATION,
    ServiceState,
    ServiceSummary,
)

if TYPE_CHECKING:
    from datetime import datetime


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


def summary(service: packages.run_v2.Service) -> ServiceSummary:
    """Read from a service what the dashboard shows."""
    state = service_state(service)
    is_broken = state in (ServiceState.ERROR, ServiceState.OLD_SERVING)
    # Each attribute of Google's types makes an object: with hundreds of services that counts.
    template, annotations = service.template, dict(service.annotations)
    scaling, model = template.scaling, annotations.get(MODEL_ANNOTATION, "")
    return ServiceSummary(
        name=service.name,
        state=state,
        reason=_reason(service) if is_broken else "",
        url=service.uri,
        framework=framework(service),
        model_id=model,
        served_name=annotations.get(SERVED_NAME_ANNOTATION) or model,
        bucket=annotations.get(BUCKET_ANNOTATION) or _mounted_bucket(template),
        gpu=template.node_selector.accelerator,
        min_instances=max(scaling.min_instance_count, service.scaling.min_instance_count),
        max_instances=scaling.max_instance_count,
        updated_at=service.update_time or service.create_time or None,
        updated_by=service.last_modifier or service.creator,
        etag=service.etag,
    )


def service_state(service: packages.run_v2.Service) -> ServiceState:
    """Tell in one word how a service is.

    A failed rollout is no deployment that goes on, even though the newest revision is not the
    one that serves.
    """
    states = packages.run_v2.Condition.State
    state = service.terminal_condition.state
    if service.delete_time:
        return ServiceState.DELETING
    if service.reconciling or state not in (states.CONDITION_FAILED, states.CONDITION_SUCCEEDED):
        return ServiceState.DEPLOYING
    if state == states.CONDITION_SUCCEEDED:
        return ServiceState.READY
    ready, created = service.latest_ready_revision, service.latest_created_revision
    return ServiceState.OLD_SERVING if ready and ready != created else ServiceState.ERROR


def conditions(service: packages.run_v2.Service) -> tuple[ConditionFact, ...]:
    """Read all conditions of a service, the deciding one first."""
    facts: dict[str, ConditionFact] = {}
    for condition in (service.terminal_condition, *service.conditions):
        if condition.type_:
            facts.setdefault(condition.type_, _fact(condition))
    return tuple(facts.values())


def framework(service: packages.run_v2.Service) -> Framework | None:
    """Tell which engine a service runs: by its label, else by its image."""
    label = service.labels.get(ENGINE_LABEL, "")
    if label in list(Framework):
        return Framework(label)
    images = [container.image for container in service.template.containers]
    return next((f for f in Framework for image in images if f.value in image.lower()), None)


def _reason(service: packages.run_v2.Service) -> str:
    messages = [service.terminal_condition.message]
    failed = packages.run_v2.Condition.State.CONDITION_FAILED
    messages += [c.message for c in service.conditions if c.state == failed]
    return "\n".join(dict.fromkeys(message for message in messages if message))


def _mounted_bucket(template: packages.run_v2.RevisionTemplate) -> str:
    return next((v.gcs.bucket for v in template.volumes if v.gcs.bucket), "")


def _fact(condition: packages.run_v2.Condition) -> ConditionFact:
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
