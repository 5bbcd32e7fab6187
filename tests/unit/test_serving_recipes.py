from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llm_widgets import serving
from llm_widgets.domain.manifest import ModelManifest
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.units import GIB
from llm_widgets.engines import hardware
from llm_widgets.engines.ollama.recipe import SCRIPT
from llm_widgets.engines.vllm import arguments
from llm_widgets.serving import checks, recipes

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

GB = 10**9


def record(model: str, source: str, size: int = 0) -> ModelRecord:
    return ModelRecord(model, source, ModelStatus.READY, size=size, prefix=f"{source}/x/rev")


def deployment(model: str, source: str, size: int = 0, region: str = "europe-west4") -> Deployment:
    return serving.defaults(
        record(model, source, size), project="my-project", region=region, bucket="my-models"
    )


@pytest.mark.parametrize("region", ["europe-west1", "us-central1", "asia-northeast1"])
@pytest.mark.parametrize("size", [0, 98_362_432, 16 * GB, 60 * GB, 500 * GB])
@pytest.mark.parametrize(
    ("model", "source"),
    [("org/Model-8B", "huggingface"), ("user/model:4b-q4_K_M", "ollama")],
)
def test_defaults_have_no_problem(model: str, source: str, size: int, region: str) -> None:
    assert checks.problems(deployment(model, source, size, region)) == []


def kept(**verdict: object) -> ModelManifest:
    """Make what is kept of an imported model of which vLLM found this."""
    loading = {"engine": "vllm", "task": "chat", "source": "", "notes": [], **verdict}
    now = datetime(2026, 11, 1, tzinfo=UTC)
    return ModelManifest(
        "i", "huggingface", "org/m", "r", "p", (), now, now, facts={"loading": loading}
    )


@pytest.mark.parametrize(
    ("verdict", "added"),
    [
        ({"task": "chat"}, set()),
        ({"task": "chat with pictures"}, set()),
        ({"task": "embeddings"}, {"--runner=pooling"}),
        ({"task": "reranking"}, {"--runner=pooling"}),
        ({"task": "classification"}, {"--runner=pooling"}),
        ({"format": "mistral"}, {"--tokenizer-mode=mistral", "--config-format=mistral"}),
        ({"code": True}, set()),  # only by the person's yes
        ({"task": "embeddings", "engine": "other"}, set()),
        ({"task": "cooking"}, set()),
    ],
)
def test_what_was_found_at_the_import_is_taken_up(
    verdict: dict[str, object], added: set[str]
) -> None:
    made = serving.defaults(
        record("org/m", "huggingface"),
        project="p",
        region="europe-west4",
        bucket="b",
        manifest=kept(**verdict),
    )
    plain = deployment("org/m", "huggingface").args
    assert {*made.args} - {*plain} - {word for word in made.args if word.startswith("/")} == added


def test_vllm() -> None:
    made = deployment("org/Model-8B", "huggingface")
    assert made.framework == "vllm"
    assert made.name == "vllm-model-8b"
    assert made.image == "vllm/vllm-openai:v0.33.0-cu129"
    assert made.port == 8000
    assert made.args[:2] == ("/gcs/my-models/vllm", "--served-model-name=org/Model-8B")
    assert "--model" not in " ".join(made.args).split()  # the path comes first instead
    assert made.environment["HF_HUB_OFFLINE"] == "1"
    assert int(made.environment["VLLM_ENGINE_READY_TIMEOUT_S"]) >= made.probe.period * (
        made.probe.failures
    )
    assert made.probe.path == "/health"
    assert made.folder == "huggingface/x/rev"
    assert made.max_instances == 1


def test_ollama() -> None:
    made = deployment("gemma2:9b", "ollama", 5 * GB)
    assert made.framework == "ollama"
    assert made.port == 11434
    assert made.args == ()
    for name, value in {
        "OLLAMA_MODELS": "/gcs/my-models/ollama",
        "MODEL": "gemma2:9b",
        "OLLAMA_DEBUG": "false",
        "OLLAMA_KEEP_ALIVE": "-1",
        "OLLAMA_NOPRUNE": "1",
        "OLLAMA_HOST": "0.0.0.0:11434",
        "OLLAMA_NUM_PARALLEL": "4",
    }.items():
        assert made.environment[name] == value
    assert made.concurrency == 4
    assert made.probe.port == 11435
    assert made.cache_gib == 6


