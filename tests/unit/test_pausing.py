"""What is kept of a pause, what a service goes back to, and what is not believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from llm_widgets.domain.pausing import Pause, is_paused, read, resumed, written
from llm_widgets.serving.codec import deployment_of, document, edited
from llm_widgets.serving.codec import scaling as codec
from tests.unit.test_diagnosis_changes import VLLM

NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("least", [None, 0, 3])
@pytest.mark.parametrize("most", [None, 1, 20])
def test_a_pause_is_read_as_it_was_written(least: int | None, most: int | None) -> None:
    pause = Pause(NOON, "somebody@example.com", least, most)
    assert read(written(pause)) == pause


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[1]",
        '{"at": "0001-01-01T00:00:00+05:00"}',
        '{"at": "9999-12-31T23:59:59-05:00"}',
        '{"at": "yesterday", "by": 3, "minInstanceCount": "1", "maxInstanceCount": -1}',
        '{"minInstanceCount": true, "maxInstanceCount": 1e9}',
        '{"by": "' + "x" * 2000 + '"}',
        "[" * 900,
    ],
)
def test_what_is_not_as_it_is_written_is_left_out(text: str) -> None:
    assert read(text) == Pause()


@pytest.mark.parametrize(
    ("scaling", "answer"),
    [
        ({"scalingMode": "MANUAL", "manualInstanceCount": 0}, True),
        ({"scalingMode": "MANUAL"}, True),
        ({"scalingMode": "MANUAL", "manualInstanceCount": 1}, False),
        ({"scalingMode": "AUTOMATIC"}, False),
        ({"manualInstanceCount": 0}, False),
        ({}, False),
    ],
)
def test_paused_is_manual_with_no_instance(scaling: dict[str, Any], *, answer: bool) -> None:
    assert is_paused(scaling) is answer


@pytest.mark.parametrize(
    ("pause", "revision", "least", "most"),
    [
        (Pause(least=1, most=2), {"minInstanceCount": 5, "maxInstanceCount": 9}, 1, 2),
        (Pause(), {"minInstanceCount": 5, "maxInstanceCount": 9}, 5, 9),
        (Pause(most=4), {}, 0, 4),
        (Pause(least=0), {"minInstanceCount": 2}, 0, 100),
        (Pause(), {}, 0, 100),
    ],
)
def test_both_numbers_are_sent(
    pause: Pause, revision: dict[str, int], least: int, most: int
) -> None:
    assert resumed(pause, revision) == {
        "scalingMode": "AUTOMATIC",
        "minInstanceCount": least,
        "maxInstanceCount": most,
    }


def test_pausing_writes_scaling_and_annotations_only() -> None:
    service = {**document(VLLM), "scaling": {"maxInstanceCount": 3}, "unheard": {"of": 1}}
    paused, paths = codec.paused(service, NOON, "me")
    assert set(paths) == {"scaling", "annotations"}
    assert {k: v for k, v in paused.items() if k not in paths} == {
        k: v for k, v in service.items() if k not in paths
    }
    pause = codec.pause_of(paused)
    assert pause == Pause(NOON, "me", None, 3)
    back, _ = codec.resumed(paused, pause)
    assert back["annotations"] == service["annotations"]
    assert back["scaling"]["maxInstanceCount"] == 3


def test_a_change_without_limits_sends_no_scaling() -> None:
    service = {**document(VLLM), "scaling": {"minInstanceCount": 1, "maxInstanceCount": 3}}
    before = deployment_of(service)
    _, paths = edited(service, before, replace(before, timeout=99))
    assert paths == ["template"]
    changed, paths = edited(service, before, replace(before, max_instances=7))
    assert set(paths) == {"template", "scaling"}
    assert changed["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 7}
