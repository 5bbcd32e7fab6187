"""The words of an engine's command line: the one place where they are read and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class CommandLine:
    """How a program reads its words, as Python's ``argparse`` does.

    ``--flag=value`` and ``--flag value`` are the same. Of a flag that is given twice, the last
    one counts. What is neither a flag nor the value of one is an operand.

    Attributes
    ----------
    switches
        Flags that take no value: a word after them is an operand. ``--no-…`` always is one.
    """

    switches: frozenset[str] = frozenset()

    def value(self, words: Sequence[str], name: str) -> str:
        """Return the value of a flag; empty where it is not given, or without a value."""
        found = ""
        for group in self._groups(words):
            flag, equals, value = group[0].partition("=")
            if flag == name:
                found = value if equals else "".join(group[1:])
        return found

    def has(self, words: Sequence[str], name: str) -> bool:
        """Return whether a flag is given, with a value or without."""
        return any(_name(group) == name for group in self._groups(words))

    def flags(self, words: Sequence[str]) -> dict[str, str]:
        """Return the value of each flag that is given, by its name; empty for one without."""
        names = dict.fromkeys(_name(group) for group in self._groups(words) if _is_flag(group[0]))
        return {name: self.value(words, name) for name in names}

    def operands(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the words that are neither flags nor values of flags."""
        return tuple(group[0] for group in self._groups(words) if not _is_flag(group[0]))

    def with_word(self, words: Sequence[str], word: str) -> tuple[str, ...]:
        """Return the words with a flag in the place of those of the same name, else at the end.

        Parameters
        ----------
        word
            The flag with its value in one word, ``--flag=value``, or a switch.
        """
        name = word.partition("=")[0]
        kept: list[str] = []
        is_put = False
        for group in self._groups(words):
            if _name(group) != name:
                kept += group
            elif not is_put:
                kept.append(word)
                is_put = True
        return tuple(kept if is_put else [*kept, word])

    def without(self, words: Sequence[str], name: str) -> tuple[str, ...]:
        """Return the words without a flag and its value."""
        groups = self._groups(words)
        return tuple(word for group in groups if _name(group) != name for word in group)

    def _groups(self, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """Group each flag with its value: ``("--port", "1")``, ``("--port=1",)``, ``("/m",)``."""
        waiting = ""
        for word in words:
            if waiting and not _is_flag(word):
                yield (waiting, word)
                waiting = ""
                continue
            if waiting:
                yield (waiting,)
            waiting = word if self._takes_value(word) else ""
            if not waiting:
                yield (word,)
        if waiting:
            yield (waiting,)

    def _takes_value(self, word: str) -> bool:
        is_switch = word in self.switches or word.startswith("--no-")
        return _is_flag(word) and "=" not in word and not is_switch


def _is_flag(word: str) -> bool:
    """Return whether a word is a flag; ``-1`` is a number, and ``-`` is a file."""
    return word.startswith("-") and len(word) > 1 and not word[1].isdigit()


def _name(group: Sequence[str]) -> str:
    return group[0].partition("=")[0]
