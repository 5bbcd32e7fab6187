"""Answers of several services side by side, and the choice of these."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.comparisons import MOST
from llm_widgets.page.services.chat import ChatSettings
from llm_widgets.page.services.chat_panel import PLACEHOLDER, Conversation
from llm_widgets.widgets.chat import Composer
from llm_widgets.widgets.dialog import Field, FormDialog, Values
from llm_widgets.widgets.layout import button, card, row, stack

if TYPE_CHECKING:
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.services.chat import ChatState
    from llm_widgets.page.services.comparison import ComparisonState

_NONE = "No other service that can chat is ready. Deploy one, or wait until it is ready."


class CompareDialog:
    """Asks which services one is compared with; ``dialog`` is what goes into the page."""

    def __init__(self, state: ComparisonState) -> None:
        self._state = state
        self._service: ServiceSummary | None = None
        self._offered: tuple[ServiceSummary, ...] = ()
        self.dialog = FormDialog(title="Compare", submit_label="Compare")
        self.dialog.on_submit(self._begin)

    def show(self, service: ServiceSummary) -> None:
        """Ask what a service is compared with."""
        self._service, self._offered = service, self._state.others(service)
        self.dialog.text = (
            f"Each message goes to {service.id} and to the services that you choose, "
            f"{MOST - 1} at most. Their answers stand side by side, with time, speed and price."
        )
        self.dialog.set_fields(
            [
                Field(str(number), each.id, "checkbox", help=_about(each))
                for number, each in enumerate(self._offered)
            ]
        )
        self.dialog.show()
        if not self._offered:
            self.dialog.fail(_NONE)

    def _begin(self, values: Values) -> None:
        chosen = [each for number, each in enumerate(self._offered) if values.get(str(number))]
        if self._service is None or not 0 < len(chosen) < MOST:
            self.dialog.fail(f"Choose 1 to {MOST - 1} services." if self._offered else _NONE)
            return
        self.dialog.close()
        self._state.begin([self._service, *chosen])


class ComparePanel:
    """Draws conversations side by side; ``box`` is what goes into the page."""

    def __init__(self, state: ComparisonState) -> None:
        self._state = state
        self._conversations: list[Conversation] = []
        self._columns = row()
        self._columns.add_class("llm-compared")
        self._composer = Composer(
            placeholder=f"Ask all of them. {PLACEHOLDER}", settings=asdict(ChatSettings())
        )
        end = button("Stop comparing", style="outlined")
        end.on_click(lambda _: state.end())
        self.box = stack(row(end), self._columns, self._composer)
        self._composer.on_ask(lambda text: state.ask(text, ChatSettings(**self._composer.settings)))
        self._composer.on_stop(state.stop)
        self._composer.on_fresh(state.clear)
        state.observe(self._draw, "chats")
        state.observe(self._draw_busy, "busy")
        self._draw()

    def close(self) -> None:
        """Draw no more."""
        self._state.unobserve(self._draw, "chats")
        self._state.unobserve(self._draw_busy, "busy")
        self._leave()

    def _leave(self) -> None:
        for each in self._conversations:
            each.close()
        self._conversations = []

    def _draw(self, _: object = None) -> None:
        self._leave()
        chats: tuple[ChatState, ...] = self._state.chats
        self._conversations = [
            Conversation(chat, label=f"Conversation with {chat.service.id}", placeholder="")
            for chat in chats
        ]
        self._columns.children = [
            card(chat.service.id, *conversation.parts, text=_about(chat.service))
            for chat, conversation in zip(chats, self._conversations, strict=True)
        ]
        self._composer.thinking = any(chat.can_switch_thinking for chat in chats)

    def _draw_busy(self, _: object) -> None:
        self._composer.busy = self._state.busy


def _about(service: ServiceSummary) -> str:
    """Return what tells a service apart: its model, GPU and region."""
    gpu = gpus.by_accelerator(service.gpu)
    parts = (service.model_id, gpu.short_label if gpu else service.gpu, service.region)
    return " · ".join(part for part in parts if part)
