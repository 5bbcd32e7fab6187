"""Models deployed as the product offers them first: Ollama to a chat, vLLM where it is."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import requests

from llm_widgets import serving
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import ServiceState, StartupProbe
from llm_widgets.engines import registry
from llm_widgets.errors import DeploymentError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import invoke, rollout, service_list, services
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import Manager
from llm_widgets.serving import checks, codec
from llm_widgets.serving.export import Language, written
from local_cloud.runner.machine import Machine
from local_cloud.testing.ollama_store import as_embedding_model, put_model, smollm2
from local_cloud.testing.programs import ECHO_SERVER
from tests.contract.private_gguf import FILE, REPOSITORY, TOKEN, put_private_gguf
from tests.contract.product import PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import Deployment, ServiceSummary

BUCKET = "served-models"
PREFIX = "ollama/library/smollm2/135m"
SIZE = 98_362_432


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("serving"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            root = started.data / "buckets" / BUCKET / PREFIX
            put_model(root, "registry.ollama.ai/library/smollm2/135m", smollm2())
            yield started


def deploy(product: Product, deployment: Deployment) -> ServiceSummary:
    assert checks.problems(deployment) == []
    made = codec.document(deployment)
    services.create_from(product.clients, made, validate_only=True)
    operation = services.create_from(product.clients, made)
    for progress in rollout.follow(product.clients, operation, period=0.2):
        last = progress
    assert last.service
    return last.service


def test_a_private_gguf_is_imported_with_a_token_and_served(product: Product) -> None:
    pytest.importorskip("xllamacpp")
    put_private_gguf(product)
    manager = Manager(PROJECT, product.settings)
    address = f"https://huggingface.co/{REPOSITORY}/blob/main/{FILE}"
    model = manager.import_model(BUCKET, "ollama", address, token=TOKEN)
    assert model.id == f"hf.co/{REPOSITORY}:Q4_1"
    service = manager.deploy(BUCKET, model.id)
    assert manager.chat(service, "Say hello in one word.", max_tokens=5)
    manager.delete(service)


def test_ollama_is_ready_when_its_model_is_loaded(product: Product) -> None:
    pytest.importorskip("xllamacpp")
    found = ModelRecord("smollm2:135m", "ollama", ModelStatus.READY, size=SIZE, prefix=PREFIX)
    made = serving.defaults(found, project=PROJECT, region=REGION, bucket=BUCKET)
    deployed = deploy(product, made)
    assert deployed.state is ServiceState.READY
    assert deployed.framework == "ollama"
    assert (deployed.model_id, deployed.bucket) == ("smollm2:135m", BUCKET)
    assert (deployed.gpu, deployed.max_instances) == ("nvidia-l4", 1)

    messages = [{"role": "user", "content": "Say hello in one word."}]
    started = time.monotonic()
    events = list(
        invoke.chat_stream(
            product.clients,
            deployed.url,
            deployed.served_name,
            messages,
            {"max_tokens": 16, "temperature": 0},
            path=registry.api_of(deployed.framework).path,
        )
    )
    assert "".join(event.text for event in events).strip()
    stats = events[-1].stats
    assert stats
    assert 0 < stats.tokens <= 16
    assert stats.prompt_tokens > 0
    assert stats.first_token < time.monotonic() - started


def test_an_embedding_model_gets_ready_and_answers(product: Product) -> None:
    pytest.importorskip("xllamacpp")
    root = product.data / "buckets" / BUCKET / "ollama/library/embedder/latest"
    weights = root / "weights.gguf"
    root.mkdir(parents=True)
    weights.write_bytes(as_embedding_model(smollm2().read_bytes()))
    put_model(root, "registry.ollama.ai/library/embedder/latest", weights)
    prefix = str(root.relative_to(product.data / "buckets" / BUCKET))
    found = ModelRecord("embedder:latest", "ollama", ModelStatus.READY, size=SIZE, prefix=prefix)
    made = serving.defaults(found, project=PROJECT, region=REGION, bucket=BUCKET)
    deployed = deploy(product, made)
    assert deployed.state is ServiceState.READY
    token = id_tokens.of(product.clients).token(deployed.url)
    answer = requests.post(
        f"{deployed.url}/v1/embeddings",
        json={"model": "embedder:latest", "input": ["one", "two"]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    vectors = [each["embedding"] for each in answer.json()["data"]]
    assert [len(vector) for vector in vectors] == [576, 576]
    assert vectors[0] != vectors[1]


def test_a_model_that_is_not_in_the_bucket_never_gets_ready(product: Product) -> None:
    pytest.importorskip("xllamacpp")
    found = ModelRecord("gone:1b", "ollama", ModelStatus.READY, prefix=PREFIX)
    made = serving.defaults(found, project=PROJECT, region=REGION, bucket=BUCKET)
    with pytest.raises(DeploymentError):
        deploy(product, made)
    written = logs.entries(product.clients, PROJECT, logs.service_filter(REGION, made.name))
    assert "The model gone:1b was not loaded." in [entry.text for entry in written]


@pytest.mark.skipif(bool(Machine.here().find("vllm")), reason="there is a vLLM on this machine")
def test_without_vllm_the_reason_says_what_to_do(product: Product) -> None:
    found = ModelRecord("org/name", "huggingface", ModelStatus.READY, prefix="huggingface/x")
    made = serving.defaults(found, project=PROJECT, region=REGION, bucket=BUCKET)
    with pytest.raises(DeploymentError) as caught:
        deploy(product, made)
    assert "There is no vLLM on this machine" in caught.value.cause
    listed = service_list.list_services(product.clients, PROJECT).services
    shown = next(each for each in listed if each.id == made.name)
    assert shown.state is ServiceState.ERROR
    assert "There is no vLLM on this machine" in shown.reason


def test_the_program_of_the_page_deploys(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the program only the address of the client is another here."""
    found = ModelRecord("org/name", "ollama", ModelStatus.READY, prefix=PREFIX)
    made = replace(
        serving.defaults(found, project=PROJECT, region=REGION, bucket=BUCKET, accelerator=""),
        name="by-python",
        image="local/python:3",
        command=("-c", ECHO_SERVER),
        args=("two\nlines", '{"n": "o"}'),
        port=8080,
        probe=StartupProbe("/", failures=60),
    )
    program = written(made, Language.PYTHON)
    line = "client = run_v2.ServicesClient()\n"
    assert line in program
    exec(program.replace(line, ""), {"client": product.clients.services})
    there = services.get(product.clients, f"{PARENT}/services/by-python")
    wanted = services.message(codec.document(made))
    # What the platform fills in.
    wanted.template.service_account = there.template.service_account
    there.template.containers[0].ports[0].name = ""
    assert there.template == wanted.template
    assert capsys.readouterr().out.strip() == there.uri
