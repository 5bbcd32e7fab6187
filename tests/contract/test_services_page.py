"""The page of one service: its log, its chat, what may not be seen, what somebody else deletes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llm_widgets.engines.base import Api
from llm_widgets.errors import DeniedError, InvalidInputError, UnavailableError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.run import rollout, services, summaries
from llm_widgets.page.services.access_card import AccessCard
from llm_widgets.page.services.chat import Chats, ChatSettings, ChatState, Turn
from llm_widgets.page.services.chat_panel import ChatPanel
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_logs import LogTail
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
    return Chats(session).begin(replace(summary, served_name=model), LogTail(session, summary.name))


def test_a_conversation_shows_what_the_model_thinks_and_keeps_what_it_says(
    session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, summary, "thinker")
    panel = ChatPanel(chat)
    chat.ask(HOSTILE)
    until(lambda: not chat.busy)
    asked, answer = chat.turns
    assert (asked.text, answer.text, answer.thought) == (HOSTILE, f"{HOSTILE} é ", "Hm, so.")
    assert answer.note.startswith("First token after ")
    assert "3 tokens in, 7 tokens out" in answer.note
    assert "cold start" not in answer.note
    assert panel._conversation._transcript.turns == [asdict(turn) for turn in chat.turns]


def test_calls_of_tools_a_picture_and_the_switch_of_reasoning(
    session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, replace(summary, model_id="Qwen/Qwen3-8B"), "caller")
    panel = ChatPanel(chat, sees=True)
    assert panel._composer.thinking
    tools = '[{"type": "function", "function": {"name": "look"}}]'
    panel._composer.set_state(
        {
            "settings": {
                "system": "",
                "temperature": None,
                "max_tokens": None,
                "thinking": "off",
                "tools": tools,
            }
        }
    )
    piece = {"name": "a.png", "kind": "image/png", "index": 0, "count": 1, "data": "YWJj"}
    panel._picture._handle_custom_msg({"type": "part", **piece}, [])
    panel._composer._handle_custom_msg({"type": "ask", "text": "What is it?"}, [])
    until(lambda: not chat.busy)
    assert chat.error is None
    asked, answer = chat.turns
    assert asked.image == "data:image/png;base64,YWJj"
    assert panel._picture.file is None
    # The engine says again what came: the reasoning is off, the picture is a part.
    assert answer.calls == (
        'look({"enable_thinking": false, "parts": ["text", "image_url"], "tools": 1})'
    )
    assert panel._conversation._transcript.turns[-1]["calls"] == answer.calls
    assert not ChatPanel(chat_with(session, summary, "good"))._composer.thinking


def test_a_cold_start_is_named_when_cloud_run_has_started_an_instance(
    product: Product, session: Session, summary: ServiceSummary, tmp_path: Path
) -> None:
    log = LogTail(session, summary.name)
    chat = Chats(session).begin(replace(summary, served_name="gated"), log)
    gate = tmp_path / "gate"
    chat.ask(str(gate))
    until(lambda: "if no instance was running, one is starting" in chat.waiting)
    reason = "Starting new instance. Reason: AUTOSCALING - Instance started due to traffic"
    write(product, ("cold", datetime.now(UTC), {"textPayload": reason}))
    log.look()
    until(lambda: chat.waiting.startswith("Starting an instance") and chat.waited >= 3)
    assert chat.error is None
    gate.touch()
    until(lambda: not chat.busy)
    assert "with a cold start" in chat.turns[-1].note
    assert (chat.waiting, chat.waited) == ("", 0)


def test_a_url_that_never_answers_can_be_stopped(session: Session, summary: ServiceSummary) -> None:
    chat = chat_with(session, summary, "silent")
    chat.ask("hello")
    until(lambda: chat.waited >= 1)
    assert chat.waiting.startswith("Waiting for the first token")
    chat.stop()
    until(lambda: not chat.busy)
    assert (chat.turns, chat.error) == ((Turn("user", "hello", note="Stopped"),), None)
    chat.ask("again")
    chat.stop()
    until(lambda: not chat.busy)


def test_an_answer_is_had_again_with_other_settings(
    session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, summary, "good")
    panel = ChatPanel(chat)
    for question in ("first", "second"):
        chat.ask(question)
        until(lambda: not chat.busy)
    before = chat.turns
    settings = {
        "system": "Be brief.",
        "temperature": None,
        "max_tokens": 9,
        "thinking": "",
        "tools": "",
    }
    panel._composer.set_state({"settings": settings})
    assert chat.settings == ChatSettings("Be brief.", None, 9)
    assert chat.settings.params == {"max_tokens": 9}
    chat.regenerate()
    assert chat.busy
    until(lambda: not chat.busy)
    assert [turn.text for turn in chat.turns] == [turn.text for turn in before]
    assert chat.turns[:3] == before[:3]
    assert ChatPanel(chat)._composer.settings == settings


def test_a_conversation_outlives_the_page_of_its_service(
    session: Session, summary: ServiceSummary, page: ServicePageState
) -> None:
    chats = Chats(session)
    endless = replace(summary, served_name="endless")
    chat = chats.of(endless, page.log)
    first = ChatPanel(chat)
    chat.ask("go")
    until(lambda: "on on" in first._conversation._transcript.turns[-1]["text"])
    first.close()
    left = first._conversation._transcript.turns
    assert chats.of(endless, LogTail(session, summary.name)) is chat
    again = ChatPanel(chat)
    assert again._conversation._transcript.turns[-1]["text"].startswith(left[-1]["text"])
    assert again._composer.busy
    begun = again._conversation._transcript.turns[-1]["text"]
    until(lambda: len(again._conversation._transcript.turns[-1]["text"]) > len(begun))
    chat.stop()
    until(lambda: not again._composer.busy)
    assert again._conversation._transcript.turns == [asdict(turn) for turn in chat.turns]
    assert chat.turns[-1].note == "Stopped"
    assert first._conversation._transcript.turns == left
    chats.forget(summary.name)
    assert chats.of(endless, page.log).turns == ()


def test_a_service_does_not_get_the_chat_of_one_that_had_its_name(
    session: Session, summary: ServiceSummary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llm_widgets.widgets.chat.is_own_page", lambda: True)
    assert summary.uid
    same, other = summary, replace(summary, uid="another")
    kept = {
        ChatPanel(
            Chats(session).begin(each, LogTail(session, each.name))
        )._conversation._transcript.kept_as
        for each in (summary, same, other)
    }
    assert len(kept) == 2


def test_a_conversation_of_the_page_before_goes_on(
    session: Session, summary: ServiceSummary
) -> None:
    before = (Turn("user", "hello"), Turn("assistant", "hel"))
    chat = chat_with(session, summary, "thinker")
    chat.take_up(before)
    assert chat.turns == (before[0], replace(before[1], note="Interrupted: the page was reloaded."))
    chat.take_up(())
    chat.take_up((Turn("user", "another"),))  # this page has one by now
    assert [turn.text for turn in chat.turns] == ["hello", "hel"]
    chat.regenerate()
    until(lambda: not chat.busy)
    assert [turn.text for turn in chat.turns] == ["hello", "hello é "]


def test_a_new_chat_ends_the_answer_of_the_old_one(
    session: Session, summary: ServiceSummary
) -> None:
    chat = chat_with(session, summary, "endless")
    panel = ChatPanel(chat)
    chat.ask("go")
    until(lambda: not chat.waiting)
    chat.clear()
    assert (chat.turns, chat.busy, panel._conversation._transcript.turns) == ((), False, [])
    chat.follow(replace(summary, served_name="good"))
    chat.ask("hello")
    until(lambda: not chat.busy)
    assert [turn["text"] for turn in panel._conversation._transcript.turns] == ["hello", "hello é "]


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
    card._who.value = "allAuthenticatedUsers"  # after the question: it was about somebody else
    opening._handle_custom_msg({"type": "submit", "values": {"confirm_name": "allUsers"}}, [])
    until(lambda: "allUsers" in {each.member for each in page.invokers})
    assert "allAuthenticatedUsers" not in {each.member for each in page.invokers}
    assert card._public.text.startswith("Public access is on")
    page.remove_invoker(next(each for each in page.invokers if each.member == "allUsers"))
    until(lambda: "allUsers" not in {each.member for each in page.invokers})


@pytest.mark.parametrize("language", ["curl", "Python", "OpenAI SDK", "llm_widgets"])
def test_snippets_are_run_as_they_are(
    product: Product, summary: ServiceSummary, tmp_path: Path, language: str
) -> None:
    text = snippets(summary.url, "good", summary.name, Api())[language]
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
    chat = Chats(session).begin(found, page.log)
    list(rollout.follow(product.clients, services.delete(product.clients, name), period=0.1))
    chat.ask("hello")
    until(lambda: not chat.busy)
    assert isinstance(chat.error, UnavailableError)
    until(lambda: gone)
    assert page.error is None
