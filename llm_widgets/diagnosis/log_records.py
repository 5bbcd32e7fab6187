"""Lines of a log as records: which process wrote them, how severe they are, and what they say."""

from __future__ import annotations

import json
import re
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from llm_widgets.diagnosis.evidence import bounded, without_escapes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_widgets.diagnosis.evidence import LogLine


class Level(IntEnum):
    """How severe a line calls itself."""

    NONE = 0
    """It does not say."""

    INFO = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4
    """The program can't go on."""


class Record(NamedTuple):
    """A line of a log; a tuple, as thousands are made.

    Attributes
    ----------
    text
        What it says, without the front that loggers put before it; the indentation stays.
    position
        Of the entry in the log.
    process
        Who wrote it, as the line names it, for example ``EngineCore_DP0 pid=68`` or ``rank0``;
        empty where it does not.
    place
        Where in the program it was logged, for example ``core.py:1108``: lines of one message
        have the same. Empty where the line does not say.
    """

    text: str
    position: int
    process: str = ""
    level: Level = Level.NONE
    place: str = ""


_LEVELS = {
    "TRACE": Level.INFO,
    "DEBUG": Level.INFO,
    "INFO": Level.INFO,
    "NOTICE": Level.INFO,
    "WARN": Level.WARNING,
    "WARNING": Level.WARNING,
    "ERROR": Level.ERROR,
    "ERR": Level.ERROR,
    "CRITICAL": Level.FATAL,
    "FATAL": Level.FATAL,
    "PANIC": Level.FATAL,
    "I": Level.INFO,
    "W": Level.WARNING,
    "E": Level.ERROR,
    "F": Level.FATAL,
}
_NAMES = r"(?P<level>TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL|PANIC)"
_DATE = r"(?:\d{4}[-/])?\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?"
# What compose, Kubernetes, journald and Go put before the lines of a program.
_CONTAINER = re.compile(
    r"[a-z][\w.-]{0,60} {0,20}\| |"
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,60} [\w.@-]{1,60}\[\d{1,8}\]: |"
    r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?:\w{1,40}\.go:\d{1,6}: )|"
    r"\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) {1,2}(?:std(?:out|err) [FP] )?(?=\S)"
)
_PROCESS = re.compile(
    r"\((?P<process>(?:[A-Z]\w{1,40}|[\w.-]{1,60}(?=,? pid=))(?:[ ,]{1,2}[\w.:=-]{1,60}){0,4})\) ?|"
    r"\[(?P<rank>(?:rank|default)?\d{1,4})\]:? ?"
)
# ERROR 06-12 10:01:02 [core.py:1108] …
_DATE_AND_PLACE = re.compile(rf"{_NAMES} {_DATE} \[?(?P<place>[\w./-]{{1,80}}:\d{{1,6}})\] ?")
# 2026-06-12 10:00:00,123 - vllm.engine - ERROR - …, [2026-06-12 10:00:00 +0000] [1] [ERROR] …
_DATED = re.compile(
    rf"\[?{_DATE}\]?[ \t|:-]{{0,5}}(?:\[?[\w.]{{1,60}}\]?[ \t|:-]{{1,5}}){{0,2}}?"
    rf"\[?{_NAMES}\]?[ \t|:-]{{1,5}}"
)
# E0612 10:00:00.000123 42 file.cc:12] …, [E612 10:00:00.000123 file.cpp:12] …
_GLOG = re.compile(
    r"\[?(?P<level>[EWIF])\d{3,4} \d\d:\d\d:\d\d[.\d]{0,12} {1,8}(?:\d{1,8} {1,4})?"
    r"(?P<place>[\w./-]{1,80}:\d{1,6})\] ?"
)
# ERROR shard-manager: text_generation_launcher: …, ERROR crate::part: src/lib.rs:255: …
_TRACING = re.compile(
    rf"{_NAMES} (?:(?!error|fatal|panic)[a-z][\w-]{{1,60}}(?:::[\w-]{{1,60}}){{0,6}}: ){{1,4}}"
    r"(?:(?P<place>[\w./-]{1,80}:\d{1,6}): )?"
)
# [04/30/2025-14:03:32] [TRT-LLM] [RANK 0] [E] …
_BRACKETED = re.compile(
    r"\[\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\] (?:\[[\w .-]{1,30}\] ){0,3}\[(?P<level>[EWIF])\] "
)
# [ERROR] …
_BRACKETS = re.compile(rf"\[{_NAMES}\][ \t]{{0,8}}")
# ERROR:root: …, ERROR:    …
_COLON = re.compile(rf"{_NAMES}:(?:[\w.]{{1,60}}:)?[ \t]{{0,8}}")
# 0.04.413.360 E …, as llama.cpp counts the time since its start
_SINCE_START = re.compile(r"\d{1,4}\.\d\d\.\d{3}\.\d{3} (?P<level>[EWIF]) (?:cmn +)?")
_FRONTS = {
    **dict.fromkeys("TDINWECFP", (_DATE_AND_PLACE, _GLOG, _COLON, _TRACING)),
    **dict.fromkeys("0123456789", (_DATED, _SINCE_START)),
    "[": (_DATED, _GLOG, _BRACKETED, _BRACKETS),
}
"""Fronts of loggers by their first character: most lines begin with none of these."""

