"""The Logging query language, read into a tree.

The part that clients use: comparisons (``=``, ``!=``, ``:``, ``<``, ``<=``, ``>``, ``>=``, ``=~``,
``!~``) of fields, lists of values in parentheses, words that are looked for everywhere, ``AND``,
``OR``, ``NOT``, ``-`` and parentheses, comments, and the function ``log_id``. Two expressions side
by side are joined by AND. ``NOT`` binds first, then ``OR``, then ``AND``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from local_cloud.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")

OPERATORS = ("!=", "<=", ">=", "=~", "!~", "=", ":", "<", ">")
_KEYWORDS = {"AND", "OR", "NOT"}

_SPACE = re.compile(r"(?:\s+|--[^\n]*)+")
_QUOTED = r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\''
_SEGMENT = rf"(?:{_QUOTED}|[^\s\"'()=!<>:~,.]+)"
_TOKEN = re.compile(
    rf"(?P<operator>!=|<=|>=|=~|!~|[=:<>])|(?P<mark>[(),])|(?P<path>{_SEGMENT}(?:\.{_SEGMENT})*)"
)
_VALUE = re.compile(rf"(?P<quoted>{_QUOTED})|(?P<plain>[^\s\"'(),]+)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Compare:
    """A field compared with a value; the operator ``log_id`` stands for the function."""

    path: tuple[str, ...]
    operator: str
    value: str


@dataclass(frozen=True)
class Search:
    """A word that some field contains."""

    text: str


@dataclass(frozen=True)
class Not:
    """The contrary."""

    part: Expression


@dataclass(frozen=True)
class AllOf:
    """All of the parts; none means everything."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of the parts."""

    parts: tuple[Expression, ...]


Expression = Compare | Search | Not | AllOf | AnyOf


def joined(
    expression: Expression, single: Callable[[Compare | Search], Callable[[Found], bool]]
) -> Callable[[Found], bool]:
    """Return a function that tells whether something is found.

    Parameters
    ----------
    single
        Gives that function for one comparison, or for one text that is searched for.

    """
    match expression:
        case AllOf(parts):
            wanted = [joined(part, single) for part in parts]
            return lambda each: all(matches(each) for matches in wanted)
        case AnyOf(parts):
            wanted = [joined(part, single) for part in parts]
            return lambda each: any(matches(each) for matches in wanted)
        case Not(part):
            unwanted = joined(part, single)
            return lambda each: not unwanted(each)
        case _:
            return single(expression)


def parse(text: str) -> Expression:
    """Read a filter; an empty one finds everything.

    Raises
    ------
    ApiError
        INVALID_ARGUMENT, with the place of the first thing that makes no sense.

    """
    return Parser(text).everything()


class Parser:
    """Reads one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._skip_space()

    def everything(self) -> Expression:
        """Read it to its end."""
        if self._at_end:
            return AllOf(())
        found = self._all_of()
        if not self._at_end:
            raise self.error()
        return found

    def _all_of(self) -> Expression:
        parts = [self._any_of()]
        while not self._at_end and not self._peek_is(")"):
            if self._take_keyword("AND") and self._at_end:
                raise self.error()
            parts.append(self._any_of())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _any_of(self) -> Expression:
        parts = [self._single()]
        while self._take_keyword("OR"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _single(self) -> Expression:
        if self._take_keyword("NOT") or self.take("-"):
            return Not(self._single())
        if self.take("("):
            inner = self._all_of()
            if not self.take(")"):
                raise self.error()
            return inner
        return self._term()

    def _term(self) -> Expression:
        token = _TOKEN.match(self._text, self._position)
        if not token or token.lastgroup != "path" or token[0] in _KEYWORDS:
            raise self.error()
        self._advance(token.end())
        segments = tuple(_unquoted(found) for found in re.findall(_SEGMENT, token[0]))
        if self.take("("):
            return self._function(token[0])
        operator = next((sign for sign in OPERATORS if self.take(sign)), None)
        if operator is None:
            return Search(_unquoted(token[0]) if token[0][0] in "\"'" else token[0])
        return self._values(segments, operator)

    def _function(self, name: str) -> Expression:
        if name != "log_id":
            raise _invalid(f"Unparseable filter: the function '{name}' is not known here.")
        value = self.value()
        if not self.take(")"):
            raise self.error()
        return Compare(("logName",), "log_id", value)

    def _values(self, path: tuple[str, ...], operator: str) -> Expression:
        """Read what stands after an operator: a value, or a list such as ``("a" OR "b")``."""
        if not self.take("("):
            return self.comparison(path, operator)
        parts = [self.comparison(path, operator)]
        joined: type[AllOf | AnyOf] = AnyOf
        while not self.take(")"):
            if self._take_keyword("AND"):
                joined = AllOf
            elif not self._take_keyword("OR"):
                raise self.error()
            parts.append(self.comparison(path, operator))
        return joined(tuple(parts))

    def comparison(self, path: tuple[str, ...], operator: str) -> Expression:
        """Read one value that a field is compared with."""
        value = self.value()
        if operator in {"=~", "!~"}:
            try:
                re.compile(value)
            except re.error as error:
                raise _invalid(f"Invalid regular expression '{value}': {error}.") from error
        return Compare(path, operator, value)

    def value(self) -> str:
        """Read a value, quoted or not."""
        found = _VALUE.match(self._text, self._position)
        if not found or found[0] in _KEYWORDS:
            raise self.error()
        self._advance(found.end())
        return _unquoted(found[0])

    @property
    def _at_end(self) -> bool:
        return self._position >= len(self._text)

    def _peek_is(self, sign: str) -> bool:
        return self._text.startswith(sign, self._position)

    def take(self, sign: str) -> bool:
        """Go past a sign if it stands here."""
        if not self._peek_is(sign):
            return False
        self._advance(self._position + len(sign))
        return True

    def _take_keyword(self, word: str) -> bool:
        if not re.compile(rf"{word}(?=[\s(]|$)").match(self._text, self._position):
            return False
        self._advance(self._position + len(word))
        return True

    def _advance(self, position: int) -> None:
        self._position = position
        self._skip_space()

    def _skip_space(self) -> None:
        if found := _SPACE.match(self._text, self._position):
            self._position = found.end()

    def error(self) -> ApiError:
        """Make the refusal of what stands here."""
        before = self._text[: self._position]
        line, column = before.count("\n") + 1, self._position - (before.rfind("\n") + 1) + 1
        found = re.compile(r"\S+").match(self._text, self._position)
        token = f"token '{found[0]}'" if found else "end of input"
        return _invalid(
            f"Unparseable filter: syntax error at line {line}, column {column}, {token}"
        )


def _unquoted(text: str) -> str:
    if text[0] not in "\"'":
        return text
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), text[1:-1])


def _invalid(message: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", message)
