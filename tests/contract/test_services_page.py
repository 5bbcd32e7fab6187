"""The page of one service: its log, its chat, what may not be seen, what somebody else deletes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llm_widgets.engines.base import Chat
from llm_widgets.errors import DeniedError, InvalidInputError, UnavailableError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.run import rollout, services, summaries
from llm_widgets.page.services.access_card import AccessCard
from llm_widgets.page.services.chat import ChatState
from llm_widgets.page.services.chat_panel import ChatPanel
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.serving.snippets import snippets
from local_cloud.testing.waiting import until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.logged import write
from tests.contract.product import PARENT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("page"), environment):
            deploy(product, "engine", service(ENGINE))
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.fixture
def summary(product: Product) -> ServiceSummary:
    return summaries.summary(services.get(product.clients, f"{PARENT}/services/engine"))


@pytest.fixture
def page(session: Session, summary: ServiceSummary) -> Iterator[ServicePageState]:
    made = ServicePageState(session, summary)
    yield made
    made.close()


def test_who_may_not_read_logs_or_revisions_sees_the_rest(
    product: Product, page: ServicePageState
) -> None:
    product.faults.update(denied_permissions=["logging.*", "run.revisions.list"])
    page.start()
    until(lambda: page.document)
    assert page.document["name"].endswith("/engine")
    assert page.conditions
    assert isinstance(page.log.error, DeniedError)
    assert isinstance(page.error, DeniedError)
    product.faults.reset()
    until(lambda: page.log.entries)
    assert page.log.error is None


def chat_with(session: Session, summary: ServiceSummary, model: str) -> ChatState:
    return ChatState(session, replace(summary, served_name=model))


def test_a_conversation_shows_what_the_model_thinks_and_keeps_what_it_says(
    session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, summary, "thinker")
    panel = ChatPanel(chat)
    chat.ask(HOSTILE)
    until(lambda: not chat.busy)
    assert [turn.text for turn in chat.turns] == [HOSTILE, f"{HOSTILE} é "]
    assert panel._stream.items[-1]["text"] == f"Thinking: Hm, so.\n\n{HOSTILE} é "
    assert chat.figures.startswith("First token after ")
    assert "7 tokens" in chat.figures
    assert "cold start" not in chat.figures


def test_a_cold_start_is_named_when_cloud_run_has_started_an_instance(
    product: Product, session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, summary, "slow")
    told: list[str] = []
    chat.observe(lambda change: told.append(change["new"]), "figures")
    chat.ask("hello")
    reason = "Starting new instance. Reason: AUTOSCALING - Instance started due to traffic"
    write(product, ("cold", datetime.now(UTC), {"textPayload": reason}))
    until(lambda: not chat.busy)
    assert any("If no instance was awake, this is a cold start" in text for text in told)
    assert "with a cold start" in chat.figures


def test_a_url_that_never_answers_can_be_stopped(session: Session, summary: ServiceSummary) -> None:
    chat = chat_with(session, summary, "silent")
    chat.ask("hello")
    until(lambda: "Waiting for the first token, " in chat.figures)
    chat.stop()
    until(lambda: not chat.busy)
    assert (chat.figures, chat.error) == ("Stopped", None)
    chat.ask("again")
    chat.stop()
    until(lambda: not chat.busy)


def test_a_question_without_an_answer_does_not_spoil_the_next_one(
    session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, summary, "missing")
    chat.ask("lost")
    until(lambda: not chat.busy)
    assert chat.error
    chat.follow(replace(summary, served_name="gemma"))
    for question in ("first", "second"):
        chat.ask(question)
        until(lambda: not chat.busy)
        assert chat.error is None
    assert [turn.text for turn in chat.turns] == [
        "lost",
        "first",
        "first é ",
        "second",
        "second é ",
    ]


def test_everybody_is_let_in_only_when_that_is_confirmed(
    session: Session, page: ServicePageState
) -> None:
    card = AccessCard(page)
    opening = card.dialogs[1]
    for member in (
        "ann@example.org",
        "group:team@example.org",
        "manager@local-project.iam.gserviceaccount.com",
        "principalSet://iam.googleapis.com/locations/global/workforcePools/p/group/g",
    ):
        assert not page.add_invoker(member)
    until(lambda: len(page.invokers) == 4 or page.access_error)
    assert page.access_error is None
    assert {each.member.partition(":")[0] for each in page.invokers} >= {
        *("user", "group", "serviceAccount", "principalSet")
    }
    page.add_invoker("nonsense")
    assert isinstance(page.access_error, InvalidInputError)
    card._who.value = "allUsers"
    card._add()
    assert opening.is_open
    assert "allUsers" in opening.title
    until(lambda: not session.background.under_way)
    page.load_invokers()
    assert "allUsers" not in {each.member for each in page.invokers}
    opening._handle_custom_msg({"type": "submit", "values": {"confirm_name": "allUsers"}}, [])
    until(lambda: "allUsers" in {each.member for each in page.invokers})
    assert card._public.text.startswith("Everybody may call")
    page.remove_invoker(next(each for each in page.invokers if each.member == "allUsers"))
    until(lambda: "allUsers" not in {each.member for each in page.invokers})


@pytest.mark.parametrize("language", ["curl", "Python", "OpenAI SDK", "This product"])
def test_snippets_are_run_as_they_are(
    product: Product, summary: ServiceSummary, tmp_path: Path, language: str
) -> None:
    text = snippets(summary.url, "good", summary.name, Chat())[language]
    environment = {**os.environ, **product.environment}
    if language == "curl":
        gcloud = tmp_path / "gcloud"
        token = id_tokens.of(product.clients).token(summary.url)
        gcloud.write_text(f"#!/bin/sh\necho {token}\n")
        gcloud.chmod(0o755)
        environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    command = ["bash", "-c", text] if language == "curl" else [sys.executable, "-c", text]
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    assert "Hello!" in ran.stdout


def test_a_service_that_somebody_else_deletes(product: Product, session: Session) -> None:
    deploy(product, "theirs", service(ENGINE))
    name = f"{PARENT}/services/theirs"
    found = summaries.summary(services.get(product.clients, name))
    page, gone = ServicePageState(session, found), []
    page.on_gone(lambda: gone.append(True))
    page.start()
    until(lambda: page.document)
    chat = ChatState(session, found)
    list(rollout.follow(product.clients, services.delete(product.clients, name), period=0.1))
    chat.ask("hello")
    until(lambda: not chat.busy)
    assert isinstance(chat.error, UnavailableError)
    until(lambda: gone)
    assert page.error is None
