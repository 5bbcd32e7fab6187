from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_widgets import serving
from llm_widgets.diagnosis import Remedy, RemedyKind, changed
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import Deployment, StartupProbe, SubnetAccess
from llm_widgets.serving import checks, concurrency


def deployment(source: str = "huggingface") -> Deployment:
    return serving.defaults(
        ModelRecord("org/name", source, ModelStatus.READY, prefix="x"),
        project="my-project",
        region="europe-west1",
        bucket="my-models",
    )


NO_GPU: dict[str, Any] = {
    "accelerator": "",
    "probe": StartupProbe("/health", failures=60),
}


def with_args(*args: str) -> dict[str, Any]:
    return {"args": (*deployment().args, *args)}


def with_env(**env: str) -> dict[str, Any]:
    return {"environment": {**deployment().environment, **env}}


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": "Bad Name"}, "name", "service"),
        ({"name": "x" * 50}, "name", "at most 49"),
        ({"region": "Mars", **NO_GPU}, "region", "not a region"),
        ({"bucket": "NO"}, "bucket", "can't be the name of a bucket"),
        ({"accelerator": "nvidia-h100"}, "accelerator", "not a GPU of Cloud Run"),
        ({"region": "asia-northeast1"}, "accelerator", "no NVIDIA L4 (24 GB) in asia-northeast1"),
        ({"cpu": 12}, "cpu", "choose 4, 8"),
        ({"cpu": 7.5}, "cpu", "7.5 vCPU is not available"),
        ({"memory_gib": 64}, "memory_gib", "16 to 32 GiB, not 64 GiB"),
        ({"cpu": 4, "memory_gib": 32}, "memory_gib", "memory is 16 GiB, not 32 GiB"),
        ({**NO_GPU, "cpu": 2, "memory_gib": 16}, "memory_gib", "0.5 to 8 GiB"),
        ({**NO_GPU, "cpu": 20, "memory_gib": 80}, "cpu", "choose 1, 2, 4, 6, 8"),
        ({"cache_gib": 32}, "cache_gib", "leaves nothing"),
        ({"max_instances": 0}, "max_instances", "at least one"),
        ({"min_instances": 2}, "min_instances", "must be 0 to 1"),
        ({"min_instances": -1}, "min_instances", "must be 0 to"),
        ({"concurrency": 0}, "concurrency", "1 to 1000"),
        ({"timeout": 4000}, "timeout", "1 to 3600"),
        ({"image": "vllm openai"}, "image", "not a container image"),
        ({"port": 99999, "args": ("/models", "--port=99999")}, "port", "1 to 65535"),
        ({"port": 8080}, "args", "make them the same"),
        ({"mount_path": "/proc/models"}, "mount_path", "choose a folder"),
        ({"mount_path": "models"}, "mount_path", "choose a folder"),
        ({"mount_path": "/"}, "mount_path", "choose a folder"),
        (with_args(""), "args", "empty"),
        (with_args("--dtype half"), "args", "two in one row"),
        (with_args("'--dtype=half'"), "args", "in quotes"),
        (with_args("--dtype=half\n"), "args", "line break"),
        (with_args("a\0b"), "args", "zero byte"),
        ({"args": ("/models", "--port", "8000", "--tensor-parallel-size", "2")}, "args", "one GPU"),
        (with_env(PORT="1"), "environment", "set by Cloud Run itself"),
        (with_env(K_SERVICE="1"), "environment", "set by Cloud Run itself"),
        (with_env(**{"1X": "1"}), "environment", "no digit first"),
        ({"secrets": {"HF_HUB_OFFLINE": "s:1"}}, "environment", "given twice"),
        ({"labels": {"Team": "a"}}, "labels", "can't be a label"),
        ({"labels": {"team": "a b"}}, "labels", "can't be a label"),
        ({"probe": StartupProbe("/health", failures=181)}, "probe", "lasts 1810 seconds"),
        ({"probe": StartupProbe("/health", timeout=11)}, "probe", "not longer than its period"),
        ({"probe": StartupProbe("/health", initial_delay=300)}, "probe", "0 to 240"),
        ({"probe": StartupProbe("health")}, "probe", "begins with a slash"),
        ({"subnet": SubnetAccess("n", "s"), "connector": "c"}, "network", "one of them"),
    ],
)
def test_one_thing_wrong(change: dict[str, Any], field: str, words: str) -> None:
    found = checks.problems(replace(deployment(), **change))
    assert [error.field for error in found] == [field]
    assert words in found[0].message
    assert found[0].message.endswith(".")


