"""A deployment as the JSON of a service of Cloud Run, and back.

Creating a service is editing one that says nothing yet. A field that this product has never
heard of is carried through like any other.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import MANAGED_BY, Deployment
from llm_widgets.serving.codec import (
    container,
    gpu,
    labels,
    network,
    probe,
    scaling,
    settings,
    volumes,
)
from llm_widgets.serving.codec.labels import sign, tried_of, with_tried, without_tried
from llm_widgets.serving.codec.places import Json, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "deployment_of",
    "document",
    "edited",
    "sign",
    "tried_of",
    "with_tried",
    "without_tried",
]

# Each reads its fields of a deployment from a service, and writes those that differ.
_PARTS = (labels, settings, container, gpu, volumes, probe, network, scaling)

_EMPTY: Json = {
    "labels": dict([MANAGED_BY]),
    "template": {
        # GPUs and Cloud Storage volumes need the second generation.
        "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
        "containers": [
            {
                # A GPU needs billing by instance, and an engine works between requests.
                "resources": {"cpuIdle": False, "startupCpuBoost": True},
                "volumeMounts": [{"name": "models"}],
            }
        ],
        "volumes": [{"name": "models", "gcs": {"readOnly": True}}],
    },
}
"""What every new service has that no field of a deployment says."""

_MASK = ("template", "labels", "ingress", "annotations", "scaling")


def document(deployment: Deployment) -> Json:
    """Write a deployment as the service to create, with its full resource name."""
    place = f"projects/{deployment.project}/locations/{deployment.region}"
    empty = {"name": f"{place}/services/{deployment.name}", **_EMPTY}
    return edited(empty, None, deployment)[0]


def deployment_of(service: Mapping[str, Any]) -> Deployment:
    """Read a service as the deployment that it is."""
    _, project, _, region, _, name = str(service["name"]).split("/")
    read: Json = {}
    for part in _PARTS:
        read |= part.read(service)
    return Deployment(project=project, region=region, name=name, **read)


def edited(
    service: Mapping[str, Any], before: Deployment | None, after: Deployment
) -> tuple[Json, list[str]]:
    """Change a service from one deployment to another: only what differs is written.

    Parameters
    ----------
    service
        As the API wrote it; it is not changed itself.
    before, after
        What was read from it by :func:`deployment_of`, and what a person made of that. ``None``
        where nothing has been written yet. A service keeps its name and its place.

    Returns
    -------
    service, paths
        The whole changed service, and the fields of it that differ, for the update mask.
    """
    changed: Json = copy.deepcopy(dict(service))
    for part in _PARTS:
        part.write(changed, before, after)
    paths = [field for field in _MASK if service.get(field) != changed.get(field)]
    if "template" in paths:
        # A name of a revision can be used once; Cloud Run makes the next one up.
        template_of(changed).pop("revision", None)
    return changed, paths
