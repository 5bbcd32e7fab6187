"""The error of a log that all others follow from, found by the form of the log alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.error_strength import Strength, is_effect, unwrapped
from llm_widgets.diagnosis.log_records import Level, records
from llm_widgets.diagnosis.logged_errors import Link, LoggedError, errors
from llm_widgets.domain.platform_log import STARTING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.diagnosis.evidence import LogLine
    from llm_widgets.diagnosis.log_records import Record

_LINES_BEFORE, _LINES_AFTER = 12, 4
_LONGEST = 500  # characters of a headline
_VAGUE = frozenset({"KeyError", "AttributeError", "IndexError", "StopIteration", "TypeError"})
# A file that is none of its format: who handles that says less, "unable to load …".
_UNREADABLE = frozenset(
    {
        "UnpicklingError",
        "JSONDecodeError",
        "SafetensorError",
        "UnicodeDecodeError",
        "BadZipFile",
    }
)
_MOST_BEFORE_END = 200  # lines: a program's last words are followed by its stack at most
# Frames of a native stack.
_ADDRESSES = re.compile(r"^\s{0,8}(?:#\d{1,3} |frame #\d)|\[?0x[0-9a-f]{4,16}\]?$")
# What a program says when it can't go on, by words that no line of progress has.
_REASON = re.compile(
    r"(?i)\b(?:not (?:supported|found|available|allowed|permitted|valid|set|defined)|no such|"
    r"(?:does not|doesn't) (?:exist|support)|unsupported|unknown|invalid|missing|failed|unable|"
    r"cannot|can't|could ?n[o']t|denied|refused|incompatible|mismatch|requires?d?|must|rebuild|"
    r"illegal)\b"
)
# An instance that ended, or the next one that starts: what follows is another attempt.
_ATTEMPT = ("Container called exit(", "Container terminated on signal", STARTING)
# What libraries add to each of their errors.
_ADDED = re.compile(
    r"(?i)\n?\s*(?:CUDA kernel errors might be|For debugging consider|Compile with `|"
    r"If reserved but unallocated memory is large|See documentation for Memory Management|"
    r"Search for `cuda|If this call came from|For further information visit|"
    r"Exception raised from ).*",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class RootCause:
    """The deciding error.

    Attributes
    ----------
    text
        It in its own words, in one line.
    line
        The line that says so.
    whole
        Its words with those of the errors in its chain: a catalogue may know one of these.
    position
        Of its entry in the log.
    positions
        Of all entries of its chain.
    frames, files
        Functions and files of its traceback.
    is_certain
        Whether it says why; else it is the best that the log has.
    errors
        Positions of all entries of errors that say why.
    """

    text: str
    line: str
    whole: str
    position: int
    positions: frozenset[int]
    frames: tuple[str, ...]
    files: tuple[str, ...]
    is_certain: bool
    errors: frozenset[int]


def root_cause(log: Sequence[LogLine], begin: int = 0) -> RootCause | None:
    """Return the deciding error of a log; ``None`` where it tells none.

    Of exceptions in a chain it is the one that the others were raised from, unless that one says
    nothing without them. Errors that only say that something ended, and those that a process
    survived, count where there is no other. Of several attempts to start, the newest one counts
    that tells why; of several errors of one attempt, the first.

    Parameters
    ----------
    begin
        Position of the first line that counts.
    """
    found = errors(records(log[begin:], begin))
    chains = _chains(found)
    if not chains:
        return _left(log, begin)
    ends = [n for n, line in enumerate(log) if n >= begin and _ends(line.text)]
    attempts = groupby(chains, key=lambda chain: sum(end < chain[-1].at for end in ends))
    chosen: list[LoggedError] | None = None
    for _, group in attempts:
        best = _first(list(group))
        if chosen is None or _strength(best) >= min(_strength(chosen), Strength.SAYS_WHY):
            chosen = best
    certain = (each for each in found if each.strength is Strength.SAYS_WHY)
    positions = frozenset(n for each in certain for n in range(each.first, each.last + 1))
    return _told(chosen, positions) if chosen else None


def last_said(log: Sequence[LogLine], begin: int = 0) -> str:
    """Return the last line of a container before it ended; empty where it did not end.

    Where no line is an error by its form, this one is the closest to the reason. Addresses of
    functions, and lines that continue another one, tell nothing by themselves.
    """
    record = _last(log, begin)
    return _headline(record.text) if record else ""


def _last(log: Sequence[LogLine], begin: int) -> Record | None:
    ends = [n for n, line in enumerate(log) if n >= begin and _ends(line.text)]
    if not ends:
        return None
    for at in reversed(range(max(begin, ends[-1] - _MOST_BEFORE_END), ends[-1])):
        entry = list(records(log[at : at + 1], at))
        if is_effect(entry[0].text if entry else ""):
            continue
        for each in reversed(entry):
            if each.text[:1].strip() and not _ADDRESSES.search(each.text):
                return each
    return None


def _left(log: Sequence[LogLine], begin: int) -> RootCause | None:
    """Return the last line before an end as its cause, where its words say that it may be one."""
    record = _last(log, begin)
    if record is None or record.level in (Level.INFO, Level.WARNING) or is_effect(record.text):
        return None
    if not _REASON.search(record.text):
        return None
    return RootCause(
        text=_headline(record.text),
        line=record.text,
        whole=" ".join(record.text.split()),
        position=record.position,
        positions=frozenset({record.position}),
        frames=(),
        files=(),
        is_certain=False,
        errors=frozenset(),
    )


def around(log: Sequence[LogLine], cause: RootCause) -> tuple[LogLine, ...]:
    """Return the lines of a log around an error."""
    begin = max(0, min(cause.positions, default=cause.position), cause.position - _LINES_BEFORE)
    begin = min(begin, max(0, cause.position - 2))
    return tuple(line for line in log[begin : cause.position + _LINES_AFTER + 1] if line.text)


def _ends(text: str) -> bool:
    return text.startswith(_ATTEMPT)


def _chains(found: Iterable[LoggedError]) -> list[list[LoggedError]]:
    """Put exceptions that were raised from each other together."""
    chains: list[list[LoggedError]] = []
    newest: dict[str, list[LoggedError]] = {}
    for error in found:
        before = newest.get(error.process)
        if error.link is not Link.NONE and before:
            before.append(error)
            continue
        chain = [error]
        newest[error.process] = chain
        chains.append(chain)
    return sorted(chains, key=lambda chain: chain[-1].order)


def _strength(chain: Sequence[LoggedError]) -> Strength:
    return max(error.strength for error in chain)


def _first(chains: Sequence[list[LoggedError]]) -> list[LoggedError]:
    """Return the chain that decides, of those of one attempt."""
    strongest = max(map(_strength, chains))
    best = [chain for chain in chains if _strength(chain) is strongest]
    # What a program survived counts little: the last one is the closest to its end.
    return best[-1] if strongest is Strength.MAYBE else best[0]


def _deciding(chain: Sequence[LoggedError]) -> LoggedError:
    """Return the exception of a chain that says why."""
    chosen = chain[-1]
    for before, after in zip(reversed(chain[:-1]), reversed(chain), strict=False):
        says_more = before.strength > chosen.strength
        is_cause = after.link is Link.CAUSE and before.name not in _VAGUE
        is_cause = is_cause or (after.link is Link.CONTEXT and before.name in _UNREADABLE)
        if says_more or (is_cause and before.strength is Strength.SAYS_WHY):
            chosen = before
        elif after.link is Link.CONTEXT:
            break
    return chosen


def _told(chain: Sequence[LoggedError], certain: frozenset[int]) -> RootCause:
    error = _deciding(chain)
    return RootCause(
        text=_headline(error.text),
        line=error.text.partition("\n")[0],
        whole=" ".join("\n".join(each.text for each in (error, *chain)).split()),
        position=error.at,
        positions=frozenset(n for each in chain for n in range(each.first, each.last + 1)),
        frames=tuple(error.frames),
        files=tuple(error.files),
        is_certain=error.strength is Strength.SAYS_WHY,
        errors=certain,
    )


def _headline(text: str) -> str:
    """Return an error in one line, without what libraries add to each of theirs."""
    plain = _ADDED.sub("", unwrapped(text)).strip() or text
    first, _, rest = plain.partition("\n")
    whole = plain if first.endswith(":") or len(first) < 40 else first  # noqa: PLR2004 - a few words
    line = " ".join(whole.split()) if rest else first.strip()
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
