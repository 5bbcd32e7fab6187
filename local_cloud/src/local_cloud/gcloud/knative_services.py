"""Cloud Run services as gcloud sees them (serving.knative.dev/v1), made from those of Admin v2."""

from __future__ import annotations

from typing import Any

from google.cloud import run_v2
from google.protobuf import json_format

from local_cloud.gcloud.knative_template import (
    Json,
    annotations_of,
    own,
    present,
    short,
    spec_of,
    template_from,
)

LOCATION = "cloud.googleapis.com/location"
INGRESS = "run.googleapis.com/ingress"
INGRESS_STATUS = "run.googleapis.com/ingress-status"
CREATOR = "serving.knative.dev/creator"
MODIFIER = "serving.knative.dev/lastModifier"
SCALING_MODE = "run.googleapis.com/scalingMode"
SCALING = {
    "manualInstanceCount": "run.googleapis.com/manualInstanceCount",
    "minInstanceCount": "run.googleapis.com/minScale",
    "maxInstanceCount": "run.googleapis.com/maxScale",
}
STATUS = {"CONDITION_SUCCEEDED": "True", "CONDITION_FAILED": "False"}
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def checked(kind: Any, fields: Json) -> Json:
    """Return JSON as the official type of Admin v2 writes it; what it does not know is an error."""
    message = json_format.ParseDict(fields, kind.pb(kind()))
    written: Json = json_format.MessageToDict(message)
    return written


def service_of(fields: Json) -> Json:
    """Return the Knative view of a service."""
    service = checked(run_v2.Service, fields)
    _, project, _, region, _, name = service["name"].split("/")
    template = service["template"]
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": project,
            "uid": service["uid"],
            "generation": int(service["generation"]),
            "resourceVersion": service["etag"],
            "selfLink": f"/apis/serving.knative.dev/v1/namespaces/{project}/services/{name}",
            "creationTimestamp": service["createTime"],
            "labels": {**service.get("labels", {}), LOCATION: region},
            "annotations": {
                **service.get("annotations", {}),
                CREATOR: service["creator"],
                MODIFIER: service["lastModifier"],
                INGRESS: _ingress_of(service["ingress"]),
                INGRESS_STATUS: _ingress_of(service["ingress"]),
                **_scaling_of(service.get("scaling", {})),
            },
        },
        "spec": {
            "template": {
                "metadata": present(
                    {"labels": template.get("labels"), "annotations": annotations_of(template)}
                ),
                "spec": spec_of(template),
            },
            "traffic": [_traffic_of(each) for each in service["traffic"]],
        },
        "status": _status_of(service),
    }


def _scaling_of(scaling: Json) -> Json:
    """Return the annotations that say how a whole service scales."""
    mode = str(scaling.get("scalingMode", "")).lower()
    counts = {name: scaling.get(field) for field, name in SCALING.items()}
    told = {name: str(count) for name, count in counts.items() if count is not None}
    return {**({SCALING_MODE: mode} if mode else {}), **told}


def _scaling_from(annotations: Json) -> Json:
    mode = annotations.get(SCALING_MODE, "").upper()
    found = {
        field: int(annotations[name]) for field, name in SCALING.items() if name in annotations
    }
    return {**({"scalingMode": mode} if mode else {}), **found}


def revision_of(fields: Json) -> Json:
    """Return the Knative view of a revision."""
    revision = checked(run_v2.Revision, fields)
    _, project, _, region, _, service, _, name = revision["name"].split("/")
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Revision",
        "metadata": {
            "name": name,
            "namespace": project,
            "uid": revision["uid"],
            "generation": int(revision["generation"]),
            "creationTimestamp": revision["createTime"],
            "labels": {
                **revision.get("labels", {}),
                LOCATION: region,
                "serving.knative.dev/service": service,
            },
            "annotations": annotations_of(revision),
        },
        "spec": spec_of(revision),
        "status": present(
            {
                "observedGeneration": int(revision.get("observedGeneration", 0)),
                "conditions": [condition_of(each) for each in revision.get("conditions", [])],
                "logUrl": revision.get("logUri"),
            }
        ),
    }


def service_from(fields: Json) -> Json:
    """Return the service of Admin v2 that a Knative one stands for."""
    metadata, template = fields["metadata"], fields["spec"]["template"]
    annotations = metadata.get("annotations", {})
    ingress = annotations.get(INGRESS, "all")
    service = {
        "labels": own(metadata.get("labels", {})),
        "annotations": own(annotations),
        "ingress": _INGRESS[ingress],
        "scaling": _scaling_from(annotations),
        "template": template_from(template.get("metadata", {}), template["spec"]),
        "traffic": [_traffic_from(each) for each in fields["spec"].get("traffic", [])],
    }
    return checked(run_v2.Service, present(service))


def condition_of(condition: Json) -> Json:
    """Return a condition: three states are left of those of Admin v2."""
    reason = str(condition.get("reason", condition.get("revisionReason", "")))
    return present(
        {
            "type": condition["type"],
            "status": STATUS.get(condition.get("state", ""), "Unknown"),
            "reason": reason.title().replace("_", ""),
            "message": condition.get("message"),
            "lastTransitionTime": condition.get("lastTransitionTime"),
        }
    )


_INGRESS = {
    "all": "INGRESS_TRAFFIC_ALL",
    "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}


def _ingress_of(value: str) -> str:
    return next(name for name, other in _INGRESS.items() if other == value)


def _status_of(service: Json) -> Json:
    conditions = [service["terminalCondition"], *service.get("conditions", [])]
    uri = service.get("uri")
    return present(
        {
            "observedGeneration": int(service.get("observedGeneration", 0)),
            "conditions": [condition_of(each) for each in conditions],
            "latestReadyRevisionName": short(service.get("latestReadyRevision", "")),
            "latestCreatedRevisionName": short(service.get("latestCreatedRevision", "")),
            "url": uri,
            "address": present({"url": uri}),
            "traffic": [
                _traffic_of({"revision": service.get("latestReadyRevision", ""), **each})
                for each in service.get("trafficStatuses", [])
            ],
        }
    )


def _traffic_of(target: Json) -> Json:
    latest = target["type"] == LATEST
    return present(
        {
            "percent": target.get("percent"),
            "latestRevision": latest or None,
            "revisionName": short(target.get("revision", "")),
            "tag": target.get("tag"),
        }
    )


def _traffic_from(target: Json) -> Json:
    latest = target.get("latestRevision", False)
    return present(
        {
            "type": LATEST if latest else REVISION,
            "revision": "" if latest else target.get("revisionName"),
            "percent": target.get("percent"),
            "tag": target.get("tag"),
        }
    )
