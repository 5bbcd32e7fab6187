"""Trying a service as its task says, and code that calls it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.loading import CHATS, Task
from llm_widgets.domain.services import SERVING
from llm_widgets.engines import registry
from llm_widgets.page.services.chat_panel import ChatPanel
from llm_widgets.page.services.compare_panel import CompareDialog, ComparePanel
from llm_widgets.page.services.name_panel import NamePanel
from llm_widgets.page.services.self_test_card import SelfTestCard
from llm_widgets.page.services.task_panel import PANELS, TaskPanel
from llm_widgets.page.services.text_tabs_card import TextTabs
from llm_widgets.serving.snippets import snippets
from llm_widgets.widgets.html import note
from llm_widgets.widgets.layout import button, row, stack

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.engines.base import Api
    from llm_widgets.page.services.chat import ChatState
    from llm_widgets.page.services.comparison import ComparisonState
    from llm_widgets.page.services.service import ServicePageState
    from llm_widgets.page.services.service_edit import ServiceEditState


class TryPanel:
    """Draws a chat, or the form of another task; ``box`` is what goes into the page."""

    def __init__(
        self,
        state: ServicePageState,
        chat: ChatState,
        edit: ServiceEditState,
        comparison: ComparisonState,
    ) -> None:
        self._state = state
        self._conversation = chat
        self._comparison = comparison
        self._compared = ComparePanel(comparison)
        self._choice = CompareDialog(comparison)
        self.dialog = self._choice.dialog
        compare = button("Compare with other services", style="outlined")
        compare.on_click(lambda _: self._choose())
        self._compare = row(compare)
        self._chat: ChatPanel | None = None
        self._other: tuple[Task, TaskPanel] | None = None
        self._snippets = TextTabs("Use it in your code", "Requests need an ID token for this URL.")
        self._test = SelfTestCard(
            state.self_test,
            lambda remedy, ended: edit.remedy(dict(state.document), remedy, ended),
            fixes=lambda: state.is_managed,
        )
        self._name = NamePanel(state)
        self.box = stack()
        state.observe(self._draw, ["summary", "task"])
        comparison.observe(self._draw, "chats")
        self._draw()

    def write(self) -> None:
        """Let a person write to the model, where there is a chat."""
        if self._chat:
            self._chat.write()

    def close(self) -> None:
        """Draw no more; a conversation goes on."""
        self._comparison.unobserve(self._draw, "chats")
        self._compared.close()
        self._test.close()
        if self._chat:
            self._chat.close()
        if self._other:
            self._other[1].close()

    def _choose(self) -> None:
        if self._state.summary:
            self._choice.show(self._state.summary)

    def _draw(self, _: object = None) -> None:
        service = self._state.summary
        if service is None:
            return
        self._conversation.follow(service)
        self._state.trying.follow(service)
        self._state.self_test.follow(service)
        if not registry.is_asked(service.framework):
            named = f"“{service.framework}”" if service.framework else "its engine"
            shown: tuple[w.Widget, ...] = (note(f"No chat for {named}."),)
        elif service.state in SERVING and not service.served_name:
            shown = (self._name.box,)
        elif service.state in SERVING:
            shown = self._serving(service, registry.api_of(service.framework), self._state.task)
        else:
            shown = (note("You can try the model once the service is ready."),)
        if self.box.children != shown:
            self.box.children = shown

    def _serving(
        self, service: ServiceSummary, api: Api, task: Task | None
    ) -> tuple[w.Widget, ...]:
        texts = snippets(service.url, service.served_name, service.name, api, task)
        if not texts:
            sentence = f"There is no form for {task.value if task else 'this task'} here."
            return (note(sentence),)
        self._snippets.show(tuple(texts), texts.__getitem__)
        if task is None or task in CHATS:
            if self._comparison.chats:
                return (self._compared.box,)
            self._chat = self._chat or ChatPanel(self._conversation)
            self._chat.see(sees=task is Task.VISION)
            return (self._chat.box, self._compare, self._test.box, self._snippets.box)
        if self._other is None or self._other[0] is not task:
            if self._other:
                self._other[1].close()
            self._other = (task, PANELS[task](self._state.trying))
        return (self._other[1].box, self._test.box, self._snippets.box)
