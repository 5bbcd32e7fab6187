"""What others' services are: which engine a container runs, which model, and what tells so.

Whoever deploys a service chooses all that is read here. It is read within limits, and it decides
what is shown and how the service is asked; it never decides what is changed or granted.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_LONGEST_SCRIPT = 20_000  # characters of one word that are looked at
_MOST_WORDS = 500  # of a container, and of what its shell runs
_LONGEST_WORDS = 2 * _LONGEST_SCRIPT  # characters of all words of a container together
_MOST_VARIABLES = 100  # of a word
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w{0,100}=")
_SEPARATOR = re.compile(r"[;&|()<>]+")
_CLUSTER_VARIABLE = re.compile(r"\$\((?P<name>[A-Za-z_]\w{0,100})\)")
_SHELL_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w{0,100})\}|(?P<bare>[A-Za-z_]\w{0,100}))"
)
_MODEL = re.compile(r"(?:gs://)?[A-Za-z0-9_/.][A-Za-z0-9_./:@+-]{0,199}")


class Confidence(StrEnum):
    """How sure it is which engine a service runs."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """Its place, the surest first."""
        return tuple(Confidence).index(self)


@dataclass(frozen=True, slots=True)
class SeenContainer:
    """A container of a service, as Cloud Run describes it.

    Attributes
    ----------
    command, args
        As given; empty where the image decides.
    environment
        Variables with plain values.
    port
        That takes the service's requests; 0 for a sidecar.
    has_gpu
        Whether the GPU is this container's.
    """

    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    has_gpu: bool = False

    @property
    def runs(self) -> tuple[tuple[str, ...], ...]:
        """The programs that are named, each with its words; what a shell runs, one by one.

        Without a command it is the words that the image's own program is given.
        """
        words = tuple(self._words())
        script = _script(words)
        if script is None:
            return (tuple(self._filled(_CLUSTER_VARIABLE, each) for each in words),)
        return tuple(self._programs(script))

    def _words(self) -> Iterator[str]:
        left = _LONGEST_WORDS
        for each in (*self.command, *self.args)[:_MOST_WORDS]:
            word = each[: min(_LONGEST_SCRIPT, left)]
            left -= len(word)
            yield word

    def _programs(self, script: str) -> Iterator[tuple[str, ...]]:
        """Yield the programs that a script runs, without what it redirects and assigns."""
        lexer = shlex.shlex(
            script.replace("\\\n", " ").replace("\n", " ; "), posix=True, punctuation_chars=True
        )
        lexer.commenters = ""
        lexer.whitespace_split = True
        words: list[str] = []
        try:
            for _, word in zip(range(_MOST_WORDS), lexer, strict=False):
                if not _SEPARATOR.fullmatch(word):
                    words.append(self._filled(_SHELL_VARIABLE, word))
                    continue
                yield _without_assignments(words)
                words = []
        except ValueError:
            return  # a quotation mark without its other one: no shell runs that either
        yield _without_assignments(words)

    def _filled(self, pattern: re.Pattern[str], word: str) -> str:
        """Put the values of plain variables into a word; one that is not known stays.

        A word that gets too long by it stays as it is from there on.
        """
        room = _LONGEST_SCRIPT - len(word)

        def value(found: re.Match[str]) -> str:
            nonlocal room
            name = next(group for group in found.groups() if group)
            known = self.environment.get(name, found[0])
            room -= len(known)
            return known if room >= 0 else found[0]

        return pattern.sub(value, word, _MOST_VARIABLES)


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a service that others deployed serves, as far as its description tells.

    Attributes
    ----------
    framework
        Id of the engine.
    model_id
        What the engine is told to load: an id, a folder or a file; empty where nothing tells.
    served_name
        By which its API knows the model; empty where nothing tells.
    reasons
        The facts that say so, each a sentence.
    is_direct
        Whether requests reach the engine itself, and no other container before it.
    """

    framework: str
    confidence: Confidence
    model_id: str = ""
    served_name: str = ""
    reasons: tuple[str, ...] = ()
    is_direct: bool = True


def checked_model(text: str) -> str:
    """Return a name of a model as it was read, empty where it can be none."""
    return text if _MODEL.fullmatch(text) else ""


def first_model(texts: Iterable[str]) -> str:
    """Return the first of some texts that can be the name of a model."""
    return next(filter(None, map(checked_model, texts)), "")


def _script(words: tuple[str, ...]) -> str | None:
    """Return what a shell is given to run; ``None`` where no shell is called."""
    if not words or words[0].rsplit("/", 1)[-1] not in _SHELLS:
        return None
    for place, word in enumerate(words[1:], 1):
        if word.startswith("-") and word.endswith("c"):
            return next(iter(words[place + 1 :]), "")
    return ""


def _without_assignments(words: list[str]) -> tuple[str, ...]:
    """Return the words from the program on: variables for it alone stand before it."""
    start = next((n for n, word in enumerate(words) if not _ASSIGNMENT.match(word)), len(words))
    return tuple(words[start:])
