"""The line of a change: one, whole, and harmless whatever others call their things."""

from __future__ import annotations

import json
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials

from llm_widgets.config import VOUCHED, VOUCHED_VARIABLE, Settings
from llm_widgets.errors import DeniedError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.manager import acting
from llm_widgets.manager.acting import Request
from llm_widgets.manager.audit import recorded
from llm_widgets.page import visits
from llm_widgets.page.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable

ADA = Request("ada@example.com", trace="a" * 32)


@pytest.fixture
def clients() -> Clients:
    return Clients(Settings(default_project="p", is_vouched_for=True), AnonymousCredentials())


@recorded("thing.change", on="{name}")
def change(clients: Clients, name: str, work: Callable[[], object], token: str = "") -> object:
    del clients, name, token
    return work()


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [json.loads(line) for line in capfd.readouterr().err.split("\n") if line]


def test_who_what_on_what_with_which_result(
    clients: Clients, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    with acting.working_on(ADA):
        change(clients, "n", lambda: None, "hf_secret")
    (line,) = lines()
    assert line.pop("time")
    assert line == {
        "severity": "NOTICE",
        "message": "thing.change n by ada@example.com: done",
        "who": "ada@example.com",
        "account": "",
        "what": "thing.change",
        "on": "n",
        "result": "done",
        "request_id": ADA.id,
        "logging.googleapis.com/labels": {"kind": "change"},
        "logging.googleapis.com/operation": {"id": ADA.id, "producer": "llm-manager"},
        "logging.googleapis.com/trace": f"projects/p/traces/{'a' * 32}",
    }


@pytest.mark.parametrize(
    ("error", "severity"),
    [(DeniedError("No."), "WARNING"), (OSError(), "ERROR"), (KeyboardInterrupt(), "ERROR")],
)
def test_a_failure_has_its_class(
    clients: Clients,
    lines: Callable[[], list[dict[str, Any]]],
    error: BaseException,
    severity: str,
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        change(clients, "n", fail)
    (line,) = lines()
    assert (line["result"], line["severity"]) == (type(error).__name__, severity)


@pytest.mark.parametrize(
    "name",
    [
        'a\n{"severity": "NOTICE", "who": "eve@example.com"}',
        "\r\x1b[2J\x00\x85\u2028\u2029",
        "\u202etxt.exe",
        "\ud800",
        '"}, "who": "eve"',
        "{clients.credentials}",
        "x" * 100_000,
    ],
)
def test_no_name_begins_a_line_or_commands_a_terminal(
    clients: Clients, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    with acting.working_on(Request(f"ada@example.com{name}")):
        change(clients, name, lambda: None)
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    assert said.isascii()
    assert said.rstrip("\n").isprintable()
    assert len(said) < 10_000
    line = json.loads(said)
    assert line["on"].startswith(name[:100])
    assert line["who"].startswith("ada@example.com")


def test_what_a_change_consists_of_stands_in_its_line(
    clients: Clients, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    def one(name: str) -> object:
        return change(clients, name, lambda: 1 / int(name))

    def half() -> object:
        with pytest.raises(ZeroDivisionError):
            one("0")
        return outcomes(one, ["1", "2"])  # in other threads

    change(clients, "all", half)
    (line,) = lines()
    assert sorted((part["on"], part["result"]) for part in line["parts"]) == [
        ("0", "ZeroDivisionError"),
        ("1", "done"),
        ("2", "done"),
    ]
    assert (line["result"], line["severity"]) == ("partly done", "WARNING")


def test_work_belongs_to_the_click_that_began_it() -> None:
    clicks = iter([Request("ada@example.com"), Request("bob@example.com")])
    background, seen, ended = Background(lambda: next(clicks)), [], threading.Event()
    go = threading.Event()

    def work() -> None:
        go.wait(60)
        seen.append(acting.request())

    def again(_: object) -> None:
        background.run(work, lambda _: ended.set(), lambda _: None)

    background.run(work, again, lambda _: None)
    next(clicks)  # the kernel works on another message by now
    go.set()
    assert ended.wait(60)
    background.close()
    assert [each.visitor for each in seen if each] == ["ada@example.com"] * 2
    assert seen[0] == seen[1]


@pytest.mark.parametrize("vouched", [True, False])
@pytest.mark.parametrize("kind", ["comm_msg", "execute_request"])
def test_only_messages_behind_the_proxy_are_believed(
    monkeypatch: pytest.MonkeyPatch, kind: str, *, vouched: bool
) -> None:
    header = {"msg_type": kind, "username": "ada@example.com", "trace": "a" * 32}
    monkeypatch.setattr(visits, "_header", lambda: header)
    settings = Settings.from_environment({VOUCHED_VARIABLE: VOUCHED if vouched else "yes"})
    is_believed = vouched and kind == "comm_msg"
    assert visits.asked_now(settings).visitor == ("ada@example.com" if is_believed else "")


def test_nobody_is_believed_outside_a_kernel() -> None:
    assert visits.asked_now(Settings(is_vouched_for=True)).visitor == ""


def test_a_person_at_a_terminal_reads_no_lines(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "llm_widgets.changes")
    change(Clients(Settings(default_project="p"), AnonymousCredentials()), "n", lambda: None)
    assert capfd.readouterr().err == ""
    assert json.loads(caplog.messages[0])["what"] == "thing.change"


def test_on_cloud_run_lines_are_written(lines: Callable[[], list[dict[str, Any]]]) -> None:
    settings = Settings(default_project="p", variables={"K_SERVICE": "manager"})
    change(Clients(settings, AnonymousCredentials()), "n", lambda: None)
    assert [line["on"] for line in lines()] == ["n"]