def test_a_probe_without_a_gpu_is_shorter() -> None:
    probe = StartupProbe("/health", failures=180)
    plain = replace(deployment(), accelerator="", probe=probe)
    assert [error.field for error in checks.problems(plain)] == ["probe"]


def test_ollama_listens_where_its_variable_says() -> None:
    made = deployment("ollama")
    environment = {**made.environment, "OLLAMA_HOST": "0.0.0.0:8080"}
    assert "OLLAMA_HOST" in checks.problems(replace(made, environment=environment))[0].message
    assert checks.problems(replace(made, environment=environment, port=8080)) == []


@pytest.mark.parametrize(
    "image",
    [
        "ollama/ollama",
        "docker.io/vllm/vllm-openai:v0.33.0-cu129",
        "europe-west1-docker.pkg.dev/my-project/images/vllm@sha256:" + "a" * 64,
        "localhost:5000/x:1",
    ],
)
def test_images(image: str) -> None:
    assert checks.problems(replace(deployment(), image=image)) == []


def test_everything_wrong_at_once_is_told_at_once() -> None:
    found = checks.problems(
        replace(deployment(), name="", image="", timeout=0, mount_path="", concurrency=0)
    )
    assert {error.field for error in found} >= {
        "name",
        "image",
        "timeout",
        "mount_path",
        "concurrency",
    }


@pytest.mark.parametrize(
    ("source", "framework", "told", "most"),
    [
        ("huggingface", "vllm", {"args": ("/m", "--max-num-seqs=8", "--port=8000")}, 8),
        ("huggingface", "vllm", {"args": ("/m", "--max-num-seqs", "8", "--port=8000")}, 8),
        ("huggingface", "vllm", {"args": ("/m", "--port=8000"), "concurrency": 300}, 256),
        ("ollama", "ollama", with_env(OLLAMA_NUM_PARALLEL="2"), 2),
        ("ollama", "ollama", {"environment": {"OLLAMA_MODELS": "/m"}}, 1),
        ("ollama", "llama-cpp", with_env(LLAMA_ARG_N_PARALLEL="2"), 2),
    ],
)
def test_cloud_run_sends_no_more_than_the_engine_works_on(
    source: str, framework: str, told: dict[str, Any], most: int
) -> None:
    made = replace(deployment(source), framework=framework, **told)
    (found,) = concurrency.problems(made)
    assert found.field == "concurrency"
    assert f"at most {most}, not" in found.message
    assert found.message in [each.message for each in checks.problems(made)]
    assert not list(concurrency.problems(replace(made, concurrency=most)))


def test_what_an_engine_is_not_told_is_said() -> None:
    ollama = replace(deployment("ollama"), environment={"OLLAMA_MODELS": "/m"})
    assert (
        concurrency.unset(ollama) == "OLLAMA_NUM_PARALLEL isn't set: Ollama works on 1 at a time."
    )
    llama = replace(ollama, framework="llama-cpp", concurrency=900)
    assert "its own choice" in concurrency.unset(llama)
    assert not list(concurrency.problems(llama))  # nobody knows
    for made in (deployment(), deployment("ollama")):
        assert not concurrency.unset(made)
        assert str(made.concurrency) in concurrency.told(made)
    odd = replace(deployment(), **with_args("--max-num-seqs=many"))
    secret = replace(ollama, secrets={"OLLAMA_NUM_PARALLEL": "s:1"})
    for made in (odd, secret, replace(ollama, framework="other")):
        assert not concurrency.told(made)
        assert not list(concurrency.problems(made))


def test_a_remedy_that_lowers_the_engine_s_requests_lowers_cloud_run_s() -> None:
    fewer = changed(deployment("ollama"), Remedy(RemedyKind.REDEPLOY, "x", {"parallel": "2"}))
    assert (fewer.concurrency, fewer.environment["OLLAMA_NUM_PARALLEL"]) == (2, "2")
    assert not list(concurrency.problems(fewer))
