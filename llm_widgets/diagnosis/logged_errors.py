"""Errors that a log tells: exceptions of Python with their chains, and what other programs say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.error_strength import (
    Strength,
    hints,
    is_effect,
    line_strength,
    strength_of,
)
from llm_widgets.diagnosis.log_records import Level, Record

if TYPE_CHECKING:
    from collections.abc import Iterable


class Link(IntEnum):
    """How an exception comes from the one before it in its chain."""

    NONE = 0
    CAUSE = 1
    """``raise … from …``: what was before is its direct cause."""

    CONTEXT = 2
    """It was raised while the one before was being handled."""


@dataclass(slots=True)
class LoggedError:
    """An error in a log.

    Attributes
    ----------
    text
        Its own words, in one line: for exceptions the name and the message.
    first, last
        Positions of the entries where it begins (for a traceback, its head) and ends.
    at
        Position of the entry with its words.
    name
        Of the exception, without its module; empty for what is none.
    frames
        Names of functions in its traceback, the outermost first.
    files
        Paths of the frames.
    link
        How it comes from the error before it.
    order
        Of its words among all lines.
    """

    text: str
    at: int
    first: int
    last: int
    process: str
    strength: Strength
    name: str = ""
    frames: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    link: Link = Link.NONE
    order: int = 0


_MOST_CONTINUED = 40  # lines of one message
_LONGEST = 2_000  # characters of one message
_MOST_BEFORE_CAUSE = 2  # lines between an error and "Caused by:": an empty one
_MOST_ANNOUNCED = 8  # lines between "… error:" and "Error: …": the place in a template
_UNCAUGHT = re.compile(
    r"^libc\+\+abi: terminating (?:due to|with) uncaught exception of type (?=\S)"
)
_NUMBER = re.compile(r"^\d{1,2}: ")
_BARS = re.compile(r"^(?: {0,12}[|+] ?)+(?:-[-+ \d]*$)?")  # of exception groups
_HEAD = "Traceback (most recent call last):"
_DIRECT = "The above exception was the direct cause of the following exception"
_DURING = "During handling of the above exception, another exception occurred"
_FRAME = re.compile(
    r'\s{1,12}File "(?P<file>[^"]{1,400})", line \d{1,7}(?:, in (?P<name>\S{1,200}))?'
)
_EXCEPTION = re.compile(
    r"(?P<path>(?:[A-Za-z_]\w{0,60}\.){0,8})(?P<name>[A-Za-z_]\w{1,80})(?:\(\w{1,80}\))?"
    r"(?::(?: (?P<message>.*)|$)|$)"
)
# An exception is known as one without a traceback by its name.
_NAMED = re.compile(
    r"(?:[A-Za-z_]\w{0,60}\.){0,8}[A-Z]\w{0,80}(?:Error|Exception|Interrupt|Failure|ExceptionGroup)"
    r"(?:\(\w{1,80}\))?:(?: |$)"
)


def errors(found: Iterable[Record]) -> list[LoggedError]:
    """Return the errors that records tell, in the order in which their words were logged."""
    lines = tuple(found)
    reader = _Reader(hints("\n".join(record.text for record in lines).lower()))
    for order, record in enumerate(lines):
        reader.read(record, order)
    return sorted(reader.errors, key=lambda error: error.order)


@dataclass(slots=True)
class _Open:
    """A traceback that is being read.

    Attributes
    ----------
    error
        The exception that it ended with; ``None`` as long as frames come.
    link, next_link
        How it comes from the traceback before it, and the one after it from this one.
    indent
        Blanks before its frames; what has less is the exception.
    asserted
        The last line of code that begins with ``assert``.
    """

    first: int
    place: str
    level: Level
    entry: int
    frames: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    error: LoggedError | None = None
    message: list[str] = field(default_factory=list)
    link: Link = Link.NONE
    next_link: Link = Link.NONE
    indent: int = 1
    asserted: str = ""

    def add(self, frame: re.Match[str]) -> None:
        """Take a line of the traceback that names a function."""
        self.frames.append(frame["name"] or "")
        self.files.append(frame["file"])
        self.indent = len(frame[0]) - len(frame[0].lstrip())


class _Reader:
    """Reads records; each process has at most one traceback open.

    Parameters
    ----------
    hint
        Words of errors that the log has, in small letters: lines without any are passed over.
    """

    def __init__(self, hint: re.Pattern[str] | None) -> None:
        self.errors: list[LoggedError] = []
        self._hint = hint
        self._open: dict[str, _Open] = {}
        self._panicked: Record | None = None
        self._caused: LoggedError | None = None
        self._thrown: LoggedError | None = None
        self._announced: Record | None = None

    def read(self, record: Record, order: int) -> None:
        text = record.text
        if not text and record.process not in self._open:
            return
        if _HEAD in text:
            self._begin(record)
            return
        if text.startswith('  File "') and record.process not in self._open:
            self._begin(record)  # its head was logged elsewhere, or is not there any more
        opened = self._open.get(record.process)
        if opened is not None:
            if self._continued(opened, record, order):
                return
            del self._open[record.process]
        if record.level is Level.INFO and " error" not in text.lower()[:400]:
            self._survived(record)
            return
        if self._panicked is not None:
            self._after_panic(record, order)
        if not self._is_cause(record):
            self._single(record, order)

    def _begin(self, record: Record) -> None:
        before = self._open.get(record.process)
        link = before.next_link if before else Link.NONE
        self._open[record.process] = _Open(
            record.position, record.place, record.level, record.position, link=link
        )

    def _continued(self, opened: _Open, record: Record, order: int) -> bool:
        """Read a line that belongs to a traceback; ``False`` for one that does not."""
        text = _BARS.sub("", record.text)
        if opened.place != record.place or record.level not in (Level.NONE, opened.level):
            return False
        if frame := _FRAME.match(text):
            opened.add(frame)
            return opened.error is None or opened.error.name != ""
        if opened.error is not None:
            return self._after_words(opened, record, text)
        if detail := _validation(record.text):
            text = f"ValidationError: {detail}"
        is_code = not text.strip() or len(text) - len(text.lstrip()) >= opened.indent
        if is_code and text.lstrip().startswith("assert "):
            opened.asserted = text.strip()
        return is_code or self._words(opened, record, text.strip(), order)

    def _after_words(self, opened: _Open, record: Record, text: str) -> bool:
        """Read a line after an exception: the next in its chain, or more of its message."""
        if _DIRECT in text or _DURING in text:
            opened.next_link = Link.CAUSE if _DIRECT in text else Link.CONTEXT
            return True
        if not text.strip() or opened.next_link is not Link.NONE:
            return not text.strip()
        return self._more(opened, record, text)

    def _words(self, opened: _Open, record: Record, text: str, order: int) -> bool:
        """Take the line that a traceback ends with: the exception."""
        match = _EXCEPTION.match(text)
        if match is None:
            return False
        name = match["name"]
        if text == "AssertionError" and opened.asserted:
            text = f"{text}: {opened.asserted}"  # it has no other words
        opened.error = LoggedError(
            text[:_LONGEST],
            record.position,
            opened.first,
            record.position,
            record.process,
            strength_of(text, name, opened.level),
            name,
            opened.frames,
            opened.files,
            opened.link,
            order,
        )
        opened.message = [text]
        self.errors.append(opened.error)
        return True

    def _more(self, opened: _Open, record: Record, text: str) -> bool:
        """Add a line to the message of an exception, if it is one of its lines."""
        error = opened.error
        if error is None:
            return False
        is_apart = record.position != error.at and not (opened.place and record.place)
        if is_apart and _is_new(record):
            return False
        opened.message.append(text.strip())
        if len(opened.message) > _MOST_CONTINUED:
            return False
        error.last = record.position
        error.text = _message(opened.message)
        error.strength = strength_of(error.text, error.name, opened.level)
        return True

    def _survived(self, record: Record) -> None:
        """Count what a process logged before for less: it goes on with its work."""
        said = [
            error
            for error in self.errors
            if error.process == record.process and error.strength is Strength.SAYS_WHY
        ]
        if record.process and said and not is_effect(record.text):
            for error in said:
                error.strength = Strength.MAYBE

    def _after_panic(self, record: Record, order: int) -> None:
        """Rust writes the place of a panic first, and what is wrong in the next line."""
        place, self._panicked = self._panicked, None
        if place is not None and record.text.strip() and record.level is Level.NONE:
            self._add(f"panic: {record.text.strip()}", record, order, Strength.SAYS_WHY)

    def _is_cause(self, record: Record) -> bool:
        """Rust tells what an error comes from below it, each in a line of its own."""
        text = record.text
        if text.strip() == "Caused by:" and self.errors:
            error = self.errors[-1]
            is_near = record.position - error.last <= _MOST_BEFORE_CAUSE
            self._caused = error if is_near and error.process == record.process else None
            return True
        if self._caused is None or not text[:1].isspace():
            self._caused = None
            return False
        error = self._caused
        why = _NUMBER.sub("", text.strip())
        error.text = f"{error.text.rstrip(' .:')}: {why}"[:_LONGEST]
        error.at = error.last = record.position
        error.strength = strength_of(error.text, error.name, record.level)
        return True

    def _single(self, record: Record, order: int) -> None:
        text = record.text.strip()
        if record.level < Level.ERROR and not self._has_hint(text):
            return
        if text.startswith("thread '") and " panicked at " in text:
            self._panicked = record if text.endswith(":") else None
            if self._panicked is not None:
                return
        if text.startswith("what():"):
            self._thrown_with(text, record)
            return
        if text.lower().endswith(" error:"):
            self._announced = record
            return
        if _NAMED.match(text):
            match = _EXCEPTION.match(text)
            name = match["name"] if match else ""
            error = self._add(text, record, order, strength_of(text, name, record.level))
            error.name = name
            opened = _Open(record.position, record.place, record.level, record.position)
            opened.error, opened.message = error, [text]
            self._open[record.process] = opened
            return
        detail = _validation(record.text)
        if detail:
            self._add(detail, record, order, Strength.SAYS_WHY)
            return
        strength = line_strength(text, record.level)
        if strength is not None:
            told = self._with_announced(_UNCAUGHT.sub("", text), record)
            error = self._add(told, record, order, strength)
            self._thrown = error if text.startswith("terminate called after") else self._thrown

    def _thrown_with(self, text: str, record: Record) -> None:
        """C++ writes the type of an exception that nothing catches first, and then its words."""
        error, self._thrown = self._thrown, None
        words = text.removeprefix("what():").strip()
        if error is None or not words:
            return
        kind = error.text.partition("instance of")[2].strip(" '\"")
        error.text = f"{kind}: {words}" if kind else words
        error.at = error.last = record.position

    def _with_announced(self, text: str, record: Record) -> str:
        """Return an error with the line that says what failed, a few lines before it."""
        before, words = self._announced, text.removeprefix("Error: ")
        if before is None or words == text:
            return text
        self._announced = None
        is_near = record.position - before.position <= _MOST_ANNOUNCED
        return f"{before.text.strip()} {words}" if is_near else text

    def _has_hint(self, text: str) -> bool:
        return self._hint is not None and self._hint.search(text.lower()) is not None

    def _add(self, text: str, record: Record, order: int, strength: Strength) -> LoggedError:
        at = record.position
        error = LoggedError(text[:_LONGEST], at, at, at, record.process, strength, order=order)
        self.errors.append(error)
        return error


_FIELD = re.compile(r"  (?:Value|Assertion) error, (?P<detail>.{3,1500}?)(?: \[type=|$)")
_INPUT = re.compile(r"  (?P<detail>(?:Input|Field|Extra|Unexpected) .{3,600}?)(?: \[type=|$)")
_OLDER = re.compile(r"  (?P<detail>\S.{3,600}?) {1,2}\(type=\w")  # of pydantic 1


def _validation(text: str) -> str:
    """Return what pydantic says of a value, from the line that says it."""
    match = _FIELD.match(text) or _INPUT.match(text) or _OLDER.match(text)
    return match["detail"].strip() if match else ""


_NEW = (
    "Container called",
    "Default STARTUP",
    "Error: ",
    "Loading ",
    "Memory limit",
    "Process ",
    "STARTUP ",
    "Starting new",
    "[GIN",
    "usage: ",
)


def _is_new(record: Record) -> bool:
    """Return whether a line begins something else than the rest of a message."""
    text = record.text
    return record.level is not Level.NONE or bool(_NAMED.match(text)) or text.startswith(_NEW)


def _message(lines: list[str]) -> str:
    """Return a message of several lines in one: what pydantic tells before how it counts."""
    whole = "\n".join(lines)
    if "validation error" in lines[0]:
        for line in lines[1:]:
            if detail := _validation(f"  {line}"):
                return f"{lines[0].partition(':')[0]}: {detail}"
    return whole[:_LONGEST]
