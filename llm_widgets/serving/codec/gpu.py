"""The GPU of a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.serving.codec.places import Json, container_of, differs, template_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

_LIMIT = "nvidia.com/gpu"
_DISABLED = "gpuZonalRedundancyDisabled"


def read(service: Mapping[str, Any]) -> Json:
    """Read which GPU a service has, and whether a second zone is reserved for it."""
    template = template_of(service)
    accelerator = template.get("nodeSelector", {}).get("accelerator", "")
    # A service with a GPU that says nothing has a second zone, one without has none to reserve.
    is_redundant = bool(accelerator) and not template.get(_DISABLED, False)
    return {"accelerator": accelerator, "zonal_redundancy": is_redundant}


def write(service: Json, before: Deployment | None, after: Deployment) -> None:
    """Write them where they differ."""
    template = template_of(service)
    if differs(before, after, "accelerator"):
        limits = container_of(service).setdefault("resources", {}).setdefault("limits", {})
        selector = template.pop("nodeSelector", {})
        if after.accelerator:
            limits[_LIMIT] = "1"
            template["nodeSelector"] = {**selector, "accelerator": after.accelerator}
        else:
            limits.pop(_LIMIT, None)
            kept = {name: value for name, value in selector.items() if name != "accelerator"}
            if kept:
                template["nodeSelector"] = kept
            template.pop(_DISABLED, None)
    if after.accelerator and differs(before, after, "accelerator", "zonal_redundancy"):
        template[_DISABLED] = not after.zonal_redundancy
