"""A service as a resource of Terraform."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Block = list[tuple[str, Any]]
"""Lines of a block: a name with a value, or with a block in its turn."""


def terraform(document: Mapping[str, Any]) -> str:
    """Write a ``google_cloud_run_v2_service``."""
    _, project, _, region, _, name = document["name"].split("/")
    resource = re.sub(r"[^a-z0-9]", "_", name)
    lines: Block = [
        ("project", project),
        ("location", region),
        ("name", name),
        ("ingress", document["ingress"]),
        ("deletion_protection", False),
        ("labels", document["labels"]),
        ("annotations", document["annotations"]),
        ("template", _template(document["template"])),
    ]
    body = "\n".join(_written(lines, 1))
    return f'resource "google_cloud_run_v2_service" "{resource}" {{\n{body}\n}}\n'


def quoted(text: str) -> str:
    """Write a text so that Terraform reads it as it is: without templates."""
    escaped = json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return escaped.replace("\x7f", "\\u007f")


def _template(template: Mapping[str, Any]) -> Block:
    lines: Block = [
        ("execution_environment", template["executionEnvironment"]),
        ("max_instance_request_concurrency", template["maxInstanceRequestConcurrency"]),
        ("timeout", template["timeout"]),
    ]
    if template["serviceAccount"]:
        lines.append(("service_account", template["serviceAccount"]))
    if "nodeSelector" in template:
        lines += [
            ("gpu_zonal_redundancy_disabled", template["gpuZonalRedundancyDisabled"]),
            ("node_selector", [("accelerator", template["nodeSelector"]["accelerator"])]),
        ]
    limits: Block = [
        ("min_instance_count", template["scaling"]["minInstanceCount"]),
        ("max_instance_count", template["scaling"]["maxInstanceCount"]),
    ]
    lines.append(("scaling", limits))
    lines += [("containers", _container(each)) for each in template["containers"]]
    lines += [("volumes", _volume(each)) for each in template["volumes"]]
    access = template.get("vpcAccess")
    if access:
        network: Block = [("egress", access["egress"])]
        if "connector" in access:
            network.append(("connector", access["connector"]))
        network += [
            ("network_interfaces", list(each.items()))
            for each in access.get("networkInterfaces", [])
        ]
        lines.append(("vpc_access", network))
    return lines


def _container(container: Mapping[str, Any]) -> Block:
    lines: Block = [("name", container["name"]), ("image", container["image"])]
    lines += [(words, container[words]) for words in ("command", "args") if container[words]]
    lines += [("env", _variable(each)) for each in container["env"]]
    resources: Block = [
        ("limits", container["resources"]["limits"]),
        ("cpu_idle", False),
        ("startup_cpu_boost", True),
    ]
    lines.append(("resources", resources))
    lines += [("ports", [("container_port", port["containerPort"])]) for port in container["ports"]]
    lines += [
        ("volume_mounts", [("name", mount["name"]), ("mount_path", mount["mountPath"])])
        for mount in container["volumeMounts"]
    ]
    probe = container["startupProbe"]
    over_http = "httpGet" in probe
    asked: Block = list(probe["httpGet" if over_http else "tcpSocket"].items())
    lines.append(
        (
            "startup_probe",
            [
                ("initial_delay_seconds", probe["initialDelaySeconds"]),
                ("period_seconds", probe["periodSeconds"]),
                ("timeout_seconds", probe["timeoutSeconds"]),
                ("failure_threshold", probe["failureThreshold"]),
                ("http_get" if over_http else "tcp_socket", asked),
            ],
        )
    )
    return lines


def _variable(variable: Mapping[str, Any]) -> Block:
    if "value" in variable:
        return [("name", variable["name"]), ("value", variable["value"])]
    reference = variable["valueSource"]["secretKeyRef"]
    secret: Block = [("secret", reference["secret"]), ("version", reference["version"])]
    return [("name", variable["name"]), ("value_source", [("secret_key_ref", secret)])]


def _volume(volume: Mapping[str, Any]) -> Block:
    if "emptyDir" in volume:
        memory: Block = [("medium", "MEMORY"), ("size_limit", volume["emptyDir"]["sizeLimit"])]
        return [("name", volume["name"]), ("empty_dir", memory)]
    source: Block = [
        ("bucket", volume["gcs"]["bucket"]),
        ("read_only", volume["gcs"]["readOnly"]),
        ("mount_options", volume["gcs"]["mountOptions"]),
    ]
    return [("name", volume["name"]), ("gcs", source)]


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
