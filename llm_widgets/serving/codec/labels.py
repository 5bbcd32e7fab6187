"""What a service says of itself: labels, and annotations for what labels can't hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import (
    BUCKET_ANNOTATION,
    ENGINE_LABEL,
    MANAGED_BY,
    MODEL_ANNOTATION,
    SERVED_NAME_ANNOTATION,
)
from llm_widgets.engines import registry
from llm_widgets.serving.codec.places import Json, container_of, differs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

_OWN = (MANAGED_BY[0], ENGINE_LABEL)
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
        "labels": {name: value for name, value in labels.items() if name not in _OWN},
    }


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write them where they differ; the labels of this product can't be replaced."""
    if differs(before, after, "labels"):
        there = service.get("labels", {})
        own = {name: there[name] for name in _OWN if name in there}
        service["labels"] = {**after.labels, **own}
    if differs(before, after, "framework"):
        service.setdefault("labels", {})[ENGINE_LABEL] = after.framework
        container_of(service).setdefault("name", after.framework)
    for field, annotation in _ANNOTATIONS.items():
        if differs(before, after, field):
            service.setdefault("annotations", {})[annotation] = getattr(after, field)
