"""Conditions of IAM bindings, as far as they can be judged here.

They are written in the Common Expression Language. What is judged are comparisons of the time,
and of the name, the type and the service of the resource, joined by ``&&``, ``||`` and ``!``.
Source: https://cloud.google.com/iam/docs/conditions-attribute-reference, November 2026.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Parser = Callable[["_Text"], bool | None]

_SERVICE = "storage.googleapis.com"

_LONGEST = 12_000
"""Characters of an expression. Source: https://cloud.google.com/iam/quotas, November 2026."""

_DEEPEST = 12
"""Parentheses and negations within each other. A condition has at most 12 logical operators."""

_STRING = r"""(?:"(?P<double>[^"\\\n]*)"|'(?P<single>[^'\\\n]*)')"""
_ATTRIBUTE = re.compile(
    rf"resource\.(?P<attribute>name|type|service)\s*(?P<sign>==|!=)\s*{_STRING}"
)
_BEGINS = re.compile(rf"resource\.name\.startsWith\(\s*{_STRING}\s*\)")
_TIME = re.compile(rf"request\.time\s*(?P<sign><=|>=|<|>)\s*timestamp\(\s*{_STRING}\s*\)")
_CONSTANT = re.compile(r"(true|false)\b")

_COMPARED: dict[str, Callable[[datetime, datetime], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for when a condition is judged.

    Attributes
    ----------
    time
        When, with its time zone.
    type
        Type of the resource, for example ``storage.googleapis.com/Bucket``.
    name
        Name of the resource, for example ``projects/_/buckets/models``.
    is_any
        Whether all resources are asked for whose name begins like that, in place of one.
    """

    time: datetime
    type: str
    name: str
    is_any: bool = False


class _NotJudgedError(Exception):
    """The expression has something that is not judged here."""


class _Text:
    """An expression that is read from the left."""

    def __init__(self, text: str, asked: Asked) -> None:
        self.asked = asked
        self._text = text
        self._at = 0
        self.depth = 0

    def take(self, pattern: re.Pattern[str] | str) -> re.Match[str] | None:
        """Go past what comes next, if it is like that."""
        self._skip()
        wanted = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        found = wanted.match(self._text, self._at)
        if found:
            self._at = found.end()
        return found

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        self._skip()
        return self._at == len(self._text)

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1


def judged(expression: str, asked: Asked) -> bool | None:
    """Return whether a condition holds; ``None`` where that can't be told."""
    if len(expression) > _LONGEST:
        return None
    text = _Text(expression, asked)
    try:
        found = _alternatives(text)
    except _NotJudgedError:
        return None
    return found if text.is_at_end else None


def all_of(found: list[bool | None]) -> bool | None:
    """Join what is true, false or not known: all must be true."""
    if False in found:
        return False
    return None if None in found else True


def any_of(found: list[bool | None]) -> bool | None:
    """Join what is true, false or not known: one must be true."""
    if True in found:
        return True
    return None if None in found else False


def _alternatives(text: _Text) -> bool | None:
    return any_of(_joined(text, "||", _all))


def _all(text: _Text) -> bool | None:
    return all_of(_joined(text, "&&", _term))


def _joined(text: _Text, sign: str, part: Parser) -> list[bool | None]:
    found = [part(text)]
    while text.take(sign):
        found.append(part(text))
    return found


def _term(text: _Text) -> bool | None:
    if text.take("!"):
        found = _within(text, _term)
        return None if found is None else not found
    if text.take("("):
        found = _within(text, _alternatives)
        if not text.take(")"):
            raise _NotJudgedError
        return found
    for pattern, judge in _JUDGES:
        match = text.take(pattern)
        if match:
            return judge(match, text.asked)
    raise _NotJudgedError


def _within(text: _Text, part: Parser) -> bool | None:
    text.depth += 1
    if text.depth > _DEEPEST:
        raise _NotJudgedError
    found = part(text)
    text.depth -= 1
    return found


def _literal(match: re.Match[str]) -> str:
    return match["double"] if match["double"] is not None else match["single"]


def _by_attribute(match: re.Match[str], asked: Asked) -> bool | None:
    wanted = _literal(match)
    is_equal: bool | None
    if match["attribute"] == "name":
        is_equal = asked.name == wanted
        if asked.is_any:
            # One name is not all of them; where none begins like that, it is none of them.
            is_equal = None if wanted.startswith(asked.name) else False
    else:
        is_equal = wanted == (asked.type if match["attribute"] == "type" else _SERVICE)
    if is_equal is None or match["sign"] == "==":
        return is_equal
    return not is_equal


def _by_beginning(match: re.Match[str], asked: Asked) -> bool | None:
    wanted = _literal(match)
    if asked.name.startswith(wanted):
        return True
    return None if asked.is_any and wanted.startswith(asked.name) else False


def _by_time(match: re.Match[str], asked: Asked) -> bool | None:
    try:
        limit = datetime.fromisoformat(_literal(match))
    except ValueError:
        return None
    if limit.tzinfo is None:
        return None  # no time of RFC 3339, which Google refuses
    return _COMPARED[match["sign"]](asked.time, limit)


def _constant(match: re.Match[str], _asked: Asked) -> bool:
    return match[0] == "true"


_JUDGES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Asked], bool | None]], ...] = (
    (_ATTRIBUTE, _by_attribute),
    (_BEGINS, _by_beginning),
    (_TIME, _by_time),
    (_CONSTANT, _constant),
)
