"""JSON as people leave it: edited by hand, saved by an editor, or cut off.

What a person meant is read where only one thing can be meant: commas too many or missing,
comments, single and typographic quotes, keys without quotes, Python's literals, the marks of a
merge. A text that ends too early is read up to there.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from llm_widgets.domain import json_text

LARGEST = 8 << 20
"""Bytes of the largest text that is read: of 10,000 models with all their fields."""

# One kind of character each: a group that is repeated takes memory for every time.
_SPACE = re.compile(r"[\s,\ufeff\u00a0]*")
_LINE = re.compile(r"[^\n]*")
_WORD = re.compile(r"[^\s,:{}\[\]\"'/#“”„]+")
_QUOTES = {'"': '"', "'": "'", "“": "”", "”": "”", "„": "“"}
"""What ends a string, by what begins it."""

_LINES = ("//", "#", "<<<<<<< ", "=======", ">>>>>>> ", "||||||| ", "```")
"""What begins a line that is no part of the list: a comment, a mark of git's, of Markdown's."""

_OBJECT = re.compile(r"""\{\s*["'“„]?\w+["'”“]?\s*[:=]""")
_LARGEST_OBJECT = 1 << 16
"""Characters of an entry with all its fields, and then some."""

_DEEPEST_OBJECT = 8
"""Levels of an entry: what is deeper is left out."""

_MOST_OBJECTS = 20_000
"""Places of a text at which an object is looked for: twice as many as a file has models."""

_LITERALS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "None": None,
    "undefined": None,
}
_END = object()
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Mended:
    """What a text holds.

    Attributes
    ----------
    is_whole
        Whether nothing was left out: it was not cut off, and each part of it was understood.
    """

    value: Any
    is_whole: bool


def mended(raw: bytes | str) -> Mended:
    """Read what can be read of a text; ``None`` and not whole where that is nothing."""
    text = raw if isinstance(raw, str) else _text(raw)
    reader = _Reader(text)
    value = reader.value(0)
    reader.skip()
    is_whole = reader.is_whole and value is not _END and reader.at == len(text)
    return Mended(None if value is _END else value, is_whole)


def has_twice(text: str, key: str) -> bool:
    """Return whether a JSON object has a key more than once; not for what is no JSON."""
    twice = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or [name for name, _ in pairs].count(key) > 1

    try:
        json.loads(text, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return False
    return twice


def objects(raw: bytes | str) -> list[dict[str, Any]]:
    """Read all objects of a text that begin anywhere in it and have an ``id``.

    What stands between them does not matter: this is how something is found behind a place where
    a text can't be read on.
    """
    text = raw if isinstance(raw, str) else _text(raw)
    found: list[dict[str, Any]] = []
    at = 0
    for _ in range(_MOST_OBJECTS):
        begin = _OBJECT.search(text, at)
        if begin is None:
            break
        reader = _Reader(text[begin.start() : begin.start() + _LARGEST_OBJECT])
        value = reader.value(_DEEPEST - _DEEPEST_OBJECT)
        at = begin.start() + 1
        if not isinstance(value, dict) or not isinstance(value.get("id"), str):
            continue  # it surrounds others, which are found by themselves
        if reader.is_whole:
            at = begin.start() + reader.at
        elif isinstance(value[last := next(reversed(value))], (dict, list)):
            del value[last]
        found.append(value)
    return found


def _text(raw: bytes) -> str:
    encoding = json.detect_encoding(raw)
    return raw.decode(encoding, errors="replace").rstrip("\x00")


class _Reader:
    """A place in a text.

    Attributes
    ----------
    is_whole
        Whether all that was passed so far was understood.
    values
        How many values were read.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.values = 0
        self.at = 0
        self.is_whole = True

    def skip(self) -> None:
        """Pass over white space, comments and commas."""
        self.at = _end(_SPACE, self._text, self.at)
        while comment := self._comment_end():
            self.at = _end(_SPACE, self._text, comment)

    def _comment_end(self) -> int:
        """Return where the comment ends that begins here; 0 where none does."""
        if self._text.startswith(_LINES, self.at):
            return _end(_LINE, self._text, self.at)
        if self._text.startswith("/*", self.at):
            closing = self._text.find("*/", self.at + 2)
            return closing + 2 if closing >= 0 else len(self._text)
        return 0

    def value(self, depth: int) -> Any:
        """Read a value; ``_END`` where the text ends, or something else stands."""
        self.skip()
        first = self._text[self.at : self.at + 1]
        self.values += 1
        if not first or depth > _DEEPEST or self.values > json_text.MOST_VALUES:
            return self._broken()
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._list(depth)
        if first in _QUOTES:
            return self._string(first)
        return self._word()

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        while not self._closed("}"):
            key = self._key()
            if key is None:
                break
            value = self.value(depth + 1)
            if value is _END:
                break
            before = found.get(key)
            if isinstance(before, list) and isinstance(value, list):
                value = [*before, *value]
            found[key] = value
        return found

    def _key(self) -> str | None:
        """Read a key and its colon; ``None`` where none stands."""
        first = self._text[self.at : self.at + 1]
        word = _WORD.match(self._text, self.at)
        key = self._string(first) if first in _QUOTES else word[0] if word else _END
        if word and first not in _QUOTES:
            self.at = word.end()
        self.skip()
        if key is _END or self._text[self.at : self.at + 1] != ":":
            self._broken()
            return None
        self.at += 1
        return str(key)

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while not self._closed("]"):
            value = self.value(depth + 1)
            if value is _END:
                break
            found.append(value)
        return found

    def _closed(self, bracket: str) -> bool:
        """Pass over a closing bracket; the end of the text closes all."""
        self.skip()
        if self._text[self.at : self.at + 1] == bracket:
            self.at += 1
            return True
        if self.at >= len(self._text):
            self._broken()
            return True
        return False

    def _string(self, quote: str) -> Any:
        closing = _closing(self._text, _QUOTES[quote], self.at + 1)
        if closing < 0:  # cut off within it
            return self._broken()
        inner = self._text[self.at + 1 : closing]
        self.at = closing + 1
        if quote != '"':
            inner = inner.replace("\\'", "'").replace('"', '\\"')
        try:
            read = json.loads(f'"{inner}"', strict=False)
            # Halves of characters are no text.
            return read.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        except ValueError:  # an escape that JSON does not have
            return inner

    def _word(self) -> Any:
        found = _WORD.match(self._text, self.at)
        if not found:
            return self._broken()
        self.at = found.end()
        if found[0] in _LITERALS:
            return _LITERALS[found[0]]
        try:
            return json.loads(found[0].removeprefix("+"))
        except ValueError:
            return self._broken()

    def _broken(self) -> Any:
        """Note that something was left out, and end here."""
        self.is_whole = False
        self.at = len(self._text)
        return _END


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _closing(text: str, quote: str, start: int) -> int:
    """Return where a string ends that starts there; -1 where it does not."""
    at = text.find(quote, start)
    while at >= 0:
        before = at
        while before > start and text[before - 1] == "\\":
            before -= 1
        if (at - before) % 2 == 0:  # else the quote is escaped
            return at
        at = text.find(quote, at + 1)
    return -1
