"""Pauses of what repeats."""

from __future__ import annotations

import threading

import pytest

from llm_widgets.errors import RateLimitError
from llm_widgets.page.background import Background
from llm_widgets.page.pauses import LONGEST, Pauses


def test_pages_that_were_opened_together_go_apart() -> None:
    pauses = Pauses(2)
    found = {pauses.seconds for _ in range(20)}
    assert len(found) > 10
    assert all(1.8 <= each <= 2.2 for each in found)


@pytest.mark.parametrize("chance", [-0.1, 0.1])
def test_a_refusal_makes_them_longer_until_there_is_an_answer(chance: float) -> None:
    pauses = Pauses(2, lambda: chance)
    pauses.refused(30)
    assert pauses.seconds == pytest.approx(33)  # never sooner than the API asks for
    pauses.refused()
    assert pauses.seconds == pytest.approx(66)
    for _ in range(5):
        pauses.refused(10**6)
    assert pauses.seconds == pytest.approx(1.1 * LONGEST)
    pauses.answered()
    assert pauses.seconds == pytest.approx(2 * (1 + chance))


def test_what_repeats_waits_as_long_as_the_api_asks_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    background, told, enough = Background(), [], threading.Event()
    refused = Pauses.refused

    def keep(self: Pauses, retry_after: float | None = None) -> None:
        told.append(retry_after)
        refused(self, retry_after)
        enough.set()

    monkeypatch.setattr(Pauses, "refused", keep)

    def work() -> bool:
        raise RateLimitError("Too often.", retry_after=100.0)

    background.repeat(0.001, work)
    assert enough.wait(60)
    background.close()
    assert told == [100.0]
    assert not caplog.records
