"""Templates of services and jobs: what Cloud Run refuses, and what it fills in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.regions import GPU_REGIONS
from local_cloud.google.run_containers import check_containers
from local_cloud.google.run_names import check_annotations, check_labels, invalid
from local_cloud.google.run_resources import DEFAULT_LIMITS, GPU, check_limits

# Any: the members are numbers to the type checker.
FROM_EVERYWHERE: Any = run_v2.IngressTraffic.INGRESS_TRAFFIC_ALL
DEFAULT_PORT = 8080
DEFAULT_CONCURRENCY = 80
MAX_CONCURRENCY = 1000
DEFAULT_TIMEOUT = timedelta(seconds=300)
MAX_TIMEOUT = timedelta(seconds=3600)
DEFAULT_TASK_TIMEOUT = timedelta(seconds=600)
MAX_TASK_TIMEOUT = timedelta(hours=168)
MAX_GPU_TASK_TIMEOUT = timedelta(hours=1)
DEFAULT_MAX_RETRIES = 3
MAX_RETRIES = 10
MAX_TASKS = 10_000

_GEN1 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN1
_GEN2 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2


def accelerator_of(template: Any) -> str:
    """Return the GPU type of a template, empty if it has none."""
    return str(template.node_selector.accelerator)


def check_service(service: run_v2.Service, region: str) -> None:
    """Refuse a service that Cloud Run would refuse."""
    check_labels("service.labels", service.labels)
    check_annotations("service.annotations", service.annotations)
    template = service.template
    check_labels("template.labels", template.labels)
    check_annotations("template.annotations", template.annotations)
    _check_revision_name(service)
    _check_compute(template, region)
    if not 0 <= template.max_instance_request_concurrency <= MAX_CONCURRENCY:
        raise invalid(
            "template.max_instance_request_concurrency",
            f"must be between 1 and {MAX_CONCURRENCY}",
        )
    if template.timeout and not timedelta(0) < template.timeout <= MAX_TIMEOUT:
        raise invalid("template.timeout", "must be between 1 and 3600 seconds")
    scaling = template.scaling
    if scaling.min_instance_count < 0 or scaling.max_instance_count < 0:
        raise invalid("template.scaling", "instance counts must not be negative")
    if scaling.max_instance_count and scaling.min_instance_count > scaling.max_instance_count:
        raise invalid(
            "template.scaling.min_instance_count",
            "must be less than or equal to max_instance_count",
        )
    if service.traffic and sum(t.percent for t in service.traffic) != 100:  # noqa: PLR2004 - per cent
        raise invalid("service.traffic", "The sum of traffic percents must be 100.")


def check_job(job: run_v2.Job, region: str) -> None:
    """Refuse a job that Cloud Run would refuse."""
    check_labels("job.labels", job.labels)
    check_annotations("job.annotations", job.annotations)
    execution = job.template
    check_labels("template.labels", execution.labels)
    check_annotations("template.annotations", execution.annotations)
    task = execution.template
    _check_compute(task, region, job=True)
    if not 0 <= execution.task_count <= MAX_TASKS:
        raise invalid("template.task_count", f"must be between 1 and {MAX_TASKS}")
    if execution.parallelism < 0:
        raise invalid("template.parallelism", "must not be negative")
    if not 0 <= task.max_retries <= MAX_RETRIES:
        raise invalid("template.template.max_retries", f"must be between 0 and {MAX_RETRIES}")
    most = MAX_GPU_TASK_TIMEOUT if accelerator_of(task) else MAX_TASK_TIMEOUT
    if task.timeout and not timedelta(0) < task.timeout <= most:
        seconds = int(most.total_seconds())
        raise invalid("template.template.timeout", f"must be between 1 and {seconds} seconds")


def fill_service(service: run_v2.Service, service_account: str) -> None:
    """Set what a service does not state, as Cloud Run does."""
    template = service.template
    _fill_compute(template, service_account)
    template.timeout = template.timeout or DEFAULT_TIMEOUT
    template.max_instance_request_concurrency = (
        template.max_instance_request_concurrency or DEFAULT_CONCURRENCY
    )
    serving = next((c for c in template.containers if c.ports), template.containers[0])
    if not serving.ports:
        serving.ports = [run_v2.ContainerPort(name="http1", container_port=DEFAULT_PORT)]
    port = serving.ports[0]
    port.name = port.name or "http1"
    port.container_port = port.container_port or DEFAULT_PORT
    if "startup_probe" not in serving:
        serving.startup_probe = run_v2.Probe(
            timeout_seconds=240,
            period_seconds=240,
            failure_threshold=1,
            tcp_socket=run_v2.TCPSocketAction(port=port.container_port),
        )
    _fill_probe(serving.startup_probe, port.container_port)
    if not service.traffic:
        latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
        service.traffic = [run_v2.TrafficTarget(type_=latest, percent=100)]
    if not service.ingress:
        service.ingress = FROM_EVERYWHERE
    service.launch_stage = service.launch_stage or 4  # google.api.LaunchStage.GA


def fill_job(job: run_v2.Job, service_account: str) -> None:
    """Set what a job does not state, as Cloud Run does."""
    job.template.task_count = job.template.task_count or 1
    task = job.template.template
    _fill_compute(task, service_account)
    task.timeout = task.timeout or DEFAULT_TASK_TIMEOUT
    # Nought is a choice of its own here: only an absent field gets the default.
    if "max_retries" not in task:
        task.max_retries = DEFAULT_MAX_RETRIES
    job.launch_stage = job.launch_stage or 4  # google.api.LaunchStage.GA


def _check_revision_name(service: run_v2.Service) -> None:
    revision = service.template.revision
    short = service.name.rsplit("/", 1)[-1]
    if revision and not revision.startswith(f"{short}-"):
        raise invalid(
            "template.revision",
            "Revision names must be prefixed by the name of the enclosing Service with a "
            "trailing -.",
        )


def _check_compute(template: Any, region: str, *, job: bool = False) -> None:
    """Check what services and tasks have in common."""
    check_containers(template, job=job)
    accelerator = accelerator_of(template)
    has_gpu = any(GPU in c.resources.limits for c in template.containers)
    gen2 = job or has_gpu or template.execution_environment == _GEN2
    if has_gpu and template.execution_environment == _GEN1:
        raise invalid(
            "template.execution_environment",
            "GPUs are only supported with the gen2 execution environment.",
        )
    if accelerator and not has_gpu:
        raise invalid(
            "template.node_selector.accelerator", f"needs a container with the limit '{GPU}': '1'"
        )
    for index, container in enumerate(template.containers):
        check_limits(f"template.containers[{index}]", container, accelerator, gen2=gen2)
    if accelerator and region not in GPU_REGIONS.get(accelerator, frozenset()):
        raise ApiError(
            "INVALID_ARGUMENT",
            f"template.node_selector.accelerator: {accelerator} GPUs are not available in region "
            f"'{region}'.",
        )
    access = template.vpc_access
    if access.connector and access.network_interfaces:
        raise invalid(
            "template.vpc_access", "connector and network_interfaces are mutually exclusive"
        )
    if access.egress and not access.connector and not access.network_interfaces:
        raise invalid("template.vpc_access.egress", "needs a connector or a network interface")


def _fill_compute(template: Any, service_account: str) -> None:
    template.service_account = template.service_account or service_account
    has_volume = any("gcs" in volume for volume in template.volumes)
    if accelerator_of(template) or has_volume:
        template.execution_environment = template.execution_environment or _GEN2
    for container in template.containers:
        if "resources" not in container:
            # Cloud Run charges by request where nothing is said about resources.
            container.resources = run_v2.ResourceRequirements(cpu_idle=True)
        for key, value in DEFAULT_LIMITS.items():
            container.resources.limits.setdefault(key, value)


def _fill_probe(probe: run_v2.Probe, port: int) -> None:
    probe.timeout_seconds = probe.timeout_seconds or 1
    probe.period_seconds = probe.period_seconds or 10
    probe.failure_threshold = probe.failure_threshold or 3
    for kind in ("http_get", "tcp_socket", "grpc"):
        if kind in probe:
            action = getattr(probe, kind)
            action.port = action.port or port
    if "http_get" in probe:
        probe.http_get.path = probe.http_get.path or "/"
