"""What adopting a service changes, and that undoing it leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from google.cloud import run_v2
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain import adoption
from llm_widgets.gcp.run import summaries
from llm_widgets.manager import managed
from llm_widgets.serving import codec

NAME = "projects/p/locations/europe-west1/services/theirs"
IMAGE = "vllm/vllm-openai:v0.33.0"
MODEL = "google/gemma-3-4b-it"

names = st.sampled_from(["managed-by", "llm-engine", "llm-changed-by", "team", "llm-created-by"])


@given(st.dictionaries(names, st.text(max_size=5)))
def test_undoing_leaves_the_labels_that_were_there(labels: dict[str, str]) -> None:
    adopted = adoption.adopted(labels, "vllm", "jane@example.com")
    assert adoption.is_adopted(adopted)
    assert adopted["llm-adopted-by"] == "jane_example_com"
    assert adoption.released(adopted) == labels


def test_what_others_change_in_between_stays() -> None:
    adopted = adoption.adopted({"team": "red", "managed-by": "cr-infer"}, "vllm", "jane")
    adopted |= {"team": "blue", "llm-changed-by": "jane"}
    assert adoption.released(adopted) == {"team": "blue", "managed-by": "cr-infer"}


def test_the_changes_are_told_by_label() -> None:
    before = {"managed-by": "cr-infer", "team": "red"}
    told = adoption.changes(before, adoption.adopted(before, "vllm", "jane"))
    assert [tuple(each.shown().values()) for each in told] == [
        ("llm-adopted-by", None, "jane"),
        ("llm-before-managed-by", None, "cr-infer"),
        ("llm-engine", None, "vllm"),
        ("managed-by", "cr-infer", "llm-manager"),
    ]


@pytest.mark.parametrize(
    ("labels", "client", "expected"),
    [
        ({}, "gcloud", "gcloud"),
        ({}, "cloud-console", "Google Cloud console"),
        ({"goog-terraform-provisioned": "true"}, "", "Terraform"),
        ({}, "terraform", "Terraform"),
        ({"dev-tutorial": "gemma"}, "gcloud", "codelab gemma"),
        ({"managed-by": "cr-infer"}, "gcloud", "cr-infer"),
        ({"managed-by": "llm-manager", "llm-before-managed-by": "cr-infer"}, "", "cr-infer"),
        ({}, "", ""),
        ({}, "a\nb", "a b"),
    ],
)
def test_what_a_service_was_deployed_with(
    labels: dict[str, str], client: str, expected: str
) -> None:
    assert adoption.origin(labels, client) == expected


def theirs(**labels: str) -> run_v2.Service:
    """A service that others deployed, as Google's client has it."""
    container = {"image": IMAGE, "args": [MODEL], "ports": [{"container_port": 8000}]}
    return run_v2.Service(
        {
            "name": NAME,
            "labels": labels,
            "client": "gcloud",
            "template": {
                "containers": [container],
                "node_selector": {"accelerator": "nvidia-l4"},
            },
        }
    )


def test_a_service_of_others_is_read_as_what_it_is() -> None:
    found = summaries.summary(theirs())
    assert (found.managed, found.adopted, found.origin) == (False, False, "gcloud")
    assert (found.framework, found.model_id, found.served_name) == ("vllm", MODEL, MODEL)
    assert found.recognition
    assert found.shown()["recognised"] == "certain"
    assert "Adopt it first" in managed.why_not_edited(found)


def test_a_label_of_others_does_not_say_which_engine_it_is() -> None:
    assert summaries.summary(theirs(**{"llm-engine": "ollama"})).framework == "vllm"


def test_an_adopted_service_is_read_by_the_same_signs() -> None:
    labels = adoption.adopted({}, "vllm", "jane")
    found = summaries.summary(theirs(**labels))
    assert (found.managed, found.adopted, found.model_id) == (True, True, MODEL)
    assert managed.why_not_edited(found) == ""


def test_an_engine_that_a_person_named_goes_before_the_signs() -> None:
    found = summaries.summary(theirs(**adoption.adopted({}, "sglang", "jane")))
    assert (found.framework, found.model_id) == ("sglang", "")
    assert managed.why_not_edited(found) == ("This manager does not know the settings of SGLang.")


def test_the_form_does_not_change_the_container_in_front_of_an_engine() -> None:
    service = theirs(**adoption.adopted({}, "ollama", "jane"))
    service.template.containers = [
        run_v2.Container(each)
        for each in (
            {"image": "ghcr.io/open-webui/open-webui:main", "ports": [{"container_port": 8080}]},
            {"image": "ollama/ollama", "resources": {"limits": {"nvidia.com/gpu": "1"}}},
        )
    ]
    found = summaries.summary(service)
    assert found.framework == "ollama"
    assert "Another container" in managed.why_not_edited(found)


def test_editing_keeps_that_a_service_was_adopted() -> None:
    labels = adoption.adopted({"managed-by": "cr-infer", "team": "red"}, "vllm", "jane")
    document = {"name": NAME, "labels": labels, "template": {"containers": [{"image": IMAGE}]}}
    before = codec.deployment_of(document)
    assert before.labels == {"team": "red"}
    after = codec.edited(document, before, replace(before, labels={"team": "blue"}))[0]
    assert after["labels"] == {**labels, "team": "blue"}
