"""Several services that are asked the same: small real models, and one that fails."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.domain.loading import Task
from llm_widgets.errors import InvalidInputError
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import Manager
from llm_widgets.page.services.chat import Chats, ChatSettings
from llm_widgets.page.services.compare_panel import ComparePanel
from llm_widgets.page.services.comparison import ComparisonState
from llm_widgets.page.services.services import ServicesState
from local_cloud.testing.ollama_store import smollm2
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running
from tests.contract.test_llama_cpp import BUCKET, deploy, manifest, offered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session

QUESTION = "Say hello."
FAILING = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b"the model fell over")
    def log_message(self, *args):
        pass
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("compare"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            settings.cache_clear()
            yield started
    settings.cache_clear()


@pytest.fixture(scope="module")
def chatting(product: Product) -> list[ServiceSummary]:
    """Two services of the same model."""
    made = offered(manifest(product, "small", smollm2()))
    return [deploy(product, replace(made, name=name)) for name in ("one", "another")]


@pytest.fixture(scope="module")
def failing(product: Product, chatting: list[ServiceSummary]) -> ServiceSummary:
    assert chatting
    made = offered(manifest(product, "broken", smollm2()))
    command = ("-c", FAILING)
    return deploy(
        product, replace(made, name="failing", image="local/python:3", command=command, args=())
    )


def test_answers_come_with_speed_and_price_and_one_failure_spoils_no_other(
    product: Product, chatting: list[ServiceSummary], failing: ServiceSummary
) -> None:
    pieces: dict[str, list[str]] = defaultdict(list)
    one, another, failed = Manager(PROJECT, product.settings).compare(
        [*chatting, failing.id],
        QUESTION,
        come=lambda service, piece: pieces[service.id].append(piece),
        max_tokens=8,
        temperature=0,
    )
    assert [each.service.id for each in (one, another, failed)] == ["one", "another", "failing"]
    assert one.text == another.text == "".join(pieces["one"]) == "".join(pieces["another"])
    assert one.tokens == 8
    assert one.is_cut
    assert one.first_token
    assert one.seconds
    assert one.first_token < one.seconds
    assert one.hour
    assert one.per_million
    assert one.per_million.amount > 0
    assert failed.error
    assert "the model fell over" in failed.error.cause
    assert (failed.text, failed.seconds, failed.per_million) == ("", None, None)


def test_the_command_line_tells_all_and_that_one_failed(
    chatting: list[ServiceSummary], failing: ServiceSummary, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", *(each.id for each in chatting), f"--project={PROJECT}"]
    asked = ["--prompt", QUESTION, "--max-tokens=5", "--temperature=0"]
    assert main([*words, *asked, "--format=json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["service"] for each in told] == ["one", "another"]
    assert all(each["answer"] and each["tokens"] == 5 and each["per_million"] for each in told)
    assert main([*words, failing.id, *asked]) == 1
    printed = capsys.readouterr().out
    assert "one:\n" in printed
    assert failing.id in printed


def test_what_can_not_be_compared_is_refused_before_anything_is_asked(
    product: Product, chatting: list[ServiceSummary]
) -> None:
    manager = Manager(PROJECT, product.settings)
    one, another = chatting
    wrong: list[list[ServiceSummary | str]] = [[one], [one, one.name], [one] * 5]
    for services in wrong:
        with pytest.raises(InvalidInputError, match="2 to 4 different services"):
            manager.compare(services, QUESTION)
    with pytest.raises(InvalidInputError, match="for embeddings, not for chat"):
        manager.compare([one, replace(another, task=Task.EMBED)], QUESTION)


def test_on_the_page_each_answer_stands_with_its_service(
    session: Session, chatting: list[ServiceSummary]
) -> None:
    services, chats = ServicesState(session), Chats(session)
    services.refresh()
    until(lambda: services.loaded)
    state = ComparisonState(session, services, chats)
    one, another = chatting
    assert [each.id for each in state.others(one)][:1] == ["another"]
    panel = ComparePanel(state)
    state.begin([one, another])
    state.ask(QUESTION, ChatSettings(temperature=0, max_tokens=8))
    until(lambda: not state.busy)
    said = [chat.turns[-1] for chat in state.chats]
    assert said[0].text == said[1].text
    assert all("8 tokens out" in turn.note and "per 1M tokens" in turn.note for turn in said)
    assert len(panel._columns.children) == 2
    state.end()
    assert (state.chats, panel._columns.children) == ((), ())
    panel.close()
