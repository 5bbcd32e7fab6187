"""The self-test of services: real small models, and an engine that leaves calls in the text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.diagnosis import changed
from llm_widgets.domain.loading import Task
from llm_widgets.domain.self_tests import Outcome
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import Manager
from llm_widgets.page.services.self_test import SelfTestState
from llm_widgets.page.services.self_test_card import SelfTestCard
from local_cloud.testing.ollama_store import as_embedding_model, smollm2
from local_cloud.testing.waiting import LONG, until
from tests.contract.product import PROJECT, REGION, Product, running
from tests.contract.test_llama_cpp import BUCKET, deploy, manifest, offered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.session import Session

# What it answers is what the model wrote, as an engine without the right parsers leaves it; with
# them it takes calls and thoughts out of the text.
UNPARSED = r"""
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
parser = next((w.split("=")[1] for w in sys.argv if w.startswith("--tool-call-parser")), "")
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}
class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def do_GET(self):
        self.answer(200, {})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = {"role": "assistant", "content": "<think>Hm.</think>42"}
        if "hermes" == parser:
            said = {"role": "assistant", "content": "42", "reasoning": "Hm."}
        if body.get("tools") and not parser:
            told = '"auto" tool choice requires --enable-auto-tool-choice'
            return self.answer(400, {"error": {"message": told}})
        if body.get("tools") and parser == "hermes":
            call = {**CALL, "arguments": json.dumps(CALL["arguments"])}
            said = {"role": "assistant", "content": None, "tool_calls": [{"function": call}]}
        elif body.get("tools"):
            said["content"] = "<tool_call>" + json.dumps(CALL) + "</tool_call>"
        if isinstance(body["messages"][0]["content"], list):
            said["content"] = "Red."
        self.answer(200, {"choices": [{"message": said}]})
    def log_message(self, *args):
        pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
QWEN = "Qwen/Qwen3-8B"
FAMILY = ("--enable-auto-tool-choice", "--tool-call-parser=hermes", "--reasoning-parser=qwen3")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("self"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            settings.cache_clear()
            yield started
    settings.cache_clear()


@pytest.fixture(scope="module")
def plain(product: Product) -> Deployment:
    """A service of a family whose parsers the table knows."""
    made = offered(manifest(product, "parsed", smollm2(), Task.VISION))
    return replace(
        made,
        framework="vllm",
        image="local/python:3",
        command=("-c", UNPARSED),
        port=8000,
        model_id=QWEN,
        environment={},
    )


def found(product: Product, deployment: Deployment) -> dict[str, Outcome]:
    manager = Manager(PROJECT, product.settings)
    tests = manager.self_test(deploy(product, deployment))
    return {each.title: each.outcome for each in tests}


def test_a_real_model_that_is_too_small_for_tools_is_told(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    service = deploy(product, offered(manifest(product, "small", smollm2())))
    assert main(["self-test", service.name, f"--project={PROJECT}", "--format=json"]) == 0
    told = {each["test"]: each for each in json.loads(capsys.readouterr().out)}
    assert told["Answer"]["outcome"] in {Outcome.PASSED, Outcome.WEAK}  # it is bad at sums
    assert told["Reasoning"]["outcome"] == Outcome.SKIPPED
    assert told["Tool call"]["outcome"] == Outcome.WEAK
    assert "too small for tools" in told["Tool call"]["advice"]


def test_real_vectors_and_rankings_are_tested(product: Product, tmp_path: Path) -> None:
    weights = tmp_path / "embedding.gguf"
    weights.write_bytes(as_embedding_model(smollm2().read_bytes()))
    vectors = found(product, offered(manifest(product, "vectors", weights, Task.EMBED)))
    assert list(vectors) == ["Embeddings"]
    assert vectors["Embeddings"] in {Outcome.PASSED, Outcome.WEAK}
    scores = found(product, offered(manifest(product, "scores", smollm2(), Task.RERANK)))
    assert list(scores) == ["Ranking"]
    assert scores["Ranking"] in {Outcome.PASSED, Outcome.WEAK}  # it was never trained to rank


def test_ollama_s_api_is_tested_by_its_own_endpoints(product: Product, tmp_path: Path) -> None:
    chats = found(product, offered(manifest(product, "smollm2", smollm2()), "ollama"))
    assert chats["Answer"] in {Outcome.PASSED, Outcome.WEAK}
    assert chats["Tool call"] is Outcome.WEAK
    weights = tmp_path / "embedding.gguf"
    weights.write_bytes(as_embedding_model(smollm2().read_bytes()))
    kept = manifest(product, "ollamas-vectors", weights, Task.EMBED)
    service = deploy(product, offered(kept, "ollama"))
    one, two = Manager(PROJECT, product.settings).embed(service, ["A cat.", "A dog."])
    assert one.dimension == two.dimension == 576


def test_what_stays_in_the_text_is_answered_with_the_family_s_parsers(
    product: Product, session: Session, plain: Deployment
) -> None:
    state = SelfTestState(session, deploy(product, plain))
    chosen = []
    card = SelfTestCard(state, lambda remedy, _: chosen.append(remedy))
    state.run()
    until(lambda: not state.running, LONG)
    assert state.error is None
    tests = {each.title: each for each in state.tests}
    assert tests["Answer"].outcome is Outcome.PASSED
    assert tests["Picture"].outcome is Outcome.PASSED
    for title in ("Reasoning", "Tool call"):
        assert tests[title].outcome is Outcome.FAILED
        assert tests[title].remedy
    row = next(each for each in card._rows.rows if each["id"] == "Tool call")
    assert row["action_label"] == "Redeploy with this fix"
    assert "--tool-call-parser=hermes" in row["advice"]
    card._rows._handle_custom_msg({"type": "action", "row": "Tool call"}, [])
    (remedy,) = chosen
    better = changed(plain, remedy)
    assert better.args == FAMILY
    # The wrong parser is no error of the engine: the call stays in the text.
    wrong = replace(plain, name="wrong", args=(*FAMILY[:1], "--tool-call-parser=mistral"))
    assert found(product, wrong)["Tool call"] is Outcome.FAILED
    assert found(product, replace(better, name="better")) == {
        "Answer": Outcome.PASSED,
        "Reasoning": Outcome.PASSED,
        "Tool call": Outcome.PASSED,
        "Picture": Outcome.PASSED,
    }
