"""What was tried and did not help is told, and not offered again; the service keeps it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from llm_widgets.diagnosis import (
    Context,
    Diagnosis,
    Evidence,
    Remedy,
    RemedyKind,
    changed,
    diagnose,
)
from llm_widgets.diagnosis.apply_remedy import PARAMETERS
from llm_widgets.diagnosis.tried import WORDS
from llm_widgets.domain.failures import tried
from llm_widgets.domain.failures.tried import LONGEST, MOST, Tried
from llm_widgets.domain.services import TRIED_ANNOTATION, Deployment, StartupProbe
from llm_widgets.manager import change
from llm_widgets.serving import codec

DEPLOYMENT = Deployment(
    project="my-project",
    region="europe-west4",
    name="llm",
    framework="vllm",
    model_id="Qwen/Qwen3-8B",
    served_name="qwen",
    image="vllm/vllm-openai:v0.33.0",
    port=8000,
    bucket="my-models",
    folder="models",
    mount_path="/models",
    probe=StartupProbe("/health", failures=30),
    args=("/models", "--port=8000"),
    accelerator="nvidia-l4",
    cpu=4,
    memory_gib=16,
    max_instances=1,
)
OUT_OF_MEMORY = Evidence(
    conditions=("Memory limit of 16384 MiB exceeded with 16500 MiB used.",),
)
QUOTA = Evidence(
    conditions=("Revision 'r' is not ready. Quota exceeded for total allowable count of GPUs.",)
)
UNREADABLE = (
    "Google Cloud Run Service Agent service-1@serverless-robot-prod.iam.gserviceaccount.com must "
    "have permission to read the image, gcr.io/other-project/x."
)
REFUSAL = Evidence(conditions=(UNREADABLE,))


def seen(evidence: Evidence, document: dict[str, Any]) -> Diagnosis:
    """Return the diagnosis of a service as it was read."""
    deployment = codec.deployment_of(document)
    context = Context.of(deployment, caller="user:ada@example.com", tried=codec.tried_of(document))
    found = diagnose(evidence, context)
    assert found is not None
    return found


def carried_out(document: dict[str, Any], remedy: Remedy) -> dict[str, Any]:
    """Return the service as it is after a remedy, that did not bring it up."""
    before = codec.deployment_of(document)
    after = changed(before, remedy) if remedy.kind is RemedyKind.REDEPLOY else before
    return change.prepared(codec.with_tried(document, remedy), before, after).document


def test_what_was_deployed_in_vain_is_told_after_the_next_remedy() -> None:
    document = codec.document(DEPLOYMENT)
    first = seen(QUOTA, document).remedies

    again = seen(QUOTA, carried_out(document, first[0])).remedies

    assert (first[0].kind, dict(first[0].parameters)) == (RemedyKind.REDEPLOY, {})
    assert again[:-1] == first[1:]
    assert (again[-1].kind, again[-1].text) == (
        RemedyKind.NONE,
        "You deployed again: this did not help.",
    )


def test_changes_that_are_in_the_deployment_are_told() -> None:
    document = codec.document(DEPLOYMENT)
    first = seen(OUT_OF_MEMORY, document).remedies[0]

    after = seen(OUT_OF_MEMORY, carried_out(document, first)).remedies

    memory, cpu = first.parameters["memory_gib"], first.parameters["cpu"]
    assert after[0].parameters != first.parameters
    assert after[-1].text == (
        f"You deployed with {memory} GiB of memory and with {cpu} vCPU: this did not help."
    )


def test_what_was_taken_back_is_offered_as_before() -> None:
    document = codec.document(DEPLOYMENT)
    first = seen(OUT_OF_MEMORY, document).remedies

    noted = codec.with_tried(document, first[0])

    assert seen(OUT_OF_MEMORY, noted).remedies == first


def test_another_failure_is_another_matter() -> None:
    document = codec.document(DEPLOYMENT)
    noted = codec.with_tried(document, Remedy(RemedyKind.REDEPLOY, "", failure="another"))

    assert seen(QUOTA, noted).remedies == seen(QUOTA, document).remedies


def test_a_grant_is_waited_for_and_then_told() -> None:
    document = codec.document(DEPLOYMENT)
    (grant,) = seen(REFUSAL, document).remedies
    granted = carried_out(document, grant)

    (again, told) = seen(REFUSAL, granted).remedies
    (look, *both) = seen(REFUSAL, carried_out(granted, again)).remedies

    assert grant.kind is RemedyKind.GRANT
    assert (again.kind, dict(again.parameters)) == (RemedyKind.REDEPLOY, {})
    assert told.text.startswith("You granted roles/artifactregistry.reader on projects/other-proje")
    assert look.kind is RemedyKind.NONE
    assert [each.text for each in both] == [told.text, "You deployed again: this did not help."]


def test_what_helped_is_forgotten() -> None:
    document = codec.with_tried(
        codec.document(DEPLOYMENT), Remedy(RemedyKind.REDEPLOY, "x", failure="memory")
    )
    up = {**document, "terminalCondition": {"state": "CONDITION_SUCCEEDED"}}
    down = {**document, "terminalCondition": {"state": "CONDITION_FAILED"}}
    after = replace(DEPLOYMENT, memory_gib=32)

    assert codec.tried_of(change.prepared(down, DEPLOYMENT, after).document)
    assert not codec.tried_of(change.prepared(up, DEPLOYMENT, after).document)


def test_the_annotation_is_bounded_and_keeps_the_newest() -> None:
    text = ""
    for number in range(3 * MOST):
        remedy = Remedy(RemedyKind.REDEPLOY, "", {"memory_gib": str(number)}, failure="memory")
        text = tried.with_one(text, remedy)
    long = Remedy(RemedyKind.REDEPLOY, "", {"add_argument": "x" * (2 * LONGEST)}, failure="memory")

    assert [each.parameters["memory_gib"] for each in tried.read(text)] == [
        str(number) for number in range(2 * MOST, 3 * MOST)
    ]
    assert len(tried.with_one(text, long)) <= LONGEST
    assert tried.with_one(text, long) == "[]"


def entry(**told: Any) -> str:
    return json.dumps([{"failure": "memory", "kind": "redeploy", "parameters": {}, **told}])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * LONGEST,
        "7",
        '{"failure": "memory"}',
        "[7, null, []]",
        "x" * (LONGEST + 1),
        entry(failure=7),
        entry(failure="<b>"),
        entry(kind="reboot"),
        entry(kind=["redeploy"]),
        entry(parameters=[]),
        entry(parameters={"memory_gib": 7}),
        entry(parameters={"memory gib": "7"}),
        entry(parameters={"add_argument": "a\nb"}),
        entry(parameters={"add_argument": "x" * 301}),
        entry(parameters={f"a{'b' * n}": "1" for n in range(9)}),
    ],
)
def test_an_annotation_that_somebody_made_up_says_nothing(text: str) -> None:
    assert tried.read(text) == ()


@pytest.mark.parametrize(
    "parameters",
    [{"memory_gib": "a lot"}, {"no_such": "1"}, {"add_argument": "{0.__class__}"}, {"cpu": "-1"}],
)
@pytest.mark.parametrize("kind", RemedyKind)
def test_made_up_values_neither_fail_nor_offer_anything(
    kind: RemedyKind, parameters: dict[str, str]
) -> None:
    document = codec.document(DEPLOYMENT)
    before = seen(OUT_OF_MEMORY, document)
    text = json.dumps([{"failure": before.id, "kind": kind.value, "parameters": parameters}])
    document["annotations"][TRIED_ANNOTATION] = text

    assert seen(OUT_OF_MEMORY, document).remedies == before.remedies


def test_it_is_read_as_it_was_written() -> None:
    remedy = Remedy(RemedyKind.REDEPLOY, "x", {"add_argument": "--enforce-eager"}, failure="memory")

    assert tried.read(tried.with_one("", remedy)) == (
        Tried("memory", RemedyKind.REDEPLOY, {"add_argument": "--enforce-eager"}),
    )


def test_each_change_has_words() -> None:
    assert WORDS.keys() == PARAMETERS
