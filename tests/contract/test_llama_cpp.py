"""Models that llama.cpp's server serves as the product offers it: chat, tools, embeddings, rank."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.diagnosis import Context, Evidence, LogLine, diagnose
from llm_widgets.domain.imports import Digest, DigestKind
from llm_widgets.domain.loading import LAYERS, Task, Verdict
from llm_widgets.domain.manifest import ManifestFile, ModelManifest
from llm_widgets.domain.services import StartupProbe
from llm_widgets.engines import registry
from llm_widgets.errors import DeploymentError, InvalidInputError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import rollout, services
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import Manager
from llm_widgets.serving import checks, codec, recipes
from local_cloud.testing.ollama_store import as_embedding_model, put_model, smollm2
from tests.contract.private_gguf import REPOSITORY, TOKEN, put_private_gguf
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llm_widgets.domain.services import Deployment, ServiceSummary

BUCKET, NOW = "gguf-models", datetime(2026, 12, 1, tzinfo=UTC)
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("llama"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            settings.cache_clear()
            yield started
    settings.cache_clear()


def manifest(product: Product, name: str, weights: Path, task: Task = Task.CHAT) -> ModelManifest:
    """Put a model into the bucket and return what its import would have kept."""
    prefix = f"ollama/library/{name}"
    root = product.data / "buckets" / BUCKET / prefix
    put_model(root, f"registry.ollama.ai/library/{name}/latest", weights)
    files = tuple(
        ManifestFile(
            f"blobs/{blob.name}",
            blob.stat().st_size,
            Digest(DigestKind.SHA256, blob.name.removeprefix("sha256-")),
            "AAAAAA==",
        )
        for blob in sorted((root / "blobs").iterdir())
    )
    model = max(files, key=lambda file: file.size)
    facts: dict[str, Any] = {
        LAYERS: {"model": model.path},
        "loading": Verdict(task=task).to_facts("ollama"),
    }
    return ModelManifest("i", "ollama", f"{name}:latest", "r", prefix, files, NOW, NOW, facts=facts)


def offered(kept: ModelManifest, framework: str = "llama-cpp") -> Deployment:
    made = recipes.defaults(
        kept.record(),
        project=PROJECT,
        region=REGION,
        bucket=BUCKET,
        accelerator="",
        context_length=512,
        manifest=kept,
        framework=framework,
    )
    return replace(made, probe=replace(made.probe, period=1, timeout=1, failures=60))


def deploy(product: Product, deployment: Deployment) -> ServiceSummary:
    assert checks.problems(deployment) == []
    operation = services.create_from(product.clients, codec.document(deployment))
    *_, last = rollout.follow(product.clients, operation, period=0.2)
    assert last.service
    return last.service


def ask(product: Product, service: ServiceSummary, path: str, **body: Any) -> dict[str, Any]:
    token = id_tokens.of(product.clients).token(service.url)
    answer = requests.post(
        f"{service.url}{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.ok, answer.text
    found: dict[str, Any] = answer.json()
    return found


def run_cli(*words: str) -> int:
    return main([*words, f"--project={PROJECT}"])


def test_the_engines_of_a_hub_are_offered_the_usual_one_first() -> None:
    assert [each.id for each in registry.for_source("ollama")] == ["ollama", "llama-cpp"]
    assert registry.of_image("europe-west4-docker.pkg.dev/p/ghcr-io/ggml-org/llama.cpp:x") is (
        registry.of("llama-cpp")
    )


def test_a_private_gguf_is_imported_deployed_and_talked_to(product: Product) -> None:
    put_private_gguf(product)
    manager = Manager(PROJECT, product.settings)
    model = manager.import_model(BUCKET, "ollama", f"hf.co/{REPOSITORY}:Q4_1", token=TOKEN)
    service = manager.deploy(BUCKET, model.id, framework="llama-cpp")
    assert service.framework == "llama-cpp"
    # A model this small may go on for minutes where nothing limits it.
    assert manager.chat(service, "Say hello in one word.", max_tokens=5)
    manager.delete(service)


def test_a_model_chats_and_is_asked_for_a_tool(product: Product) -> None:
    service = deploy(product, offered(manifest(product, "smollm2", smollm2())))
    said = [{"role": "user", "content": "Say hello."}]
    answer = ask(
        product,
        service,
        "/v1/chat/completions",
        model="smollm2:latest",
        messages=said,
        max_tokens=8,
        temperature=0,
    )
    assert answer["choices"][0]["message"]["content"]
    assert answer["usage"]["completion_tokens"] == 8
    started = Manager(PROJECT, product.settings).start_phases(service)
    assert started
    assert started.start.is_ready
    assert sum(phase.seconds for phase in started.phases) == pytest.approx(started.start.seconds)
    names = {phase.name for phase in started.phases}
    assert {"Weights, cache and warm-up", "Startup probe"} <= names
    # A model that is too small calls no tool: it answers in words, and the request is no error.
    tools = ask(
        product,
        service,
        "/v1/chat/completions",
        model="smollm2:latest",
        messages=said,
        max_tokens=8,
        tools=[WEATHER],
    )
    assert "tool_calls" not in tools["choices"][0]["message"]


def test_an_embedding_model_answers_with_vectors(
    product: Product, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "embedding.gguf"
    weights.write_bytes(as_embedding_model(smollm2().read_bytes()))
    kept = manifest(product, "embedder", weights, Task.EMBED)
    made = offered(kept)
    assert made.environment["LLAMA_ARG_EMBEDDINGS"] == "1"
    service = deploy(product, made)
    assert service.task is Task.EMBED
    manager = Manager(PROJECT, product.settings)
    texts = ["A cat sleeps.", "A dog runs.", "A cat sleeps."]
    cat, dog, same = manager.embed(service, texts)
    assert (cat.dimension, dog.text) == (576, "A dog runs.")
    near = cat.similarity(dog)
    assert near is not None
    assert -1 < near < 0.999 < (cat.similarity(same) or 0)
    with pytest.raises(InvalidInputError, match="can't rank passages"):
        manager.rank(service, "cat", ["a"])
    assert run_cli("embed", "--format=json", service.name, "A cat sleeps.") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told[0]["text"], len(told[0]["vector"])) == ("A cat sleeps.", 576)


def test_passages_are_ranked(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    service = deploy(product, offered(manifest(product, "ranker", smollm2(), Task.RERANK)))
    assert service.task is Task.RERANK
    manager = Manager(PROJECT, product.settings)
    found = manager.rank(service, "a", ["a b", "c"])
    assert {each.passage for each in found} == {"a b", "c"}
    assert found[0].score >= found[1].score
    assert run_cli("rank", "--format=value(index)", service.name, "a", "a b", "c") == 0
    assert capsys.readouterr().out.split() == [str(each.index) for each in found]


def test_a_file_that_is_not_there_is_told(product: Product) -> None:
    made = offered(manifest(product, "lost", smollm2()))
    gone = made.environment["LLAMA_ARG_MODEL"].rpartition("-")[0] + "-00"
    lost = replace(
        made,
        environment={**made.environment, "LLAMA_ARG_MODEL": gone},
        probe=StartupProbe("/health", period=1, timeout=1, failures=10),
    )
    with pytest.raises(DeploymentError):
        deploy(product, lost)
    written = logs.entries(product.clients, PROJECT, logs.service_filter(REGION, lost.name))
    lines = tuple(LogLine(entry.text, entry.severity) for entry in written)
    found = diagnose(Evidence(log=lines), Context.of(lost))
    assert found
    assert found.id == "llama-cpp-file"
