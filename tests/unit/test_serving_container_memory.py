"""What starting takes of the container's memory, and deployments that are refused for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import InvalidInputError
from llm_widgets.manager import memory
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.serving import recipes
from llm_widgets.serving.container_memory import needed_gib, why_too_small
from tests.unit import llama

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

LIMIT = "RUNAI_STREAMER_MEMORY_LIMIT"


def offered(source: str, accelerator: str = "nvidia-l4") -> Deployment:
    record = ModelRecord("org/name", source, ModelStatus.READY, 16 * 10**9, prefix="folder")
    return recipes.defaults(
        record,
        project="some-project",
        region="europe-west4",
        bucket="some-bucket",
        accelerator=accelerator,
    )


def without(deployment: Deployment, variable: str) -> Deployment:
    kept = {name: text for name, text in deployment.environment.items() if name != variable}
    return replace(deployment, environment=kept)


def test_what_vllm_is_offered_with_starts_on_the_smallest_machine() -> None:
    smallest = replace(offered("huggingface"), cpu=4, memory_gib=16)
    assert needed_gib(llama.BF16, smallest) == pytest.approx(9)
    assert why_too_small(llama.BF16, smallest) == ""


def test_a_streamer_without_limit_holds_all_of_a_model() -> None:
    smallest = replace(without(offered("huggingface"), LIMIT), cpu=4, memory_gib=16)
    assert why_too_small(llama.BF16, smallest) == (
        "Starting takes about 20 GiB of the container's memory, and it has 16 GiB."
    )
    assert why_too_small(llama.BF16, replace(smallest, memory_gib=32)) == ""
    unlimited = {**smallest.environment, LIMIT: "-1"}
    assert why_too_small(llama.BF16, replace(smallest, environment=unlimited))


def test_weights_that_are_not_streamed_are_mapped() -> None:
    made = offered("huggingface")
    args = tuple(word for word in made.args if not word.startswith("--load-format"))
    plain = replace(without(made, LIMIT), args=args, cpu=4, memory_gib=16)
    assert why_too_small(llama.BF16, plain) == ""


def test_a_limit_that_is_no_number_is_told() -> None:
    made = offered("huggingface")
    odd = replace(made, environment={**made.environment, LIMIT: "4GiB"})
    with pytest.raises(InvalidInputError, match="is a number of bytes, not") as caught:
        needed_gib(llama.BF16, odd)
    assert caught.value.field == "environment"


def test_without_a_gpu_ollama_holds_all_of_the_model() -> None:
    made = replace(offered("ollama", ""), cpu=4, memory_gib=16, cache_gib=0)
    assert "of the container's memory" in why_too_small(llama.BF16, made)
    assert why_too_small(llama.BF16, replace(made, cpu=8, memory_gib=32)) == ""
    cached = replace(made, cpu=8, memory_gib=32, cache_gib=16)
    assert "16 GiB for the file cache" in why_too_small(llama.BF16, cached)


def test_an_unknown_engine_is_not_refused() -> None:
    assert needed_gib(llama.BF16, replace(offered("ollama"), framework="tgi")) == 0


def test_a_person_can_insist() -> None:
    small = replace(without(offered("huggingface"), LIMIT), cpu=4, memory_gib=16)
    fitting = replace(small, args=(*small.args, "--max-model-len=4096"))
    with pytest.raises(InvalidInputError, match="of the container's memory") as caught:
        memory.refuse_too_large(llama.BF16, fitting)
    assert caught.value.field == FIT_ANYWAY
