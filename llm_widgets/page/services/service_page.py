"""The page of one service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.domain.services import SERVING
from llm_widgets.engines import registry
from llm_widgets.manager import managed
from llm_widgets.page.services.access_card import AccessCard
from llm_widgets.page.services.cost_card import hour_text
from llm_widgets.page.services.lease_dialog import LeaseDialog
from llm_widgets.page.services.load_test_card import LoadTestCard
from llm_widgets.page.services.log_panel import LogPanel
from llm_widgets.page.services.metrics_card import MetricsCard
from llm_widgets.page.services.overview_card import OverviewCard
from llm_widgets.page.services.revisions_card import RevisionsCard
from llm_widgets.page.services.services_table import NOT_MANAGED, STATES
from llm_widgets.page.services.try_panel import TryPanel
from llm_widgets.serving.export_yaml import dumped
from llm_widgets.widgets.details import CopyText, Detail, DetailList
from llm_widgets.widgets.layout import button, card, row, show_if, stack, tabs, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.services.chat import ChatState
    from llm_widgets.page.services.comparison import ComparisonState
    from llm_widgets.page.services.pauses import Pauses
    from llm_widgets.page.services.service import ServicePageState
    from llm_widgets.page.services.service_edit import ServiceEditState
    from llm_widgets.page.services.service_metrics import ServiceMetricsState

SECTION_NAMES = {
    "": "Overview",
    "logs": "Logs",
    "metrics": "Metrics",
    "try": "Try it",
    "access": "Access",
    "revisions": "Revisions",
    "yaml": "YAML",
}
SECTIONS = tuple(SECTION_NAMES.values())
_ADOPTING = "You can look at this service and try it. Adopt it to pause, change or delete it here."


class ServicePage:
    """Draws a service; ``box`` is what goes into the page, ``dialogs`` beside it."""

    def __init__(
        self,
        state: ServicePageState,
        chat: ChatState,
        edit: ServiceEditState,
        metrics: ServiceMetricsState,
        comparison: ComparisonState,
        *,
        back: Callable[[], None],
        delete: Callable[[], None],
        pauses: Pauses,
        adopt: Callable[[ServiceSummary], None],
        moved: Callable[[], None],
        is_local: bool,
    ) -> None:
        self.name = state.name
        self.region, self.id = state.name.split("/")[3::2]
        self._state = state
        self._try = TryPanel(state, chat, edit, comparison)
        self._facts = DetailList()
        self._facts.add_class("llm-facts")
        self._yaml = CopyText(label="Service as YAML")
        access, revisions = AccessCard(state), RevisionsCard(state)
        load_test = LoadTestCard(
            state.load_test, lambda: edit.start(state.name, state.load_test.applied)
        )
        lease = LeaseDialog(pauses)
        self.dialogs: tuple[w.Widget, ...] = (
            lease.dialog,
            *access.dialogs,
            revisions.dialog,
            self._try.dialog,
            load_test.dialog,
        )
        go_back = button("Back to services", style="text", icon="arrow-left")
        go_back.on_click(lambda _: back())
        self._to_try = button("Try it", style="primary")
        self._to_try.on_click(lambda _: self.try_it())
        self._change = button("Edit & deploy new revision", style="outlined")
        self._change.on_click(lambda _: edit.start(state.name))
        self._remove = button("Delete", style="outlined")
        self._remove.on_click(lambda _: delete())
        self._adopt = button("Adopt", style="outlined")
        self._adopt.on_click(lambda _: adopt(state.summary) if state.summary else None)
        self._whose = Notice()
        self._pause = button("Pause", style="outlined")
        self._pause.on_click(lambda _: self._turn())
        self._later = button("Pause later", style="outlined")
        self._later.on_click(lambda _: lease.ask(state.summary) if state.summary else None)
        self._pauses = pauses
        self._prices = edit.prices
        self._prices.load()
        panels = (
            OverviewCard(state, edit, is_local=is_local).box,
            LogPanel(state.log, state.shown_log).box,
            stack(MetricsCard(metrics).box, load_test.box),
            self._try.box,
            access.box,
            revisions.box,
            card("YAML", self._yaml, text="The service's current configuration."),
        )
        self._tab, shell = tabs(
            list(zip(SECTIONS, panels, strict=True)), label="Sections of the service"
        )
        self._metrics = metrics
        self._moved = moved
        self._tab.observe(self._opened, "selected_index")
        title = state.name.rsplit("/", 1)[-1]
        self.box = stack(
            row(go_back),
            toolbar(
                title,
                self._to_try,
                self._change,
                self._pause,
                self._later,
                self._remove,
                self._adopt,
            ),
            self._whose,
            self._facts,
            shell,
        )
        state.observe(self._draw, ["summary", "document"])
        self._prices.observe(self._draw, "listed")
        self._draw()

    @property
    def section(self) -> str:
        """The section that is shown, as in its address; empty for the overview."""
        return tuple(SECTION_NAMES)[self._tab.selected_index or 0]

    def to(self, section: str) -> None:
        """Show a section, named as in its address."""
        self._tab.selected_index = tuple(SECTION_NAMES).index(section)

    def try_it(self) -> None:
        """Show where the model is tried, ready to be written to."""
        self.to("try")
        self._try.write()

    def follow_change(self) -> None:
        """Show how a change goes that Cloud Run has taken."""
        self.to("")
        self._state.look_soon()

    def close(self) -> None:
        """Look no more."""
        self._prices.unobserve(self._draw, "listed")
        self._try.close()
        self._state.close()

    def _turn(self) -> None:
        """Pause the service, or resume it."""
        service = self._state.summary
        if service:
            turn = self._pauses.resume if service.paused else self._pauses.pause
            turn(service.name)

    def _opened(self, _: object) -> None:
        if self.section == "metrics":
            self._metrics.refresh()
        self._draw()
        self._moved()

    def _draw(self, _: object = None) -> None:
        service = self._state.summary
        if service is None:
            return
        self._facts.show(
            [
                Detail("Status", service.state.value, state=STATES[service.state]),
                *((Detail("Paused", service.paused.text or "yes"),) if service.paused else ()),
                *_leased(service),
                *_served(service),
                Detail("Region", service.region),
                Detail("Price", hour_text(service, self._prices.listed)),
                Detail("URL", service.url, href=service.url, copy=bool(service.url)),
            ]
        )
        is_tried = self.section == "try" or service.state not in SERVING
        show_if(not is_tried, self._to_try)
        self._pause.description = "Resume" if service.paused else "Pause"
        self._draw_whose(service)
        if self._state.document:
            self._yaml.text = dumped(self._state.document)

    def _draw_whose(self, service: ServiceSummary) -> None:
        """Show what may be done with the service, and why not more."""
        why = managed.why_not_edited(service)
        show_if(not why, self._change)
        show_if(service.managed, self._pause, self._remove)
        show_if(service.managed and not service.paused, self._later)
        show_if(service.adopted or not service.managed, self._adopt)
        self._adopt.description = "Release" if service.adopted else "Adopt"
        if service.managed and not service.adopted:
            self._whose.clear()
            return
        others = f"Deployed with {service.origin}." if service.origin else "Others deployed it."
        text = f"Adopted. {others}" if service.adopted else f"{NOT_MANAGED}. {others}"
        told = f"Editing is not available. {why}" if service.adopted and why else ""
        self._whose.show("info", text, detail=told if service.adopted else _ADOPTING)


def _leased(service: ServiceSummary) -> tuple[Detail, ...]:
    """Return when a service is to be paused."""
    if service.lease is None:
        return ()
    return (Detail("Automatic pause", service.lease.text(datetime.now(UTC))),)


def _served(service: ServiceSummary) -> tuple[Detail, ...]:
    """Return what a service of others serves; of ours its configuration tells."""
    if service.recognition is None:
        return ()
    return (
        Detail("Model", service.model_id),
        Detail("Framework", registry.label_of(service.framework)),
    )
