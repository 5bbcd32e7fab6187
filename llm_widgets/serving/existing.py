"""A service that exists, read as a deployment and changed without losing what is not shown.

Services are the JSON of Cloud Run's API here: a field that this product has never heard of is
carried through like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.models import Framework
from llm_widgets.domain.services import (
    BUCKET_ANNOTATION,
    ENGINE_LABEL,
    MANAGED_BY,
    MODEL_ANNOTATION,
    SERVED_NAME_ANNOTATION,
    Deployment,
    Ingress,
    StartupProbe,
    SubnetAccess,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Json = dict[str, Any]

INGRESS = {
    "INGRESS_TRAFFIC_ALL": Ingress.ALL,
    "INGRESS_TRAFFIC_INTERNAL_ONLY": Ingress.INTERNAL,
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER": Ingress.BALANCER,
}
OWN_LABELS = (MANAGED_BY[0], ENGINE_LABEL)
_UNITS = {"Gi": 1.0, "Mi": 1 / 1024, "G": 1e9 / 2**30, "M": 1e6 / 2**30, "Ki": 1 / 2**20}
# Options that belong to the folder and the cache, which have fields of their own.
_FOLDER_OPTION, _CACHE_OPTIONS = "only-dir=", ("cache-dir=", "file-cache-")


def deployment_of(service: Mapping[str, Any]) -> Deployment:
    """Read a service as the deployment that it is."""
    _, project, _, region, _, name = str(service["name"]).split("/")
    template = service.get("template", {})
    container = main_container(template)
    limits = container.get("resources", {}).get("limits", {})
    annotations = service.get("annotations", {})
    volume = model_volume(template)
    options = volume.get("gcs", {}).get("mountOptions", [])
    scaling = template.get("scaling", {})
    labels = service.get("labels", {})
    access = template.get("vpcAccess", {})
    mounts = {m["name"]: m.get("mountPath", "") for m in container.get("volumeMounts", [])}
    return Deployment(
        project=project,
        region=region,
        name=name,
        framework=_framework(labels, container),
        model_id=annotations.get(MODEL_ANNOTATION, ""),
        served_name=annotations.get(SERVED_NAME_ANNOTATION, ""),
        image=container.get("image", ""),
        port=port_of(container),
        bucket=volume.get("gcs", {}).get("bucket") or annotations.get(BUCKET_ANNOTATION, ""),
        folder=next((o.partition("=")[2] for o in options if o.startswith("only-dir=")), ""),
        mount_path=mounts.get(volume.get("name", ""), ""),
        probe=_probe(container),
        command=tuple(container.get("command", [])),
        args=tuple(container.get("args", [])),
        environment={
            each["name"]: each.get("value", "")
            for each in container.get("env", [])
            if "valueSource" not in each
        },
        secrets={
            each["name"]: secret_text(each) for each in container.get("env", []) if is_secret(each)
        },
        mount_options=tuple(o for o in options if o not in own_options(options)),
        accelerator=template.get("nodeSelector", {}).get("accelerator", ""),
        cpu=_cpu(limits.get("cpu", "1")),
        memory_gib=_gib(limits.get("memory", "0.5Gi")),
        min_instances=int(scaling.get("minInstanceCount", 0)),
        max_instances=int(scaling.get("maxInstanceCount", 100)),
        concurrency=int(template.get("maxInstanceRequestConcurrency", 80)),
        timeout=int(float(str(template.get("timeout", "300s")).rstrip("s"))),
        zonal_redundancy=not template.get("gpuZonalRedundancyDisabled", False),
        service_account=template.get("serviceAccount", ""),
        subnet=_subnet(access),
        connector=access.get("connector", ""),
        cache_gib=_cache(template, container),
        labels={name: value for name, value in labels.items() if name not in OWN_LABELS},
        ingress=INGRESS.get(str(service.get("ingress")), Ingress.ALL),
    )


def main_container(template: Mapping[str, Any]) -> Json:
    """Find the container that takes the requests; the others are sidecars."""
    containers: list[Json] = template.get("containers", [])
    return next((each for each in containers if each.get("ports")), (containers or [{}])[0])


def model_volume(template: Mapping[str, Any]) -> Json:
    """Find the volume of the model's bucket: the first of Cloud Storage in the main container."""
    mounted = [mount["name"] for mount in main_container(template).get("volumeMounts", [])]
    volumes: list[Json] = template.get("volumes", [])
    return next((v for v in volumes if "gcs" in v and v["name"] in mounted), {})


def own_options(options: Sequence[str]) -> list[str]:
    """Give the mount options that belong to the folder or the cache.

    Where there is no cache, an option about it is like any other: that is what is wrong with it.
    """
    has_cache = any(option.startswith("cache-dir=") for option in options)
    own = (_FOLDER_OPTION, *(_CACHE_OPTIONS if has_cache else ()))
    return [option for option in options if option.startswith(own)]


def is_secret(variable: Mapping[str, Any]) -> bool:
    """Whether a variable's value comes from Secret Manager."""
    return "secretKeyRef" in variable.get("valueSource", {})


def secret_text(variable: Mapping[str, Any]) -> str:
    """Write where a variable's value is: ``secret:version``."""
    reference = variable["valueSource"]["secretKeyRef"]
    return f"{reference.get('secret', '')}:{reference.get('version', 'latest')}"


def port_of(container: Mapping[str, Any]) -> int:
    """Give the port of a container that takes requests."""
    ports = container.get("ports") or [{}]
    return int(ports[0].get("containerPort", 8080))


def _framework(labels: Mapping[str, str], container: Mapping[str, Any]) -> Framework:
    label = labels.get(ENGINE_LABEL, "")
    if label in list(Framework):
        return Framework(label)
    is_ollama = "ollama" in container.get("image", "").lower()
    return Framework.OLLAMA if is_ollama else Framework.VLLM


def _probe(container: Mapping[str, Any]) -> StartupProbe:
    probe = container.get("startupProbe")
    if not probe:
        # What Cloud Run does on its own: it waits four minutes for a connection.
        return StartupProbe("", period=240, timeout=240, failures=1)
    over_http = probe.get("httpGet")
    asked = over_http or probe.get("tcpSocket") or probe.get("grpc") or {}
    port = int(asked.get("port", 0))
    return StartupProbe(
        path=over_http.get("path", "/") if over_http is not None else "",
        initial_delay=int(probe.get("initialDelaySeconds", 0)),
        period=int(probe.get("periodSeconds", 10)),
        timeout=int(probe.get("timeoutSeconds", 1)),
        failures=int(probe.get("failureThreshold", 3)),
        port=0 if port == port_of(container) else port,
    )


def _subnet(access: Mapping[str, Any]) -> SubnetAccess | None:
    interfaces = access.get("networkInterfaces", [])
    if not interfaces:
        return None
    return SubnetAccess(interfaces[0].get("network", ""), interfaces[0].get("subnetwork", ""))


def _cache(template: Mapping[str, Any], container: Mapping[str, Any]) -> int:
    options = model_volume(template).get("gcs", {}).get("mountOptions", [])
    name = next((o.rpartition(":")[2] for o in options if o.startswith("cache-dir=cr-volume:")), "")
    sizes = [
        v["emptyDir"].get("sizeLimit", "0Gi")
        for v in template.get("volumes", [])
        if v["name"] == name and "emptyDir" in v
    ]
    return int(_gib(sizes[0])) if sizes and container else 0


def _cpu(text: str) -> float:
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def _gib(text: str) -> float:
    for unit, factor in _UNITS.items():
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text) / 2**30
