"""A conversation with a deployed model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from traitlets import Bool, HasTraits, Instance, Tuple, Unicode

from llm_widgets.engines import registry
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import invokers
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import invoke
from llm_widgets.gcp.run.service_errors import LET_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session

_LONG = 3.0  # seconds; an instance that is awake has a first token sooner


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
        self._waiting = False
        self._ask_again: Callable[[], None] = lambda: None

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
        try:
            path = registry.chat_of(self._service.framework).path
        except ManagerError as error:
            self.error = error
            return
        before = self.turns
        self._ask_again = lambda: self._ask_after(before, prompt, system, params)
        self.error = None
        self.busy = True
        self.figures = "Waiting for the first token …"
        self._waiting = True
        asked_at = datetime.now(UTC)
        said = (*self.turns, Turn("user", prompt))
        self.turns = (*said, Turn("assistant", ""))
        answer: list[str] = []
        stream = self._stream = invoke.chat_stream(
            self._session.clients,
            self._service.url,
            self._service.served_name,
            [
                *([{"role": "system", "content": system}] if system else []),
                *_answered(said),
            ],
            params,
            path=path,
            service=self._service.name,
        )

        def then(figures: str) -> None:
            self._end(said, "".join(answer), figures)

        def failed(error: ManagerError) -> None:
            self._end(said, "".join(answer), "")
            self.error = error

        def tick() -> bool:
            waited = (datetime.now(UTC) - asked_at).total_seconds()
            if self._waiting and stream is self._stream:
                self.figures = _patience(waited, is_asleep=not self._service.min_instances)
            return self._waiting and stream is self._stream

        self._session.background.run(lambda: self._read(stream, answer, asked_at), then, failed)
        self._session.background.repeat(1.0, tick)

    @property
    def can_let_in(self) -> bool:
        """Whether what stood against the last question may be helped by :meth:`let_me_in`."""
        return bool(self.error and self.error.fix and self.error.fix.action == LET_IN)

    def let_me_in(self) -> None:
        """Add this identity to those who may call the service, and ask again."""
        if self.busy:
            return
        self.error = None
        self.busy = True
        self.figures = "Letting you call the service …"

        def then(_: object) -> None:
            self.busy = False
            self._ask_again()

        def failed(error: ManagerError) -> None:
            self.figures = ""
            self.busy = False
            self.error = error

        def work() -> None:
            clients = self._session.clients
            invokers.add_invoker(clients, self._service.name, identity.current(clients).member)

        self._session.background.run(work, then, failed)

    def _ask_after(
        self,
        before: tuple[Turn, ...],
        prompt: str,
        system: str,
        params: Mapping[str, float] | None,
    ) -> None:
        self.turns = before
        self.ask(prompt, system=system, params=params)

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
        self._waiting = False
        with self.hold_trait_notifications():
            self.turns = (*said, Turn("assistant", answer)) if answer else said
            self.figures = figures
            self.busy = False

    def _read(self, stream: invoke.ChatStream, answer: list[str], asked_at: datetime) -> str:
        thinks = False
        for event in stream:
            if self._waiting and (event.text or event.reasoning):
                self._waiting = False
                self.figures = "Answering …"
            if event.reasoning:
                self._show(event.reasoning if thinks else f"Thinking: {event.reasoning}")
                thinks = True
            if event.text:
                self._show(f"\n\n{event.text}" if thinks else event.text)
                thinks = False
                answer.append(event.text)
            if event.stats:
                return _figures(event.stats, is_cold=self._was_cold(event.stats, asked_at))
        return "Stopped"

    def _show(self, text: str) -> None:
        for listener in self._listeners:
            listener(text)

    def _was_cold(self, stats: invoke.Stats, asked_at: datetime) -> bool:
        """Whether an instance was started for the answer, as the log of the service tells."""
        if stats.first_token < _LONG:
            return False
        try:
            return logs.instance_started(self._session.clients, self._service.name, asked_at)
        except ManagerError:
            return False  # whoever may chat need not be allowed to read logs


def _answered(said: tuple[Turn, ...]) -> list[dict[str, str]]:
    """Write a conversation as messages, without the earlier questions that got no answer.

    Templates of models (Gemma's, Mistral's) refuse two questions in a row.
    """
    following = (*said[1:], None)
    return [
        {"role": turn.role, "content": turn.text}
        for turn, after in zip(said, following, strict=True)
        if after is None or after.role != turn.role
    ]


def _patience(seconds: float, *, is_asleep: bool) -> str:
    """Say what is waited for; ``is_asleep`` when a service may have no instance at all."""
    told = f"Waiting for the first token, {seconds:.0f} s"
    if seconds < _LONG or not is_asleep:
        return f"{told} …"
    return (
        f"{told}. If no instance was awake, this is a cold start: one starts and loads the model."
    )


def _figures(stats: invoke.Stats, *, is_cold: bool) -> str:
    cold = " with a cold start" if is_cold else ""
    speed = f" · {stats.tokens_per_second:.0f} tokens/s" if stats.tokens_per_second else ""
    cut = " · cut off at the longest answer" if stats.finish_reason == "length" else ""
    first = f"First token after {stats.first_token:.2f} s{cold}"
    return f"{first} · {stats.tokens} tokens{speed}{cut}"
