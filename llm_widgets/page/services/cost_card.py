"""What a service costs, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.serving import cost
from llm_widgets.widgets.html import note

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.domain.services import Deployment


def cost_note() -> w.Widget:
    """Say what the figures are based on."""
    return note(
        f"Tier 1 regions, prices of {gpus.DATA_DATE}; others cost more. Nothing while no "
        "instance is awake; an instance stays awake some minutes after its last request."
    )


def cost_text(deployment: Deployment) -> str:
    """Say what a deployment costs while it runs."""
    found = cost.of_deployment(deployment)
    text = f"About ${found.hour:.2f} for each hour that an instance is awake."
    if deployment.min_instances:
        count = deployment.min_instances
        always = "an instance always runs" if count == 1 else f"{count} instances always run"
        text += f" At least ${found.least_day:.2f} a day, as {always}."
    return text
