"""Whether a log entry is one that a filter finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from local_cloud.errors import ApiError
from local_cloud.google.log_filter import (
    AllOf,
    Compare,
    Expression,
    Search,
    joined,
)
from local_cloud.logs import Bounds, nanoseconds
from local_cloud.runner.entries import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_TIMES = {"timestamp", "receiveTimestamp"}
_SEVERITY_NUMBERS = {  # google.logging.type.LogSeverity
    name: 100 * position for position, name in enumerate(SEVERITIES)
}
_SUBJECTS = {("resource", "labels", "service_name"), ("resource", "labels", "job_name")}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "=": lambda left, right: left == right,
    ":": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}


def matcher(expression: Expression) -> Callable[[Mapping[str, Any]], bool]:
    """Return a function that tells whether an entry (as JSON) is found.

    Raises
    ------
    ApiError
        INVALID_ARGUMENT, if a value is not of its field's kind.

    """
    return joined(expression, _single)


def _single(expression: Compare | Search) -> Callable[[Mapping[str, Any]], bool]:
    if isinstance(expression, Compare):
        return _comparison(expression)
    word = expression.text.lower()
    return lambda entry: any(word in value.lower() for value in _texts(entry))


def bounds(expression: Expression) -> Bounds:
    """Return what every entry that is found has in common, for a quick first choice."""
    subject, since, until = "", None, None
    parts = expression.parts if isinstance(expression, AllOf) else (expression,)
    for part in parts:
        if not isinstance(part, Compare):
            continue
        if part.path in _SUBJECTS and part.operator == "=" and part.value.islower():
            subject = part.value
        elif part.path == ("timestamp",) and part.operator in {">", ">="}:
            since = max(since or 0, _time(part.value))
        elif part.path == ("timestamp",) and part.operator in {"<", "<="}:
            until = min(until or 1 << 62, _time(part.value))
    return Bounds(subject, since, until)


def _comparison(wanted: Compare) -> Callable[[Mapping[str, Any]], bool]:
    path = (_camel_case(wanted.path[0]), *wanted.path[1:])
    operator, value = wanted.operator, wanted.value
    if operator == "log_id":
        end = f"/logs/{quote(unquote(value), safe='')}"
        return lambda entry: str(entry.get("logName", "")).endswith(end)
    if path == ("severity",) and operator in _ORDER and value != "*":
        number = _severity(value)
        compare = _ORDER[operator]
        return lambda entry: compare(_severity(entry.get("severity", "DEFAULT")), number)
    if path[0] in _TIMES and len(path) == 1 and operator in _ORDER and value != "*":
        moment = _time(value)
        compare = _ORDER[operator]
        return lambda entry: compare(_time(entry[path[0]]), moment) if path[0] in entry else False
    test = _test(operator, value)
    return lambda entry: any(test(found) for found in _at(entry, path))


def _test(operator: str, value: str) -> Callable[[Any], bool]:
    """Return the test of one value of a field; texts are compared without regard to case."""
    lower = value.lower()
    match operator:
        case ":" if value == "*":
            return lambda _: True
        case ":":
            return lambda found: any(lower in text.lower() for text in _texts(found))
        case "=~":
            pattern = re.compile(value)
            return lambda found: any(pattern.search(text) for text in _texts(found))
        case "!~":
            pattern = re.compile(value)
            return lambda found: not any(pattern.search(text) for text in _texts(found))
        case _:
            compare = _ORDER[operator]
            return lambda found: _compared(found, value, compare)


def _compared(found: Any, value: str, compare: Callable[[Any, Any], bool]) -> bool:
    if isinstance(found, dict | list):
        return False
    if isinstance(found, bool):
        return compare(str(found).lower(), value.lower())
    left, right = _number(found), _number(value)
    if left is not None and right is not None:
        return compare(left, right)
    return compare(str(found).lower(), value.lower())


def _number(value: Any) -> float | None:
    """Return a number, also one in a text, or of seconds as in a duration."""
    text = str(value)
    try:
        return float(text.removesuffix("s"))
    except ValueError:
        return None


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """Yield what stands at a path; in lists, that of each element."""
    if isinstance(value, list):
        for element in value:
            yield from _at(element, path)
    elif not path:
        if value is not None:
            yield value
    elif isinstance(value, dict) and path[0] in value:
        yield from _at(value[path[0]], path[1:])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, bool):
        yield str(value).lower()
    elif value is not None:
        yield str(value)


def _camel_case(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _severity(value: str | int) -> int:
    if str(value).isdecimal():
        return int(value)
    if str(value).upper() not in _SEVERITY_NUMBERS:
        raise ApiError("INVALID_ARGUMENT", f"Field severity has no value '{value}'.")
    return _SEVERITY_NUMBERS[str(value).upper()]


def _time(value: str) -> int:
    try:
        return nanoseconds(value)
    except ValueError as error:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"Unparseable filter: '{value}' is no time; write it as 2026-01-31T08:00:00Z.",
        ) from error
