"""Each state that a service can be in, as the API tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.cloud import run_v2

from llm_widgets.domain.services import ServiceState
from llm_widgets.gcp.run.summaries import conditions, summary

State = run_v2.Condition.State
NAME = "projects/p/locations/europe-west1/services/s"


def service(state: int, **fields: Any) -> run_v2.Service:
    condition = {"type_": "Ready", "state": state, "message": "the reason"}
    return run_v2.Service({"name": NAME, "terminal_condition": condition, **fields})


@pytest.mark.parametrize(
    ("found", "state", "reason"),
    [
        (service(State.CONDITION_SUCCEEDED), ServiceState.READY, ""),
        (service(State.CONDITION_SUCCEEDED, reconciling=True), ServiceState.DEPLOYING, ""),
        (service(State.CONDITION_RECONCILING), ServiceState.DEPLOYING, ""),
        (service(State.CONDITION_PENDING), ServiceState.DEPLOYING, ""),
        (service(State.STATE_UNSPECIFIED), ServiceState.DEPLOYING, ""),
        (service(State.CONDITION_FAILED), ServiceState.ERROR, "the reason"),
        (
            service(State.CONDITION_FAILED, latest_created_revision="s-1"),
            ServiceState.ERROR,
            "the reason",
        ),
        (
            service(
                State.CONDITION_FAILED,
                latest_created_revision="s-2",
                latest_ready_revision="s-1",
            ),
            ServiceState.OLD_SERVING,
            "the reason",
        ),
        (
            service(State.CONDITION_SUCCEEDED, delete_time=datetime(2026, 1, 1, tzinfo=UTC)),
            ServiceState.DELETING,
            "",
        ),
    ],
)
def test_state(found: run_v2.Service, state: ServiceState, reason: str) -> None:
    shown = summary(found)
    assert (shown.state, shown.reason) == (state, reason)


def test_all_fields() -> None:
    shown = summary(
        service(
            State.CONDITION_SUCCEEDED,
            uri="https://s.run.app",
            etag="e",
            labels={"llm-engine": "vllm"},
            annotations={
                "llm-manager/model": "org/m",
                "llm-manager/bucket": "b",
                "llm-manager/served-model": "m",
            },
            last_modifier="a@example.com",
            update_time=datetime(2026, 1, 2, tzinfo=UTC),
            template={
                "scaling": {"min_instance_count": 1, "max_instance_count": 3},
                "node_selector": {"accelerator": "nvidia-l4"},
            },
        )
    )
    assert (shown.id, shown.region, shown.project) == ("s", "europe-west1", "p")
    assert shown.framework == "vllm"
    assert (shown.model_id, shown.served_name, shown.bucket) == ("org/m", "m", "b")
    assert (shown.gpu, shown.min_instances, shown.max_instances) == ("nvidia-l4", 1, 3)
    assert shown.updated_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert (shown.updated_by, shown.url, shown.etag) == ("a@example.com", "https://s.run.app", "e")


def test_a_service_that_others_made() -> None:
    shown = summary(
        service(
            State.CONDITION_SUCCEEDED,
            template={
                "containers": [{"image": "docker.io/ollama/ollama:1"}],
                "volumes": [{"name": "x", "gcs": {"bucket": "theirs"}}],
            },
        )
    )
    assert (shown.framework, shown.bucket, shown.model_id) == ("ollama", "theirs", "")
    assert shown.updated_at is None


@pytest.mark.parametrize("text", ["<b onclick=x>\u202e\x1b[31m" * 4000, "a\n" * 30_000])
def test_what_a_stranger_wrote_on_a_service_is_cut(text: str) -> None:
    shown = summary(
        service(
            State.CONDITION_SUCCEEDED,
            labels={"llm-engine": text},
            annotations={
                "llm-manager/model": text,
                "llm-manager/bucket": text,
                "llm-manager/served-model": text,
                "llm-manager/created-by": text,
                "llm-manager/changed-by": text,
                "llm-manager/created-through": "a@example.com",
                "llm-manager/changed-through": "a@example.com",
            },
            creator="a@example.com",
            last_modifier="a@example.com",
            template={"node_selector": {"accelerator": text}},
        )
    )
    told = {
        shown.framework,
        shown.model_id,
        shown.served_name,
        shown.bucket,
        shown.created_by,
        shown.updated_by,
        shown.gpu,
    }
    (cut,) = told
    assert len(cut) == 256
    assert cut.endswith("…")
    assert "\n" not in cut


def test_the_longest_names_are_told_whole() -> None:
    model = f"{'o' * 96}/{'m' * 96}"
    shown = summary(service(State.CONDITION_SUCCEEDED, annotations={"llm-manager/model": model}))
    assert shown.model_id == model


def test_the_failing_conditions_tell_the_reason_too() -> None:
    found = service(
        State.CONDITION_FAILED,
        conditions=[
            {"type_": "RoutesReady", "state": State.CONDITION_FAILED, "message": "the reason"},
            {
                "type_": "ConfigurationsReady",
                "state": State.CONDITION_FAILED,
                "message": "image not found",
                "reason": run_v2.Condition.CommonReason.CONTAINER_MISSING,
            },
        ],
    )
    assert summary(found).reason == "the reason\nimage not found"
    facts = conditions(found)
    assert [fact.type for fact in facts] == ["Ready", "RoutesReady", "ConfigurationsReady"]
    assert (facts[2].state, facts[2].reason) == ("FAILED", "CONTAINER_MISSING")


def test_a_reason_of_a_revision() -> None:
    condition = {
        "type_": "Ready",
        "state": State.CONDITION_FAILED,
        "revision_reason": run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR,
    }
    found = run_v2.Service({"name": NAME, "terminal_condition": condition})
    assert conditions(found)[0].reason == "HEALTH_CHECK_CONTAINER_ERROR"
