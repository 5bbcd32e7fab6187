"""Changes to a service that exists: only what was changed is written."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from llm_widgets.serving.existing import (
    INGRESS,
    OWN_LABELS,
    is_secret,
    main_container,
    model_volume,
    own_options,
    secret_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

Json = dict[str, Any]
_GPU = "nvidia.com/gpu"


def edited(
    service: Mapping[str, Any], before: Deployment, after: Deployment
) -> tuple[Json, list[str]]:
    """Change a service from one deployment to another.

    Parameters
    ----------
    service
        As the API wrote it; it is not changed itself.
    before, after
        What was read from it by :func:`llm_widgets.serving.existing.deployment_of`, and what a
        person made of that.

    Returns
    -------
    service, paths
        The whole changed service, and the fields of it that differ, for the update mask.
    """
    changed: Json = copy.deepcopy(dict(service))
    template = changed.setdefault("template", {})
    container = main_container(template)
    _container(container, before, after)
    _template(template, before, after)
    if before.mount_options != after.mount_options:
        gcs = model_volume(template).get("gcs", {})
        there = gcs.get("mountOptions", [])
        first = [option for option in there if option.startswith("only-dir=")]
        cache = [option for option in own_options(there) if option not in first]
        gcs["mountOptions"] = [*first, *after.mount_options, *cache]
    if before.labels != after.labels:
        labels = changed.get("labels", {})
        own = {name: labels[name] for name in OWN_LABELS if name in labels}
        changed["labels"] = {**after.labels, **own}
    if before.ingress != after.ingress:
        changed["ingress"] = next(name for name, each in INGRESS.items() if each is after.ingress)
    paths = [name for name in ("template", "labels", "ingress") if _differs(service, changed, name)]
    if "template" in paths:
        # A name of a revision can be used once; Cloud Run makes the next one up.
        template.pop("revision", None)
    return changed, paths


def _differs(service: Mapping[str, Any], changed: Json, field: str) -> bool:
    return bool(service.get(field) != changed.get(field))


def _container(container: Json, before: Deployment, after: Deployment) -> None:
    if before.image != after.image:
        container["image"] = after.image
    if before.port != after.port:
        ports = container.setdefault("ports", [{}])
        ports[0]["containerPort"] = after.port
    for field in ("command", "args"):
        words = getattr(after, field)
        if getattr(before, field) != words:
            container[field] = list(words)
    if _size(before) != _size(after):
        _limits(container.setdefault("resources", {}).setdefault("limits", {}), before, after)
    if (before.environment, before.secrets) != (after.environment, after.secrets):
        container["env"] = _variables(container.get("env", []), after)
    moved = before.port != after.port and not after.probe.port and "startupProbe" in container
    if before.probe != after.probe or moved:
        _probe(container, after)


def _size(deployment: Deployment) -> tuple[float, float, str]:
    return (deployment.cpu, deployment.memory_gib, deployment.accelerator)


def _limits(limits: Json, before: Deployment, after: Deployment) -> None:
    if before.cpu != after.cpu:
        limits["cpu"] = f"{after.cpu:g}"
    if before.memory_gib != after.memory_gib:
        limits["memory"] = f"{after.memory_gib:g}Gi"
    if before.accelerator != after.accelerator:
        limits.pop(_GPU, None)
        if after.accelerator:
            limits[_GPU] = "1"


def _variables(variables: list[Json], after: Deployment) -> list[Json]:
    """Change variables in their places; those of a kind that is not shown are kept."""
    made: list[Json] = []
    for variable in variables:
        name = variable["name"]
        if is_secret(variable):
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


def _secret(variable: Json, text: str) -> Json:
    if is_secret(variable) and secret_text(variable) == text:
        return variable
    secret, _, version = text.partition(":")
    reference = {"secret": secret, "version": version or "latest"}
    return {**variable, "valueSource": {"secretKeyRef": reference}}


def _probe(container: Json, after: Deployment) -> None:
    probe = container.setdefault("startupProbe", {})
    probe["initialDelaySeconds"] = after.probe.initial_delay
    probe["periodSeconds"] = after.probe.period
    probe["timeoutSeconds"] = after.probe.timeout
    probe["failureThreshold"] = after.probe.failures
    port = after.probe.port or after.port
    if after.probe.path:
        for kind in ("tcpSocket", "grpc"):
            probe.pop(kind, None)
        probe["httpGet"] = {**probe.get("httpGet", {}), "path": after.probe.path, "port": port}
    elif "grpc" in probe:
        probe["grpc"] = {**probe["grpc"], "port": port}
    else:
        probe.pop("httpGet", None)
        probe["tcpSocket"] = {"port": port}


def _template(template: Json, before: Deployment, after: Deployment) -> None:
    if before.min_instances != after.min_instances:
        template.setdefault("scaling", {})["minInstanceCount"] = after.min_instances
    if before.max_instances != after.max_instances:
        template.setdefault("scaling", {})["maxInstanceCount"] = after.max_instances
    if before.concurrency != after.concurrency:
        template["maxInstanceRequestConcurrency"] = after.concurrency
    if before.timeout != after.timeout:
        template["timeout"] = f"{after.timeout}s"
    if before.service_account != after.service_account:
        template["serviceAccount"] = after.service_account
    if before.accelerator != after.accelerator:
        template.pop("nodeSelector", None)
        if after.accelerator:
            template["nodeSelector"] = {"accelerator": after.accelerator}
    if before.zonal_redundancy != after.zonal_redundancy:
        template["gpuZonalRedundancyDisabled"] = not after.zonal_redundancy
    if (before.subnet, before.connector) != (after.subnet, after.connector):
        _network(template, after)


def _network(template: Json, after: Deployment) -> None:
    access = template.pop("vpcAccess", {})
    kept = {"egress": access.get("egress", "ALL_TRAFFIC")}
    if after.subnet:
        named = {"network": after.subnet.network, "subnetwork": after.subnet.subnetwork}
        tags = {k: v for k, v in _interface(access).items() if k not in named}
        interface = {**{name: text for name, text in named.items() if text}, **tags}
        template["vpcAccess"] = {**kept, "networkInterfaces": [interface]}
    elif after.connector:
        template["vpcAccess"] = {**kept, "connector": after.connector}


def _interface(access: Json) -> Json:
    return next(iter(access.get("networkInterfaces", [])), {})
