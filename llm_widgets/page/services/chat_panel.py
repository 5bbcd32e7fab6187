"""A conversation with a deployed model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from llm_widgets.page.services.chat import ChatSettings, Turn
from llm_widgets.widgets.chat import Composer, Transcript
from llm_widgets.widgets.layout import stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.picker import FilePicker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.page.services.chat import ChatState
    from llm_widgets.widgets.chat import ChatTurn


PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")
LARGEST_PICTURE = 2 * 2**20
"""Bytes of a picture: the page's messages have at most 4 MiB, in base64."""

PLACEHOLDER = "Enter sends, Shift+Enter starts a new line."


class Conversation:
    """Draws what was said to a model and what stands against it, until it is closed.

    ``parts`` is what goes into the page; ``kept_as`` is that of `Transcript`.
    """

    def __init__(
        self, state: ChatState, *, label: str, placeholder: str, kept_as: str = ""
    ) -> None:
        self._state = state
        self._transcript = Transcript(label=label, placeholder=placeholder, kept_as=kept_as)
        self._notice = Notice()
        self.parts = (self._transcript, self._notice)
        self._transcript.on_kept(self._take_up)
        self._transcript.on_regenerate(state.regenerate)
        self._notice.on_action(state.let_me_in)
        state.observe(self._draw, ["busy", "error", "waiting", "waited"])
        state.follow_turns(self._draw_turns, self._transcript.extend)
        self._draw()

    def close(self) -> None:
        """Draw no more; the conversation goes on."""
        self._state.unfollow_turns(self._draw_turns, self._transcript.extend)
        self._state.unobserve(self._draw, ["busy", "error", "waiting", "waited"])

    def _take_up(self, kept: Sequence[ChatTurn]) -> None:
        self._state.take_up([Turn(**turn) for turn in kept])  # type: ignore[arg-type] # checked

    def _draw_turns(self, turns: Sequence[Turn]) -> None:
        self._transcript.show([asdict(turn) for turn in turns])

    def _draw(self, _: object = None) -> None:
        state = self._state
        with self._transcript.hold_sync():
            self._transcript.busy = state.busy
            self._transcript.waiting = state.waiting
            self._transcript.waited = state.waited
        if state.error:
            label = "Grant me access" if state.can_let_in else ""
            self._notice.show_error(state.error, action_label=label)
        else:
            self._notice.clear()


class ChatPanel:
    """Draws a conversation and where it is written, until it is closed.

    ``box`` is what goes into the page.
    """

    def __init__(self, state: ChatState, *, sees: bool = False) -> None:
        self._state = state
        self._picture = FilePicker(
            label="Add a picture", accept=list(PICTURES), most=LARGEST_PICTURE
        )
        self._conversation = Conversation(
            state,
            label="Conversation",
            placeholder="Send a message to try the model. It goes to the service, with an ID token "
            "of the identity on the General tab.",
            kept_as=f"{state.service.name} {state.service.uid}",
        )
        self._composer = Composer(
            placeholder=f"Ask the model. {PLACEHOLDER}",
            settings=asdict(state.settings),
            thinking=state.can_switch_thinking,
        )
        self.box = stack(*self._conversation.parts, self._composer)
        self.see(sees=sees)
        self._composer.on_ask(self._ask)
        self._composer.on_stop(state.stop)
        self._composer.on_fresh(state.clear)
        self._composer.observe(self._set, "settings")
        state.observe(self._draw, "busy")
        self._draw()

    def see(self, *, sees: bool) -> None:
        """Offer to add a picture to a question, or don't."""
        added = (self._picture,) if sees else ()
        shown = (*self._conversation.parts, *added, self._composer)
        if self.box.children != shown:
            self.box.children = shown

    def write(self) -> None:
        """Let a person write, without another click."""
        self._composer.called += 1

    def close(self) -> None:
        """Draw no more; the conversation goes on."""
        self._conversation.close()
        self._state.unobserve(self._draw, "busy")

    def _ask(self, text: str) -> None:
        file = self._picture.file
        self._state.ask(text, file.data_url if file else "")
        if file:
            self._picture.clear()

    def _set(self, _: object) -> None:
        self._state.settings = ChatSettings(**self._composer.settings)

    def _draw(self, _: object = None) -> None:
        self._composer.busy = self._state.busy
