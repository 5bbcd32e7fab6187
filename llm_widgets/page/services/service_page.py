"""The page of one service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines import registry
from llm_widgets.page.services.access_card import AccessCard
from llm_widgets.page.services.chat_panel import ChatPanel
from llm_widgets.page.services.log_panel import LogPanel
from llm_widgets.page.services.metrics_card import MetricsCard
from llm_widgets.page.services.overview_card import OverviewCard
from llm_widgets.page.services.revisions_card import RevisionsCard
from llm_widgets.page.services.services_table import SERVING
from llm_widgets.page.services.text_tabs_card import TextTabs
from llm_widgets.serving.export_yaml import dumped
from llm_widgets.serving.snippets import snippets
from llm_widgets.widgets.details import CopyText
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import button, card, row, stack, tabs, toolbar

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.page.services.chat import ChatState
    from llm_widgets.page.services.service import ServicePageState
    from llm_widgets.page.services.service_edit import ServiceEditState
    from llm_widgets.page.services.service_metrics import ServiceMetricsState

SECTIONS = ("Overview", "Logs", "Metrics", "Try it", "Access", "Revisions", "YAML")


class ServicePage:
    """Draws a service; ``box`` is what goes into the page, ``dialogs`` beside it."""

    def __init__(
        self,
        state: ServicePageState,
        chat: ChatState,
        edit: ServiceEditState,
        metrics: ServiceMetricsState,
        *,
        back: Callable[[], None],
        delete: Callable[[], None],
        is_local: bool,
    ) -> None:
        self.name = state.name
        self._state = state
        self._conversation = chat
        self._chat = ChatPanel(chat)
        self._snippets = TextTabs(
            "Call it from elsewhere", "Cloud Run wants an ID token whose audience is the URL."
        )
        self._try = stack()
        self._yaml = CopyText(label="Service as YAML")
        access, revisions = AccessCard(state), RevisionsCard(state)
        self.dialogs: tuple[w.Widget, ...] = (*access.dialogs, revisions.dialog)
        go_back = button("Back to services", style="text", icon="arrow-left")
        go_back.on_click(lambda _: back())
        change = button("Edit", style="outlined")
        change.on_click(lambda _: edit.start(state.name))
        remove = button("Delete", style="outlined")
        remove.on_click(lambda _: delete())
        panels = (
            OverviewCard(state, edit, is_local=is_local).box,
            LogPanel(state.log, state.shown_log).box,
            MetricsCard(metrics).box,
            self._try,
            access.box,
            revisions.box,
            card("YAML", self._yaml, text="The service as Cloud Run has it now."),
        )
        self._tab, shell = tabs(
            list(zip(SECTIONS, panels, strict=True)), label="Sections of the service"
        )
        self._metrics = metrics
        self._tab.observe(self._opened, "selected_index")
        title = state.name.rsplit("/", 1)[-1]
        self.box = stack(row(go_back), toolbar(title, change, remove), shell)
        state.observe(self._draw, ["summary", "document"])
        self._draw()

    def to(self, section: str) -> None:
        """Show a section."""
        self._tab.selected_index = SECTIONS.index(section)

    def follow_change(self) -> None:
        """Show how a change goes that Cloud Run has taken."""
        self.to("Overview")
        self._state.look_soon()

    def close(self) -> None:
        """Look no more."""
        self._state.close()

    def _opened(self, _: object) -> None:
        if SECTIONS[self._tab.selected_index or 0] == "Metrics":
            self._metrics.refresh()

    def _draw(self, _: object = None) -> None:
        service = self._state.summary
        if service is None:
            return
        if self._state.document:
            self._yaml.text = dumped(self._state.document)
        self._conversation.follow(service)
        engine = registry.of(service.framework)
        if engine is None:
            named = f"“{service.framework}”" if service.framework else "its engine"
            shown: tuple[w.Widget, ...] = (note(f"How to talk to {named} is not known here."),)
        elif service.state in SERVING:
            texts = snippets(service.url, service.served_name, service.name, engine.chat)
            self._snippets.show(tuple(texts), texts.__getitem__)
            shown = (self._chat.box, self._snippets.box)
        else:
            shown = (note("There is something to try once the service is ready."),)
        if self._try.children != shown:
            self._try.children = shown
