"""Failures of the catalogue that are found in what is known of a failure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.known_failure import Place

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator, Mapping

    from llm_widgets.diagnosis.evidence import Text
    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.failures.known_failure import KnownFailure, Sign

_DIGITS = str.maketrans("", "", "0123456789")


@dataclass(frozen=True, slots=True)
class Found:
    """A failure of the catalogue that was found.

    Attributes
    ----------
    first
        Position in the log where it appears first: what comes later may follow from it.
    """

    kind: KnownFailure
    text: Text
    span: tuple[int, int]
    groups: dict[str, str]
    first: int


class Searched:
    """Texts of a place, those that differ in nothing but digits put together.

    Logs repeat themselves, and few of their lines have a literal of the catalogue. So thousands
    of lines are searched for hundreds of patterns in milliseconds.
    """

    def __init__(self, texts: list[Text], *, newest_first: bool) -> None:
        self._texts = texts
        self._newest_first = newest_first
        self._alike: dict[str, list[int]] = {}
        plain = "\n".join(text.text for text in texts).translate(_DIGITS).lower()
        for index, key in enumerate(plain.split("\n")):
            self._alike.setdefault(key, []).append(index)
        self._all = "\n".join(self._alike)
        self._words = frozenset(self._all.split())
        self._vocabulary = " ".join(self._words)

    def matches(self, sign: Sign) -> Iterator[tuple[Text, re.Match[str]]]:
        """Yield the texts that a sign matches; of a log, the newest first."""
        for index in self._having(sign.literals):
            text = self._texts[index]
            if match := sign.pattern.search(text.text):
                yield text, match

    def _having(self, literals: tuple[str, ...]) -> Iterable[int]:
        """Return the texts that may match, by their place among all."""
        if not literals:
            found = list(range(len(self._texts)))
        else:
            here = [literal for literal in literals if self._has(literal)]
            alike = self._alike.items() if here else ()
            found = sorted(
                index
                for key, indices in alike
                if any(literal in key for literal in here)
                for index in indices
            )
        return reversed(found) if self._newest_first else found

    def _has(self, literal: str) -> bool:
        # Words repeat themselves: what is in none of them is in no line.
        if not _whole_words(literal) <= self._words:
            return False
        return all(word in self._vocabulary for word in literal.split()) and literal in self._all


def search(
    texts: Mapping[Place, list[Text]],
    failures: Iterable[KnownFailure],
    context: Context,
    told: Mapping[str, str],
) -> list[Found]:
    """Return the failures that are found, in the order of the catalogue.

    Parameters
    ----------
    told
        Values for the templates that are known beside what a text tells.
    """
    where = {
        place: Searched(found, newest_first=place is Place.LOG) for place, found in texts.items()
    }
    failures = tuple(failures)
    found: dict[str, Found] = {}
    for kind in failures:
        if not kind.given and (match := _match(kind, where, context, told)):
            found[kind.id] = match
    for kind in failures:
        beside = [found[id_] for id_ in kind.given if id_ in found]
        if beside:
            groups = {name: value for each in beside for name, value in each.groups.items()}
            if match := _match(kind, where, context, {**groups, **told}):
                found[kind.id] = match
    return [found[kind.id] for kind in failures if kind.id in found]


def _match(
    kind: KnownFailure,
    where: Mapping[Place, Searched],
    context: Context,
    beside: Mapping[str, str],
) -> Found | None:
    """Find the newest text that a kind's first matching sign matches."""
    for sign in kind.signs:
        matches = (match for place in sign.places for match in where[place].matches(sign))
        newest = next(matches, None)
        if newest is None:
            continue
        text, match = newest
        told = {name: value for name, value in match.groupdict().items() if value}
        groups: dict[str, str] | None = {**beside, **told}
        if kind.derive is not None and groups is not None:
            groups = kind.derive(groups, context)
        if groups is None:
            continue
        first = min((other.position for other, _ in matches), default=text.position)
        return Found(kind, text, match.span(), groups, min(first, text.position))
    return None


@lru_cache(maxsize=1024)
def _whole_words(literal: str) -> frozenset[str]:
    """Return the words of a literal that are whole words of any text that has it."""
    words = literal.split(" ")
    return frozenset(filter(None, words[1:-1]))
