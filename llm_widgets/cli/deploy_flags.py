"""The flags of a deployment, as ``gcloud run deploy`` has them, and the fields that they set."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_widgets.domain.deploy_options import MEANINGS
from llm_widgets.domain.gpus import GPUS
from llm_widgets.domain.services import Ingress, SubnetAccess
from llm_widgets.domain.units import GIB, quantity

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


class Memory(click.ParamType[float]):
    """GiB of memory, written as ``32Gi`` or ``32``."""

    name = "memory"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read an amount."""
        text = str(value)
        try:
            return float(text) if text.replace(".", "", 1).isdigit() else quantity(text) / GIB
        except ValueError:
            self.fail(f"{text!r} is not an amount of memory such as 32Gi.", param, ctx)


class Pairs(click.ParamType[dict[str, str]]):
    """``NAME=VALUE,NAME=VALUE`` as gcloud takes it."""

    name = "NAME=VALUE,…"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        """Read pairs."""
        if isinstance(value, dict):
            return value
        pairs = [part.partition("=") for part in str(value).split(",") if part]
        if not all(name and equals for name, equals, _ in pairs):
            self.fail(f"{value!r} is not NAME=VALUE,…", param, ctx)
        return {name: text for name, _, text in pairs}


class Words(click.ParamType[tuple[str, ...]]):
    """A command line, quoted as for a shell."""

    name = "words"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Split words."""
        try:
            return value if isinstance(value, tuple) else tuple(shlex.split(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_GPUS = ("none", *(gpu.accelerator for gpu in GPUS))
_FLAGS: tuple[tuple[str, str, Any], ...] = (
    ("--image", "image", str),
    ("--gpu-type", "accelerator", click.Choice(_GPUS)),
    ("--cpu", "cpu", float),
    ("--memory", "memory_gib", Memory()),
    ("--min-instances", "min_instances", int),
    ("--max-instances", "max_instances", int),
    ("--concurrency", "concurrency", int),
    ("--timeout", "timeout", int),
    ("--port", "port", int),
    ("--command", "command", Words()),
    ("--args", "args", Words()),
    ("--set-env-vars", "environment", Pairs()),
    ("--set-secrets", "secrets", Pairs()),
    ("--service-account", "service_account", str),
    ("--ingress", "ingress", click.Choice([each.value for each in Ingress])),
    ("--vpc-connector", "connector", str),
    ("--labels", "labels", Pairs()),
    ("--mount-options", "mount_options", Words()),
    ("--cache", "cache_gib", int),
)


def of_deployment(command: F) -> F:
    """Add the flags of a deployment; the command is given their values."""
    for name, field, kind in reversed(_FLAGS):
        command = click.option(name, field, type=kind, default=None, help=MEANINGS[field])(command)
    for option in (
        click.option("--subnet", metavar="SUBNET", help="Subnet, together with --network."),
        click.option("--network", metavar="NETWORK", help="Network for Direct VPC egress."),
        click.option(
            "--gpu-zonal-redundancy/--no-gpu-zonal-redundancy",
            "zonal_redundancy",
            default=None,
            help=MEANINGS["zonal_redundancy"],
        ),
    ):
        command = option(command)
    return command


def fields(given: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a deployment that were named.

    Raises
    ------
    click.UsageError
        A network has no subnet, or a subnet no network.
    """
    network, subnet = given.pop("network", None), given.pop("subnet", None)
    found = {name: value for name, value in given.items() if value is not None}
    if bool(network) != bool(subnet):
        raise click.UsageError("Name --network and --subnet together.")
    if network and subnet:
        found["subnet"] = SubnetAccess(network, subnet)
    if found.get("accelerator") == "none":
        found["accelerator"] = ""
    if "ingress" in found:
        found["ingress"] = Ingress(found["ingress"])
    return found