_KEY_VALUES = re.compile(
    r'time=(?:"[^"]{1,60}"|\S{1,60}) (?:level|severity)="?(?P<level>\w{1,10})"? (?P<rest>.*)'
)
_PAIR = re.compile(r'(\w{1,40})=("(?:[^"\\]|\\.){0,4000}"|\S{0,4000})')
_SAID = ("message", "msg", "error", "err", "exception", "exc_info", "traceback", "stack_trace")
_MESSAGES = _SAID[:2]


def records(log: Iterable[LogLine], begin: int = 0) -> Iterator[Record]:
    """Yield the lines of a log's entries; those of one entry belong together.

    Parameters
    ----------
    begin
        Position of the first entry.
    """
    for position, line in enumerate(log, begin):
        text = bounded(line.text)
        if "\n" not in text and "\r" not in text:
            record = _record(text, position)
            if "\n" not in record.text:
                yield record
                continue
            # A structured line has the lines of its message in one text.
            yield from (record._replace(text=part) for part in record.text.splitlines())
            continue
        first = None
        for part in text.splitlines():
            record = _record(part, position)
            if first is not None and not record.process and record.level is Level.NONE:
                record = Record(record.text, position, first.process, first.level, first.place)
            elif part.strip():
                first = record
            yield record


def _record(text: str, position: int) -> Record:
    text = without_escapes(text).rstrip()
    if text.startswith("time="):
        return _key_values(text, position)
    if text.startswith("{") and text.endswith("}"):
        return _structured(text, position)
    process = ""
    while front := _CONTAINER.match(text):
        text = text[front.end() :]
    while text[:1] in "([" and (front := _PROCESS.match(text)):
        process = process or front["process"] or front["rank"]
        text = text[front.end() :]
    for pattern in _FRONTS.get(text[:1], ()):
        if front := pattern.match(text):
            place = front["place"] if "place" in pattern.groupindex else ""
            level = _LEVELS[front["level"]]
            return Record(text[front.end() :], position, process, level, place)
    return Record(text, position, process)


def _key_values(text: str, position: int) -> Record:
    """Read a line of Go's logger, ``time=… level=… msg="…" error="…"``."""
    front = _KEY_VALUES.match(text)
    if front is None:
        return Record(text, position)
    level = _LEVELS.get(front["level"].upper(), Level.NONE)
    if level < Level.WARNING and "err" not in front["rest"]:
        return Record(front["rest"], position, level=level)
    pairs = {name: value.strip('"').replace('\\"', '"') for name, value in _PAIR.findall(text)}
    return Record(_joined(pairs), position, level=level, place=pairs.get("source", ""))


def _structured(text: str, position: int) -> Record:
    try:
        fields: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError):
        return Record(text, position)
    inner = fields.get("fields")  # of Rust's loggers
    if isinstance(inner, dict):
        fields = {**fields, **inner}
    told = str(fields.get("severity") or fields.get("level") or "")
    return Record(_joined(fields), position, level=_LEVELS.get(told.upper(), Level.NONE))


def _joined(fields: dict[str, Any]) -> str:
    """Return what a structured line says: its message, and the error that it carries."""
    found = [str(fields[name]) for name in _SAID if isinstance(fields.get(name), str)]
    message = next((str(fields[name]) for name in _MESSAGES if fields.get(name)), "")
    rest = [part for part in found if part and part != message]
    return ": ".join(part for part in (message, *rest) if part)
