"""A chat: what was said, and where it is written."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import traitlets as t

from llm_widgets.domain.secret_texts import BY_FORM
from llm_widgets.widgets._batch import Batch
from llm_widgets.widgets._component import Component, callbacks
from llm_widgets.widgets._own_page import is_own_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ChatTurn = dict[str, str]
"""``role`` (``"user"`` or ``"assistant"``), ``text``, ``thought`` before it, ``calls`` of tools
after it, ``note`` below it, ``image`` beside it."""

_TEXTS = frozenset({"role", "text", "thought", "calls", "note", "image"})
_LONGEST = 1_000_000  # characters of a question, or of a chat that is kept; more fits no model
_HOTTEST = 2
_MOST_TOKENS = 1_000_000


class Transcript(Component, module="transcript"):
    """The turns of a chat, answers as Markdown; it stays cheap while an answer streams in.

    The methods may be called from any thread and as often as needed; the page is told at most
    ten times a second, of what is new.

    Parameters
    ----------
    label
        Name of the transcript, for screen readers.
    placeholder
        What stands there while it is empty.
    busy
        Whether the last turn is still being written.
    waiting
        What is waited for, in words; empty for nothing.
    waited
        For how many seconds; 0 is not shown.
    kept_as
        Name under which the browser keeps the chat for as long as its tab is open, on our own
        page: a reload ends the kernel. No text with a secret is kept, and no picture.
    """

    label = t.Unicode().tag(sync=True)
    placeholder = t.Unicode().tag(sync=True)
    busy = t.Bool(default_value=False).tag(sync=True)
    waiting = t.Unicode().tag(sync=True)
    waited = t.Int().tag(sync=True)
    kept_as = t.Unicode().tag(sync=True)
    secret = t.Unicode(BY_FORM, help="regular expression of what is not kept").tag(sync=True)

    def __init__(self, *, kept_as: str = "", **traits: Any) -> None:
        self._lock = threading.Lock()
        self._turns: list[ChatTurn] = []
        self._pending: list[dict[str, Any]] = []
        self._batch = Batch(self._send_pending, every=0.1)
        self._regenerate_callbacks = callbacks()
        self._kept_callbacks = callbacks()
        super().__init__(kept_as=kept_as if is_own_page() else "", **traits)

    def on_kept(self, callback: Callable[[Sequence[ChatTurn]], object]) -> None:
        """Call ``callback(turns)`` when the browser had kept a chat, and none is shown."""
        self._kept_callbacks.register_callback(callback)

    def on_regenerate(self, callback: Callable[[], object]) -> None:
        """Call ``callback()`` when the last question is to be asked again."""
        self._regenerate_callbacks.register_callback(callback)

    @property
    def turns(self) -> list[ChatTurn]:
        """What is shown. A copy."""
        with self._lock:
            return [dict(turn) for turn in self._turns]

    def show(self, turns: Sequence[ChatTurn]) -> None:
        """Show other turns; those at the beginning that stay the same are not sent again."""
        with self._lock:
            same = 0
            while same < min(len(turns), len(self._turns)) and turns[same] == self._turns[same]:
                same += 1
            if same == len(turns) == len(self._turns):
                return
            self._turns[same:] = [dict(turn) for turn in turns[same:]]
            self._pending.append(self._from(same))
        self._batch.touch()

    def extend(self, text: str = "", thought: str = "") -> None:
        """Add to the last turn.

        Raises
        ------
        IndexError
            If there is no turn yet.
        """
        with self._lock:
            last = self._pending[-1] if self._pending else None
            targets = [self._turns[-1]]
            if last is None or (last["type"] == "turns" and not last["turns"]):
                self._pending.append({"type": "extend", "text": text, "thought": thought})
            else:
                targets.append(last if last["type"] == "extend" else last["turns"][-1])
            for target in targets:
                target["text"] += text
                target["thought"] += thought
        self._batch.touch()

    def _from(self, first: int) -> dict[str, Any]:
        """Return the message that tells of all turns from one on."""
        return {"type": "turns", "from": first, "turns": [dict(t) for t in self._turns[first:]]}

    def _send_pending(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
        for message in pending:
            self.send(message)

    def _on_ready_message(self, content: dict[str, Any]) -> None:
        """Send a page that has just opened all that there is."""
        kept = content.get("turns")
        if self.kept_as and kept and not self.turns and _are_turns(kept):
            self._kept_callbacks(kept)
        with self._lock:
            self._pending = [self._from(0)]
        self._batch.now()

    def _on_regenerate_message(self, _content: dict[str, Any]) -> None:
        self._regenerate_callbacks()


class Composer(Component, module="composer"):
    """A box to write in: Enter sends. Beside it Send, or Stop while an answer comes.

    Parameters
    ----------
    placeholder
        What stands in the empty box.
    busy
        Whether an answer is coming.
    settings
        What goes with each question: ``system``, ``temperature``, ``max_tokens``, ``thinking``
        and ``tools``; ``None`` or empty for what the engine does by itself. The browser changes
        them.
    thinking
        Whether reasoning can be turned on and off.
    called
        How often a person came here to write: each time the box gets the focus once it is seen.
    """

    placeholder = t.Unicode().tag(sync=True)
    busy = t.Bool(default_value=False).tag(sync=True)
    settings = t.Dict().tag(sync=True)
    thinking = t.Bool(default_value=False).tag(sync=True)
    called = t.Int().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._ask_callbacks = callbacks()
        self._stop_callbacks = callbacks()
        self._fresh_callbacks = callbacks()
        super().__init__(**traits)

    def on_ask(self, callback: Callable[[str], object]) -> None:
        """Call ``callback(text)`` when something is sent; it is not empty."""
        self._ask_callbacks.register_callback(callback)

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Call ``callback()`` when the answer is to end."""
        self._stop_callbacks.register_callback(callback)

    def on_fresh(self, callback: Callable[[], object]) -> None:
        """Call ``callback()`` when a new chat is wanted."""
        self._fresh_callbacks.register_callback(callback)

    def may_set(self, name: str, value: object) -> bool:
        """Return whether these are settings that can go with a question."""
        return name == "settings" and isinstance(value, dict) and _are_settings(value)

    def _on_ask_message(self, content: dict[str, Any]) -> None:
        text = content.get("text")
        if isinstance(text, str) and text.strip() and len(text) <= _LONGEST:
            self._ask_callbacks(text.strip())

    def _on_stop_message(self, _content: dict[str, Any]) -> None:
        self._stop_callbacks()

    def _on_fresh_message(self, _content: dict[str, Any]) -> None:
        self._fresh_callbacks()


