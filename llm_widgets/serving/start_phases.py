"""The phases of a start, read from the log of a revision: every second of it belongs to one.

What Cloud Run writes itself begins and ends a start; what happens in between the engine tells
(:class:`llm_widgets.domain.starts.Mark`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from llm_widgets.domain import platform_log
from llm_widgets.domain.starts import UNTOLD, Start, StartPhase
from llm_widgets.domain.units import BINARY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from llm_widgets.domain.starts import Mark
    from llm_widgets.serving.deployment_steps import Line

CONTAINER = "Container"
"""From the decision to start an instance to the first line of its container: image, GPU, mount."""

PROBE = "Startup probe"
"""From an engine that is ready to a probe that has noticed it."""

_SHORTEST = 0.005  # seconds; less is no phase


def read(lines: Sequence[Line], marks: Sequence[Mark]) -> Start | None:
    """Return the last start that a log tells of; one that came to its end goes before others.

    Parameters
    ----------
    lines
        Of one instance, the oldest first.
    marks
        What the engine tells of its start.

    Returns
    -------
    Start or None
        ``None`` where the log tells of none.
    """
    found = [start for each in _divided(lines) if (start := _of_one(each, marks))]
    ready = [start for start in found if start.is_ready]
    return next(reversed(ready or found), None)


def _divided(lines: Sequence[Line]) -> list[list[Line]]:
    """Divide a log into starts: each begins where Cloud Run says so, the first one anyhow."""
    found: list[list[Line]] = [[]]
    for line in lines:
        if line.text.startswith(platform_log.STARTING):
            found.append([])
        found[-1].append(line)
    return found


def _of_one(lines: Sequence[Line], marks: Sequence[Mark]) -> Start | None:
    """Read one start; lines after its end are of no concern."""
    timed = [(line.time, line.text) for line in lines if line.time]
    if not timed:
        return None
    probed = (i for i, (_, text) in enumerate(timed) if platform_log.PROBE_SUCCEEDED.search(text))
    listening = (i for i, (_, text) in enumerate(timed) if _is_ready(text, marks))
    end = next(probed, None)
    end = next(listening, None) if end is None else end
    told = _Told(timed[0][0])
    for time, text in timed if end is None else timed[: end + 1]:
        told.line(time, text, marks)
    is_ready = end is not None
    # A start that goes on, of which its engine tells nothing yet, may be anything.
    known = told.phases if is_ready else told.phases - {CONTAINER}
    return told.start(is_ready=is_ready) if known else None


def _is_ready(text: str, marks: Sequence[Mark]) -> bool:
    return any(mark.ready and mark.pattern.search(text) for mark in marks)


@dataclass(slots=True)
class _Span:
    """Time between two moments, and the phase that it belongs to; empty for none."""

    begins: datetime
    ends: datetime
    phase: str = ""


class _Told:
    """Time as it is given to phases: none of it twice."""

    def __init__(self, begins: datetime) -> None:
        self._begins = self._last = self._until = begins
        self._spans: list[_Span] = []
        self._bytes: dict[str, dict[Mark, float]] = {}
        self._seen: set[Mark] = set()
        self._is_in_container = False
        self._is_engine_ready = False

    @property
    def phases(self) -> set[str]:
        """Names of the phases that were told."""
        return {span.phase for span in self._spans if span.phase}

    def line(self, at: datetime, text: str, marks: Sequence[Mark]) -> None:
        """Take what a line of the log tells."""
        if not self._is_in_container and not platform_log.BEFORE_CONTAINER.match(text):
            self._is_in_container = True
            self._since_last(CONTAINER, at)
        if platform_log.PROBE_SUCCEEDED.search(text) and self._is_engine_ready:
            self._since_last(PROBE, at)
        for mark in marks:
            found = mark.pattern.search(text)
            if found and mark not in self._seen:
                self._is_engine_ready |= mark.ready
                self._mark(mark, at, found.groupdict())
        self._pass(at)

    def start(self, *, is_ready: bool) -> Start:
        """Return all phases in the order in which they began, what nobody has at the end."""
        seconds: dict[str, float] = {}
        for span in self._spans:
            lasted = (span.ends - span.begins).total_seconds()
            seconds[span.phase] = seconds.get(span.phase, 0.0) + lasted
        untold = seconds.pop("", 0.0)
        short = [name for name, each in seconds.items() if each < _SHORTEST]
        untold += sum(seconds.pop(name) for name in short)
        phases = [StartPhase(name, each, self._read(name)) for name, each in seconds.items()]
        if untold:
            phases.append(StartPhase(UNTOLD, untold))
        return Start(tuple(phases), (self._until - self._begins).total_seconds(), is_ready)

    def _read(self, phase: str) -> int | None:
        told = self._bytes.get(phase)
        return int(max(told.values())) if told else None

    def _mark(self, mark: Mark, at: datetime, told: Mapping[str, str | None]) -> None:
        size, unit, seconds = (told.get(name) for name in ("size", "unit", "seconds"))
        if size and unit:
            # What several marks tell of one phase is the same bytes, and not added up.
            read = self._bytes.setdefault(mark.phase, {})
            read[mark] = read.get(mark, 0.0) + float(size) * BINARY[unit]
        if seconds:
            begins = at - timedelta(seconds=float(seconds))
            self._give(mark.phase, max(self._begins, begins), at)
        elif "size" not in told:
            self._seen.add(mark)
            self._since_last(mark.phase, at)

    def _since_last(self, phase: str, at: datetime) -> None:
        self._give(phase, self._last, at)

    def _pass(self, at: datetime) -> None:
        if at > self._until:
            self._spans.append(_Span(self._until, at))
            self._until = at

    def _give(self, phase: str, begins: datetime, at: datetime) -> None:
        self._pass(at)
        self._last = max(self._last, at)
        divided: list[_Span] = []
        for span in self._spans:
            if span.phase or span.ends <= begins or span.begins >= at:
                divided.append(span)
                continue
            cut = (span.begins, max(span.begins, begins), min(span.ends, at), span.ends)
            parts = (_Span(cut[0], cut[1]), _Span(cut[1], cut[2], phase), _Span(cut[2], cut[3]))
            divided += [part for part in parts if part.ends > part.begins]
        self._spans = divided
