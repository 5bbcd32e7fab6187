"""A conversation with a deployed model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card, row
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream

if TYPE_CHECKING:
    from llm_widgets.page.services.chat import ChatState


class ChatPanel:
    """Draws a conversation; ``box`` is what goes into the page."""

    def __init__(self, state: ChatState) -> None:
        self._state = state
        self._stream = Stream(
            label="Conversation",
            kind="chat",
            height="280px",
            placeholder="Say something to the model.",
        )
        self._notice = Notice()
        self._prompt = w.Textarea(
            description="Prompt",
            placeholder="Ask the model something",
            rows=2,
            layout={"width": "100%"},
        )
        self._system = w.Textarea(
            description="System prompt",
            placeholder="Empty: what the model was made with",
            rows=1,
            layout={"width": "100%"},
        )
        self._temperature = w.BoundedFloatText(
            description="Temperature", value=0.7, min=0, max=2, step=0.1
        )
        self._max_tokens = w.BoundedIntText(
            description="Longest answer (tokens)", value=512, min=1, max=1_000_000
        )
        self._send = button("Send", style="primary")
        self._stop = button("Stop", style="outlined", disabled=True)
        self._clear = button("Clear", style="text")
        self._figures = note("")
        self.box = card(
            "Try it",
            self._stream,
            self._notice,
            self._prompt,
            self._system,
            row(self._temperature, self._max_tokens),
            row(self._send, self._stop, self._clear, self._figures),
            text="The prompt goes to the service's own API, with an ID token of this identity.",
        )
        self._send.on_click(lambda _: self._ask())
        self._stop.on_click(lambda _: state.stop())
        self._clear.on_click(lambda _: state.clear())
        self._notice.on_action(state.let_me_in)
        state.on_text(self._stream.extend_last)
        state.observe(self._draw, ["busy", "error", "figures"])
        state.observe(self._redraw_turns, "turns")
        self._redraw_turns()
        self._draw()

    def _ask(self) -> None:
        prompt = self._prompt.value.strip()
        if prompt and not self._state.busy:
            self._prompt.value = ""
            self._state.ask(
                prompt,
                system=self._system.value.strip(),
                params={
                    "temperature": self._temperature.value,
                    "max_tokens": self._max_tokens.value,
                },
            )

    def _redraw_turns(self, _: object = None) -> None:
        shown, turns = self._stream.items, self._state.turns
        if len(turns) < len(shown):
            self._stream.clear()
            shown = []
        self._stream.extend(
            {"text": turn.text, "kind": turn.role, "label": ""} for turn in turns[len(shown) :]
        )

    def _draw(self, _: object = None) -> None:
        state = self._state
        self._send.disabled = state.busy
        self._stop.disabled = not state.busy
        set_text(self._figures, state.figures)
        if state.error:
            label = "Let me call it" if state.can_let_in else ""
            self._notice.show_error(state.error, action_label=label)
        else:
            self._notice.clear()
