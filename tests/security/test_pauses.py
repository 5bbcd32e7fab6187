"""Servers that ask to wait for an odd time: it is a time, or nothing at all."""

from __future__ import annotations

import math
import random

import pytest

from llm_widgets.errors import UnavailableError
from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.hubs.failures import Refusal, general

NO_TIMES = [
    "Mon, 01 Jan 99999999999 00:00:00 GMT",
    "Mon, 99999999999999999999 Jan 2026 00:00:00 GMT",
    "Mon, 01 Jan 2026 00:00:00 +99999999999999999999",
    "0001-01-01T00:00:00+23:59",
    "9" * 5000,
    "9" * 400 + "s",
    "1e999",
    "NaN",
    "²",
    ", , ,",
]
FIELDS = ("retry-after", "retry-after-ms", "ratelimit", "ratelimit-reset", "x-ratelimit-reset")


@pytest.mark.parametrize("value", [*NO_TIMES, f'"api";r=0;t={"9" * 400}', f"reset={'9' * 400}"])
def test_a_wait_is_a_time_or_none(value: str) -> None:
    for field in FIELDS:
        told = retry_after({field: value})
        assert told is None or (math.isfinite(told) and told >= 0)


def test_no_date_ends_in_an_exception() -> None:
    words = ("Mon,", "1", "Jan", "2026", "00:00:00", "GMT", "+0000", "-9999", "9999999999", ":")
    chosen = random.Random(1)
    for _ in range(20_000):
        value = " ".join(chosen.choices((*words, "(", '"', "\\", "Z", "é"), k=chosen.randint(1, 7)))
        told = retry_after({"retry-after": value})
        assert told is None or math.isfinite(told)


@pytest.mark.parametrize("value", NO_TIMES)
def test_a_hub_that_asks_for_it_is_one_sentence(value: str) -> None:
    error = general(Refusal(429, {"Retry-After": value}), hub="The hub")
    assert isinstance(error, UnavailableError)
    assert error.fix
    assert "inf" not in error.fix.text
