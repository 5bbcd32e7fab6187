"""Waiting for grants that have no effect yet."""

from __future__ import annotations

import pytest

from llm_widgets.errors import DeniedError, NotFoundError
from llm_widgets.gcp.iam.propagation import LONGEST, InFlight, ago, left, until_effective


class Clock:
    """A clock that waits move on, and a call that is refused for some seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refused_for: float) -> None:
        self.now = 0.0
        self.refused_for = refused_for
        self.waits: list[float] = []
        self.told: list[str] = []
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def ask(self) -> str:
        if self.now < self.refused_for:
            raise DeniedError("not yet")
        return "granted"

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def run(self, longest: float = LONGEST) -> str:
        return until_effective(
            self.ask,
            tell=lambda error: self.told.append(error.message),
            wait=self.wait,
            longest=longest,
        )


def test_a_grant_that_takes_seven_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 7 * 60)
    assert clock.run() == "granted"
    assert clock.waits[:6] == [1, 2, 4, 8, 15, 15]
    assert clock.told == ["not yet"] * len(clock.waits)


def test_what_was_never_granted_is_refused_after_eight_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock(monkeypatch, 3600)
    with pytest.raises(DeniedError, match="not yet"):
        clock.run()
    assert clock.now == LONGEST == 8 * 60


def test_rights_of_a_person_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 3600)
    with pytest.raises(DeniedError):
        clock.run(longest=0)
    assert clock.waits == []


def test_no_other_failure_is_waited_for() -> None:
    def gone() -> str:
        raise NotFoundError("gone")

    with pytest.raises(NotFoundError):
        until_effective(gone, wait=lambda _: pytest.fail("It waited."))


def test_what_was_granted_ages(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch, 0)
    made = InFlight()
    assert left(made.age("/b/models", "user:ann@example.org")) == 0
    made.granted("/b/models", "user:ann@example.org")
    made.made("serviceAccount:new@example.org")
    clock.wait(3 * 60)
    age = made.age("/b/models", "user:ann@example.org")
    assert age == made.youngest("user:ann@example.org", "user:bob@example.org") == 180
    assert (left(age), ago(180)) == (5 * 60, "3 minutes ago")
    assert made.age("/b/others", "user:ann@example.org") is None
    made.granted("/b/others", "user:ann@example.org")
    assert made.youngest("user:ann@example.org") == 0
    assert made.youngest("serviceAccount:new@example.org") == 180
    clock.wait(LONGEST)
    assert left(made.age("/b/models", "user:ann@example.org")) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "less than a minute ago"), (61, "1 minute ago"), (400, "7 minutes ago")],
)
def test_when_it_was(seconds: float, text: str) -> None:
    assert ago(seconds) == text
