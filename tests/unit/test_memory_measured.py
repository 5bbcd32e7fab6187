"""Learning from the first start: what engines tell, what is believed, kept and used."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.documents import metadata
from llm_widgets.domain.memory import MemoryModel, from_facts, to_facts
from llm_widgets.domain.memory.measured import (
    MOST_STARTS,
    Configuration,
    Measured,
    MeasuredStart,
    with_start,
)
from llm_widgets.domain.metadata import STARTS, MetadataFile
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.units import GIB
from llm_widgets.engines import measuring
from llm_widgets.engines.ollama import measured as ollama
from llm_widgets.engines.ollama.engine import Ollama
from llm_widgets.engines.vllm import measured as vllm
from llm_widgets.engines.vllm.engine import Vllm
from llm_widgets.serving import gpu_memory, measured_memory
from tests.bench import tables
from tests.unit.test_serving_hardware import MODELS, offered

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

# Of a start of vLLM 0.29 with Qwen3.5 4B on an L4, and of an older version.
VLLM = """\
(EngineCore pid=90) INFO [gpu_model_runner.py:5233] Model loading took 14.96 GiB memory and 6.3 s
(EngineCore pid=90) INFO [gpu_worker.py:508] Available KV cache memory: 4.1 GiB
(EngineCore pid=90) INFO [kv_cache_utils.py:2146] GPU KV cache size: 33,584 tokens
INFO [kv_cache_utils.py:2147] Maximum concurrency for 8,192 tokens per request: 4.10x
""".splitlines()
OLLAMA = """\
level=INFO source=device.go:240 msg="model weights" device=CUDA0 size="4.4 GiB"
level=INFO source=device.go:245 msg="model weights" device=CPU size="292.4 MiB"
level=INFO source=device.go:251 msg="kv cache" device=CUDA0 size="448.0 MiB"
level=INFO source=device.go:262 msg="compute graph" device=CUDA0 size="304.0 MiB"
level=INFO source=device.go:272 msg="total memory" size="5.4 GiB"
""".splitlines()
LLAMA = (
    "load_tensors:   CPU_Mapped model buffer size =   292.36 MiB",
    "load_tensors:        CUDA0 model buffer size =  4168.09 MiB",
    "llama_kv_cache:      CUDA0 KV buffer size =   400.00 MiB",
    "llama_kv_cache:      CUDA0 KV buffer size =    48.00 MiB",
    "llama_memory_recurrent:      CUDA0 RS buffer size =    12.00 MiB",
    "llama_context:      CUDA0 compute buffer size =   304.00 MiB",
    "llama_context:  CUDA_Host compute buffer size =    17.01 MiB",
)
NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
NAME = "Llama-3.1-8B"
RECORD = ModelRecord(
    "acme/llm", "huggingface", ModelStatus.READY, revision="c" * 40, prefix="huggingface/acme/llm"
)


def model() -> MemoryModel:
    return tables.model(MODELS[NAME]["config"], MODELS[NAME]["form"])


def made() -> Deployment:
    offer = offered(NAME, "huggingface", "europe-west1")
    return replace(offer, args=(*offer.args, "--max-model-len=8192"))


def started(deployment: Deployment) -> MemoryModel:
    """Return the model after a start that told what stands above."""
    found = measuring.measured(Vllm(), model(), deployment, VLLM)
    assert found
    start = MeasuredStart(measuring.configuration(Vllm(), deployment), found, NOW)
    return replace(model(), starts=(start,))


def test_what_vllm_tells_is_read() -> None:
    assert vllm.read(VLLM) == Measured(
        weights=int(14.96 * GIB),
        cache=int(4.1 * GIB),
        requests=4.1,
        context=8192,
        tokens=33584,
    )
    older = "INFO 04-29 01:07:41 [gpu_model_runner.py:1347] Model loading took 14.2474 GiB and 5 s"
    both = vllm.read([*VLLM, older, *VLLM[1:2]])
    assert both == Measured(int(14.2474 * GIB), int(4.1 * GIB))
    assert vllm.read(VLLM[:1]) is None
    assert vllm.read(["Available KV cache memory: -3.2 GiB", *VLLM[:1]]) is None


def test_what_ollama_tells_is_read() -> None:
    found = Measured(int(4.4 * GIB), 448 << 20, 304 << 20)
    assert ollama.read(OLLAMA) == found
    # Those who load twice tell twice; llama.cpp's own lines say the same in parts.
    assert ollama.read([*OLLAMA, *LLAMA, *OLLAMA]) == found
    parts = ollama.read([*LLAMA, *LLAMA])
    assert parts == Measured(int(4168.09 * 2**20), 460 << 20, 304 << 20)
    on_cpu = OLLAMA[2].replace("CUDA0", "CPU")
    assert ollama.read([*OLLAMA, on_cpu]) is None


@pytest.mark.parametrize("read", [vllm.read, ollama.read])
def test_a_long_log_is_read_at_once(read: Any) -> None:
    hostile = ["Model loading took " + "1" * 20_000, "KV buffer size = " + " " * 20_000] * 5
    lines = [*hostile, *["A " + "CUDA0 " * 40] * 3000]
    begun = time.process_time()
    assert read(lines) is None
    assert time.process_time() - begun < 0.5


def test_what_can_not_be_of_the_model_is_not_believed() -> None:
    deployment = made()
    assert measuring.measured(Vllm(), model(), deployment, VLLM)
    small = replace(model(), weights=GIB)
    assert measuring.measured(Vllm(), small, deployment, VLLM) is None
    huge = VLLM[1].replace("4.1", "99.9")
    assert measuring.measured(Vllm(), model(), deployment, (VLLM[0], huge)) is None
    assert measuring.measured(Vllm(), model(), replace(deployment, accelerator=""), VLLM) is None


def test_what_was_measured_goes_before_the_estimate() -> None:
    deployment = made()
    known = started(deployment)
    plain, found = (gpu_memory.estimate(each, deployment) for each in (model(), known))
    assert plain
    assert found
    assert found.weights.bytes == int(14.96 * GIB)
    assert found.free + found.kv_cache.bytes == pytest.approx(4.1 * GIB, abs=2)
    assert found.concurrency_possible == 4
    assert found.kv_cache.bytes == pytest.approx(4.1 * GIB / 4.1, rel=0.001)
    assert found.band[1] - found.band[0] < plain.band[1] - plain.band[0]
    assert "as vLLM told" in found.weights.why
    text = measured_memory.compared(known, deployment)
    assert "vLLM measured on 2026-12-01 with these settings: weights 15.0 GiB (estimated" in text
    assert "cache 4.1 GiB for 33,584 tokens (estimated" in text
    assert measured_memory.compared(model(), deployment) == ""


def test_another_context_is_the_same_start_for_vllm() -> None:
    deployment = made()
    longer = replace(deployment, args=(*deployment.args[:-1], "--max-model-len=32768"))
    found = gpu_memory.estimate(started(deployment), longer)
    assert found
    assert found.free + found.kv_cache.bytes == pytest.approx(4.1 * GIB, abs=2)


@pytest.mark.parametrize(
    "change",
    [
        {"image": "vllm/vllm-openai:v0.99.0"},
        {"accelerator": "nvidia-rtx-pro-6000"},
        {"args": (*made().args, "--max-num-seqs=9")},
        {"args": (*made().args, "--gpu-memory-utilization=0.8")},
        {"args": (*made().args, "--kv-cache-dtype=fp8")},
        {"args": (*made().args, "--enforce-eager")},
    ],
)
def test_another_configuration_is_another_start(change: dict[str, Any]) -> None:
    deployment = made()
    known, other = started(deployment), replace(deployment, **change)
    assert measured_memory.of(known, deployment)
    assert measured_memory.of(known, other) is None
    assert gpu_memory.estimate(known, other) == gpu_memory.estimate(model(), other)


def test_no_secret_is_among_the_settings() -> None:
    secret = replace(
        made(), args=("/m", "--api-key=hush", "--max-num-seqs=4"), environment={"KEY": "hush"}
    )
    told = measuring.configuration(Vllm(), secret).told
    assert told == (("--max-num-seqs", "4"),)
    small = offered("Qwen3-32B-Q4_K_M", "ollama")
    small = replace(small, environment={**small.environment, "HF_TOKEN": "hush"})
    assert "hush" not in str(measuring.configuration(Ollama(), small))


def test_ollama_is_measured_with_its_context() -> None:
    name = "Qwen3-32B-Q4_K_M"
    deployment = offered(name, "ollama")
    plain = tables.model(MODELS[name]["config"], MODELS[name]["form"])
    told = ("19.2 GiB", "2.5 GiB", "1.2 GiB")
    lines = [
        f'msg="{kind}" device=CUDA0 size="{size}"'
        for kind, size in zip(("model weights", "kv cache", "compute graph"), told, strict=True)
    ]
    found = measuring.measured(Ollama(), plain, deployment, lines)
    assert found
    start = MeasuredStart(measuring.configuration(Ollama(), deployment), found, NOW)
    known = replace(plain, starts=(start,))
    now = gpu_memory.estimate(known, deployment)
    assert now
    sizes = (now.weights.bytes, now.kv_cache.bytes, now.activations.bytes)
    assert [size / GIB for size in sizes] == pytest.approx([19.2, 2.5, 1.2], rel=0.001)
    longer = {**deployment.environment, "OLLAMA_CONTEXT_LENGTH": "512"}
    other = replace(deployment, environment=longer)
    assert gpu_memory.estimate(known, other) == gpu_memory.estimate(plain, other)


def start_of(image: str, weights: int = 5) -> MeasuredStart:
    told = (("--max-num-seqs", "4"),)
    return MeasuredStart(Configuration("vllm", image, "nvidia-l4", told), Measured(weights, 7), NOW)


def test_the_last_configurations_are_kept() -> None:
    starts: tuple[MeasuredStart, ...] = ()
    for number in range(MOST_STARTS + 3):
        starts = with_start(starts, start_of(f"v{number}"))
    assert starts[0].configuration.image == "v3"
    again = with_start(starts, start_of("v5", weights=6))
    assert (len(again), again[-1]) == (MOST_STARTS, start_of("v5", weights=6))


def test_it_is_kept_with_the_model() -> None:
    file = MetadataFile(models=(RECORD,)).with_measured(RECORD.key, start_of("v1"))
    read = metadata.read(file.to_json())
    assert read == file
    assert read.models[0].starts == (start_of("v1"),)
    # Another import of the same files keeps it; a model that is gone keeps nothing.
    assert read.with_model(RECORD).models[0].starts == (start_of("v1"),)
    assert MetadataFile().with_measured(RECORD.key, start_of("v1")) == MetadataFile()
    assert from_facts(to_facts(replace(model(), starts=(start_of("v1"),)))) == model()


@pytest.mark.parametrize(
    "change",
    [
        {"weights": -1},
        {"cache": "7"},
        {"requests": 1e300},
        {"image": "two\nlines"},
        {"at": "1066-10-14T00:00:00Z"},
        {"told": {"a": 1}},
        {"told": {str(number): "" for number in range(65)}},
    ],
)
def test_what_is_odd_is_kept_and_not_believed(change: dict[str, Any]) -> None:
    file = MetadataFile(models=(RECORD,)).with_measured(RECORD.key, start_of("v1"))
    data = json.loads(file.to_json())
    data["models"][0][STARTS][0].update(change)
    found = metadata.read(json.dumps(data))
    assert found.models[0].starts == ()
    assert json.loads(found.to_json()) == data
    mended = found.with_measured(RECORD.key, start_of("v2"))
    assert metadata.read(mended.to_json()).models[0].starts == (start_of("v2"),)
