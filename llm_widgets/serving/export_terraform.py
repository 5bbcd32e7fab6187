"""A service as a resource of Terraform."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ORDER = (
    *("project", "location", "name", "image", "command", "args", "env", "value", "resources"),
    *("limits", "cpuIdle", "startupCpuBoost", "ports", "volumeMounts", "mountPath"),
    *("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold"),
    *("bucket", "readOnly", "mountOptions", "medium", "sizeLimit", "egress", "connector"),
    *("ingress", "deletionProtection", "labels", "annotations", "executionEnvironment"),
    *("maxInstanceRequestConcurrency", "timeout", "serviceAccount"),
    *("gpuZonalRedundancyDisabled", "nodeSelector", "scaling", "containers", "volumes"),
)
"""Fields as they are read best; others come after them, and blocks after single values."""

_MAPS = ("labels", "annotations", "limits")


def terraform(document: Mapping[str, Any]) -> str:
    """Write a ``google_cloud_run_v2_service``: its fields are those of the API."""
    _, project, _, region, _, name = document["name"].split("/")
    resource = re.sub(r"[^a-z0-9]", "_", name)
    place = {"project": project, "location": region, "name": name, "deletionProtection": False}
    body = "\n".join(_block({**document, **place}, 1))
    return f'resource "google_cloud_run_v2_service" "{resource}" {{\n{body}\n}}\n'


def quoted(text: str) -> str:
    """Write a text so that Terraform reads it as it is: without templates."""
    escaped = json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    return escaped.replace("\x7f", "\\u007f")


def _block(fields: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Write a block as ``terraform fmt`` does, with the equals signs of neighbours in a column."""
    indent = "  " * depth
    for is_line, group in itertools.groupby(_sorted(fields), lambda field: _is_line(field[1])):
        if is_line:
            yield from _aligned([(_name(key), _value(value)) for key, value in group], indent)
            continue
        for key, value in group:
            if key in _MAPS:
                yield f"{indent}{key} = {{"
                pairs = [(quoted(name), quoted(text)) for name, text in sorted(value.items())]
                yield from _aligned(pairs, f"{indent}  ")
                yield f"{indent}}}"
                continue
            for each in value if isinstance(value, list) else [value]:
                yield f"{indent}{_name(key)} {{"
                yield from _block(each, depth + 1)
                yield f"{indent}}}"


def _sorted(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    def rank(field: tuple[str, Any]) -> tuple[bool, int]:
        key, value = field
        is_block = not _is_line(value) and key not in _MAPS
        return is_block, _ORDER.index(key) if key in _ORDER else len(_ORDER)

    return sorted(fields.items(), key=rank)


def _is_line(value: Any) -> bool:
    """Return whether a field is a single value or a list of such, and no block or map."""
    inner = value[0] if isinstance(value, list) and value else value
    return not isinstance(inner, dict)


def _name(key: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", key)


def _aligned(pairs: list[tuple[str, str]], indent: str) -> Iterator[str]:
    width = max(len(name) for name, _ in pairs)
    return (f"{indent}{name:{width}} = {value}" for name, value in pairs)


def _value(value: list[str] | str | int) -> str:
    if isinstance(value, list):
        return f"[{', '.join(quoted(each) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else quoted(value)
