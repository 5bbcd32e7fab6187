"""What the page shows of services by their tasks, and an engine that transcribes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.domain.loading import Task
from llm_widgets.domain.services import TASK_ANNOTATION
from llm_widgets.errors import InvalidInputError, ManagerError, NotFoundError
from llm_widgets.gcp.run import services, summaries
from llm_widgets.manager import Manager, asking
from llm_widgets.page.services.chat import Chats
from llm_widgets.page.services.comparison import ComparisonState
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.task_panel import (
    ClassifyingPanel,
    EmbeddingPanel,
    RankingPanel,
    TranscribingPanel,
)
from llm_widgets.page.services.try_panel import TryPanel
from local_cloud.testing.waiting import until
from tests.contract.engine import deploy, service
from tests.contract.product import PARENT, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session

# It answers each task in the engines' own words; the name of the model decides whether rightly.
ENGINE = r"""
import email, json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
REFUSALS = {
    "token-labels": (404, {"detail": "Not Found"}),
    "a-chat": (400, {"error": {"message": "The model does not support Classification API",
                               "type": "BadRequestError", "param": None, "code": 400}}),
}
class Handler(BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())
    def do_GET(self):
        self.answer({})
    def classify(self, body):
        # As vLLM's page on its server shows an answer; its refusals of another model.
        if body["model"] in REFUSALS:
            code, said = REFUSALS[body["model"]]
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            return self.wfile.write(json.dumps(said).encode())
        probs = [[0.565970778465271, 0.4340292513370514], [0.26448777318000793, 0.7355121970176697]]
        labels = [None, None] if body["model"] == "nameless" else ["Default", "Spoiled"]
        data = [
            {"index": i, "label": labels[i % 2], "probs": probs[i % 2], "num_classes": 2}
            for i in range(len(body["input"]))
        ]
        data = data[:1] if body["model"] == "lying" else data
        usage = {"prompt_tokens": 20, "total_tokens": 20, "completion_tokens": 0}
        self.answer({"id": "classify-7c87", "object": "list", "created": 1745383065,
                     "model": body["model"], "data": data, "usage": usage})
    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/transcriptions"):
            kind = self.headers["Content-Type"].encode()
            form = email.message_from_bytes(b"Content-Type: " + kind + b"\r\n\r\n" + raw)
            parts = {p.get_param("name", header="content-disposition"): p for p in form.walk()}
            sound = parts["file"]
            model = parts["model"].get_payload(decode=True).decode()
            size = len(sound.get_payload(decode=True))
            return self.answer({"text": f"{model} hears {size} bytes of {sound.get_filename()}"})
        body = json.loads(raw)
        if self.path == "/classify":
            return self.classify(body)
        if "messages" in body:
            said = body["messages"][-1]["content"]
            kinds = said if isinstance(said, str) else " and ".join(part["type"] for part in said)
            event = {"choices": [{"delta": {"content": kinds}, "finish_reason": "stop"}]}
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            return self.wfile.write(f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode())
        if body["model"] == "lying":
            return self.answer({"data": [{"embedding": [1.0]}], "results": [], "text": 5})
        if "input" in body:
            texts = enumerate(body["input"])
            vectors = [{"index": i, "embedding": [len(text), 1.0]} for i, text in texts]
            return self.answer({"data": vectors[::-1]})
        scores = [{"index": i, "relevance_score": float(i)} for i in range(len(body["documents"]))]
        self.answer({"results": scores})
    def log_message(self, *args):
        pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
NAME = f"{PARENT}/services/tasks"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("tasks"), environment):
            made = service(ENGINE)
            made.annotations[TASK_ANNOTATION] = Task.TRANSCRIBE.value
            deploy(started, "tasks", made)
            settings.cache_clear()
            yield started
    settings.cache_clear()


@pytest.fixture
def summary(product: Product) -> ServiceSummary:
    return summaries.summary(services.get(product.clients, NAME))


def opened(session: Session, summary: ServiceSummary) -> tuple[ServicePageState, TryPanel]:
    state = ServicePageState(session, summary)
    services, chats = ServicesState(session), Chats(session)
    edit = ServiceEditState(session, services)
    comparison = ComparisonState(session, services, chats)
    return state, TryPanel(state, chats.begin(summary, state.log), edit, comparison)


