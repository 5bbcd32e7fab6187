"""A conversation with a deployed model."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from traitlets import Bool, HasTraits, Instance, Int, Tuple, Unicode

from llm_widgets.domain.prices import dollars, per_million
from llm_widgets.engines import registry
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.run.service_errors import LET_IN
from llm_widgets.manager import asking, callers
from llm_widgets.page.services.prices import PricesState
from llm_widgets.serving import cost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llm_widgets.domain.prices import Price
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.run import invoke
    from llm_widgets.page.services.service_logs import LogTail
    from llm_widgets.page.session import Session

    Whole = Callable[[Sequence["Turn"]], object]
    Piece = Callable[[str, str], object]

_LONG = 3.0  # seconds; an instance that is awake has a first token sooner


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said; an answer is complete only when it has ended.

    Attributes
    ----------
    thought
        What the model thought before it said this.
    note
        What is to be told of it: time and speed of an answer, or that it was stopped.
    calls
        Calls of tools that the model asks for, one in each line.
    image
        A picture beside the text, as the address of its own bytes; empty for none.
    """

    role: Literal["user", "assistant"]
    text: str
    thought: str = ""
    note: str = ""
    calls: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """What goes with each question; ``None`` for what the engine does by itself.

    Attributes
    ----------
    thinking
        Whether reasoning is turned ``"on"`` or ``"off"``; empty for the model's own way.
    tools
        Tools that the model can call, as the JSON of OpenAI's protocol; empty for none.
    """

    system: str = ""
    temperature: float | None = 0.7
    max_tokens: int | None = 1024
    thinking: str = ""
    tools: str = ""

    @property
    def params(self) -> dict[str, Any]:
        """Fields of the request that every engine takes."""
        given = {
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "tools": json.loads(self.tools) if self.tools else None,
        }
        return {name: value for name, value in given.items() if value is not None}


