"""What a service says of itself: labels, and annotations for what labels can't hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import actors, adoption
from llm_widgets.domain.failures import tried
from llm_widgets.domain.loading import Task
from llm_widgets.domain.services import (
    BUCKET_ANNOTATION,
    ENGINE_LABEL,
    MANAGED_BY,
    MODEL_ANNOTATION,
    SERVED_NAME_ANNOTATION,
    TASK_ANNOTATION,
    TRIED_ANNOTATION,
)
from llm_widgets.engines import registry
from llm_widgets.serving.codec.places import Json, container_of, differs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.actors import Actor, Deed
    from llm_widgets.domain.failures.remedies import Remedy
    from llm_widgets.domain.failures.tried import Tried
    from llm_widgets.domain.services import Deployment

_OWN = (MANAGED_BY[0], ENGINE_LABEL, *actors.LABELS, *adoption.LABELS)
# Labels can't hold "/" and ":", which the ids of models have.
_ANNOTATIONS = {
    "model_id": MODEL_ANNOTATION,
    "bucket": BUCKET_ANNOTATION,
    "served_name": SERVED_NAME_ANNOTATION,
}


def engine_of(service: Mapping[str, Any]) -> str:
    """Return which engine a service runs: by its label, else by its image; empty if unknown."""
    label = service.get("labels", {}).get(ENGINE_LABEL, "")
    return registry.framework_of(label, [container_of(service).get("image", "")])


def read(service: Mapping[str, Any]) -> Json:
    """Read the labels, the engine, and which model it serves."""
    labels, annotations = service.get("labels", {}), service.get("annotations", {})
    return {
        "framework": engine_of(service),
        "model_id": annotations.get(MODEL_ANNOTATION, ""),
        "served_name": annotations.get(SERVED_NAME_ANNOTATION, ""),
        "task": Task.of(annotations.get(TASK_ANNOTATION)),
        "labels": {name: value for name, value in labels.items() if name not in _OWN},
    }


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write them where they differ; the labels of this product can't be replaced."""
    if differs(before, after, "labels"):
        there = service.get("labels", {})
        own = {name: there[name] for name in _OWN if name in there}
        given = {name: value for name, value in after.labels.items() if name not in actors.LABELS}
        service["labels"] = {**given, **own}
    if differs(before, after, "framework"):
        service.setdefault("labels", {})[ENGINE_LABEL] = after.framework
        container_of(service).setdefault("name", after.framework)
    if after.task and differs(before, after, "task"):
        service.setdefault("annotations", {})[TASK_ANNOTATION] = after.task.value
    for field, annotation in _ANNOTATIONS.items():
        if differs(before, after, field):
            service.setdefault("annotations", {})[annotation] = getattr(after, field)


def tried_of(service: Mapping[str, Any]) -> tuple[Tried, ...]:
    """Return the remedies that were carried out for a service."""
    return tried.read(str(service.get("annotations", {}).get(TRIED_ANNOTATION, "")))


def with_tried(service: Mapping[str, Any], remedy: Remedy) -> Json:
    """Have a service say that a remedy is carried out for it."""
    annotations = service.get("annotations", {})
    noted = tried.with_one(str(annotations.get(TRIED_ANNOTATION, "")), remedy)
    return {**service, "annotations": {**annotations, TRIED_ANNOTATION: noted}}


def without_tried(service: Mapping[str, Any]) -> Json:
    """Return a service without what it says of remedies."""
    annotations = dict(service.get("annotations", {}))
    annotations.pop(TRIED_ANNOTATION, None)
    return {**service, "annotations": annotations}


def sign(service: Mapping[str, Any], actor: Actor, *deeds: Deed) -> tuple[Json, list[str]]:
    """Have a service say who did something, in place of what it said of that before.

    Returns
    -------
    service, paths
        The whole service, and the fields of it that were written.
    """
    labels, annotations = dict(service.get("labels", {})), dict(service.get("annotations", {}))
    for deed in deeds:
        for name in (deed.by, deed.through):
            annotations.pop(name, None)
        labels.pop(deed.label, None)
        labels |= actors.labels_of(deed, actor)
        annotations |= actors.annotations_of(deed, actor)
    return {**service, "labels": labels, "annotations": annotations}, ["labels", "annotations"]
