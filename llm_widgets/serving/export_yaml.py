"""A service as the YAML that ``gcloud run services replace`` takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from llm_widgets.serving import codec
from llm_widgets.serving.codec.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # it has no types
    """Writes texts of several lines as blocks, where YAML can."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def dumped(document: Any) -> str:
    """Write a structure as YAML, its keys in their order."""
    text: str = yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6
    )
    return text


def yaml_text(document: Mapping[str, Any]) -> str:
    """Write a service in the shape of the first version of Cloud Run's API."""
    service = codec.deployment_of(document)
    template = document["template"]
    return dumped(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {
                "name": service.name,
                "namespace": service.project,
                "labels": {
                    **dict(sorted(document["labels"].items())),
                    "cloud.googleapis.com/location": service.region,
                },
                "annotations": {
                    **dict(sorted(document["annotations"].items())),
                    "run.googleapis.com/ingress": service.ingress.value,
                },
            },
            "spec": {
                "template": {
                    "metadata": {"annotations": _annotations(document)},
                    "spec": _spec(template),
                }
            },
        }
    )


def _annotations(document: Mapping[str, Any]) -> dict[str, str]:
    template = document["template"]
    found = {
        setting.annotation: _said(setting.found_in(document))
        for setting in SETTINGS
        if setting.annotation and setting.found_in(document) is not None
    }
    found |= {
        "run.googleapis.com/execution-environment": "gen2",
        "run.googleapis.com/cpu-throttling": "false",
        "run.googleapis.com/startup-cpu-boost": "true",
    }
    if "gpuZonalRedundancyDisabled" in template:
        disabled = _said(template["gpuZonalRedundancyDisabled"])
        found["run.googleapis.com/gpu-zonal-redundancy-disabled"] = disabled
    access = template.get("vpcAccess", {})
    if "connector" in access:
        found["run.googleapis.com/vpc-access-connector"] = access["connector"]
    if "networkInterfaces" in access:
        interfaces = json.dumps(access["networkInterfaces"])
        found["run.googleapis.com/network-interfaces"] = interfaces
    if "egress" in access:
        found["run.googleapis.com/vpc-access-egress"] = "all-traffic"
    return found


def _said(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spec(template: Mapping[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "containerConcurrency": template["maxInstanceRequestConcurrency"],
        "timeoutSeconds": int(template["timeout"].removesuffix("s")),
    }
    if "serviceAccount" in template:
        spec["serviceAccountName"] = template["serviceAccount"]
    if "nodeSelector" in template:
        accelerator = template["nodeSelector"]["accelerator"]
        spec["nodeSelector"] = {"run.googleapis.com/accelerator": accelerator}
    spec["containers"] = [_container(each) for each in template["containers"]]
    spec["volumes"] = [_volume(each) for each in template["volumes"]]
    return spec


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": container["name"], "image": container["image"]}
    # These are written as in the second version, and so is a probe.
    made |= {words: container[words] for words in ("command", "args") if words in container}
    made["ports"] = container["ports"]
    made["env"] = [_variable(each) for each in container.get("env", [])]
    made["resources"] = {"limits": dict(sorted(container["resources"]["limits"].items()))}
    made["volumeMounts"] = container["volumeMounts"]
    made["startupProbe"] = container["startupProbe"]
    return made


def _variable(variable: Mapping[str, Any]) -> dict[str, Any]:
    if "value" in variable:
        return {"name": variable["name"], "value": variable["value"]}
    secret = variable["valueSource"]["secretKeyRef"]
    reference = {"name": secret["secret"], "key": secret["version"]}
    return {"name": variable["name"], "valueFrom": {"secretKeyRef": reference}}


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    if "emptyDir" in volume:
        limit = volume["emptyDir"]["sizeLimit"]
        return {"name": volume["name"], "emptyDir": {"medium": "Memory", "sizeLimit": limit}}
    bucket = volume["gcs"]
    attributes = {
        "bucketName": bucket["bucket"],
        "mountOptions": ",".join(bucket["mountOptions"]),
    }
    driver = {
        "driver": "gcsfuse.run.googleapis.com",
        "readOnly": bucket["readOnly"],
        "volumeAttributes": attributes,
    }
    return {"name": volume["name"], "csi": driver}
