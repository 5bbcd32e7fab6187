"""What a service does: found at import, told by what its engine is told, kept by the service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.loading import HEADER, Contents, Task, Verdict
from llm_widgets.domain.services import TASK_ANNOTATION
from llm_widgets.engines import registry
from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs import gguf
from llm_widgets.serving import checks, codec, recipes
from tests.gguf_models import metadata, written
from tests.unit.test_serving_hardware import L4, manifest

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

HUBS = {"vllm": "huggingface", "ollama": "ollama", "llama-cpp": "ollama"}


def offered(framework: str, task: Task | None) -> Deployment:
    hub = HUBS[framework]
    kept = manifest("Llama-3.1-8B", hub)
    judge = registry.for_source(hub)[0].id
    told = {"loading": Verdict(task=task).to_facts(judge)} if task else {}
    return recipes.defaults(
        kept.record(),
        project="my-project",
        region="europe-west1",
        bucket="my-models",
        accelerator=L4,
        framework=framework,
        manifest=replace(kept, facts={**kept.facts, **told}),
    )


def does(deployment: Deployment) -> Task | None:
    return registry.task_of(deployment.framework, deployment, deployment.task)


@pytest.mark.parametrize("framework", HUBS)
def test_what_was_found_at_import_is_what_the_service_does(framework: str) -> None:
    for task in (Task.CHAT, Task.EMBED, Task.RERANK):
        made = offered(framework, task)
        assert does(made) is task
        assert codec.deployment_of(codec.document(made)) == made
    unknown = offered(framework, None)
    assert unknown.task is None
    assert TASK_ANNOTATION not in codec.document(unknown)["annotations"]


@pytest.mark.parametrize(
    ("args", "said", "task"),
    [
        ((), None, None),
        (("--runner=pooling",), None, None),
        (("--runner", "pooling"), Task.EMBED, Task.EMBED),
        (("--runner=pooling",), Task.CHAT, None),
        (("--runner=pooling", "--convert=embed"), Task.CHAT, Task.EMBED),
        (("--convert=classify",), Task.EMBED, None),
        (("--runner=generate",), Task.RERANK, Task.CHAT),
        (("--language-model-only",), Task.VISION, Task.CHAT),
        ((), Task.TRANSCRIBE, Task.TRANSCRIBE),
    ],
)
def test_arguments_go_before_what_the_model_was_found_to_be(
    args: tuple[str, ...], said: Task | None, task: Task | None
) -> None:
    made = replace(offered("vllm", None), args=("/m", *args), task=said)
    assert does(made) is task


@pytest.mark.parametrize(
    ("told", "said", "task"),
    [
        ({}, None, None),
        ({}, Task.EMBED, Task.CHAT),
        ({"LLAMA_ARG_EMBEDDINGS": "true"}, None, Task.EMBED),
        ({"LLAMA_ARG_EMBEDDINGS": "1", "LLAMA_ARG_RERANKING": "on"}, None, Task.RERANK),
        ({"LLAMA_ARG_RERANKING": "0"}, Task.RERANK, Task.CHAT),
        ({"LLAMA_ARG_MMPROJ": "/m/blobs/sha256-1"}, None, Task.VISION),
        ({}, Task.VISION, Task.CHAT),
    ],
)
def test_variables_go_before_what_the_model_was_found_to_be(
    told: dict[str, str], said: Task | None, task: Task | None
) -> None:
    made = replace(offered("llama-cpp", None), environment=told, task=said)
    assert does(made) is task


def test_each_engine_says_what_it_has_an_endpoint_for() -> None:
    paths = {
        framework: {task: registry.api_of(framework).path_of(task) for task in Task}
        for framework in HUBS
    }
    assert {each[Task.VISION] for each in paths.values()} == {"/v1/chat/completions"}
    assert {each[Task.EMBED] for each in paths.values()} == {"/v1/embeddings"}
    assert [paths[name][Task.RERANK] for name in HUBS] == ["/v1/rerank", "", "/v1/rerank"]
    assert paths["vllm"][Task.TRANSCRIBE] == "/v1/audio/transcriptions"
    assert not paths["llama-cpp"][Task.TRANSCRIBE]


def test_a_gguf_that_ranks_is_told_by_its_header() -> None:
    content = written(metadata(**{"llama.pooling_type": 4}))
    read = gguf.header("m.gguf", len(content), lambda _, start, end: content[start:end])
    header = gguf.described(*read)
    found = registry.for_source("ollama")[0].judge(
        Contents(frozenset({"model"}), documents={HEADER: header})
    )
    assert (found.refusal, found.task) == ("", Task.RERANK)
    assert "llama.cpp" in found.notes[0]


@pytest.mark.parametrize(
    ("image", "is_refused"),
    [
        ("vllm/vllm-openai:v0.33.0", True),
        ("europe-west4-docker.pkg.dev/p/mirror/vllm/vllm-openai:v0.33.0-cu129", True),
        ("europe-west4-docker.pkg.dev/p/mine/vllm-audio:1", False),
    ],
)
def test_speech_needs_an_image_that_reads_sound(image: str, *, is_refused: bool) -> None:
    made = replace(offered("vllm", Task.TRANSCRIBE), image=image)
    told = [each for each in checks.problems(made) if each.field == "image"]
    assert bool(told) is is_refused
    if told:
        assert isinstance(told[0], InvalidInputError)
        assert told[0].fix
        assert "vllm[audio]" in told[0].fix.text
