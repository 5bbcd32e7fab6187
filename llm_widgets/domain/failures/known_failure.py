"""A failure that is known, as the catalogues have it: plain data, searched by `diagnosis`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.failures.remedies import Advice

Groups = dict[str, str]
Derive = Callable[[Groups, "Context"], "Groups | None"]
"""Adds to what a match told, or says with ``None`` that it is not this failure after all."""


class Place(StrEnum):
    """Where a text was found."""

    OPERATION = "operation"
    CONDITION = "condition"
    REASON = "reason"
    LOG = "log"

    @property
    def label(self) -> str:
        """The place in words."""
        return {
            Place.OPERATION: "Answer of Cloud Run",
            Place.CONDITION: "Condition of the service",
            Place.REASON: "Reason given by Cloud Run",
            Place.LOG: "Log",
        }[self]


class Rank(IntEnum):
    """What explains what: where several failures are found, the lowest rank is the cause.

    Each one makes those after it likely. Without its bucket an engine finds no model; an engine
    that runs out of memory ends its container; a container that ended answers no probe; a
    service without a container has no instance for a request.
    """

    REFUSED = 1
    """Cloud Run did not take the request: nothing was started, and logs are older."""

    MISSING = 2
    """What a revision needs before its container: image, secret, network, a free GPU."""

    MOUNT = 3
    """The bucket is not mounted."""

    HARDWARE = 4
    """The engine cannot use the GPU."""

    KILLED = 5
    """Cloud Run ended the container, and says why."""

    ENGINE = 6
    """The engine says why it can't serve: files, arguments, memory."""

    KILLED_UNSAID = 7
    """The container was killed, and nothing says why."""

    ENGINE_ENDED = 8
    """The engine says that a part of it ended, not why."""

    CONTAINER = 9
    """The container ended."""

    LATE = 10
    """The log says why the container did not answer in time."""

    PROBE = 11
    """The container did not answer in time."""

    UNREADY = 12
    """Cloud Run says that the container was not ready, and no more."""

    SERVICE = 12
    """The service has nothing that answers; requests fail."""


class Confidence(StrEnum):
    """How sure a diagnosis is."""

    CERTAIN = "certain"
    """The text names the cause."""

    LIKELY = "likely"
    """The text names an effect, and this is what usually has it."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A text that gives a failure away.

    Attributes
    ----------
    pattern
        Searched in texts of one line (:func:`.evidence.readable`). Groups are values for the
        templates. It begins with a literal and repeats nothing without a bound: log lines are
        written by anybody.
    """

    places: tuple[Place, ...]
    pattern: re.Pattern[str]
    literals: tuple[str, ...] = ()
    """Small letters without digits: each text that the pattern matches has one of these. Empty
    where there is nothing that all have."""


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """A failure that is known.

    Attributes
    ----------
    signs
        Any of them will do; the first that matches counts.
    causes
        Templates of the sentence that says what is wrong; the first that can be filled counts,
        and the last one can always be.
    advice
        What to do, the best first; the last one is good for any deployment.
    source
        From where the texts are known: an API, ``owner/repository: file`` of an engine, or a
        public thread ``owner/repository#number``.
    given
        Ids of failures: this one counts only beside one of them.
    versions
        Of engines that it was seen with or that have the text; empty where it is of no engine.
    """

    id: str
    rank: Rank
    signs: tuple[Sign, ...]
    causes: tuple[str, ...]
    advice: tuple[Advice, ...]
    source: str
    confidence: Confidence = Confidence.CERTAIN
    derive: Derive | None = None
    given: tuple[str, ...] = ()
    versions: str = ""


def said(pattern: str) -> Sign:
    """Look in what Cloud Run says: the answer to a request, and conditions."""
    return _sign(pattern, Place.OPERATION, Place.CONDITION)


def logged(pattern: str) -> Sign:
    """Look in the log."""
    return _sign(pattern, Place.LOG)


def anywhere(pattern: str) -> Sign:
    """Look in what Cloud Run says, and in the log."""
    return _sign(pattern, Place.OPERATION, Place.CONDITION, Place.LOG)


def reason(*names: str) -> Sign:
    """Look for a structured reason."""
    return _sign(f"^(?:{'|'.join(names)})$", Place.REASON)


def _sign(pattern: str, *places: Place) -> Sign:
    return Sign(places, re.compile(pattern, re.IGNORECASE), literals_of(pattern))


_ATOM = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]|\(\?<?[!=]|.", re.DOTALL)
_REPEATED = re.compile(r"(?:[?*+]|\{[\d,]{1,12}\})\??")
_PLAIN_GROUP = re.compile(r"\(\?P<\w+>([^()|]+)\)(?![?*{])")
_LEAST_LITERAL = 4  # shorter ones stand in any line


def literals_of(pattern: str) -> tuple[str, ...]:
    """Return the longest run of plain characters of each alternative, in small letters.

    Each text that the pattern matches has one of them, so that most texts need not be searched.
    Groups are passed over. Digits end a run: lines that differ in nothing else are looked at once.
    """
    pattern = _PLAIN_GROUP.sub(r"\1", pattern)
    alternatives: list[list[str]] = [[""]]
    depth, at = 0, 0
    while at < len(pattern):
        matched = _ATOM.match(pattern, at)
        atom = matched[0] if matched else pattern[at]
        at += len(atom)
        depth += atom.startswith("(") - (atom == ")")
        repeated = _REPEATED.match(pattern, at)
        at = repeated.end() if repeated else at
        plain = atom[1:] if atom.startswith("\\") and not atom[1].isalnum() else atom
        if depth == 0 and atom == "|":
            alternatives.append([""])
        elif depth or repeated or len(plain) > 1 or plain.isdigit() or atom in tuple("().^$"):
            alternatives[-1].append("")
        else:
            alternatives[-1][-1] += plain
    longest = tuple(max(runs, key=len).lower() for runs in alternatives)
    return longest if all(len(run.strip()) >= _LEAST_LITERAL for run in longest) else ()
