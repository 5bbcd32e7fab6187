"""The port and the variables of the container that takes the requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.serving.codec.places import Json, container_of, differs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

_PORT = 8080  # where nothing is said


def port_of(container: Mapping[str, Any]) -> int:
    """Return the port of a container that takes requests."""
    ports = container.get("ports") or [{}]
    return int(ports[0].get("containerPort", _PORT))


def read(service: Mapping[str, Any]) -> Json:
    """Read the port, the variables with plain values, and those from Secret Manager."""
    container = container_of(service)
    variables = container.get("env", [])
    return {
        "port": port_of(container),
        "environment": {
            each["name"]: each.get("value", "") for each in variables if "valueSource" not in each
        },
        "secrets": {each["name"]: _secret_text(each) for each in variables if _is_secret(each)},
    }


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write them where they differ."""
    container = container_of(service)
    if differs(before, after, "port"):
        ports = container.setdefault("ports", [{}])
        ports[0]["containerPort"] = after.port
    if differs(before, after, "environment", "secrets"):
        variables = _variables(container.get("env", []), after)
        if variables or "env" in container:
            container["env"] = variables


def _variables(variables: list[Json], after: Deployment) -> list[Json]:
    """Change variables in their places; those of a kind that is not shown are kept."""
    made: list[Json] = []
    for variable in variables:
        name = variable["name"]
        if _is_secret(variable):
            if name in after.secrets:
                made.append(_secret(variable, after.secrets[name]))
        elif "valueSource" in variable:
            made.append(variable)
        elif name in after.environment:
            made.append({**variable, "value": after.environment[name]})
    there = {variable["name"] for variable in made}
    made += [{"name": n, "value": v} for n, v in after.environment.items() if n not in there]
    made += [_secret({"name": n}, text) for n, text in after.secrets.items() if n not in there]
    return made


def _is_secret(variable: Mapping[str, Any]) -> bool:
    return "secretKeyRef" in variable.get("valueSource", {})


def _secret_text(variable: Mapping[str, Any]) -> str:
    """Return where a variable's value is: ``secret:version``."""
    reference = variable["valueSource"]["secretKeyRef"]
    return f"{reference.get('secret', '')}:{reference.get('version', 'latest')}"


def _secret(variable: Json, text: str) -> Json:
    if _is_secret(variable) and _secret_text(variable) == text:
        return variable
    secret, _, version = text.partition(":")
    reference = {"secret": secret, "version": version or "latest"}
    return {**variable, "valueSource": {"secretKeyRef": reference}}
