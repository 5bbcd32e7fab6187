"""Estimates take what the engine is told from where it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.engines.settings import tokens
from llm_widgets.errors import InvalidInputError
from llm_widgets.serving import recipes
from llm_widgets.serving.gpu_memory import context_of, estimate
from tests.unit import llama

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment


def offered(source: str, *args: str, **environment: str) -> Deployment:
    record = ModelRecord("org/name", source, ModelStatus.READY, 16 * 10**9, prefix="folder")
    made = recipes.defaults(
        record,
        project="some-project",
        region="europe-west1",
        bucket="some-bucket",
        accelerator="nvidia-l4",
    )
    names = {word.partition("=")[0] for word in args}
    kept = [word for word in made.args if word.partition("=")[0] not in names]
    return replace(made, args=(*kept, *args), environment={**made.environment, **environment})


@pytest.mark.parametrize(
    ("text", "number"), [("8192", 8192), ("32k", 32000), ("32K", 32768), ("1.5k", 1500)]
)
def test_tokens(text: str, number: int) -> None:
    assert tokens(text, "args") == number


@pytest.mark.parametrize("text", ["", "x", "-5", "0", "k", "inf", "1e999"])
def test_what_is_no_number_of_tokens(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        tokens(text, "args")
    assert caught.value.field == "args"


def test_contexts() -> None:
    assert context_of(offered("huggingface")) == 0
    assert context_of(offered("huggingface", "--max-model-len=32K")) == 32768
    assert context_of(offered("ollama", OLLAMA_CONTEXT_LENGTH="1024")) == 1024


def test_a_longer_context_takes_a_larger_cache() -> None:
    few = estimate(llama.BF16, offered("ollama", OLLAMA_CONTEXT_LENGTH="1024"))
    many = estimate(llama.BF16, offered("ollama", OLLAMA_CONTEXT_LENGTH="4096"))
    assert few
    assert many
    assert many.kv_cache.bytes > few.kv_cache.bytes
    halved = estimate(llama.BF16, offered("ollama", OLLAMA_NUM_PARALLEL="1"))
    assert halved
    assert halved.concurrency_possible >= 1


def test_the_share_of_vllm_counts() -> None:
    whole = estimate(llama.BF16, offered("huggingface", "--gpu-memory-utilization=0.9"))
    half = estimate(llama.BF16, offered("huggingface", "--gpu-memory-utilization=0.45"))
    assert whole
    assert half
    assert half.usable < whole.usable
    with pytest.raises(InvalidInputError):
        estimate(llama.BF16, offered("huggingface", "--gpu-memory-utilization=most"))


def test_without_a_gpu_there_is_nothing_to_say() -> None:
    assert estimate(llama.BF16, replace(offered("ollama"), accelerator="")) is None
