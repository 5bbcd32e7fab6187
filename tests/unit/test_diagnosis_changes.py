"""Remedies that redeploy change what they say, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_widgets.diagnosis import Context, Evidence, LogLine, Remedy, RemedyKind, changed, diagnose
from llm_widgets.domain.services import Deployment, StartupProbe
from llm_widgets.serving.checks import problems
from tests.unit.llama import BF16

VLLM = Deployment(
    project="my-project",
    region="europe-west4",
    name="vllm-qwen3",
    framework="vllm",
    model_id="Qwen/Qwen3-8B",
    served_name="Qwen/Qwen3-8B",
    image="vllm/vllm-openai:v0.33.0",
    port=8000,
    bucket="my-models",
    folder="huggingface/Qwen/Qwen3-8B",
    mount_path="/models",
    probe=StartupProbe("/health", failures=30),
    args=("/models", "--max-model-len", "40960", "--enforce-eager", "--port=8000"),
    mount_options=("implicit-dirs", "file-cache-enable-parallel-downloads=true"),
    accelerator="nvidia-l4",
    cpu=8,
    memory_gib=24,
    max_instances=4,
)
OLLAMA = replace(
    VLLM,
    framework="ollama",
    image="ollama/ollama:0.24.0",
    port=11434,
    args=(),
    environment={"OLLAMA_CONTEXT_LENGTH": "8192", "OLLAMA_HOST": "0.0.0.0:11434"},
)


def redeploy(**parameters: str) -> Remedy:
    return Remedy(RemedyKind.REDEPLOY, "Deploy it.", parameters)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (
            {"max_model_len": "2976"},
            {"args": ("/models", "--max-model-len=2976", "--enforce-eager", "--port=8000")},
        ),
        (
            {"gpu_memory_utilization": "0.95"},
            {"args": (*VLLM.args, "--gpu-memory-utilization=0.95")},
        ),
        ({"add_argument": "--trust-remote-code"}, {"args": (*VLLM.args, "--trust-remote-code")}),
        (
            {"remove_argument": "--max-model-len"},
            {"args": ("/models", "--enforce-eager", "--port=8000")},
        ),
        (
            {"remove_argument": "--enforce-eager"},
            {"args": ("/models", "--max-model-len", "40960", "--port=8000")},
        ),
        (
            {"engine_port": "8080"},
            {"args": ("/models", "--max-model-len", "40960", "--enforce-eager", "--port=8080")},
        ),
        ({"max_instances": "1"}, {"max_instances": 1}),
        ({"probe_failures": "180"}, {"probe": StartupProbe("/health", failures=180)}),
        ({"memory_gib": "32", "cpu": "8"}, {"memory_gib": 32, "cpu": 8}),
        ({"image": "x/y:1"}, {"image": "x/y:1"}),
        ({"zonal_redundancy": "false"}, {"zonal_redundancy": False}),
        ({"timeout": "3600"}, {"timeout": 3600}),
        ({"cache_gib": "0"}, {"cache_gib": 0}),
        ({"environment": "A=1;B=x=y"}, {"environment": {"A": "1", "B": "x=y"}}),
        (
            {"remove_mount_options": "file-cache-enable-parallel-downloads=true"},
            {"mount_options": ("implicit-dirs",)},
        ),
        ({"add_mount_options": "implicit-dirs"}, {}),
        ({}, {}),
    ],
    ids=",".join,
)
def test_change(parameters: dict[str, str], expected: dict[str, Any]) -> None:
    assert changed(VLLM, redeploy(**parameters)) == replace(VLLM, **expected)


def test_context_and_port_of_ollama_are_variables() -> None:
    result = changed(OLLAMA, redeploy(max_model_len="4096", engine_port="8080"))

    assert result.environment == {
        "OLLAMA_CONTEXT_LENGTH": "4096",
        "OLLAMA_HOST": "0.0.0.0:8080",
    }


def test_variables_are_taken_out() -> None:
    deployment = replace(VLLM, environment={"PORT": "1", "K_SERVICE": "x", "KEEP": "y"})

    assert changed(deployment, redeploy(remove_environment="PORT, K_SERVICE")).environment == {
        "KEEP": "y"
    }


def test_a_change_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing that is called"):
        changed(VLLM, redeploy(colour="red"))


FIXABLE = [
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB.",
    "ValueError: No available memory for the cache blocks.",
    "the estimated maximum model length is 2976.",
    "Memory limit of 24576 MiB exceeded with 24721 MiB used.",
    "file cache should be enabled for parallel download support",
    "Error 803: system has unsupported display driver / cuda driver combination",
    "The NVIDIA driver on your system is too old (found version 12020).",
    "STARTUP HTTP probe failed 30 times consecutively for container on port 8000.",
]


@pytest.mark.parametrize("line", FIXABLE)
def test_every_redeployment_that_is_offered_can_be_deployed(line: str) -> None:
    found = diagnose(Evidence(log=(LogLine(line),)), Context.of(VLLM))

    assert found is not None
    offered = [remedy for remedy in found.remedies if remedy.kind is RemedyKind.REDEPLOY]
    assert offered
    for remedy in offered:
        result = changed(VLLM, remedy)
        assert result != VLLM or not remedy.parameters
        assert problems(result) == []


def test_a_remedy_is_tried_in_the_estimate_before_it_is_offered() -> None:
    """Llama 3 8B in 16 bits does not fit into an L4 that vLLM may take 60 % of."""
    line = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB."
    narrow = replace(VLLM, args=("/models", "--gpu-memory-utilization=0.65"))
    evidence = Evidence(log=(LogLine(line),))

    untried = diagnose(evidence, Context.of(narrow))
    tried = diagnose(evidence, Context.of(narrow, model=BF16))

    assert untried is not None
    assert tried is not None
    assert any("parallel" in remedy.parameters for remedy in untried.remedies)
    assert [dict(remedy.parameters) for remedy in tried.remedies if remedy.parameters] == [
        {"accelerator": "nvidia-rtx-pro-6000", "cpu": "20", "memory_gib": "80"}
    ]


def test_while_weights_are_loaded_only_room_for_them_helps() -> None:
    lines = (
        "Traceback (most recent call last):",
        '  File "/opt/vllm/model_executor/model_loader/utils.py", line 7, in initialize_model',
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB.",
    )

    found = diagnose(Evidence(log=tuple(map(LogLine, lines))), Context.of(VLLM))

    assert found is not None
    assert [dict(remedy.parameters) for remedy in found.remedies if remedy.parameters] == [
        {"accelerator": "nvidia-rtx-pro-6000", "cpu": "20", "memory_gib": "80"}
    ]


def test_the_printed_context_is_the_one_deployed() -> None:
    line = (
        "ValueError: ... Based on the available memory, the estimated maximum model length is 2976."
    )

    found = diagnose(Evidence(log=(LogLine(line),)), Context.of(VLLM))

    assert found is not None
    assert "--max-model-len=2976" in changed(VLLM, found.remedies[0]).args


def test_what_is_so_already_is_not_offered() -> None:
    line = "Error: mkdir /models/blobs: read-only file system: ensure path elements are traversable"
    evidence = Evidence(log=(LogLine(line),))
    whole = replace(OLLAMA, environment={**OLLAMA.environment, "OLLAMA_MODELS": "/models"})
    without = replace(whole, mount_options=())

    offered = [diagnose(evidence, Context.of(each)) for each in (whole, without)]

    kinds = [found.remedies[0].kind for found in offered if found]
    assert kinds == [RemedyKind.NONE, RemedyKind.REDEPLOY]


def test_quota_with_redundancy_is_the_one_requested() -> None:
    text = "You do not have quota for using GPUs with zonal redundancy."

    found = diagnose(Evidence(operation=text), Context.of(replace(VLLM, zonal_redundancy=True)))

    assert found is not None
    assert [r.parameters.get("quota") for r in found.remedies] == [
        None,
        "NvidiaL4GpuAllocPerProjectRegion",
    ]


def test_something_is_said_when_all_is_done_already() -> None:
    context = Context(framework="vllm", args=("--tensor-parallel-size=1",))
    line = "World size (4) is larger than the number of available GPUs (1) in this node."

    found = diagnose(Evidence(log=(LogLine(line),)), context)

    assert found is not None
    assert [remedy.kind for remedy in found.remedies] == [RemedyKind.NONE]