def test_a_recording_is_sent_whole(
    product: Product, summary: ServiceSummary, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert summary.task is Task.TRANSCRIBE
    file = tmp_path / "speech.wav"
    file.write_bytes(b"RIFF" + bytes(100_000))
    manager = Manager(PROJECT, product.settings)
    assert manager.transcribe(summary, file).text == "org/model hears 100004 bytes of speech.wav"
    assert main(["transcribe", NAME, str(file), f"--project={PROJECT}"]) == 0
    assert "hears 100004 bytes" in capsys.readouterr().out
    with pytest.raises(InvalidInputError, match="at most 25 MiB"):
        asking.transcribe(product.clients, summary, asking.Recording("a.wav", b""))


def test_what_is_no_answer_is_told(product: Product, summary: ServiceSummary) -> None:
    manager = Manager(PROJECT, product.settings)
    lying = replace(summary, served_name="lying")
    with pytest.raises(ManagerError, match="not an answer") as told:
        manager.embed(lying, ["a", "b"])
    assert "2 texts were sent, and 1 vectors came back" in told.value.cause
    with pytest.raises(ManagerError, match="not an answer"):
        manager.rank(lying, "a", ["b"])
    with pytest.raises(InvalidInputError, match="at least one text"):
        manager.embed(summary, [])


def test_texts_are_labelled(
    product: Product, summary: ServiceSummary, capsys: pytest.CaptureFixture[str]
) -> None:
    manager = Manager(PROJECT, product.settings)
    first, second, third = manager.classify(summary, ["one", "two", "three"])
    assert (first.text, first.best.name, round(first.best.score, 3)) == ("one", "Default", 0.566)
    assert [each.name for each in second.scores] == ["Spoiled", "label 0"]
    assert third.best.name == "Default"
    nameless = manager.classify(replace(summary, served_name="nameless"), ["one", "two"])
    assert [each.best.name for each in nameless] == ["label 0", "label 1"]
    assert main(["classify", NAME, "one", f"--project={PROJECT}", "--format=json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["scores"] == {"Default": 0.565970778465271, "label 1": 0.4340292513370514}


def test_why_a_service_does_not_label_is_told(product: Product, summary: ServiceSummary) -> None:
    manager = Manager(PROJECT, product.settings)
    labels = replace(summary, task=Task.CLASSIFY)
    with pytest.raises(NotFoundError, match="no endpoint that classifies") as told:
        manager.classify(replace(labels, served_name="token-labels"), ["one"])
    assert "/pooling" in told.value.cause
    with pytest.raises(InvalidInputError, match="can't classify texts") as other:
        manager.classify(replace(summary, served_name="a-chat"), ["one"])
    assert "does not support Classification API" in other.value.cause
    for engine, label in (("ollama", "Ollama"), ("llama-cpp", "llama.cpp")):
        with pytest.raises(InvalidInputError, match=f"{label} can't classify texts"):
            manager.classify(replace(labels, framework=engine), ["one"])
    with pytest.raises(ManagerError, match="not an answer") as lied:
        manager.classify(replace(labels, served_name="lying"), ["one", "two"])
    assert "2 texts were sent, and 1 labels came back" in lied.value.cause
    with pytest.raises(InvalidInputError, match="at least one text"):
        manager.classify(labels, [])


def test_each_task_has_its_form(session: Session, summary: ServiceSummary) -> None:
    state, panel = opened(session, replace(summary, task=Task.EMBED))
    assert panel._other
    vectors = panel._other[1]
    assert isinstance(vectors, EmbeddingPanel)
    vectors._form._handle_custom_msg(
        {"type": "submit", "values": {"first": "abc", "second": "abcdef"}}, []
    )
    until(lambda: state.trying.answer)
    told = {each["label"]: each["value"] for each in vectors._facts.items}
    assert (told["Dimension"], told["First vector begins"]) == ("2", "3.0000, 1.0000")
    assert told["Cosine similarity"] == "0.9878"
    assert not vectors._form.busy

    state.task = Task.RERANK
    ranks = panel._other[1]
    assert isinstance(ranks, RankingPanel)
    values = {"query": "a", "passages": ["first", " ", "last"]}
    ranks._form._handle_custom_msg({"type": "submit", "values": values}, [])
    until(lambda: ranks._table.rows)
    assert [(row["place"], row["passage"]) for row in ranks._table.rows] == [
        (1, "last"),
        (2, "first"),
    ]

    state.task = Task.CLASSIFY
    labels = panel._other[1]
    assert isinstance(labels, ClassifyingPanel)
    values = {"texts": ["first", " ", "last"]}
    labels._form._handle_custom_msg({"type": "submit", "values": values}, [])
    until(lambda: labels._table.rows)
    assert [(row["text"], row["label"], row["score"]) for row in labels._table.rows] == [
        ("first", "Default", "0.5660"),
        ("first", "label 1", "0.4340"),
        ("last", "Spoiled", "0.7355"),
        ("last", "label 0", "0.2645"),
    ]

    state.task = Task.TRANSCRIBE
    hears = panel._other[1]
    assert isinstance(hears, TranscribingPanel)
    assert hears._send.disabled
    piece = {"name": "a.wav", "kind": "audio/wav", "index": 0, "count": 1, "data": "YWJj"}
    hears._picker._handle_custom_msg({"type": "part", **piece}, [])
    hears._send.click()
    until(lambda: hears._text.text)
    assert hears._text.text == "org/model hears 3 bytes of a.wav"
    panel.close()


def test_a_chat_is_shown_where_nothing_tells_the_task(
    session: Session, summary: ServiceSummary
) -> None:
    state, panel = opened(session, replace(summary, task=None))
    assert panel._chat
    assert panel._chat._picture not in panel._chat.box.children
    state.task = Task.VISION
    assert panel._chat._picture in panel._chat.box.children
    panel.close()


def test_there_is_no_form_for_what_the_engine_has_no_endpoint_for(
    session: Session, summary: ServiceSummary
) -> None:
    _, panel = opened(session, replace(summary, framework="llama-cpp", task=Task.CLASSIFY))
    (sentence,) = panel.box.children
    assert "no form for classification" in sentence.value
    panel.close()