@pytest.mark.parametrize(
    ("size", "region", "accelerator"),
    [
        (0, "europe-west4", "nvidia-l4"),
        (19 * GB, "europe-west4", "nvidia-l4"),
        (21 * GB, "europe-west4", "nvidia-rtx-pro-6000"),
        (500 * GB, "europe-west4", "nvidia-rtx-pro-6000"),
        (21 * GB, "europe-west1", "nvidia-l4"),
        (1, "asia-northeast1", ""),
    ],
)
def test_the_smallest_gpu_that_fits(size: int, region: str, accelerator: str) -> None:
    assert hardware.choose(region, size).accelerator == accelerator


def test_a_cache_leaves_memory_to_the_engine() -> None:
    assert hardware.cache_gib(20 * GIB, 32) == 22
    assert hardware.cache_gib(30 * GIB, 32) == 0
    assert hardware.cache_gib(0, 32) == 0


@pytest.mark.parametrize(("source", "told"), [("huggingface", "--max-num-seqs=7"), ("ollama", "7")])
def test_the_engine_follows_the_concurrency(source: str, told: str) -> None:
    made = serving.with_concurrency(deployment("m", source), 7)
    assert made.concurrency == 7
    assert told in [*made.args, made.environment.get("OLLAMA_NUM_PARALLEL")]


def test_an_engine_told_otherwise_is_left_alone() -> None:
    made = deployment("m", "ollama")
    own = replace(made, environment={**made.environment, "OLLAMA_NUM_PARALLEL": "2"})
    assert serving.with_concurrency(own, 7).environment["OLLAMA_NUM_PARALLEL"] == "2"


def test_the_image_follows_the_gpu_unless_it_was_chosen() -> None:
    made = deployment("org/Model-8B", "huggingface")
    larger = recipes.adapted(made, replace(made, accelerator="nvidia-rtx-pro-6000"))
    assert larger.image == "vllm/vllm-openai:v0.33.0"
    assert recipes.adapted(larger, replace(larger, accelerator="nvidia-l4")).image == made.image
    own = replace(made, image="example.org/vllm:1")
    assert recipes.adapted(own, replace(own, accelerator="nvidia-rtx-pro-6000")).image == own.image
    foreign = replace(made, framework="tgi", image="example.org/tgi:3")
    assert recipes.adapted(foreign, replace(foreign, accelerator="")).image == foreign.image


@pytest.mark.parametrize(
    ("architecture", "accelerator", "told"),
    [
        ("Gemma4ForConditionalGeneration", "nvidia-l4", "4096"),
        ("Gemma4ForConditionalGeneration", "nvidia-rtx-pro-6000", ""),  # 8192 by itself
        ("Molmo2ForConditionalGeneration", "nvidia-l4", "8192"),
        ("Gemma3ForConditionalGeneration", "nvidia-l4", ""),
        ("LlamaForCausalLM", "nvidia-l4", ""),
    ],
)
def test_a_batch_holds_the_largest_picture(architecture: str, accelerator: str, told: str) -> None:
    moment = datetime(2026, 10, 8, tzinfo=UTC)
    kept = ModelManifest(
        import_id="i",
        source="huggingface",
        model_id="org/name",
        revision="rev",
        prefix="huggingface/x/rev",
        files=(),
        submitted_at=moment,
        finished_at=moment,
        facts={"architecture": architecture},
    )
    made = serving.defaults(
        record("org/name", "huggingface", GB),
        project="my-project",
        region="europe-west4",
        bucket="my-models",
        accelerator=accelerator,
        manifest=kept,
    )
    assert arguments.BATCH.told(made) == told


def test_the_script_is_one_for_a_posix_shell() -> None:
    subprocess.run(["/bin/sh", "-n", "-c", SCRIPT], check=True, timeout=10)
    assert "$(" not in SCRIPT  # Cloud Run would replace that itself
