"""What a deployment costs, in words, while it is being decided on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.prices import dollars
from llm_widgets.serving import cost
from llm_widgets.widgets.html import note, paragraph, set_text
from llm_widgets.widgets.layout import card

if TYPE_CHECKING:
    from llm_widgets.domain.prices import PriceList
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.page.services.prices import PricesState

_WHEN = (
    "No cost while no instance is running; an instance keeps running some minutes after its last "
    "request."
)


class CostCard:
    """The card; ``box`` is what goes into the page."""

    def __init__(self, state: PricesState) -> None:
        self._state = state
        self._deployment: Deployment | None = None
        self._text = paragraph("")
        self._source = note("")
        self.box = card("Cost", self._text, self._source)
        state.observe(self._draw, "listed")

    def show(self, deployment: Deployment) -> None:
        """Show what a deployment costs; the prices are read for the first one."""
        if self._deployment is None:
            self._state.load()
        self._deployment = deployment
        self._draw()

    def _draw(self, _: object = None) -> None:
        if self._deployment is None:
            return
        listed = self._state.listed
        set_text(self._text, cost_text(self._deployment, listed))
        set_text(self._source, f"{listed.source} {_WHEN}")


def hour_text(service: ServiceSummary, listed: PriceList) -> str:
    """Return what an instance of a service costs an hour."""
    found = cost.of_service(listed, service)
    if found is None:
        return "Unknown"
    return f"{found.basis.prefix}{dollars(found.amount)} per hour and instance"


def cost_text(deployment: Deployment, listed: PriceList) -> str:
    """Return what a deployment costs while it runs."""
    found = cost.of_deployment(deployment, listed)
    if found is None:
        return "The cost is unknown: there is no price for its GPU."
    about = f"{found.basis.prefix}{dollars(found.hour)}"
    text = f"{about[:1].upper()}{about[1:]} per hour while an instance is running."
    if deployment.min_instances:
        count = deployment.min_instances
        always = "one instance always runs" if count == 1 else f"{count} instances always run"
        text += f" At least {dollars(found.least_day)} a day: {always}."
    return text
