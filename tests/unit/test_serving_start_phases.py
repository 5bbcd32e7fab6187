"""The phases of starts as real logs tell them: their seconds are those of the whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llm_widgets.domain.starts import UNTOLD, Start, StartPhase, compared
from llm_widgets.engines import registry
from llm_widgets.serving import start_phases
from llm_widgets.serving.deployment_steps import Line

LOGS = json.loads((Path(__file__).parents[1] / "data/starts/logs.json").read_text())["starts"]
BY_ID = {log["id"]: log for log in LOGS}
PROBED = 'STARTUP HTTP probe succeeded after 1 attempt for container "vllm" on port 8000.'
NEW = "Starting new instance. Reason: AUTOSCALING - Instance started due to a request."


def lines(log: dict[str, Any]) -> list[Line]:
    return [Line(datetime.fromisoformat(at).replace(tzinfo=UTC), text) for at, text in log["lines"]]


def read(found: list[Line], engine: str) -> Start | None:
    known = registry.of(engine)
    assert known
    return start_phases.read(found, known.start_marks)


@pytest.mark.parametrize("id_", BY_ID)
def test_the_phases_of_a_start_are_all_of_it(id_: str) -> None:
    log = BY_ID[id_]
    start = read(lines(log), log["engine"])
    assert start
    assert start.is_ready is log["ready"]
    assert start.seconds == pytest.approx(log["seconds"], abs=0.001)
    assert sum(phase.seconds for phase in start.phases) == pytest.approx(start.seconds)
    assert {phase.name: round(phase.seconds, 3) for phase in start.phases} == log["phases"]
    rates = [phase.rate for phase in start.phases if phase.rate]
    assert [round(rate, 2) for rate in rates] == (
        [log["gib_per_second"]] if log["gib_per_second"] else []
    )


@pytest.mark.parametrize("id_", [log["id"] for log in LOGS if log["ready"]])
def test_no_second_counts_twice_wherever_a_log_is_cut(id_: str) -> None:
    log = BY_ID[id_]
    for first in range(len(log["lines"]) - 1):
        start = read(lines(log)[first:], log["engine"])
        assert start is None or sum(phase.seconds for phase in start.phases) == pytest.approx(
            start.seconds
        )


def moved(found: list[Line], seconds: float) -> list[Line]:
    return [Line(each.time and each.time + timedelta(seconds=seconds), each.text) for each in found]


def test_the_last_start_that_came_to_its_end_counts() -> None:
    whole = lines(BY_ID["Cloud Run around vLLM 0.9"])
    first = read(whole, "vllm")
    again = [*whole[:2], Line(whole[2].time and whole[2].time + timedelta(seconds=9), "slow")]
    slower = moved([*again, *whole[3:]], 3600)
    slower = [*slower[:3], *moved(slower[3:], 60)]
    second = read([*whole, *slower], "vllm")
    assert first
    assert second
    assert second.seconds == first.seconds + 60
    # One that has only begun does not hide it.
    assert read([*whole, *slower, *moved(whole[:4], 9999)], "vllm") == second


@pytest.mark.parametrize("text", ["", "hello", "Loading weights took 9999999999 seconds"])
def test_a_log_that_tells_nothing_has_no_start(text: str) -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    assert read([], "vllm") is None
    assert read([Line(None, "Starting to load model m")], "vllm") is None
    assert read([Line(at, text), Line(at + timedelta(seconds=5), text)], "vllm") is None


def test_what_no_line_accounts_for_is_named_so() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    found = [Line(at, NEW), Line(at + timedelta(seconds=4), "hi"), Line(at, "no order")]
    start = read([*found, Line(at + timedelta(seconds=64), PROBED)], "vllm")
    assert start
    assert [(phase.name, phase.seconds) for phase in start.phases] == [
        ("Container", 4.0),
        (UNTOLD, 60.0),  # whether the engine or the probe took them, nobody tells
    ]
    assert read([found[1], Line(at + timedelta(seconds=64), PROBED)], "vllm") is None
    late = Line(at + timedelta(seconds=64), "Loading weights took 10 seconds")
    end = Line(at + timedelta(seconds=65), "Starting vLLM server on http://0.0.0.0:8000")
    told = read([*found, late, end], "vllm")
    assert told
    assert {phase.name: phase.seconds for phase in told.phases} == {
        "Container": 4.0,
        "Weights": 10.0,
        "API server": 1.0,
        UNTOLD: 50.0,
    }


def test_a_line_claims_no_more_than_there_is() -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    found = [
        Line(at, "Starting to load model m"),
        Line(at + timedelta(seconds=3), "Loading weights took 999999 seconds"),
        Line(at + timedelta(seconds=4), "Model loading took 3 GiB and 4 seconds"),
        Line(at + timedelta(seconds=5), "Starting vLLM server on http://0.0.0.0:8000"),
    ]
    start = read(found, "vllm")
    assert start
    assert {phase.name: phase.seconds for phase in start.phases} == {
        "Weights": 4.0,
        "API server": 1.0,
    }


def test_a_start_is_compared_by_phase() -> None:
    now = Start((StartPhase("Weights", 5.0), StartPhase("CUDA graphs", 2.0)), 7.0, is_ready=True)
    before = Start(
        (StartPhase("Weights", 9.0), StartPhase("Compilation", 30.0)), 39.0, is_ready=True
    )
    assert [(each.name, each.seconds, each.before) for each in compared(now, before)] == [
        ("Weights", 5.0, 9.0),
        ("CUDA graphs", 2.0, 0.0),
        ("Compilation", 0.0, 30.0),
    ]
    assert compared(now, None) == now.phases
