"""Templates of revisions and tasks: the Knative form that gcloud speaks, and that of Admin v2.

Both are JSON. What a container is made of has the same names in both; what Admin v2 has fields for
beyond Knative are annotations here.
"""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]

SAME_IN_CONTAINERS = ("name", "image", "command", "args", "workingDir", "ports", "volumeMounts")
PROBES = ("startupProbe", "livenessProbe")
MAX_SCALE = "autoscaling.knative.dev/maxScale"
MIN_SCALE = "autoscaling.knative.dev/minScale"
ENVIRONMENT = "run.googleapis.com/execution-environment"
CONNECTOR = "run.googleapis.com/vpc-access-connector"
EGRESS = "run.googleapis.com/vpc-access-egress"
INTERFACES = "run.googleapis.com/network-interfaces"
THROTTLING = "run.googleapis.com/cpu-throttling"
BOOST = "run.googleapis.com/startup-cpu-boost"
NO_REDUNDANCY = "run.googleapis.com/gpu-zonal-redundancy-disabled"
ACCELERATOR = "run.googleapis.com/accelerator"


def present(fields: Json) -> Json:
    """Return the fields that say something: protobuf's JSON leaves out the others, too."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def own(keys: Json) -> Json:
    """Return a person's labels or annotations, without the platform's."""
    return {
        key: value
        for key, value in keys.items()
        if "googleapis.com" not in key and "knative.dev" not in key
    }


def short(name: str) -> str:
    """Return the last part of a resource name."""
    return name.rpartition("/")[2]


def annotations_of(template: Json) -> Json:
    """Return the annotations that stand for fields of a template of Admin v2."""
    scaling, vpc = template.get("scaling", {}), template.get("vpcAccess", {})
    resources = template.get("containers", [{}])[0].get("resources", {})
    interfaces = vpc.get("networkInterfaces")
    return present(
        {
            **template.get("annotations", {}),
            MAX_SCALE: str(scaling.get("maxInstanceCount", "")),
            MIN_SCALE: str(scaling.get("minInstanceCount", "")),
            ENVIRONMENT: short(template.get("executionEnvironment", "").replace("_", "/")).lower(),
            CONNECTOR: vpc.get("connector"),
            EGRESS: vpc.get("egress", "").lower().replace("_", "-"),
            INTERFACES: json.dumps(interfaces) if interfaces else "",
            THROTTLING: "" if resources.get("cpuIdle") else "false",
            BOOST: "true" if resources.get("startupCpuBoost") else "",
            NO_REDUNDANCY: "true" if template.get("gpuZonalRedundancyDisabled") else "",
        }
    )


def spec_of(template: Json) -> Json:
    """Return the Knative spec of a revision or a task."""
    accelerator = template.get("nodeSelector", {}).get("accelerator")
    return present(
        {
            "containers": [_container_of(each) for each in template.get("containers", [])],
            "volumes": [_volume_of(each) for each in template.get("volumes", [])],
            "serviceAccountName": template.get("serviceAccount"),
            "containerConcurrency": template.get("maxInstanceRequestConcurrency"),
            "timeoutSeconds": int(template.get("timeout", "0s").rstrip("s")),
            "maxRetries": template.get("maxRetries"),
            "nodeSelector": present({ACCELERATOR: accelerator}),
        }
    )


def template_from(metadata: Json, spec: Json) -> Json:
    """Return the template of Admin v2 that a Knative template stands for."""
    annotations = metadata.get("annotations", {})
    resources = present(
        {
            "cpuIdle": not _is(annotations.get(THROTTLING), "false"),
            "startupCpuBoost": _is(annotations.get(BOOST), "true"),
        }
    )
    containers = [_container_from(each) for each in spec["containers"]]
    containers[0]["resources"] = {**containers[0].get("resources", {}), **resources}
    environment = annotations.get(ENVIRONMENT, "").upper()
    return present(
        {
            "labels": own(metadata.get("labels", {})),
            "annotations": own(annotations),
            "containers": containers,
            "volumes": [_volume_from(each) for each in spec.get("volumes", [])],
            "scaling": present(
                {
                    "maxInstanceCount": int(annotations.get(MAX_SCALE, 0)),
                    "minInstanceCount": int(annotations.get(MIN_SCALE, 0)),
                }
            ),
            "executionEnvironment": environment and f"EXECUTION_ENVIRONMENT_{environment}",
            "vpcAccess": present(
                {
                    "connector": annotations.get(CONNECTOR),
                    "egress": annotations.get(EGRESS, "").upper().replace("-", "_"),
                    "networkInterfaces": json.loads(annotations.get(INTERFACES, "[]")),
                }
            ),
            "gpuZonalRedundancyDisabled": _is(annotations.get(NO_REDUNDANCY), "true") or None,
            "serviceAccount": spec.get("serviceAccountName"),
            "maxInstanceRequestConcurrency": spec.get("containerConcurrency"),
            "timeout": f"{spec['timeoutSeconds']}s" if "timeoutSeconds" in spec else None,
            "nodeSelector": present({"accelerator": spec.get("nodeSelector", {}).get(ACCELERATOR)}),
        }
    )


def _is(text: str | None, word: str) -> bool:
    return (text or "").lower() == word  # gcloud writes True and true


def _container_of(container: Json) -> Json:
    same = {name: container.get(name) for name in (*SAME_IN_CONTAINERS, *PROBES)}
    limits = container.get("resources", {}).get("limits", {})
    env = [_variable_of(each) for each in container.get("env", [])]
    return present({**same, "env": env, "resources": present({"limits": limits})})


def _container_from(container: Json) -> Json:
    same = {name: container.get(name) for name in (*SAME_IN_CONTAINERS, *PROBES)}
    limits = container.get("resources", {}).get("limits", {})
    env = [_variable_from(each) for each in container.get("env", [])]
    return present({**same, "env": env, "resources": present({"limits": limits})})


def _variable_of(variable: Json) -> Json:
    secret = variable.get("valueSource", {}).get("secretKeyRef")
    if not secret:
        return {"name": variable["name"], "value": variable.get("value", "")}
    reference = {"name": short(secret["secret"]), "key": secret["version"]}
    return {"name": variable["name"], "valueFrom": {"secretKeyRef": reference}}


def _variable_from(variable: Json) -> Json:
    secret = variable.get("valueFrom", {}).get("secretKeyRef")
    if not secret:
        return {"name": variable["name"], "value": variable.get("value", "")}
    reference = {"secret": secret["name"], "version": secret["key"]}
    return {"name": variable["name"], "valueSource": {"secretKeyRef": reference}}


def _volume_of(volume: Json) -> Json:
    if "emptyDir" in volume:
        memory = {"medium": "Memory", "sizeLimit": volume["emptyDir"].get("sizeLimit")}
        return {"name": volume["name"], "emptyDir": present(memory)}
    bucket = volume["gcs"]
    return {
        "name": volume["name"],
        "csi": present(
            {
                "driver": "gcsfuse.run.googleapis.com",
                "readOnly": bucket.get("readOnly"),
                "volumeAttributes": present(
                    {
                        "bucketName": bucket["bucket"],
                        "mountOptions": ",".join(bucket.get("mountOptions", [])),
                    }
                ),
            }
        ),
    }


def _volume_from(volume: Json) -> Json:
    if "emptyDir" in volume:
        memory = {"medium": "MEMORY", "sizeLimit": volume["emptyDir"].get("sizeLimit")}
        return {"name": volume["name"], "emptyDir": present(memory)}
    csi = volume["csi"]
    attributes = csi["volumeAttributes"]
    options = attributes.get("mountOptions", "")
    return {
        "name": volume["name"],
        "gcs": present(
            {
                "bucket": attributes["bucketName"],
                "readOnly": csi.get("readOnly"),
                "mountOptions": options.split(",") if options else [],
            }
        ),
    }
