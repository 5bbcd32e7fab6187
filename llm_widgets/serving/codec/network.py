"""The network that a service's own requests take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import SubnetAccess
from llm_widgets.serving.codec.places import Json, differs, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

_KINDS = ("connector", "networkInterfaces")


def read(service: Mapping[str, Any]) -> Json:
    """Read the subnet or the connector."""
    access = template_of(service).get("vpcAccess", {})
    interface = _interface(access)
    subnet = SubnetAccess(interface.get("network", ""), interface.get("subnetwork", ""))
    return {
        "subnet": subnet if interface else None,
        "connector": access.get("connector", ""),
    }


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write them where one differs."""
    if not differs(before, after, "subnet", "connector"):
        return
    template = template_of(service)
    access = template.pop("vpcAccess", {})
    kept = {name: value for name, value in access.items() if name not in _KINDS}
    # All traffic: what is read from Cloud Storage goes through the network too.
    kept.setdefault("egress", "ALL_TRAFFIC")
    if after.subnet:
        named = {"network": after.subnet.network, "subnetwork": after.subnet.subnetwork}
        tags = {k: v for k, v in _interface(access).items() if k not in named}
        interface = {**{name: text for name, text in named.items() if text}, **tags}
        template["vpcAccess"] = {**kept, "networkInterfaces": [interface]}
    elif after.connector:
        template["vpcAccess"] = {**kept, "connector": after.connector}


def _interface(access: Mapping[str, Any]) -> Json:
    return next(iter(access.get("networkInterfaces", [])), {})
