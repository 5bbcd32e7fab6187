"""A service as a resource of Terraform."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client import lazy

Block = list[tuple[str, Any]]
"""Lines of a block: a name with a value, or with a block in its turn."""


def terraform(project: str, region: str, name: str, service: lazy.run_v2.Service) -> str:
    """Write a ``google_cloud_run_v2_service``."""
    resource = re.sub(r"[^a-z0-9]", "_", name)
    lines: Block = [
        ("project", project),
        ("location", region),
        ("name", name),
        ("ingress", service.ingress.name),
        ("deletion_protection", False),
        ("labels", dict(service.labels)),
        ("annotations", dict(service.annotations)),
        ("template", _template(service.template)),
    ]
    body = "\n".join(_written(lines, 1))
    return f'resource "google_cloud_run_v2_service" "{resource}" {{\n{body}\n}}\n'


def quoted(text: str) -> str:
    """Write a text so that Terraform reads it as it is: without templates."""
    escaped = json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return escaped.replace("\x7f", "\\u007f")


def _template(template: lazy.run_v2.RevisionTemplate) -> Block:
    scaling = template.scaling
    lines: Block = [
        ("execution_environment", template.execution_environment.name),
        ("max_instance_request_concurrency", template.max_instance_request_concurrency),
        ("timeout", f"{int(template.timeout.total_seconds())}s"),
    ]
    if template.service_account:
        lines.append(("service_account", template.service_account))
    if template.node_selector.accelerator:
        lines += [
            ("gpu_zonal_redundancy_disabled", template.gpu_zonal_redundancy_disabled),
            ("node_selector", [("accelerator", template.node_selector.accelerator)]),
        ]
    limits: Block = [
        ("min_instance_count", scaling.min_instance_count),
        ("max_instance_count", scaling.max_instance_count),
    ]
    lines.append(("scaling", limits))
    lines += [("containers", _container(each)) for each in template.containers]
    lines += [("volumes", _volume(each)) for each in template.volumes]
    access = template.vpc_access
    if access.egress:
        network: Block = [("egress", access.egress.name)]
        if access.connector:
            network.append(("connector", access.connector))
        network += [
            ("network_interfaces", [("network", i.network), ("subnetwork", i.subnetwork)])
            for i in access.network_interfaces
        ]
        lines.append(("vpc_access", network))
    return lines


def _container(container: lazy.run_v2.Container) -> Block:
    lines: Block = [("name", container.name), ("image", container.image)]
    if container.command:
        lines.append(("command", list(container.command)))
    if container.args:
        lines.append(("args", list(container.args)))
    lines += [("env", _variable(each)) for each in container.env]
    resources: Block = [
        ("limits", dict(container.resources.limits)),
        ("cpu_idle", False),
        ("startup_cpu_boost", True),
    ]
    lines.append(("resources", resources))
    lines += [("ports", [("container_port", port.container_port)]) for port in container.ports]
    lines += [
        ("volume_mounts", [("name", mount.name), ("mount_path", mount.mount_path)])
        for mount in container.volume_mounts
    ]
    probe = container.startup_probe
    asked: tuple[str, Block] = ("tcp_socket", [("port", probe.tcp_socket.port)])
    if probe.http_get.path:
        get: Block = [("path", probe.http_get.path), ("port", probe.http_get.port)]
        asked = ("http_get", get)
    lines.append(
        (
            "startup_probe",
            [
                ("initial_delay_seconds", probe.initial_delay_seconds),
                ("period_seconds", probe.period_seconds),
                ("timeout_seconds", probe.timeout_seconds),
                ("failure_threshold", probe.failure_threshold),
                asked,
            ],
        )
    )
    return lines


def _variable(variable: lazy.run_v2.EnvVar) -> Block:
    reference = variable.value_source.secret_key_ref
    if not reference.secret:
        return [("name", variable.name), ("value", variable.value)]
    secret: Block = [("secret", reference.secret), ("version", reference.version)]
    return [("name", variable.name), ("value_source", [("secret_key_ref", secret)])]


def _volume(volume: lazy.run_v2.Volume) -> Block:
    if volume.gcs.bucket:
        source: Block = [
            ("bucket", volume.gcs.bucket),
            ("read_only", volume.gcs.read_only),
            ("mount_options", list(volume.gcs.mount_options)),
        ]
        return [("name", volume.name), ("gcs", source)]
    memory: Block = [("medium", "MEMORY"), ("size_limit", volume.empty_dir.size_limit)]
    return [("name", volume.name), ("empty_dir", memory)]


def _written(lines: Block, depth: int) -> Iterator[str]:
    """Write a block as ``terraform fmt`` does, with the equals signs of neighbours in a column."""
    indent = "  " * depth
    for is_line, group in itertools.groupby(lines, lambda line: _is_line(line[1])):
        if is_line:
            yield from _aligned([(name, _value(value)) for name, value in group], indent)
            continue
        for name, value in group:
            if isinstance(value, dict):
                yield f"{indent}{name} = {{"
                pairs = [(quoted(key), quoted(text)) for key, text in sorted(value.items())]
                yield from _aligned(pairs, f"{indent}  ")
            else:
                yield f"{indent}{name} {{"
                yield from _written(value, depth + 1)
            yield f"{indent}}}"


def _is_line(value: Any) -> bool:
    is_block = isinstance(value, list) and value and isinstance(value[0], tuple)
    return not is_block and not isinstance(value, dict)


def _aligned(pairs: list[tuple[str, str]], indent: str) -> Iterator[str]:
    width = max(len(name) for name, _ in pairs)
    return (f"{indent}{name:{width}} = {value}" for name, value in pairs)


def _value(value: list[str] | str | int) -> str:
    if isinstance(value, list):
        return f"[{', '.join(quoted(each) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else quoted(value)
