"""Answers that Google really gave, as data, and how an answer is held against one of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_RECORDING = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{7,40}:[^\s#]+(#\d+)?")
_ISSUE = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(issues|pull)/\d+")
_OWN = re.compile(r"maintainer's recording of Google Cloud, \d{4}-\d{2}-\d{2}#\d+")
# Parts of repositories that hold the output of a mock, which proves nothing.
_MOCKED = {"GoogleCloudPlatform/k8s-config-connector": ("/basic/run/", "mockgcp/")}


class SourceError(ValueError):
    """A fact has no source that counts."""


@dataclass(frozen=True)
class Fact:
    """A call and the answer that Google gave to it; the file ``README.md`` says what each holds."""

    id: str
    api: str
    method: str
    path: str
    status: int
    real: Any
    source: str
    body: Any = None
    caller: str = "owner"
    keep: dict[str, str] = field(default_factory=dict)
    until: dict[str, Any] = field(default_factory=dict)
    only: list[str] = field(default_factory=list)
    optional: list[str] = field(default_factory=list)
    said: str = ""


def read(path: Path) -> list[Fact]:
    """Return what is in a file of facts, whatever its source."""
    return [Fact(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def recorded(path: Path) -> list[Fact]:
    """Return the facts of a file.

    Raises
    ------
    SourceError
        One of them has no source, or one that neither side may be tried against.

    """
    facts = read(path)
    for fact in facts:
        check_source(fact)
    return facts


def check_source(fact: Fact) -> None:
    """Refuse a fact whose source is no recording and no public report of real traffic."""
    if not any(each.fullmatch(fact.source) for each in (_RECORDING, _ISSUE, _OWN)):
        raise SourceError(f"{fact.id}: the source {fact.source!r} names no recording and no issue.")
    for repository, places in _MOCKED.items():
        if repository in fact.source and any(place in fact.source for place in places):
            raise SourceError(f"{fact.id}: the source is the output of a mock.")


def filled(value: Any, variables: Mapping[str, str]) -> Any:
    """Return a value with its variables, ``${name}``, replaced; an unknown one is a `KeyError`."""
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: variables[match[1]], value)
    if isinstance(value, list):
        return [filled(each, variables) for each in value]
    if isinstance(value, dict):
        return {key: filled(each, variables) for key, each in value.items()}
    return value


def at(value: Any, path: str) -> Any:
    """Return what is at a path of names and numbers joined by dots, ``None`` for nothing."""
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def differences(fact: Fact, real: Any, found: Any) -> dict[str, str]:
    """Return by path in what an answer differs from the real one.

    Parameters
    ----------
    fact
        Says what is compared of it.
    real
        The real answer, its variables filled in.
    found
        The answer to judge.

    """
    if fact.only:
        pairs = [(path, at(real, path), at(found, path)) for path in fact.only]
        return {k: v for path, *pair in pairs for k, v in _compared(path, *pair)}
    return {
        path: text
        for path, text in _compared("", real, found)
        if not any(path == each or path.startswith(f"{each}.") for each in fact.optional)
    }


def _compared(path: str, real: Any, found: Any) -> Iterator[tuple[str, str]]:
    if isinstance(real, dict) and isinstance(found, dict):
        for key in sorted({*real, *found}):
            inner = f"{path}.{key}" if path else key
            if key not in found:
                yield inner, "missing"
            elif key not in real:
                yield inner, "not in the real answer"
            else:
                yield from _compared(inner, real[key], found[key])
    elif isinstance(real, list) and isinstance(found, list) and real:
        # One real element shows the shape of all that are found; several are meant one by one.
        if len(real) != len(found) and (len(real) > 1 or not found):
            yield path, f"{len(found)} elements in place of {len(real)}"
        for one, each in zip(real * len(found) if len(real) == 1 else real, found, strict=False):
            yield from _compared(path, one, each)
    elif not _same(real, found):
        yield path, f"{found!r} in place of {real!r}"


def _same(real: Any, found: Any) -> bool:
    """Tell whether a value is the real one, or has its type where that stands for any value."""
    if type(real) is not type(found):
        return False
    if isinstance(real, bool):
        return real or not found
    return bool(found if real == "" else real in (0, found))
