"""What a load test advises, applied to the service that was tested."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets import serving
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.domain.load_tests.levels import Level
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.engines import registry
from llm_widgets.manager import load_test_advice, offering
from llm_widgets.serving import checks, concurrency, recipes
from tests.unit.queue_server import QueueServer
from tests.unit.test_load_tests import curve, made

if TYPE_CHECKING:
    from llm_widgets.domain.load_tests.result import LoadTest
    from llm_widgets.domain.services import Deployment

ENGINES = {each.id: each for each in registry.ENGINES}


def measured(slots: int, now: Deployment) -> LoadTest:
    """Return a test of a deployment whose engine works on so many requests at once."""
    name = ENGINES[now.framework].parallel.name
    told = Told(now.concurrency, concurrency.at_once(now), name)
    return made(curve(QueueServer(slots), most=now.concurrency), told=told)


def deployed(engine: str, at_once: int, parallel: int | None = None) -> Deployment:
    source = "ollama" if engine == "ollama" else "huggingface"
    record = ModelRecord("org/model", source, ModelStatus.READY, prefix=f"{source}/x/rev")
    made = serving.defaults(record, project="my-project", region="europe-west4", bucket="my-models")
    made = recipes.with_concurrency(made, at_once)
    return made if parallel is None else ENGINES[engine].parallel.tell(made, str(parallel))


@pytest.mark.parametrize("engine", ["ollama", "vllm"])
@pytest.mark.parametrize(
    ("slots", "at_once", "parallel", "wanted"),
    [(4, 16, 16, 4), (4, 16, 32, 4), (16, 4, 4, 8), (16, 4, 32, 8), (16, 16, 16, 16)],
)
def test_the_advice_is_applied_to_cloud_run_and_the_engine(
    engine: str, slots: int, at_once: int, parallel: int, wanted: int
) -> None:
    now = deployed(engine, at_once, parallel)
    test = measured(slots, now)
    after = load_test_advice.applied(test, now)
    assert (after.concurrency, concurrency.at_once(after)) == (wanted, wanted)
    label = f"Set concurrency to {wanted}" if wanted != at_once else ""
    assert load_test_advice.label(test, now) == label
    assert checks.problems(after) == []
    changes = load_test_advice.changes(test, now)
    assert offering.changed(now, changes) == after
    assert load_test_advice.changes(test, after) == {}


def test_only_the_engine_may_have_to_change() -> None:
    now = deployed("ollama", 4, 8)
    test = measured(4, now)
    test = replace(
        test,
        curves=tuple(
            replace(each, levels=(*each.levels, Level(8, 8, failed=8))) for each in test.curves
        ),
    )
    assert load_test_advice.label(test, now) == "Set OLLAMA_NUM_PARALLEL to 4"
    assert load_test_advice.changes(test, now) == {
        "environment": {**now.environment, "OLLAMA_NUM_PARALLEL": "4"}
    }


def test_what_the_engine_was_never_told_it_is_not_told_to_lower() -> None:
    """vLLM works on more than any service here takes, unless it is told."""
    now, vllm = deployed("vllm", 16), ENGINES["vllm"]
    now = replace(now, args=vllm.command_line.without(now.args, vllm.parallel.name))
    assert load_test_advice.changes(measured(4, now), now) == {"concurrency": 4}


def test_nothing_is_applied_that_was_found_of_another_concurrency() -> None:
    now = deployed("ollama", 16, 16)
    test = measured(4, now)
    changed = recipes.with_concurrency(now, 12)
    assert load_test_advice.applied(test, changed) == changed
    assert load_test_advice.label(test, changed) == ""
    assert load_test_advice.changes(None, now) == {}
    nothing = made(curve(QueueServer(4, counts=False)), told=test.told)
    assert nothing.advised is None
    assert load_test_advice.changes(nothing, now) == {}
