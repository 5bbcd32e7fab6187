"""The page of one service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.domain import gpus
from llm_widgets.views.services.chat_panel import ChatPanel
from llm_widgets.views.services.rows import SERVING, STATES
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import button, card, row, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.state.chat import ChatState


class ServicePage:
    """Draws a service with what can be done with it; ``box`` is what goes into the page."""

    def __init__(
        self,
        service: ServiceSummary,
        chat: ChatState,
        *,
        back: Callable[[], None],
        delete: Callable[[], None],
    ) -> None:
        self.name = service.name
        self._details = DetailList()
        self._reason = Notice()
        self._chat = ChatPanel(chat)
        self._lower = w.VBox()
        go_back = button("Back to services", style="text", icon="arrow-left")
        go_back.on_click(lambda _: back())
        remove = button("Delete", style="outlined")
        remove.on_click(lambda _: delete())
        self.box = stack(
            row(go_back),
            toolbar(service.id, remove),
            self._reason,
            card("Overview", self._details),
            self._lower,
        )
        self.show(service)

    def show(self, service: ServiceSummary) -> None:
        """Draw what is known of the service now."""
        gpu = gpus.by_accelerator(service.gpu)
        self._details.show(
            [
                Detail("Status", service.state.value, state=STATES[service.state]),
                Detail("URL", service.url, href=service.url, copy=bool(service.url)),
                Detail("Model", service.model_id),
                Detail("Framework", service.framework.label if service.framework else ""),
                Detail("GPU", gpu.label if gpu else service.gpu),
                Detail("Region", service.region),
                Detail("Instances", f"{service.min_instances} to {service.max_instances}"),
                Detail("Bucket", service.bucket),
                Detail("Deployed by", service.updated_by),
            ]
        )
        if service.reason:
            self._reason.show("error", f"{service.id} did not come up.", detail=service.reason)
        else:
            self._reason.clear()
        self._lower.children = (self._chat.box,) if service.state in SERVING else ()
