"""Answers without what they tell of a project and of people: nothing stays but what is known.

Not what looks like a secret is taken out: what is no word of Google's APIs is.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from llm_widgets.cli.recording import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Json = Any

_LARGEST = 9999  # a longer number may be one of a project
_KEY = re.compile(r"[@$]?[a-z]{1,20}(?:[A-Z][a-z]{1,20}){0,6}")
# Google's names that have no such form.
_ODD_KEYS = frozenset(
    [
        "externalIpv6Prefix",
        "ipv6AccessType",
        "ipv6CidrRange",
        "md5Hash",
        "oauth2ClientId",
        "privateIpv6GoogleAccess",
        "satisfiesPZI",
        "satisfiesPZS",
        "satisfiesPzi",
        "satisfiesPzs",
    ]
)
_ASKED = frozenset({"true", "false", "json", "full", "noAcl", "json;enum-encoding=int"})
_PROSE = frozenset({"message"})
_WORDS = frozenset(
    [
        "@type",
        "domain",
        "kind",
        "location",
        "locationType",
        "publicAccessPrevention",
        "reason",
        "severity",
        "state",
        "status",
        "storageClass",
        "type",
    ]
)
# What people call things; the form of a value tells nothing then.
_CALLED = frozenset(["description", "displayName", "name", "subject", "title", "value"])
# Under these, the names themselves are a person's.
_FREE = frozenset({"annotations", "labels", "metadata"})
_READABLE = re.compile(r"[\w@./+=%&-]{5,}", re.ASCII)
_ENCODED = re.compile(r"[\w+/=-]{6,}")


class UnknownPartError(ValueError):
    """A request holds something that can't be named without telling of somebody."""


