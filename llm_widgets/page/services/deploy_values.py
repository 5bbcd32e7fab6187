"""A deployment as the fields of a form hold it, and back again without losing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain import names
from llm_widgets.domain.services import Deployment, Ingress, StartupProbe, SubnetAccess
from llm_widgets.domain.units import number_text
from llm_widgets.errors import InvalidInputError
from llm_widgets.manager.deploy import with_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Values = dict[str, Any]

ONLY_ME = "me"
MEMBERS = "members"
NO_NETWORK = "none"
SUBNET = "subnet"
CONNECTOR = "connector"

FOLLOWING = (
    "accelerator",
    "cpu",
    "memory_gib",
    "probe_failures",
    "probe_port",
    "environment",
    "args",
    "network_kind",
    "network",
    "subnetwork",
    "connector",
)
"""Fields that follow others: see :func:`followers`."""


def values_of(deployment: Deployment) -> Values:
    """Write a deployment as the values of a form."""
    probe, subnet = deployment.probe, deployment.subnet
    network = SUBNET if subnet else CONNECTOR if deployment.connector else NO_NETWORK
    return {
        "framework": deployment.framework,
        "name": deployment.name,
        "region": deployment.region,
        "accelerator": deployment.accelerator,
        "cpu": number_text(deployment.cpu),
        "memory_gib": number_text(deployment.memory_gib),
        "zonal_redundancy": deployment.zonal_redundancy,
        "min_instances": deployment.min_instances,
        "max_instances": deployment.max_instances,
        "concurrency": deployment.concurrency,
        "timeout": deployment.timeout,
        "image": deployment.image,
        "port": deployment.port,
        "command": list(deployment.command),
        "args": list(deployment.args),
        "environment": [[name, value] for name, value in deployment.environment.items()],
        "secrets": [[name, value] for name, value in deployment.secrets.items()],
        "probe_path": probe.path,
        "probe_port": probe.port or deployment.port,
        "probe_initial_delay": probe.initial_delay,
        "probe_period": probe.period,
        "probe_timeout": probe.timeout,
        "probe_failures": probe.failures,
        "mount_path": deployment.mount_path,
        "mount_options": list(deployment.mount_options),
        "cache_gib": deployment.cache_gib,
        "service_account": deployment.service_account,
        "ingress": deployment.ingress.value,
        "network_kind": network,
        "network": subnet.network if subnet else "default",
        "subnetwork": subnet.subnetwork if subnet else "default",
        "connector": deployment.connector,
        "labels": [[name, value] for name, value in deployment.labels.items()],
    }


def deployment_from(base: Deployment, values: Mapping[str, Any]) -> Deployment:
    """Read a deployment from the values of a form.

    Parameters
    ----------
    base
        What the form held before: fields that it does not have are taken from here. What the
        engine is told of mount path, port and concurrency follows them, unless the person has
        changed that.

    Raises
    ------
    InvalidInputError
        A value has no such form at all; whether it can be used is another question, see
        :func:`llm_widgets.serving.checks.problems`.
    """
    given = {**values_of(base), **values}
    port = _whole(given, "port")
    changes = {
        "name": given["name"].strip(),
        "region": given["region"],
        "accelerator": given["accelerator"],
        "cpu": _number(given, "cpu"),
        "memory_gib": _number(given, "memory_gib"),
        "zonal_redundancy": bool(given["zonal_redundancy"]),
        "min_instances": _whole(given, "min_instances"),
        "max_instances": _whole(given, "max_instances"),
        "concurrency": _whole(given, "concurrency"),
        "timeout": _whole(given, "timeout"),
        "image": given["image"],
        "port": port,
        "command": tuple(given["command"]),
        "args": tuple(given["args"]),
        "environment": _mapping(given["environment"], "environment", "variable"),
        "secrets": _secrets(given["secrets"]),
        "probe": _probe(given, port, base),
        "mount_path": given["mount_path"],
        "mount_options": tuple(option.removeprefix("--") for option in given["mount_options"]),
        "cache_gib": _whole(given, "cache_gib"),
        "service_account": given["service_account"],
        "ingress": Ingress(given["ingress"]),
        "labels": _mapping(given["labels"], "labels", "label"),
        **_network(given),
    }
    return with_changes(base, changes)


def followers(deployment: Deployment, values: Mapping[str, Any]) -> Values:
    """Give the fields that are no longer what a form holds, as they follow other fields."""
    now = values_of(deployment)
    return {key: now[key] for key in FOLLOWING if key in values and values[key] != now[key]}


def callers_from(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Read who may call beside whoever deploys, as it was typed."""
    return tuple(values.get("members", [])) if values.get("callers") == MEMBERS else ()


def _probe(given: Mapping[str, Any], port: int, before: Deployment) -> StartupProbe:
    asked = _whole(given, "probe_port")
    # 0 stands for the port of the requests: where that changes, the probe goes with it.
    follows = not before.probe.port and asked in (port, before.port)
    return StartupProbe(
        path=given["probe_path"],
        initial_delay=_whole(given, "probe_initial_delay"),
        period=_whole(given, "probe_period"),
        timeout=_whole(given, "probe_timeout"),
        failures=_whole(given, "probe_failures"),
        port=0 if follows else asked,
    )


def _network(given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given["network_kind"]
    if kind == SUBNET:
        network, subnetwork = given["network"].strip(), given["subnetwork"].strip()
        if not network and not subnetwork:
            raise InvalidInputError("Name the network or the subnet, best both.", field="network")
        return {"subnet": SubnetAccess(network, subnetwork), "connector": ""}
    if kind == CONNECTOR:
        if not given["connector"].strip():
            raise InvalidInputError("Name the connector.", field="connector")
        return {"subnet": None, "connector": given["connector"].strip()}
    return {"subnet": None, "connector": ""}


def _secrets(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    found = _mapping(pairs, "secrets", "variable")
    for name, reference in found.items():
        if not reference.strip():
            raise InvalidInputError(
                f"Name the secret of {name}: secret:version, for example hf-token:latest.",
                field="secrets",
            )
    return {name: reference.strip() for name, reference in found.items()}


def _mapping(pairs: Iterable[Sequence[str]], field: str, what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidInputError(f"The {what} {names.shown(name)} is given twice.", field=field)
        found[name] = value
    return found


def _number(given: Mapping[str, Any], field: str) -> float:
    try:
        return float(given[field])
    except (TypeError, ValueError):
        raise InvalidInputError("Enter a number.", field=field) from None


def _whole(given: Mapping[str, Any], field: str) -> int:
    number = _number(given, field)
    if number != int(number):
        raise InvalidInputError("Enter a whole number.", field=field)
    return int(number)
