"""Containers and volumes of a Cloud Run template, checked as Cloud Run checks them."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from local_cloud.google.run_names import invalid
from local_cloud.google.run_resources import GPU

RESERVED_ENV = ("K_CONFIGURATION", "K_REVISION", "K_SERVICE", "PORT")
RESERVED_JOB_ENV = (
    "CLOUD_RUN_EXECUTION",
    "CLOUD_RUN_JOB",
    "CLOUD_RUN_TASK_ATTEMPT",
    "CLOUD_RUN_TASK_COUNT",
    "CLOUD_RUN_TASK_INDEX",
)

MAX_PROBE_DELAY = 240
"""Seconds: of a startup probe's initial delay and period."""

MAX_PROBE_TIMEOUT = 3600
MAX_STARTUP_SECONDS = 600
"""Seconds: failure threshold times period of a startup probe."""

MAX_STARTUP_SECONDS_GPU = 1800

_FORBIDDEN_MOUNTS = ("/dev", "/proc", "/sys")


def check_containers(template: Any, *, job: bool = False) -> None:
    """Refuse containers, volumes and mounts that Cloud Run would refuse.

    Parameters
    ----------
    template
        A RevisionTemplate or a TaskTemplate.
    job
        Whether it is a task's: no ports and no probes then.

    """
    if not template.containers:
        raise invalid("template.containers", "must contain at least one container")
    volumes = _checked_volumes(template)
    serving = [c for c in template.containers if c.ports]
    if not job and len(template.containers) > 1 and len(serving) != 1:
        raise invalid(
            "template.containers",
            "Revision template should contain exactly one container with an exposed port.",
        )
    if sum(GPU in c.resources.limits for c in template.containers) > 1:
        raise invalid("template.containers", "Only one container of an instance can use a GPU.")
    for index, container in enumerate(template.containers):
        field = f"template.containers[{index}]"
        if not container.image:
            raise invalid(f"{field}.image", "must be set")
        _check_env(f"{field}.env", container.env, RESERVED_JOB_ENV if job else RESERVED_ENV)
        _check_mounts(f"{field}.volume_mounts", container.volume_mounts, volumes)
        if job and container.ports:
            raise invalid(f"{field}.ports", "Ports are not supported for jobs.")
        _check_ports(f"{field}.ports", container.ports)
        _check_startup_probe(f"{field}.startup_probe", container, gpu=_has_gpu(template))


def _has_gpu(template: Any) -> bool:
    return any(GPU in c.resources.limits for c in template.containers)


def _check_env(field: str, env: Any, reserved_names: tuple[str, ...]) -> None:
    names = [variable.name for variable in env]
    reserved = sorted(set(names) & set(reserved_names))
    if reserved:
        raise invalid(
            field,
            f"The following reserved env names were provided: {', '.join(reserved)}. These values "
            "are automatically set by the system.",
        )
    for name, count in Counter(names).items():
        if not re.fullmatch(r"[^=\s\0]+", name):
            raise invalid(field, f"Invalid name of an environment variable: '{name}'.")
        if count > 1:
            raise invalid(field, f"The environment variable '{name}' is set more than once.")


def _check_ports(field: str, ports: Any) -> None:
    if len(ports) > 1:
        raise invalid(field, "at most one port can be exposed")
    for port in ports:
        if port.container_port and not 1 <= port.container_port <= 65535:  # noqa: PLR2004 - TCP ports
            raise invalid(f"{field}[0].container_port", "must be between 1 and 65535")
        if port.name not in {"", "http1", "h2c"}:
            raise invalid(f"{field}[0].name", "must be 'http1' or 'h2c'")


def _checked_volumes(template: Any) -> set[str]:
    """Return the volumes' names."""
    names: set[str] = set()
    for index, volume in enumerate(template.volumes):
        field = f"template.volumes[{index}]"
        if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", volume.name):
            raise invalid(f"{field}.name", f"Invalid volume name '{volume.name}'.")
        if volume.name in names:
            raise invalid(f"{field}.name", f"Duplicate volume name '{volume.name}'.")
        names.add(volume.name)
        if "gcs" in volume:
            _check_gcs(field, volume.gcs)
            if template.execution_environment.name == "EXECUTION_ENVIRONMENT_GEN1":
                raise invalid(
                    field,
                    "Cloud Storage volumes are only supported with the gen2 execution environment.",
                )
    return names


def _check_gcs(field: str, gcs: Any) -> None:
    if not gcs.bucket:
        raise invalid(f"{field}.gcs.bucket", "must be set")
    for option in gcs.mount_options:
        if option.startswith("-"):
            raise invalid(
                f"{field}.gcs.mount_options",
                f"Invalid mount option '{option}': options are given without leading dashes.",
            )


def _check_mounts(field: str, mounts: Any, volumes: set[str]) -> None:
    paths: set[str] = set()
    for index, mount in enumerate(mounts):
        if mount.name not in volumes:
            raise invalid(
                f"{field}[{index}].name", f"Volume mount references unknown volume '{mount.name}'."
            )
        path = mount.mount_path.rstrip("/")
        if not path.startswith("/"):
            raise invalid(f"{field}[{index}].mount_path", "must be an absolute path other than '/'")
        if any(path == bad or path.startswith(f"{bad}/") for bad in _FORBIDDEN_MOUNTS):
            raise invalid(
                f"{field}[{index}].mount_path", f"Mounting a volume at '{path}' is not allowed."
            )
        if path in paths:
            raise invalid(f"{field}[{index}].mount_path", f"Duplicate mount path '{path}'.")
        paths.add(path)


def _check_startup_probe(field: str, container: Any, *, gpu: bool) -> None:
    if "startup_probe" not in container:
        return
    probe = container.startup_probe
    period = probe.period_seconds or 10
    timeout = probe.timeout_seconds or 1
    threshold = probe.failure_threshold or 3
    if not 0 <= probe.initial_delay_seconds <= MAX_PROBE_DELAY:
        raise invalid(f"{field}.initial_delay_seconds", f"must be between 0 and {MAX_PROBE_DELAY}")
    if not 1 <= period <= MAX_PROBE_DELAY:
        raise invalid(f"{field}.period_seconds", f"must be between 1 and {MAX_PROBE_DELAY}")
    if not 1 <= timeout <= MAX_PROBE_TIMEOUT:
        raise invalid(f"{field}.timeout_seconds", f"must be between 1 and {MAX_PROBE_TIMEOUT}")
    if timeout > period:
        raise invalid(f"{field}.timeout_seconds", "must be less than or equal to period_seconds")
    if threshold < 1:
        raise invalid(f"{field}.failure_threshold", "must be at least 1")
    most = MAX_STARTUP_SECONDS_GPU if gpu else MAX_STARTUP_SECONDS
    if threshold * period > most:
        raise invalid(
            f"{field}.failure_threshold",
            f"failure_threshold * period_seconds must not exceed {most} seconds",
        )