def _are_turns(value: object) -> bool:
    """Return whether a value of the browser is a chat that it can have kept."""
    return (
        isinstance(value, list)
        and all(isinstance(turn, dict) and set(turn) == _TEXTS for turn in value)
        and all(isinstance(text, str) for turn in value for text in turn.values())
        and all(turn["role"] in {"user", "assistant"} and not turn["image"] for turn in value)
        and sum(len(text) for turn in value for text in turn.values()) <= _LONGEST
    )


def _are_settings(value: dict[str, Any]) -> bool:
    if set(value) != {"system", "temperature", "max_tokens", "thinking", "tools"}:
        return False
    if value["thinking"] not in ("", "on", "off") or not _are_tools(value["tools"]):
        return False
    system, heat, tokens = value["system"], value["temperature"], value["max_tokens"]
    return (
        (isinstance(system, str) and len(system) <= _LONGEST)
        and (heat is None or (type(heat) in {int, float} and 0 <= heat <= _HOTTEST))
        and (tokens is None or (type(tokens) is int and 1 <= tokens <= _MOST_TOKENS))
    )


def _are_tools(text: object) -> bool:
    """Return whether a text is empty, or the JSON of a list of objects."""
    if not isinstance(text, str) or len(text) > _LONGEST:
        return False
    try:
        found = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return False
    return isinstance(found, list) and all(isinstance(each, dict) for each in found)
