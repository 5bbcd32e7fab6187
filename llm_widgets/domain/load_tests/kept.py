"""The last load test of a service, as an annotation of it keeps it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import json_text
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.domain.load_tests.levels import Level
from llm_widgets.domain.load_tests.prompts import SHAPES
from llm_widgets.domain.load_tests.result import LoadTest
from llm_widgets.domain.load_tests.verdicts import Curve
from llm_widgets.domain.prices import Basis, Price

if TYPE_CHECKING:
    from collections.abc import Iterator

ANNOTATION = "llm-manager/load-test"
"""Annotation of a service that was tested; see :func:`written`."""

LIMITS_ANNOTATION = "llm-manager/load-test-limits"
"""Annotation of a service that is being tested: the limits of its instances before, as
:func:`llm_widgets.domain.pausing.written` writes them."""

LONGEST = 8_000
"""Characters of the annotation. All annotations of a service together may have 256 KiB."""

_MOST = 1e9  # of any number: beyond all that can be measured
_MOST_LEVELS = 16
_LONGEST_NAME = 64
_COUNTS = ("at_once", "answered", "refused", "failed", "cut_off")
_NUMBERS = ("tokens_per_second", "speed", "ttft", "ttft_95", "latency", "latency_95")
_SHAPES = {each.id: each for each in SHAPES}


class _OddError(ValueError):
    """Something is not as :func:`written` writes it."""


def written(test: LoadTest) -> str:
    """Write a test as the annotation; words of the engine are left out."""
    told = {
        "at": test.at.isoformat(timespec="seconds"),
        "seconds": round(test.seconds, 1),
        "revision": test.revision,
        "concurrency": test.told.concurrency,
        "parallel": test.told.parallel,
        "parallel_name": test.told.parallel_name,
        "hour": str(test.hour.amount) if test.hour else None,
        "basis": test.hour.basis.value if test.hour else None,
        "curves": {
            each.shape.id: {"tokens": each.tokens, "levels": [_row(level) for level in each.levels]}
            for each in test.curves
        },
    }
    return json.dumps(told, separators=(",", ":"))


def read(text: str) -> LoadTest | None:
    """Read the annotation; ``None`` where it is not as :func:`written` writes it."""
    if not text or len(text) > LONGEST:
        return None
    try:
        return _test(_object(json_text.loads(text)))
    except ValueError:
        return None


def _row(level: Level) -> list[float | int | None]:
    numbers = (getattr(level, name) for name in _NUMBERS)
    return [
        *(getattr(level, name) for name in _COUNTS),
        *(None if each is None else float(f"{each:.5g}") for each in numbers),
    ]


def _test(found: dict[str, Any]) -> LoadTest:
    parallel = found.get("parallel")
    return LoadTest(
        _moment(found.get("at")),
        _number(found.get("seconds")),
        _name(found.get("revision")),
        Told(
            _count(found.get("concurrency")),
            None if parallel is None else _count(parallel),
            _name(found.get("parallel_name")),
        ),
        _price(found.get("hour"), found.get("basis")),
        tuple(_curves(_object(found.get("curves")))),
    )


def _curves(found: dict[str, Any]) -> Iterator[Curve]:
    for name, value in found.items():
        shape, told = _SHAPES.get(name), _object(value)
        rows = told.get("levels")
        if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_LEVELS:
            raise _OddError
        if shape:  # a later version may know more of them
            yield Curve(shape, _count(told.get("tokens")), tuple(_level(row) for row in rows))


def _level(row: Any) -> Level:
    if not isinstance(row, list) or len(row) != len(_COUNTS) + len(_NUMBERS):
        raise _OddError
    counts, numbers = row[: len(_COUNTS)], row[len(_COUNTS) :]
    known: dict[str, Any] = dict(zip(_COUNTS, map(_count, counts), strict=True))
    known |= {
        name: None if value is None else _number(value)
        for name, value in zip(_NUMBERS, numbers, strict=True)
    }
    return Level(**known)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _OddError
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise _OddError
    return value


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or not 0 <= value <= _MOST:
        raise _OddError
    return float(value)


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_NAME or not value.isprintable():
        raise _OddError
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise _OddError
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:  # before the first year
        raise _OddError from error


def _price(amount: Any, basis: Any) -> Price | None:
    if amount is None:
        return None
    if not isinstance(amount, str) or basis not in set(Basis):
        raise _OddError
    return Price(Decimal(str(_number(float(amount)))), Basis(basis))
