"""How far a service has come, and programs that talk to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from llm_widgets.domain.loading import Task
from llm_widgets.engines import registry
from llm_widgets.engines.vllm.engine import Vllm
from llm_widgets.serving.deployment_steps import Line, Seen, Step, StepState, steps
from llm_widgets.serving.snippets import snippets

NAME = "projects/some-project/locations/europe-west4/services/one"
LOADING = Vllm.loading
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def line(seconds: float, text: str) -> Line:
    return Line(START + timedelta(seconds=seconds), text)


NEW = line(1, "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to …")
LOG = [
    line(2, "Serving"),
    line(3, "Starting to load model org/name"),
    line(9, "STARTUP HTTP probe succeeded after 1 attempt for container"),
]


@pytest.mark.parametrize(
    ("lines", "outcome", "done", "next_state"),
    [
        ([], None, 1, StepState.ACTIVE),
        ([NEW], None, 1, StepState.ACTIVE),  # asked for; its container does not run yet
        ([NEW, *LOG[:1]], None, 3, StepState.ACTIVE),
        (LOG[:2], None, 4, StepState.ACTIVE),
        (LOG[:2], False, 4, StepState.FAILED),
        (LOG, None, 5, StepState.ACTIVE),
        (LOG, True, 6, None),
        ([], True, 6, None),
    ],
)
def test_steps(
    lines: list[Line],
    outcome: bool | None,  # noqa: FBT001 - a parameter of the test
    done: int,
    next_state: StepState | None,
) -> None:
    settled = START + timedelta(seconds=10) if outcome is not None else None
    found = steps(Seen(START, None, outcome, settled, lines, LOADING))
    assert [each.step for each in found] == list(Step)
    assert [each.state for each in found[:done]] == [StepState.DONE] * done
    if next_state:
        assert found[done].state is next_state
    if outcome:
        assert found[-1].at == settled


@pytest.mark.parametrize("task", [None, *Task])
def test_snippets_are_programs_with_the_token_for_the_url(task: Task | None) -> None:
    url, model = "https://one-1.a.run.app", 'it\'s "odd" {name}'
    found = snippets(url, model, NAME, registry.api_of("vllm"), task)
    for language in ("OpenAI SDK", "Python", "llm_widgets"):
        compile(found[language], language, "exec")
        if language != "llm_widgets":
            assert repr(url) in found[language]
            assert "fetch_id_token" in found[language]
    assert "print-identity-token" in found["curl"]
    assert registry.api_of("vllm").path_of(task or Task.CHAT) in found["curl"]


def test_there_is_no_snippet_for_what_an_engine_has_no_endpoint_for() -> None:
    assert not snippets("https://one", "m", NAME, registry.api_of("ollama"), Task.RERANK)
    for engine in ("ollama", "llama-cpp"):
        assert not snippets("https://one", "m", NAME, registry.api_of(engine), Task.CLASSIFY)


def test_labels_are_asked_for_outside_of_the_base() -> None:
    found = snippets("https://one", "m", NAME, registry.api_of("vllm"), Task.CLASSIFY)
    assert "curl https://one/classify" in found["curl"]
    assert 'URL + "/classify"' in found["OpenAI SDK"]
    assert 'URL + "/classify"' in found["Python"]