class ChatState(HasTraits):
    """One conversation.

    Attributes
    ----------
    turns
        What was said, without the answer that is coming; see `follow_turns`.
    busy
        Whether an answer is coming, or something that it needs.
    waiting, waited
        What is waited for, and for how many seconds; empty and 0 for nothing.
    settings
        What goes with each question.
    """

    turns: Tuple = Tuple()
    busy = Bool(default_value=False)
    waiting = Unicode()
    waited = Int()
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    settings = Instance(ChatSettings, ())

    def __init__(
        self, session: Session, service: ServiceSummary, log: LogTail, prices: PricesState
    ) -> None:
        super().__init__()
        self._log = log
        self._prices = prices
        self._session = session
        self._service = service
        self._stream: invoke.ChatStream | None = None
        self._lock = threading.RLock()
        self._coming: Turn | None = None
        self._pieces: list[invoke.ChatEvent] = []  # of it, put together when it is looked at
        self._followers: list[tuple[Whole, Piece]] = []

    @property
    def service(self) -> ServiceSummary:
        """The service that is asked, as it is known by now."""
        return self._service

    def follow(self, service: ServiceSummary, log: LogTail | None = None) -> None:
        """Take over what is known of the service by now, and the log that is being read."""
        self._service = service
        self._log = log or self._log

    def follow_turns(self, whole: Whole, piece: Piece) -> None:
        """Have ``whole`` called with all turns, now and when they change otherwise than by a piece.

        Parameters
        ----------
        piece
            Called with more text and more thought of the last turn.
        """
        with self._lock:
            self._followers.append((whole, piece))
            whole(self._all())

    def unfollow_turns(self, whole: Whole, piece: Piece) -> None:
        """Call these no more."""
        with self._lock:
            self._followers.remove((whole, piece))

    @property
    def can_switch_thinking(self) -> bool:
        """Whether a request can turn the model's reasoning on and off, as far as is known."""
        return bool(self._thinking(on=False))

    def ask(self, prompt: str, image: str = "") -> None:
        """Send a prompt with everything said before it.

        Parameters
        ----------
        image
            A picture beside it, as the address of its own bytes; empty for none.
        """
        if self.busy:
            return
        said = (*self.turns, Turn("user", prompt, image=image))
        try:
            stream = self._request(said)
        except ManagerError as error:
            self.error = error
            return
        self.error = None
        self.busy = True
        asked_at = datetime.now(UTC)
        self._stream = stream
        self._set_turns(said, Turn("assistant", ""))
        self._wait_for(self._awaited(0, asked_at), 0)

        def then(note: str) -> None:
            self._end(stream, note)

        def failed(error: ManagerError) -> None:
            if self._end(stream, ""):
                self.error = error

        self._session.background.run(lambda: self._read(stream, asked_at), then, failed)
        self._session.background.repeat(1.0, lambda: self._tick(stream, asked_at))

    def take_up(self, turns: Sequence[Turn]) -> None:
        """Go on with a conversation that a page before this one had, unless there is another."""
        with self._lock:
            if self.turns or self.busy or not turns:
                return
            *before, last = turns
            note = last.note or "Interrupted: the page was reloaded."
            self._set_turns((*before, replace(last, note=note)))

    def regenerate(self) -> None:
        """Ask the last question again, in place of its answer."""
        asked = [index for index, turn in enumerate(self.turns) if turn.role == "user"]
        if asked and not self.busy:
            last = self.turns[asked[-1]]
            self._set_turns(self.turns[: asked[-1]])
            self.ask(last.text, last.image)

    @property
    def can_let_in(self) -> bool:
        """Whether what stood against the last question may be helped by :meth:`let_me_in`."""
        can = bool(self.error and self.error.fix and self.error.fix.action == LET_IN)
        return can and self._service.managed

    def let_me_in(self) -> None:
        """Add this identity to those who may call the service, and ask again."""
        if self.busy:
            return
        self.error = None
        self.busy = True
        self._wait_for("Granting you access to the service …", 0)

        def then(_: object) -> None:
            self._rest()
            self.regenerate()

        def failed(error: ManagerError) -> None:
            self._rest()
            self.error = error

        self._session.background.run(
            lambda: callers.add_me(self._session.clients, self._service.name), then, failed
        )

    def stop(self) -> None:
        """End the answer where it is."""
        if self._stream:
            self._stream.close()

    def clear(self) -> None:
        """Forget the conversation, and end the answer that is coming."""
        self.stop()
        with self._lock:
            self._stream = None
            self._set_turns(())
        self._rest()
        self.error = None

    def _request(self, said: tuple[Turn, ...]) -> invoke.ChatStream:
        system = self.settings.system
        return asking.chat(
            self._session.clients,
            self._service,
            [*([{"role": "system", "content": system}] if system else []), *_answered(said)],
            {**self.settings.params, **self._switched()},
        )

    def _switched(self) -> Mapping[str, Any]:
        """Return the fields that turn reasoning on or off, as the settings say."""
        chosen = self.settings.thinking
        return self._thinking(on=chosen == "on") if chosen else {}

    def _thinking(self, *, on: bool) -> Mapping[str, Any]:
        engine = registry.of(self._service.framework)
        return engine.thinking(self._service.model_id, on=on) if engine else {}

    def _all(self) -> tuple[Turn, ...]:
        coming = self._come()
        return (*self.turns, coming) if coming else self.turns

    def _come(self) -> Turn | None:
        """Return the answer as far as it has come; ``None`` for none."""
        pieces, self._pieces = self._pieces, []
        if self._coming and pieces:
            self._coming = replace(
                self._coming,
                text=self._coming.text + "".join(each.text for each in pieces),
                thought=self._coming.thought + "".join(each.reasoning for each in pieces),
                calls="\n".join(map(str, pieces[-1].calls)),
            )
        return self._coming

    def _set_turns(self, turns: tuple[Turn, ...], coming: Turn | None = None) -> None:
        with self._lock:
            self.turns, self._coming, self._pieces = turns, coming, []
            for whole, _ in self._followers:
                whole(self._all())

    def _add(self, stream: invoke.ChatStream, event: invoke.ChatEvent) -> None:
        """Add a piece to the answer, unless it is one that nobody waits for any more."""
        with self._lock:
            if self._coming is None or stream is not self._stream:
                return
            if self.waiting:
                self._wait_for("", 0)
            self._pieces.append(event)
            if event.calls:
                return  # they come last, with the whole turn
            for _, piece in self._followers:
                piece(event.text, event.reasoning)

    def _wait_for(self, words: str, seconds: int) -> None:
        with self._lock, self.hold_trait_notifications():
            self.waiting, self.waited = words, seconds

    def _rest(self) -> None:
        with self._lock, self.hold_trait_notifications():
            self.waiting, self.waited = "", 0
            self.busy = False

    def _end(self, stream: invoke.ChatStream, note: str) -> bool:
        """Keep what has come; return whether anybody waited for it."""
        with self._lock:
            answer = self._come()
            if answer is None or stream is not self._stream:
                return False
            if answer.text or answer.thought or answer.calls:
                self._set_turns((*self.turns, replace(answer, note=note)))
            else:
                self._set_turns((*self.turns[:-1], replace(self.turns[-1], note=note)))
        self._rest()
        return True

    def _read(self, stream: invoke.ChatStream, asked_at: datetime) -> str:
        """Read the answer; return what is to be told of it."""
        for event in stream:
            if event.text or event.reasoning or event.calls:
                self._add(stream, event)
            if event.stats:
                hour = cost.of_service(self._prices.listed, self._service)
                return _figures(event.stats, hour, is_cold=self._was_cold(event.stats, asked_at))
        return "Stopped"

    def _tick(self, stream: invoke.ChatStream, asked_at: datetime) -> bool:
        """Tell what is waited for; return whether that goes on."""
        with self._lock:
            waits = bool(self.waiting) and stream is self._stream
            if waits:
                seconds = int((datetime.now(UTC) - asked_at).total_seconds())
                self._wait_for(stream.waits_for or self._awaited(seconds, asked_at), seconds)
        return waits

    def _awaited(self, seconds: int, asked_at: datetime) -> str:
        """Return what keeps the answer from coming, as far as that is known."""
        if self._starts_instance(asked_at):
            return "Starting an instance, which loads the model …"
        if seconds < _LONG or self._service.min_instances:
            return "Waiting for the first token …"
        return "Waiting for the first token; if no instance was running, one is starting …"

    def _was_cold(self, stats: invoke.Stats, asked_at: datetime) -> bool:
        """Whether an instance was started for the answer, as the log of the service tells."""
        if stats.first_token < _LONG:
            return False
        self._log.look_after(datetime.now(UTC))
        return self._starts_instance(asked_at)

    def _starts_instance(self, since: datetime) -> bool:
        return any(
            entry.starts_instance and entry.time and entry.time >= since
            for entry in self._log.entries
        )


