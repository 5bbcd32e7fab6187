"""What llama.cpp's server is told, and what is done where Cloud Run refuses its image."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.diagnosis import Context, Evidence, RemedyKind, changed, diagnose
from llm_widgets.domain.imports import Digest, DigestKind
from llm_widgets.domain.loading import LAYERS, Task, Verdict
from llm_widgets.domain.manifest import ManifestFile, ModelManifest
from llm_widgets.engines.llama_cpp.engine import LlamaCpp
from llm_widgets.serving import checks, recipes

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment


MOMENT = datetime(2026, 12, 1, tzinfo=UTC)
IMAGE = "ghcr.io/ggml-org/llama.cpp:server-cuda-b11176"
MIRROR = "europe-west4-docker.pkg.dev/some-project/ghcr-io/ggml-org/llama.cpp:server-cuda-b11176"
REFUSAL = (
    "template.containers[0].image: Expected an image path like [host/]repo-path[:tag and/or "
    "@digest], where host is one of [region.]gcr.io, [region-]docker.pkg.dev or docker.io but "
    f"obtained {IMAGE}"
)


def file(path: str, size: int) -> ManifestFile:
    return ManifestFile(path, size, Digest(DigestKind.SHA256, "0" * 64), "AAAAAA==")


def manifest(**facts: object) -> ModelManifest:
    files = (
        file("blobs/sha256-aa", 900),
        file("blobs/sha256-bb", 100),
        file("manifests/registry.ollama.ai/library/m/latest", 1000),
    )
    return ModelManifest("i", "ollama", "m:latest", "r", "p", files, MOMENT, MOMENT, facts=facts)


def offered(kept: ModelManifest | None) -> Deployment:
    record = manifest().record()
    return recipes.defaults(
        record,
        project="some-project",
        region="europe-west4",
        bucket="b-1",
        manifest=kept,
        framework="llama-cpp",
    )


def test_weights_and_projector_are_named_as_the_import_kept_them() -> None:
    layers = {"model": "blobs/sha256-bb", "projector": "blobs/sha256-aa"}
    told = offered(manifest(**{LAYERS: layers})).environment
    assert told["LLAMA_ARG_MODEL"] == "/gcs/b-1/llama-cpp/blobs/sha256-bb"
    assert told["LLAMA_ARG_MMPROJ"] == "/gcs/b-1/llama-cpp/blobs/sha256-aa"


def test_of_an_older_import_the_largest_file_has_the_weights() -> None:
    told = offered(manifest()).environment
    assert told["LLAMA_ARG_MODEL"] == "/gcs/b-1/llama-cpp/blobs/sha256-aa"
    assert "LLAMA_ARG_MMPROJ" not in told


def test_a_path_that_is_no_file_of_the_model_is_not_believed() -> None:
    kept = manifest(**{LAYERS: {"model": "../../etc/passwd", "projector": 7}})
    assert "LLAMA_ARG_MODEL" not in offered(kept).environment


def test_without_a_manifest_the_file_has_to_be_named() -> None:
    (problem,) = checks.problems(offered(None))
    assert problem.field == "environment"
    assert "LLAMA_ARG_MODEL" in problem.message


def test_an_embedding_model_is_told_so() -> None:
    verdict = Verdict(task=Task.EMBED).to_facts("ollama")
    assert offered(manifest(loading=verdict)).environment["LLAMA_ARG_EMBEDDINGS"] == "1"
    assert "LLAMA_ARG_EMBEDDINGS" not in offered(manifest()).environment


def test_each_request_keeps_its_tokens_when_there_are_more_at_once() -> None:
    engine, made = LlamaCpp(), offered(manifest())
    assert engine.context_of(made) == 8192
    more = recipes.with_concurrency(made, 8)
    assert more.environment["LLAMA_ARG_N_PARALLEL"] == "8"
    assert engine.context_of(more) == 8192
    assert engine.context_of(engine.context.tell(more, "1024")) == 1024
    mine = replace(made, environment={**made.environment, "LLAMA_ARG_N_PARALLEL": "2"})
    assert recipes.with_concurrency(mine, 8).environment == mine.environment


def test_a_refused_registry_is_answered_with_a_mirror() -> None:
    made = offered(manifest())
    assert made.image == IMAGE
    found = diagnose(Evidence(operation=REFUSAL), Context.of(made))
    assert found
    assert found.id == "image-registry"
    create, deploy, *_ = found.remedies
    assert create.kind is RemedyKind.RUN_COMMAND
    assert "--remote-docker-repo=https://ghcr.io" in create.command
    assert "create ghcr-io --project=some-project --location=europe-west4" in create.command
    mirrored = changed(made, deploy)
    assert mirrored.image == MIRROR
    assert LlamaCpp().recognises(mirrored.image)
    assert checks.problems(mirrored) == []


def test_an_image_that_cloud_run_reads_has_no_mirror() -> None:
    for image in (MIRROR, "docker.io/library/a:1", "vllm/vllm-openai:v1", "gcr.io/p/a:1"):
        made = replace(offered(manifest()), image=image)
        found = diagnose(Evidence(operation=REFUSAL), Context.of(made))
        assert found
        assert not [each for each in found.remedies if each.kind is RemedyKind.RUN_COMMAND]
