"""A conversation with a deployed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from traitlets import Bool, HasTraits, Instance, Tuple, Unicode

from llm_widgets.cloud import invoke
from llm_widgets.errors import ManagerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.state.session import Session


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said; the text of an answer is complete only when it has ended."""

    role: Literal["user", "assistant"]
    text: str


class ChatState(HasTraits):
    """One conversation.

    Attributes
    ----------
    turns
        What was said. While an answer streams in its turn is empty here, and its text comes
        through :meth:`on_text`.
    figures
        Time to the first token and speed of the last answer, or what is being waited for.
    """

    turns: Tuple = Tuple()
    busy = Bool(default_value=False)
    figures = Unicode()
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, service: ServiceSummary) -> None:
        super().__init__()
        self._session = session
        self._service = service
        self._stream: invoke.ChatStream | None = None
        self._listeners: list[Callable[[str], None]] = []

    def follow(self, service: ServiceSummary) -> None:
        """Take over what is known of the service by now: its URL comes late."""
        self._service = service

    def on_text(self, listener: Callable[[str], None]) -> None:
        """Have ``listener`` called with each piece of an answer."""
        self._listeners.append(listener)

    def ask(
        self, prompt: str, *, system: str = "", params: Mapping[str, float] | None = None
    ) -> None:
        """Send a prompt with everything said before it.

        Parameters
        ----------
        system
            What the model is told before the conversation; empty for nothing.
        params
            Further fields of the request: ``temperature``, ``max_tokens``.
        """
        if self.busy:
            return
        self.error = None
        self.busy = True
        self.figures = "Waiting for the first token; a cold start takes a while …"
        said = (*self.turns, Turn("user", prompt))
        self.turns = (*said, Turn("assistant", ""))
        answer: list[str] = []
        stream = self._stream = invoke.chat_stream(
            self._session.clients,
            self._service.url,
            self._service.served_name,
            [
                *([{"role": "system", "content": system}] if system else []),
                *({"role": turn.role, "content": turn.text} for turn in said),
            ],
            params,
            service=self._service.name,
        )

        def then(figures: str) -> None:
            self._end(said, "".join(answer), figures)

        def failed(error: ManagerError) -> None:
            self._end(said, "".join(answer), "")
            self.error = error

        self._session.background.run(lambda: self._read(stream, answer), then, failed)

    def stop(self) -> None:
        """End the answer where it is."""
        if self._stream:
            self._stream.close()

    def clear(self) -> None:
        """Forget the conversation."""
        if self.busy:
            self.stop()
        else:
            self.turns = ()
            self.figures = ""
            self.error = None

    def _end(self, said: tuple[Turn, ...], answer: str, figures: str) -> None:
        with self.hold_trait_notifications():
            self.turns = (*said, Turn("assistant", answer)) if answer else said
            self.figures = figures
            self.busy = False

    def _read(self, stream: invoke.ChatStream, answer: list[str]) -> str:
        for event in stream:
            if event.text:
                answer.append(event.text)
                for listener in self._listeners:
                    listener(event.text)
            if event.stats:
                return _figures(event.stats)
        return "Stopped"


def _figures(stats: invoke.Stats) -> str:
    speed = f" · {stats.tokens_per_second:.0f} tokens/s" if stats.tokens_per_second else ""
    cut = " · cut off at the longest answer" if stats.finish_reason == "length" else ""
    return f"First token after {stats.first_token:.2f} s · {stats.tokens} tokens{speed}{cut}"