class Chats:
    """The conversations of a page, by their services: they outlive the pages of these."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._prices = PricesState(session)
        self._of: dict[str, ChatState] = {}

    def of(self, service: ServiceSummary, log: LogTail) -> ChatState:
        """Return the conversation with a service; a new one when there is none."""
        found = self._of.get(service.name)
        if found is None:
            found = self._of[service.name] = self.begin(service, log)
        found.follow(service, log)
        return found

    def begin(self, service: ServiceSummary, log: LogTail) -> ChatState:
        """Return a conversation with a service beside the one that is kept."""
        self._prices.load()
        return ChatState(self._session, service, log, self._prices)

    def forget(self, name: str) -> None:
        """End the conversation with a service that is gone."""
        found = self._of.pop(name, None)
        if found:
            found.clear()

    def forget_all(self) -> None:
        """End all conversations."""
        for name in tuple(self._of):
            self.forget(name)


def _answered(said: tuple[Turn, ...]) -> list[dict[str, Any]]:
    """Write a conversation as messages, without the earlier questions that got no answer.

    Templates of models (Gemma's, Mistral's) refuse two questions in a row.
    """
    told = [turn for turn in said if turn.text]  # a model may have thought and said nothing
    following = (*told[1:], None)
    return [
        {"role": turn.role, "content": _content(turn)}
        for turn, after in zip(told, following, strict=True)
        if after is None or after.role != turn.role
    ]


def _content(turn: Turn) -> str | list[dict[str, Any]]:
    if not turn.image:
        return turn.text
    picture = {"type": "image_url", "image_url": {"url": turn.image}}
    return [{"type": "text", "text": turn.text}, picture]


def _figures(stats: invoke.Stats, hour: Price | None, *, is_cold: bool) -> str:
    cold = " with a cold start" if is_cold else ""
    speed = f" · {stats.tokens_per_second:.0f} tokens/s" if stats.tokens_per_second else ""
    cut = " · cut off at max tokens" if stats.finish_reason == "length" else ""
    out = "1 token out" if stats.tokens == 1 else f"{stats.tokens} tokens out"
    first = f"First token after {stats.first_token:.2f} s{cold}"
    taken = f"{stats.prompt_tokens} tokens in, " if stats.prompt_tokens else ""
    million = per_million(hour, stats.tokens_per_second)
    price = f" · {million.basis.prefix}{dollars(million.amount)} per 1M tokens" if million else ""
    return f"{first} · {taken}{out}{speed}{price}{cut}"
