"""What is offered fits, and what depends on a choice follows it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_widgets.domain import gpus
from llm_widgets.domain.imports import Digest, DigestKind
from llm_widgets.domain.manifest import ManifestFile, ModelManifest
from llm_widgets.domain.memory import to_facts
from llm_widgets.domain.services import Deployment, StartupProbe
from llm_widgets.engines import hardware
from llm_widgets.serving import checks, gpu_memory, recipes
from tests.bench import tables

MODELS = json.loads((Path(__file__).parents[1] / "data" / "vram_models.json").read_text())["models"]
L4, RTX = "nvidia-l4", "nvidia-rtx-pro-6000"
REGIONS = (*gpus.regions(), "europe-north1")


def manifest(name: str, source: str, file: str = "model.safetensors") -> ModelManifest:
    model = tables.model(MODELS[name]["config"], MODELS[name]["form"])
    size = model.weights + model.host_weights
    digest = Digest(DigestKind.SHA256, "0" * 64)
    now = datetime.now(UTC)
    files = (ManifestFile(file, size, digest, "AAAAAA=="),)
    return ModelManifest(
        "id", source, f"org/{name}", "main", "folder", files, now, now, facts=to_facts(model)
    )


def offered(
    name: str, source: str, region: str = "europe-west4", *, known: bool = True
) -> Deployment:
    kept = manifest(name, source)
    return recipes.defaults(
        kept.record(),
        project="my-project",
        bucket="b-models",
        region=region,
        manifest=kept if known else None,
    )


@pytest.mark.parametrize(
    ("name", "source", "accelerator", "by_size"),
    [
        ("Llama-3.1-8B", "huggingface", L4, L4),
        # 18 GiB of weights times 1.2 are less than an L4 has; beside the engine no request fits.
        ("Qwen2.5-32B-AWQ", "huggingface", RTX, L4),
        ("gpt-oss-120b", "huggingface", RTX, RTX),
        ("Llama-3.1-70B", "huggingface", RTX, RTX),  # fits into none: the largest
        # Four requests at once, as the service takes.
        ("Qwen3-32B-Q4_K_M", "ollama", RTX, RTX),
    ],
)
def test_the_estimate_chooses_the_gpu(
    name: str, source: str, accelerator: str, by_size: str
) -> None:
    assert offered(name, source).accelerator == accelerator
    assert offered(name, source, known=False).accelerator == by_size


def test_ollama_is_offered_a_length_that_fits() -> None:
    made = offered("Qwen3-32B-Q4_K_M", "ollama", "europe-west1")  # it has no larger GPU
    context = int(made.environment["OLLAMA_CONTEXT_LENGTH"])
    assert 1024 <= context < 4096
    model = tables.model(MODELS["Qwen3-32B-Q4_K_M"]["config"], MODELS["Qwen3-32B-Q4_K_M"]["form"])
    found = gpu_memory.estimate(model, made)
    assert found
    assert found.fits
    assert not found.is_close


def test_vllm_that_finds_its_length_itself_is_close_only_where_next_to_nothing_is_left() -> None:
    found = {}
    for name in ("Llama-3.1-8B", "Qwen2.5-32B-AWQ"):
        model = tables.model(MODELS[name]["config"], MODELS[name]["form"])
        made = offered(name, "huggingface", "europe-west1")
        assert "--max-model-len=auto" in made.args
        found[name] = gpu_memory.estimate(model, made)
    plenty, hardly = found.values()
    assert plenty
    assert plenty.fits
    assert not plenty.is_close
    assert hardly
    assert hardly.is_close
    assert not hardly.is_refused


def test_weights_that_are_no_safetensors_are_not_streamed() -> None:
    kept = manifest("Llama-3.1-8B", "huggingface", "pytorch_model.bin")
    made = recipes.defaults(
        kept.record(), project="my-project", bucket="b", region="europe-west4", manifest=kept
    )
    assert not any("runai_streamer" in word for word in made.args)


@pytest.mark.parametrize("before", REGIONS)
@pytest.mark.parametrize("after", REGIONS)
@pytest.mark.parametrize("accelerator", [L4, RTX, ""])
def test_another_region_or_gpu_leaves_a_machine_that_can_be_had(
    before: str, after: str, accelerator: str
) -> None:
    made = offered("Llama-3.1-8B", "huggingface", before)
    assert checks.problems(made) == []
    moved = hardware.adapted(made, replace(made, region=after))
    assert checks.problems(moved) == []
    if accelerator in ("", *(gpu.accelerator for gpu in gpus.in_region(after))):
        changed = hardware.adapted(moved, replace(moved, accelerator=accelerator))
        assert checks.problems(changed) == []
        for cpu in hardware.machines(gpus.by_accelerator(accelerator)):
            resized = hardware.adapted(changed, replace(changed, cpu=cpu))
            assert checks.problems(resized) == []


def test_what_was_not_changed_is_left_alone_however_odd() -> None:
    odd = replace(
        offered("Llama-3.1-8B", "huggingface"),
        accelerator="nvidia-of-tomorrow",
        cpu=3,
        memory_gib=0.5,
        probe=StartupProbe("/", failures=7),
    )
    assert hardware.adapted(odd, odd) == odd
    assert hardware.adapted(odd, replace(odd, timeout=9)) == replace(odd, timeout=9)


def test_a_short_probe_stays_as_short() -> None:
    made = offered("Llama-3.1-8B", "huggingface")
    short = replace(made, probe=replace(made.probe, failures=12))
    assert hardware.adapted(short, replace(short, accelerator="")).probe.failures == 12
    assert hardware.adapted(made, replace(made, accelerator="")).probe.failures == 60
    without = hardware.adapted(made, replace(made, accelerator=""))
    assert hardware.adapted(without, replace(without, accelerator=L4)).probe == made.probe
