"""Which engine a service of others runs, by what Cloud Run says of its containers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.loading import Task
from llm_widgets.domain.recognition import Confidence, Recognition, SeenContainer
from llm_widgets.engines import registry

MODEL_GARDEN = (
    "us-docker.pkg.dev/vertex-ai/vertex-vision-model-garden-dockers/pytorch-vllm-serve:20250601"
)
GEMMA = "google/gemma-3-4b-it"


def seen(
    image: str,
    *words: str,
    command: tuple[str, ...] = (),
    port: int = 8080,
    gpu: bool = True,
    **environment: str,
) -> SeenContainer:
    return SeenContainer(image, command, words, environment, port, has_gpu=gpu)


def told(*containers: SeenContainer) -> Recognition:
    found = registry.recognised(containers)
    assert found
    return found


# What people and samples deploy: what it is, the container, and engine, surety, model and the name
# that the API knows it by.
SHAPES: dict[str, tuple[SeenContainer, tuple[str, Confidence, str, str]]] = {
    "gcloud: vLLM's image, the model as the first word": (
        seen("vllm/vllm-openai:v0.33.0", GEMMA, "--max-model-len=8192", port=8000),
        ("vllm", Confidence.CERTAIN, GEMMA, GEMMA),
    ),
    "vLLM's image before serve: --model": (
        seen("mirror.gcr.io/vllm/vllm-openai:v0.9.0", f"--model={GEMMA}", "--port", "8080"),
        ("vllm", Confidence.CERTAIN, GEMMA, GEMMA),
    ),
    "codelab: an image built FROM vLLM's with a command": (
        seen(
            "us-central1-docker.pkg.dev/p/repo/vllm-gemma:1",
            command=("python3", "-m", "vllm.entrypoints.openai.api_server"),
            MODEL_NAME=GEMMA,
        ),
        ("vllm", Confidence.CERTAIN, GEMMA, GEMMA),
    ),
    "codelab: weights in a bucket, by a shell": (
        seen(
            "us-central1-docker.pkg.dev/p/r/server:1",
            "-c",
            "echo start && exec vllm serve $MODEL_PATH --served-model-name gemma \\\n --port 8080",
            command=("bash",),
            MODEL_PATH="gs://weights/gemma",
        ),
        ("vllm", Confidence.CERTAIN, "gs://weights/gemma", "gemma"),
    ),
    "Model Garden": (
        seen(
            MODEL_GARDEN,
            "--host=0.0.0.0",
            "--model=gs://vertex-model-garden/gemma",
            "--port=8080",
            command=("python", "-m", "vllm.entrypoints.api_server"),
            MODEL_ID=GEMMA,
        ),
        ("vllm", Confidence.CERTAIN, GEMMA, "gs://vertex-model-garden/gemma"),
    ),
    "Terraform: command and args as a list": (
        seen(
            "europe-docker.pkg.dev/p/mirror/vllm/vllm-openai@sha256:abc",
            "serve",
            "/mnt/models/qwen",
            "--served-model-name=qwen",
            "--enforce-eager",
            command=("vllm",),
            port=8000,
        ),
        ("vllm", Confidence.CERTAIN, "/mnt/models/qwen", "qwen"),
    ),
    "Terraform: a variable of the container in its arguments": (
        seen("vllm/vllm-openai:latest", "--model", "$(MODEL_ID)", MODEL_ID="Qwen/Qwen3-8B"),
        ("vllm", Confidence.CERTAIN, "Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
    ),
    "an image of one's own named after vLLM": (
        seen("gcr.io/p/my-vllm-server:7", MODEL_ID="Qwen/Qwen3-8B"),
        ("vllm", Confidence.LIKELY, "Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
    ),
    "codelab: Ollama with the model in the image": (
        seen(
            "us-central1-docker.pkg.dev/p/repo/ollama-gemma:latest",
            OLLAMA_NUM_PARALLEL="4",
        ),
        ("ollama", Confidence.LIKELY, "", ""),
    ),
    "Ollama with models in a mounted bucket": (
        seen("ollama/ollama:0.24.0", port=11434, OLLAMA_MODELS="/mnt/models", MODEL="gemma3:4b"),
        ("ollama", Confidence.CERTAIN, "gemma3:4b", "gemma3:4b"),
    ),
    "Ollama that pulls when it starts": (
        seen(
            "ollama/ollama",
            "-c",
            "/bin/ollama serve & sleep 5; ollama pull llama3.2:1b; wait",
            command=("/bin/sh",),
            port=11434,
        ),
        ("ollama", Confidence.CERTAIN, "llama3.2:1b", "llama3.2:1b"),
    ),
    "AI Studio: Google's image of Gemma": (
        seen("us-docker.pkg.dev/cloudrun/container/gemma/gemma3-4b", API_KEY="x"),
        ("ollama", Confidence.CERTAIN, "gemma3-4b", ""),
    ),
    "llama.cpp's server": (
        seen(
            "ghcr.io/ggml-org/llama.cpp:server-cuda",
            *("-m", "/models/qwen.gguf", "-ngl", "99", "--alias", "qwen"),
        ),
        ("llama-cpp", Confidence.CERTAIN, "/models/qwen.gguf", "qwen"),
    ),
    "llama.cpp by variables": (
        seen("gcr.io/p/llama-cpp:1", LLAMA_ARG_HF_REPO="ggml-org/gemma-3-4b-it-GGUF"),
        (
            "llama-cpp",
            Confidence.LIKELY,
            "ggml-org/gemma-3-4b-it-GGUF",
            "ggml-org/gemma-3-4b-it-GGUF",
        ),
    ),
    "TGI": (
        seen(
            "us-docker.pkg.dev/deeplearning-platform-release/gcr.io/"
            "huggingface-text-generation-inference-cu124.2-3.ubuntu2204.py311",
            "--model-id=meta-llama/Llama-3.1-8B-Instruct",
        ),
        (
            "tgi",
            Confidence.CERTAIN,
            "meta-llama/Llama-3.1-8B-Instruct",
            "meta-llama/Llama-3.1-8B-Instruct",
        ),
    ),
    "an embedding service": (
        seen(
            "ghcr.io/huggingface/text-embeddings-inference:89-1.8",
            "--model-id",
            "BAAI/bge-m3",
            port=80,
        ),
        ("tei", Confidence.CERTAIN, "BAAI/bge-m3", "BAAI/bge-m3"),
    ),
    "SGLang": (
        seen(
            "lmsysorg/sglang:v0.5.23",
            *("-m", "sglang.launch_server", "--model-path", "Qwen/Qwen3-8B"),
            command=("python3",),
            port=30000,
        ),
        ("sglang", Confidence.CERTAIN, "Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
    ),
    "NIM": (
        seen("nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8", port=8000),
        ("nim", Confidence.CERTAIN, "meta/llama-3.1-8b-instruct", ""),
    ),
    "nothing but variables and a GPU": (
        seen("gcr.io/p/inference:1", OLLAMA_KEEP_ALIVE="-1"),
        ("ollama", Confidence.POSSIBLE, "", ""),
    ),
    "vLLM's image with a program of one's own": (
        seen("vllm/vllm-openai:v0.33.0", command=("python3", "/app/main.py")),
        ("vllm", Confidence.POSSIBLE, "", ""),
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_that_people_deploy(shape: str) -> None:
    container, expected = SHAPES[shape]
    found = told(container)
    assert (found.framework, found.confidence, found.model_id, found.served_name) == expected
    assert found.reasons
    assert found.is_direct
    assert registry.label_of(found.framework) != found.framework


@pytest.mark.parametrize(
    "container",
    [
        seen("gcr.io/p/shop:1", gpu=False, DATABASE_URL="postgres://db"),
        seen("gcr.io/cloudrun/hello", gpu=False),
        seen("gcr.io/p/vllm-proxy:1", gpu=False, VLLM_URL="https://vllm.example.run.app"),
        seen("gcr.io/p/vllm-proxy:1", gpu=True, VLLM_BASE_URL="https://vllm.example.run.app"),
        seen("ghcr.io/open-webui/open-webui:ollama", gpu=False, OLLAMA_BASE_URL="http://x:11434"),
        seen("gcr.io/p/whisper:1", "serve", gpu=True),
        seen("gcr.io/p/comfyui:1", gpu=True, MODEL_ID="black-forest-labs/FLUX.1-dev"),
        seen("gcr.io/p/app:1", gpu=False, OLLAMA_HOST="http://ollama:11434", OLLAMA_MODEL="x"),
        seen("gcr.io/p/app:1", "--model", "gemma", gpu=False, MODEL_ID="google/gemma-3-4b-it"),
        seen("", gpu=False),
    ],
    ids=lambda each: each.image,
)
def test_what_serves_no_model_is_not_recognised(container: SeenContainer) -> None:
    assert registry.recognised([container]) is None


def test_the_container_with_the_gpu_is_the_engine_and_not_the_one_before_it() -> None:
    front = seen("ghcr.io/open-webui/open-webui:main", gpu=False, OLLAMA_BASE_URL="http://x")
    engine = seen("ollama/ollama:0.24.0", port=0, OLLAMA_MODELS="/models")
    found = told(front, engine)
    assert found.framework == "ollama"
    assert not found.is_direct


def test_a_sidecar_does_not_hide_an_engine() -> None:
    sidecar = seen("us-docker.pkg.dev/cloud-ops-agents-artifacts/collector:1", port=0, gpu=False)
    found = told(sidecar, seen("vllm/vllm-openai:v0.33.0", GEMMA))
    assert (found.framework, found.is_direct) == ("vllm", True)


def test_reasons_are_sentences_that_name_the_facts() -> None:
    assert told(SHAPES["Terraform: command and args as a list"][0]).reasons == (
        "Its command runs “vllm serve”.",
        "Its image is one of vLLM.",
    )
    assert told(SHAPES["nothing but variables and a GPU"][0]).reasons == (
        "Its environment sets OLLAMA_KEEP_ALIVE.",
        "It has a GPU.",
    )


@pytest.mark.parametrize(
    "model",
    ["<img src=x>", "$UNKNOWN", "a b", "x" * 300, "--port", "a\nb", "“quoted”", "-m"],
)
def test_what_can_be_no_name_of_a_model_is_none(model: str) -> None:
    found = told(seen("vllm/vllm-openai:v0.33.0", f"--model={model}"))
    assert (found.model_id, found.served_name) == ("", "")


@pytest.mark.parametrize("script", ["vllm serve 'unfinished", "", "(" * 5000, "$(" * 5000])
def test_scripts_that_are_none_are_borne(script: str) -> None:
    found = told(seen("vllm/vllm-openai:v0.33.0", "-c", script, command=("sh",)))
    assert found.model_id == ""


def test_a_task_that_an_older_version_is_told() -> None:
    container = seen("vllm/vllm-openai:v0.9.0", GEMMA, "--task", "embed")
    assert registry.task_of("vllm", container, None) is Task.EMBED
    assert registry.task_of("tei", container, None) is Task.EMBED
    assert registry.task_of("tgi", container, None) is None


@pytest.mark.parametrize(
    ("container", "key"),
    [
        (seen("us-docker.pkg.dev/cloudrun/container/gemma/gemma3-4b", API_KEY="k"), "k"),
        (seen("vllm/vllm-openai:v0.33.0", GEMMA, "--api-key", "k"), "k"),
        (seen("vllm/vllm-openai:v0.33.0", GEMMA, VLLM_API_KEY="k"), "k"),
        (seen("vllm/vllm-openai:v0.33.0", GEMMA, API_KEY="k"), ""),
        (seen("vllm/vllm-openai:v0.33.0", GEMMA, VLLM_API_KEY="k\r\nX: y"), ""),
        (seen("ghcr.io/ggml-org/llama.cpp:server-cuda", "-m", "a.gguf", LLAMA_API_KEY="k"), "k"),
        (seen("example/shop:1", VLLM_API_KEY="k", gpu=False), ""),
    ],
)
def test_the_key_that_an_engine_asks_for(container: SeenContainer, key: str) -> None:
    assert registry.key_of([container]) == key


@given(
    st.text(max_size=60),
    st.lists(st.text(max_size=40), max_size=6),
    st.dictionaries(st.sampled_from(["MODEL", "OLLAMA_MODELS", "X"]), st.text(max_size=30)),
)
def test_anything_is_read(image: str, words: list[str], environment: dict[str, str]) -> None:
    for command in ((), ("sh", "-c"), tuple(words)):
        container = SeenContainer(image, command, tuple(words), environment, 8080, has_gpu=True)
        found = registry.recognised([container])
        assert found is None or len(found.model_id) <= 210
