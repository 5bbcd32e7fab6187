"""What is known of a failure, and how its texts are made fit to be searched."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from llm_widgets.domain.failures.known_failure import Place
from llm_widgets.domain.platform_log import PROBE_SUCCEEDED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from llm_widgets.errors import ManagerError

LONGEST_HEAD, LONGEST_TAIL = 4_000, 12_000
"""Characters at the beginning and at the end of a text that are searched: a traceback in one
entry has its error at the end."""

MOST_LINES = 3_000
"""The newest log lines are searched, this many at most."""

_ESCAPES = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry of a log; its text may have several lines."""

    text: str
    severity: str = "DEFAULT"
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a failure. All texts are as the API gave them.

    Attributes
    ----------
    operation
        Message of the error that a request or a long-running operation ended with.
    conditions
        Messages of the conditions that failed, the deciding one first.
    reasons
        Names of the reasons of these conditions and of the error, for example
        ``CONTAINER_MISSING`` or ``SERVICE_DISABLED``.
    log
        Entries of the revision that failed, the newest last. Those of other revisions mislead.
    error
        What the answer of a request was worded as, where it was an error with details: they tell
        more than its message.
    """

    operation: str = ""
    conditions: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    log: tuple[LogLine, ...] = ()
    error: ManagerError | None = None


class Text(NamedTuple):
    """A text to search: one line without control characters and repeated blanks.

    Attributes
    ----------
    position
        Of the entry in the log; -1 for what is not from a log.
    line
        The entry; ``None`` for what is not from a log.
    """

    text: str
    place: Place
    position: int = -1
    line: LogLine | None = None


def texts(evidence: Evidence) -> dict[Place, list[Text]]:
    """Return what is to be searched, by place, in the order of the evidence."""
    return {
        Place.OPERATION: _plain(Place.OPERATION, (evidence.operation,)),
        Place.CONDITION: _plain(Place.CONDITION, evidence.conditions),
        Place.REASON: _plain(Place.REASON, evidence.reasons),
        Place.LOG: _log(evidence.log),
    }


def bounded(text: str) -> str:
    """Cut the middle out of a text that is too long to be searched, and mark the cut."""
    if len(text) <= LONGEST_HEAD + LONGEST_TAIL:
        return text
    return f"{text[:LONGEST_HEAD]}\n…\n{text[-LONGEST_TAIL:]}"


def without_escapes(text: str) -> str:
    """Return a text without what terminals understand; most have nothing of it."""
    if text.isprintable():
        return text
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def readable(text: str) -> str:
    """Return a text in one line, of bounded length, without what terminals understand."""
    plain = without_escapes(bounded(text))
    return _BLANKS.sub(" ", plain).strip() if _has_blanks(plain) else plain.strip()


def _has_blanks(text: str) -> bool:
    return "  " in text or not text.isprintable()


def _plain(place: Place, found: tuple[str, ...]) -> list[Text]:
    return [Text(readable(text), place) for text in found if text.strip()]


def begins(log: tuple[LogLine, ...]) -> int:
    """Return the position of the first line that counts.

    What was logged before a startup probe succeeded was no obstacle in the end.
    """
    begin = max(0, len(log) - MOST_LINES)
    for position in range(len(log) - 1, begin - 1, -1):
        text = log[position].text
        if "probe succeeded" in text and PROBE_SUCCEEDED.search(text):
            return position + 1
    return begin


def _log(lines: tuple[LogLine, ...]) -> list[Text]:
    begin = begins(lines)
    return [
        Text(text, Place.LOG, position, line)
        for position, line in enumerate(lines[begin:], begin)
        for text in _parts(line.text)
        if text
    ]


def _parts(text: str) -> Iterator[str]:
    """Yield an entry as a whole, and then its lines: the proof is one line where it can be."""
    cut = bounded(text)
    yield readable(cut)
    if "\n" in cut.strip():
        yield from map(readable, cut.splitlines())