@dataclass
class Scrubber:
    """Replaces what is known by variables, and drops what is not known.

    Parameters
    ----------
    known
        Variable by what stands for it in traffic: a project's id, number, names that were made.
    own
        Texts of requests that hold nothing of anybody.
    """

    known: Mapping[str, str]
    own: frozenset[str] = frozenset()
    _pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        """Take longer names first: one may hold another."""
        longest_first = sorted(filter(None, self.known), key=len, reverse=True)
        names = "|".join(map(re.escape, longest_first)) or "(?!)"
        # Not within a longer word: that would tell the rest of it.
        self._pattern = re.compile(rf"{vocabulary.VARIABLE}|(?<![\w-])({names})(?![\w-])")

    def named(self, text: str) -> str:
        """Return a text with what is known replaced by its variable."""
        return self._pattern.sub(
            lambda found: f"${{{self.known[found[1]]}}}" if found[1] else found[0], text
        )

    def path(self, url: str) -> str:
        """Return path and query of a request with variables.

        Raises
        ------
        UnknownPartError
            They hold something else that is not known.
        """
        split = urlsplit(url)
        parts = [self._part(part) for part in self.named(unquote(split.path)).split("/")]
        asked = [
            (self._key(name), value if value in _ASKED else self._required(value))
            for name, value in parse_qsl(split.query, keep_blank_values=True)
        ]
        query = "&".join(f"{name}={_quoted(value)}" for name, value in asked)
        return "/".join(parts) + (f"?{query}" if query else "")

    def request(self, body: Json) -> Json:
        """Return the body of a request with variables.

        Raises
        ------
        UnknownPartError
            It holds something else that is not known.
        """
        if isinstance(body, str):
            return self._required(body)
        if isinstance(body, list):
            return [self.request(each) for each in body]
        if isinstance(body, dict):
            return {self._key(key): self.request(value) for key, value in body.items()}
        if isinstance(body, (int, float)) and abs(body) > _LARGEST:
            raise UnknownPartError
        return body

    def answer(self, value: Json, key: str = "", path: str = "") -> tuple[Json, list[str]]:
        """Return an answer as it may be read by anybody.

        Returns
        -------
        tuple[Json, list[str]]
            The answer, in which an empty string and 0 stand for any value, and the paths under
            which names were left out.
        """
        if isinstance(value, dict):
            return self._object(value, path)
        if isinstance(value, list):
            found = [self.answer(each, key, path) for each in value]
            kept = [each for each, _ in found]
            alike = kept[:1] if kept and all(each == kept[0] for each in kept) else kept
            return alike, [left for _, some in found for left in some]
        if isinstance(value, str):
            return self._text(value, key), []
        if isinstance(value, bool) or value is None:
            return value, []
        return (value if abs(value) <= _LARGEST else type(value)()), []

    def said(self, text: str) -> str:
        """Return a message with ``…`` for each word that may tell of somebody."""
        return vocabulary.masked(self.named(text), self.own)

    def _object(self, value: dict[str, Json], path: str) -> tuple[Json, list[str]]:
        kept, left = {}, []
        is_free = path.rsplit(".", 1)[-1] in _FREE and "@type" not in value
        is_free = is_free and ".details." not in path
        for key, each in value.items():
            is_odd = not _KEY.fullmatch(key) and key not in _ODD_KEYS
            if is_free or is_odd or self.tells(key):
                left.append(path)
                continue
            kept[key], inner = self.answer(each, key, f"{path}.{key}" if path else key)
            left += inner
        return kept, list(dict.fromkeys(left))

    def _text(self, text: str, key: str) -> str:
        named = self.named(text)
        is_known = vocabulary.is_name(named, self.own)
        if key in _PROSE:
            is_known = is_known or vocabulary.masked(named, self.own) == named
        elif key in _WORDS:
            is_known = is_known or vocabulary.is_plain(named)
        elif key not in _CALLED:
            is_known = is_known or vocabulary.is_enumeration(named)
        return named if is_known and not self.tells(named) else ""

    def _part(self, part: str) -> str:
        head, colon, verb = part.partition(":")
        is_verb = not colon or bool(re.fullmatch(r"[a-zA-Z]{2,30}", verb))
        named = head if head in vocabulary.COLLECTIONS else self._required(head)
        if not is_verb:
            return _quoted(self._required(part))
        return f"{_quoted(named)}{colon}{verb}"

    def _key(self, text: str) -> str:
        if not _KEY.fullmatch(text) and text not in self.own:
            raise UnknownPartError
        return text

    def _required(self, text: str) -> str:
        named = self.named(text)
        if named in self.own or re.fullmatch(r"\d{0,4}", text):
            return named
        if not vocabulary.is_name(named, self.own) or self.tells(named):
            raise UnknownPartError
        return named

    def tells(self, text: str) -> bool:
        """Return whether a text holds what is known, in whatever encoding."""
        known = [value.casefold() for value in self.known if value]
        return any(value in form for form in decoded(text) for value in known)


def _quoted(text: str) -> str:
    return quote(text, safe="${}/-_.:@,*")


def decoded(text: str, depth: int = 3) -> Iterator[str]:
    """Give a text, and all that it says in the usual encodings, in lower case."""
    yield text.casefold()
    if depth == 0:
        return
    forms = {unquote(text), html.unescape(text), _escapes(text)} - {text}
    for token in _ENCODED.findall(text):
        forms |= set(_bytes_of(token))
    for form in forms:
        if _READABLE.search(form):
            yield from decoded(form, depth - 1)


def _escapes(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)


def _bytes_of(token: str) -> Iterator[str]:
    """Give what a word says as base64, base32 and hexadecimal digits."""
    # A part of a longer text begins at any of four places.
    shifted = (token[start:] for start in range(4))
    attempts: list[tuple[Callable[[bytes], bytes], str]] = [
        (base64.urlsafe_b64decode, _whole(each.translate(_URL_SAFE).rstrip("="), 4))
        for each in shifted
    ]
    attempts.append((base64.b32decode, _whole(token.upper().rstrip("="), 8)))
    attempts.append((binascii.unhexlify, token))
    for read, part in attempts:
        try:
            found = read(part.encode()).decode("utf-8", "ignore")
        except ValueError:
            continue
        if found:
            yield found


_URL_SAFE = str.maketrans("+/", "-_")


def _whole(text: str, size: int) -> str:
    return text + "=" * (-len(text) % size)
