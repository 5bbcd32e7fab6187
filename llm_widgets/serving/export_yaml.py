"""A service as the YAML that ``gcloud run services replace`` takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from llm_widgets.gcp.client import lazy

_INGRESS = {1: "all", 2: "internal", 3: "internal-and-cloud-load-balancing"}


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


def yaml_text(project: str, region: str, name: str, service: lazy.run_v2.Service) -> str:
    """Write a service in the shape of the first version of Cloud Run's API."""
    return dumped(
        {
            "apiVersion": "serving.knative.dev/v1",
            "kind": "Service",
            "metadata": {
                "name": name,
                "namespace": project,
                "labels": {
                    **dict(sorted(service.labels.items())),
                    "cloud.googleapis.com/location": region,
                },
                "annotations": {
                    **dict(sorted(service.annotations.items())),
                    "run.googleapis.com/ingress": _INGRESS[int(service.ingress)],
                },
            },
            "spec": {
                "template": {
                    "metadata": {"annotations": _annotations(service.template)},
                    "spec": _spec(service.template),
                }
            },
        }
    )


def _annotations(template: lazy.run_v2.RevisionTemplate) -> dict[str, str]:
    found = {
        "autoscaling.knative.dev/minScale": str(template.scaling.min_instance_count),
        "autoscaling.knative.dev/maxScale": str(template.scaling.max_instance_count),
        "run.googleapis.com/execution-environment": "gen2",
        "run.googleapis.com/cpu-throttling": "false",
        "run.googleapis.com/startup-cpu-boost": "true",
    }
    if template.node_selector.accelerator:
        disabled = str(template.gpu_zonal_redundancy_disabled).lower()
        found["run.googleapis.com/gpu-zonal-redundancy-disabled"] = disabled
    access = template.vpc_access
    if access.connector:
        found["run.googleapis.com/vpc-access-connector"] = access.connector
    for interface in access.network_interfaces:
        found["run.googleapis.com/network-interfaces"] = json.dumps(
            [{"network": interface.network, "subnetwork": interface.subnetwork}]
        )
    if access.egress:
        found["run.googleapis.com/vpc-access-egress"] = "all-traffic"
    return found


def _spec(template: lazy.run_v2.RevisionTemplate) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "containerConcurrency": template.max_instance_request_concurrency,
        "timeoutSeconds": int(template.timeout.total_seconds()),
    }
    if template.service_account:
        spec["serviceAccountName"] = template.service_account
    if template.node_selector.accelerator:
        accelerator = template.node_selector.accelerator
        spec["nodeSelector"] = {"run.googleapis.com/accelerator": accelerator}
    spec["containers"] = [_container(each) for each in template.containers]
    spec["volumes"] = [_volume(each) for each in template.volumes]
    return spec


def _container(container: lazy.run_v2.Container) -> dict[str, Any]:
    made: dict[str, Any] = {"name": container.name, "image": container.image}
    if container.command:
        made["command"] = list(container.command)
    if container.args:
        made["args"] = list(container.args)
    made["ports"] = [{"containerPort": port.container_port} for port in container.ports]
    made["env"] = [_variable(each) for each in container.env]
    made["resources"] = {"limits": dict(sorted(container.resources.limits.items()))}
    made["volumeMounts"] = [
        {"name": mount.name, "mountPath": mount.mount_path} for mount in container.volume_mounts
    ]
    probe = container.startup_probe
    made["startupProbe"] = {
        "initialDelaySeconds": probe.initial_delay_seconds,
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
        **_asked(probe),
    }
    return made


def _asked(probe: lazy.run_v2.Probe) -> dict[str, Any]:
    if probe.http_get.path:
        return {"httpGet": {"path": probe.http_get.path, "port": probe.http_get.port}}
    return {"tcpSocket": {"port": probe.tcp_socket.port}}


def _variable(variable: lazy.run_v2.EnvVar) -> dict[str, Any]:
    secret = variable.value_source.secret_key_ref
    if not secret.secret:
        return {"name": variable.name, "value": variable.value}
    reference = {"name": secret.secret, "key": secret.version}
    return {"name": variable.name, "valueFrom": {"secretKeyRef": reference}}


def _volume(volume: lazy.run_v2.Volume) -> dict[str, Any]:
    if not volume.gcs.bucket:
        limit = volume.empty_dir.size_limit
        return {"name": volume.name, "emptyDir": {"medium": "Memory", "sizeLimit": limit}}
    attributes = {
        "bucketName": volume.gcs.bucket,
        "mountOptions": ",".join(volume.gcs.mount_options),
    }
    driver = {
        "driver": "gcsfuse.run.googleapis.com",
        "readOnly": volume.gcs.read_only,
        "volumeAttributes": attributes,
    }
    return {"name": volume.name, "csi": driver}
