"""A deployment as Cloud Run takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.services import (
    BUCKET_ANNOTATION,
    ENGINE_LABEL,
    MANAGED_BY,
    MODEL_ANNOTATION,
    SERVED_NAME_ANNOTATION,
    Ingress,
)
from llm_widgets.gcp.client import lazy

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment, StartupProbe

_VOLUME = "models"
_CACHE = "cache"
_CACHE_PATH = "/cache"


def service(deployment: Deployment) -> lazy.run_v2.Service:
    """Write a deployment as the service to create.

    Its project, region and name are arguments of the request, not fields of the service.
    """
    run = lazy.run_v2
    return run.Service(
        labels={
            **deployment.labels,
            MANAGED_BY[0]: MANAGED_BY[1],
            ENGINE_LABEL: deployment.framework.value,
        },
        # Labels can't hold "/" and ":", which the ids of models have.
        annotations={
            MODEL_ANNOTATION: deployment.model_id,
            BUCKET_ANNOTATION: deployment.bucket,
            SERVED_NAME_ANNOTATION: deployment.served_name,
        },
        ingress=_ingress(deployment.ingress),
        template=_template(deployment),
    )


def _ingress(chosen: Ingress) -> int:
    traffic = lazy.run_v2.IngressTraffic
    return {
        Ingress.ALL: traffic.INGRESS_TRAFFIC_ALL,
        Ingress.INTERNAL: traffic.INGRESS_TRAFFIC_INTERNAL_ONLY,
        Ingress.BALANCER: traffic.INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER,
    }[chosen]


def _template(deployment: Deployment) -> lazy.run_v2.RevisionTemplate:
    run = lazy.run_v2
    template = run.RevisionTemplate(
        # Left out, the most instances would be 100, more than any quota of GPUs.
        scaling=run.RevisionScaling(
            min_instance_count=deployment.min_instances,
            max_instance_count=deployment.max_instances,
        ),
        timeout={"seconds": deployment.timeout},
        service_account=deployment.service_account,
        # GPUs and Cloud Storage volumes need the second generation.
        execution_environment=run.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2,
        max_instance_request_concurrency=deployment.concurrency,
        volumes=_volumes(deployment),
        containers=[_container(deployment)],
    )
    if deployment.accelerator:
        template.node_selector = run.NodeSelector(accelerator=deployment.accelerator)
        template.gpu_zonal_redundancy_disabled = not deployment.zonal_redundancy
    network = _network(deployment)
    if network is not None:
        template.vpc_access = network
    return template


def _container(deployment: Deployment) -> lazy.run_v2.Container:
    run = lazy.run_v2
    limits = {"cpu": f"{deployment.cpu:g}", "memory": f"{deployment.memory_gib:g}Gi"}
    if deployment.accelerator:
        limits["nvidia.com/gpu"] = "1"
    mounts = [run.VolumeMount(name=_VOLUME, mount_path=deployment.mount_path)]
    if deployment.cache_gib:
        mounts.append(run.VolumeMount(name=_CACHE, mount_path=_CACHE_PATH))
    return run.Container(
        name=deployment.framework.value,
        image=deployment.image,
        command=list(deployment.command),
        args=list(deployment.args),
        env=_environment(deployment),
        # cpu_idle stays false: a GPU needs billing by instance, and an engine works between
        # requests.
        resources=run.ResourceRequirements(limits=limits, startup_cpu_boost=True),
        ports=[run.ContainerPort(container_port=deployment.port)],
        volume_mounts=mounts,
        startup_probe=_probe(deployment.probe, deployment.port),
    )


def _environment(deployment: Deployment) -> list[lazy.run_v2.EnvVar]:
    run = lazy.run_v2
    plain = [run.EnvVar(name=name, value=value) for name, value in deployment.environment.items()]
    return [*plain, *(_secret(name, value) for name, value in deployment.secrets.items())]


def _secret(name: str, reference: str) -> lazy.run_v2.EnvVar:
    run = lazy.run_v2
    secret, _, version = reference.partition(":")
    selector = run.SecretKeySelector(secret=secret, version=version or "latest")
    return run.EnvVar(name=name, value_source=run.EnvVarSource(secret_key_ref=selector))


def _probe(probe: StartupProbe, port: int) -> lazy.run_v2.Probe:
    run = lazy.run_v2
    made = run.Probe(
        initial_delay_seconds=probe.initial_delay,
        timeout_seconds=probe.timeout,
        period_seconds=probe.period,
        failure_threshold=probe.failures,
    )
    if probe.path:
        made.http_get = run.HTTPGetAction(path=probe.path, port=probe.port or port)
    else:
        made.tcp_socket = run.TCPSocketAction(port=probe.port or port)
    return made


def _volumes(deployment: Deployment) -> list[lazy.run_v2.Volume]:
    run = lazy.run_v2
    options = [f"only-dir={deployment.folder}"] if deployment.folder else []
    options += deployment.mount_options
    if deployment.cache_gib:
        options += (
            f"cache-dir=cr-volume:{_CACHE}",
            "file-cache-max-size-mb=-1",
            "file-cache-enable-parallel-downloads=true",
            "file-cache-cache-file-for-range-read=true",
        )
    source = run.GCSVolumeSource(bucket=deployment.bucket, read_only=True, mount_options=options)
    volumes = [run.Volume(name=_VOLUME, gcs=source)]
    if deployment.cache_gib:
        memory = run.EmptyDirVolumeSource(
            medium=run.EmptyDirVolumeSource.Medium.MEMORY, size_limit=f"{deployment.cache_gib}Gi"
        )
        volumes.append(run.Volume(name=_CACHE, empty_dir=memory))
    return volumes


def _network(deployment: Deployment) -> lazy.run_v2.VpcAccess | None:
    run = lazy.run_v2
    # All traffic: what is read from Cloud Storage goes through the network too.
    egress = run.VpcAccess.VpcEgress.ALL_TRAFFIC
    if deployment.subnet:
        interface = run.VpcAccess.NetworkInterface(
            network=deployment.subnet.network, subnetwork=deployment.subnet.subnetwork
        )
        return run.VpcAccess(egress=egress, network_interfaces=[interface])
    if deployment.connector:
        return run.VpcAccess(egress=egress, connector=deployment.connector)
    return None
