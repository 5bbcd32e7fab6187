"""The filter of Cloud Monitoring for time series.

The part that clients use: ``metric.type``, ``metric.labels.L``, ``resource.type`` and
``resource.labels.L`` (also ``label`` in place of ``labels``, and ``project``) compared with ``=``,
``!=`` and ``:``, or with a function: ``starts_with``, ``ends_with``, ``has_substring``, ``one_of``
and ``monitoring.regex.full_match``. They are joined with ``AND``, ``OR``, ``NOT`` and parentheses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from local_cloud.errors import ApiError
from local_cloud.google.log_filter import (
    AllOf,
    AnyOf,
    Compare,
    Expression,
    Not,
    Parser,
    Search,
    joined,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_cloud.metrics import Series

_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda found, value: found == value,
    ":": lambda found, value: value in found,
    "starts_with": lambda found, value: found.startswith(value),
    "ends_with": lambda found, value: found.endswith(value),
    "has_substring": lambda found, value: value in found,
    "monitoring.regex.full_match": lambda found, value: bool(re.fullmatch(value, found)),
}
_METRIC = ("metric", "type")
_LABELS = ("label", "labels")


def wanted_metric(expression: Expression) -> str:
    """Return the one type of metric that a filter names.

    Raises
    ------
    ApiError
        INVALID_ARGUMENT, if it names none or more.

    """
    types = {
        part.value
        for part in (expression.parts if isinstance(expression, AllOf) else (expression,))
        if isinstance(part, Compare) and part.path == _METRIC and part.operator == "="
    }
    if len(types) != 1:
        raise ApiError(
            "INVALID_ARGUMENT",
            "Field filter had an invalid value: The filter must specify a single metric type: "
            'metric.type = "…".',
        )
    return types.pop()


def parse(text: str) -> Expression:
    """Read a filter.

    Raises
    ------
    ApiError
        INVALID_ARGUMENT, with the place of the first thing that makes no sense.

    """
    return _SeriesParser(text).everything()


def matcher(expression: Expression) -> Callable[[Series], bool]:
    """Return a function that tells whether a series is found.

    Raises
    ------
    ApiError
        INVALID_ARGUMENT, for a field that series don't have.

    """
    return joined(expression, _single)


def _single(expression: Compare | Search) -> Callable[[Series], bool]:
    if not isinstance(expression, Compare) or expression.operator not in _FUNCTIONS:
        raise ApiError(
            "INVALID_ARGUMENT",
            "Field filter had an invalid value: only fields of the metric and of the resource "
            "can be compared, with =, != and : or a function.",
        )
    read, test, value = _reader(expression.path), _FUNCTIONS[expression.operator], expression.value
    return lambda series: test(read(series), value)


def _reader(path: tuple[str, ...]) -> Callable[[Series], str]:
    match path:
        case ("metric", "type"):
            return lambda series: series.metric
        case ("resource", "type"):
            return lambda series: series.resource
        case ("project",):
            return lambda series: series.resource_labels["project_id"]
        case ("metric", word, name) if word in _LABELS:
            return lambda series: series.labels.get(name, "")
        case ("resource", word, name) if word in _LABELS:
            return lambda series: series.resource_labels.get(name, "")
        case _:
            raise ApiError(
                "INVALID_ARGUMENT",
                f"Field filter had an invalid value: '{'.'.join(path)}' is not a field of a time "
                "series.",
            )


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ApiError(
            "INVALID_ARGUMENT",
            f"Field filter had an invalid value: invalid regular expression '{pattern}': {error}.",
        ) from error


class _SeriesParser(Parser):
    def comparison(self, path: tuple[str, ...], operator: str) -> Expression:
        """Read a value or a function of values."""
        value = self.value()
        found: Expression
        if operator not in ("=", "!=", ":"):
            raise self.error()
        if self.take("("):
            found = self._of_values(path, value)
        else:
            found = Compare(path, ":" if operator == ":" else "=", value)
        return Not(found) if operator == "!=" else found

    def _of_values(self, path: tuple[str, ...], name: str) -> Expression:
        values = [self.value()]
        while self.take(","):
            values.append(self.value())
        if not self.take(")"):
            raise self.error()
        if name == "one_of":
            return AnyOf(tuple(Compare(path, "=", value) for value in values))
        if name not in _FUNCTIONS or len(values) != 1:
            raise ApiError(
                "INVALID_ARGUMENT",
                f"Field filter had an invalid value: the function '{name}' is not known here.",
            )
        if name == "monitoring.regex.full_match":
            _check_pattern(values[0])
        return Compare(path, name, values[0])
