"""Services that others deployed: found, asked, adopted and released, by every door."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from llm_widgets.cli.main import main
from llm_widgets.domain.adoption import ADOPTED_LABEL
from llm_widgets.domain.recognition import Confidence
from llm_widgets.domain.self_tests import Outcome
from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import DeniedError, InvalidInputError, ManagerError
from llm_widgets.gcp.run import service_json, service_keys, services
from llm_widgets.manager import Manager, asking, pausing, self_test
from llm_widgets.page.services.adopt_dialog import AdoptDialog
from llm_widgets.page.services.adoptions import Adoptions
from llm_widgets.page.services.chat import Chats
from llm_widgets.page.services.comparison import ComparisonState, can_chat
from llm_widgets.page.services.costs import CostsState
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.services_table import CHANGES, NOT_MANAGED, service_row
from llm_widgets.page.services.try_panel import TryPanel
from local_cloud.testing.waiting import until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import PARENT, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.page.session import Session

NAME = f"{PARENT}/services/theirs"
WHO = "manager_local-project_iam_gserviceaccount_com"
MODEL = "google/gemma-3-4b-it"


def made(*words: str, **labels: str) -> run_v2.Service:
    """What gcloud makes of ``run deploy``: labels of its own, and no word of this product."""
    found = service(ENGINE)
    found.labels, found.annotations, found.client = labels, {}, "gcloud"
    found.template.containers[0].args = list(words)
    return found


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("adopting"), environment):
            deploy(product, "theirs", made("vllm", "serve", MODEL, team="red"))
            deploy(product, "shop", made("serve"))
            deploy(product, "ours", service(ENGINE))
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    """The product, with nothing adopted."""
    yield started
    started.faults.reset()
    found = read(started)
    if ADOPTED_LABEL in found.get("labels", {}):
        Manager(PROJECT, started.settings).release(NAME)


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


def read(product: Product, name: str = NAME) -> dict[str, Any]:
    return service_json.read(product.clients, name)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main([*words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_others_are_listed_where_they_serve_a_model(manager: Manager) -> None:
    assert [each.id for each in manager.services()] == ["ours"]
    listed = {each.id: each for each in manager.services(others=True)}
    assert set(listed) == {"ours", "theirs"}
    theirs = listed["theirs"]
    assert (theirs.managed, theirs.framework, theirs.model_id) == (False, "vllm", MODEL)
    assert theirs.state is ServiceState.READY
    assert listed["ours"].managed


def test_one_of_others_is_asked_and_read_without_being_adopted(manager: Manager) -> None:
    assert manager.chat("theirs", "hello there") == "hello there é "
    assert manager.logs("theirs") is not None
    assert manager.diagnose("theirs") is None
    assert [each.percent for each in manager.revisions("theirs")] == [100]


def test_an_engine_that_is_asked_and_not_deployed_here_has_no_self_test(manager: Manager) -> None:
    found = replace(manager.service("theirs"), framework="sglang")
    (tested,) = self_test.run(manager.clients, found)
    assert tested.outcome is Outcome.SKIPPED
    assert tested.text == "There is no self-test for SGLang."


def test_one_of_others_is_not_changed(product: Product, manager: Manager) -> None:
    before = read(product)
    for change in (
        lambda: manager.pause("theirs"),
        lambda: manager.change("theirs", max_instances=2),
        lambda: manager.delete("theirs"),
        lambda: manager.set_traffic("theirs", {"latest": 100}),
        lambda: manager.let_in("theirs", "user:ann@example.org"),
    ):
        with pytest.raises(InvalidInputError, match="not managed here") as refused:
            change()
        assert refused.value.fix
        assert refused.value.fix.command == (
            "llm-widgets services adopt theirs --region europe-west1"
        )
    assert read(product) == before


def test_adopting_changes_labels_and_nothing_else(product: Product, manager: Manager) -> None:
    before = read(product)
    planned = manager.adopt("theirs", dry_run=True)
    assert read(product) == before
    changed = manager.adopt("theirs")
    assert [each.shown() for each in changed] == [each.shown() for each in planned]
    assert {each.label: each.after for each in changed} == {
        "llm-adopted-by": WHO,
        "llm-engine": "vllm",
        "managed-by": "llm-manager",
    }
    after = read(product)
    assert after["labels"] == {"team": "red", **{each.label: each.after for each in changed}}
    for field in ("template", "latestCreatedRevision", "traffic", "scaling", "uri"):
        assert after.get(field) == before.get(field)
    assert after.get("annotations", {}) == before.get("annotations", {})
    found = manager.service("theirs")
    assert (found.managed, found.adopted, found.model_id) == (True, True, MODEL)
    assert "theirs" in [each.id for each in manager.services()]


def test_releasing_leaves_what_was_there(product: Product, manager: Manager) -> None:
    before = read(product)
    manager.adopt("theirs")
    manager.pause("theirs")
    manager.resume("theirs")
    released = manager.release("theirs")
    assert {each.label: each.after for each in released}["managed-by"] is None
    after = read(product)
    assert after["labels"] == before["labels"]
    assert after["template"] == before["template"]
    assert after["latestCreatedRevision"] == before["latestCreatedRevision"]
    assert manager.service("theirs").managed is False


def test_an_adopted_service_is_changed_like_any_other(product: Product) -> None:
    manager = Manager(PROJECT, product.settings)
    deploy(product, "edited", made("vllm", "serve", MODEL))
    name = f"{PARENT}/services/edited"
    before = read(product, name)["template"]["containers"]
    manager.adopt("edited")
    changed = manager.change("edited", concurrency=3, progress=False)
    assert changed.adopted
    after = read(product, name)
    assert after["template"]["maxInstanceRequestConcurrency"] == 3
    assert after["template"]["containers"] == before
    manager.delete("edited")


def test_what_is_managed_or_not_adopted_is_refused(manager: Manager) -> None:
    with pytest.raises(InvalidInputError, match="ours is managed here already"):
        manager.adopt("ours")
    with pytest.raises(InvalidInputError, match="ours was not adopted"):
        manager.release("ours")
    with pytest.raises(InvalidInputError, match="theirs was not adopted"):
        manager.release("theirs")
    with pytest.raises(InvalidInputError, match="shop runs no known engine") as unknown:
        manager.adopt("shop")
    assert unknown.value.fix
    assert "vllm, ollama, llama-cpp, sglang" in unknown.value.fix.text
    with pytest.raises(InvalidInputError, match="There is no engine parrot"):
        manager.adopt("theirs", engine="parrot")


def test_a_person_may_name_the_engine_of_an_image_that_nobody_knows(
    product: Product, manager: Manager
) -> None:
    manager.adopt("shop", engine="vllm")
    assert manager.service("shop").framework == "vllm"
    manager.release("shop")
    assert read(product, f"{PARENT}/services/shop").get("labels", {}) == {}


def test_another_change_at_the_same_time_is_kept(
    product: Product, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = iter([True])
    first = service_json.patch

    def patch(clients: Any, document: dict[str, Any], paths: list[str]) -> None:
        if next(ahead, False):
            other = service_json.read(clients, NAME)
            first(clients, {**other, "labels": {**other["labels"], "cost": "1"}}, ["labels"])
        first(clients, document, paths)

    monkeypatch.setattr(service_json, "patch", patch)
    manager.adopt("theirs")
    assert read(product)["labels"]["cost"] == "1"
    manager.release("theirs")
    pausing.settle(product.clients, NAME)
    found = read(product)
    assert found["labels"] == {"team": "red", "cost": "1"}
    first(product.clients, {**found, "labels": {"team": "red"}}, ["labels"])


def test_who_may_not_change_it_is_told_the_permission(product: Product, manager: Manager) -> None:
    before = read(product)
    product.faults.update(denied_permissions=["run.services.update"])
    with pytest.raises(DeniedError, match=r"Can't change the service theirs") as refused:
        manager.adopt("theirs")
    assert "run.services.update" in str(refused.value)
    assert refused.value.fix
    assert refused.value.fix.command
    product.faults.reset()
    assert read(product) == before


def test_the_command_line(
    product: Product, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_WIDGETS_PROJECT", PROJECT)
    listed = told(capsys, "services", "list", "--all")
    rows = {each["name"]: each for each in listed}
    assert rows["theirs"]["managed"] == "no"
    assert rows["theirs"]["recognised"] == "certain"
    assert rows["theirs"]["why"].startswith("Its command runs “vllm serve”.")
    dry = told(capsys, "services", "adopt", "theirs", "--dry-run")
    assert "managed-by" not in read(product)["labels"]
    done = told(capsys, "services", "adopt", "theirs", "--quiet")
    assert done == dry
    assert told(capsys, "services", "describe", "theirs")["managed"] == "adopted"
    undone = told(capsys, "services", "release", "theirs")
    assert {each["label"]: each["before"] for each in undone} == {
        each["label"]: each["after"] for each in done
    }
    assert services.get(product.clients, NAME).labels == {"team": "red"}


def test_the_page_offers_no_change_of_one_of_others_and_makes_none(
    product: Product, session: Session
) -> None:
    state = ServicesState(session)
    edit = ServiceEditState(session, state)
    said: list[str] = []
    session.on_notice(lambda text, _: said.append(text))
    state.refresh()
    until(lambda: state.loaded)
    assert [each.id for each in state.services] == ["ours", "theirs"]
    ours, theirs = state.services
    row = service_row(theirs)
    assert set(CHANGES) <= set(row["hidden"])
    assert row["status"]["note"] == NOT_MANAGED
    assert not set(CHANGES) <= set(service_row(ours)["hidden"])
    costs = CostsState(session, state)
    costs.refresh()
    until(lambda: costs.costs)
    assert [each.name for each in costs.costs] == [ours.name]

    page = ServicePageState(session, theirs)
    assert page.add_invoker("allUsers") is False
    assert page.access_error
    assert "not managed here" in page.access_error.message
    edit.start(NAME)
    until(lambda: said)
    assert "not managed here" in said[-1]
    assert not edit.is_open
    state.delete(theirs)
    until(lambda: state.not_deleted)
    assert "not managed here" in state.not_deleted[NAME].message
    assert read(product)["labels"] == {"team": "red"}


def test_the_page_adopts_and_releases(product: Product, session: Session) -> None:
    state = ServicesState(session)
    adoptions = Adoptions(session, state)
    said: list[str] = []
    session.on_notice(lambda text, _: said.append(text))
    theirs = Manager(PROJECT, product.settings).service("theirs")
    ended: list[str] = []

    def failed(error: ManagerError) -> None:
        ended.append(str(error))

    adoptions.adopt(theirs, "", done=lambda: ended.append(""), failed=failed)
    until(lambda: ended)
    assert ended == [""]
    assert said[-1].endswith("Labels changed: llm-adopted-by, llm-engine, managed-by.")
    until(lambda: any(each.adopted for each in state.services))
    adopted = next(each for each in state.services if each.adopted)
    assert service_row(adopted)["hidden"][0] == "resume"
    assert not {"edit", "pause", "delete"} & set(service_row(adopted)["hidden"])
    adoptions.release(adopted, done=lambda: ended.append(""), failed=failed)
    until(lambda: len(ended) > 1)
    assert ended == ["", ""]
    assert read(product)["labels"] == {"team": "red"}


def test_the_dialog_says_what_changes_and_asks_for_the_engine_where_it_is_not_certain(
    product: Product, session: Session
) -> None:
    asked = AdoptDialog(Adoptions(session, ServicesState(session)))
    theirs = Manager(PROJECT, product.settings).service("theirs")
    assert theirs.recognition
    unsure = replace(theirs.recognition, confidence=Confidence.POSSIBLE)
    asked.ask(replace(theirs, recognition=unsure, origin="Terraform"))
    until(lambda: asked.dialog.is_open)
    assert [each["label"] for each in asked.dialog.changes] == ["llm-adopted-by", "managed-by"]
    assert "Terraform sets labels back" in asked.dialog.text
    (field,) = asked.dialog.fields
    assert (field["key"], field["value"]) == ("engine", "vllm")
    assert field["label"] == "Engine (llm-engine)"
    assert field["help"].startswith("Possible: Its command runs “vllm serve”.")
    asked.dialog._handle_custom_msg({"type": "submit", "values": {"engine": "sglang"}}, [])
    until(lambda: not asked.dialog.is_open)
    assert read(product)["labels"]["llm-engine"] == "sglang"


LOCKED = """        key = os.environ.get("API_KEY", "secret")
        if self.headers["Authorization"] != "Bearer " + key:
            return self.answer(403, "Permission denied. Invalid API Key.", "text/plain")
        body = json.loads(self.rfile"""
"""What stands before the engine in the images that AI Studio deploys."""


def locked(product: Product, name: str, **environment: str) -> None:
    found = made("ollama", "run", "gemma3:4b")
    found.template.containers[0].command = [
        "-c",
        ENGINE.replace("        body = json.loads(self.rfile", LOCKED),
    ]
    found.template.containers[0].env = [
        run_v2.EnvVar(name=name, value=value) for name, value in environment.items()
    ]
    deploy(product, name, found)


def test_a_service_that_asks_for_the_key_in_its_configuration_is_given_it(
    product: Product, manager: Manager
) -> None:
    locked(product, "locked", API_KEY="k-1")
    found = manager.service("locked")
    assert manager.chat(found, "hello there") == "hello there é "
    assert service_keys.configured(product.clients, found.name, found.url) == "k-1"
    assert service_keys.configured(product.clients, found.name, "https://elsewhere.example") == ""
    manager.adopt("locked")
    manager.delete("locked")


def test_a_key_that_nothing_tells_is_named_as_what_is_missing(
    product: Product, manager: Manager
) -> None:
    locked(product, "sealed")
    with pytest.raises(DeniedError, match="asks for an API key of its own") as refused:
        manager.chat("sealed", "hello there")
    assert "Invalid API Key" in str(refused.value)
    assert refused.value.fix
    assert not refused.value.fix.action
    manager.adopt("sealed")
    manager.delete("sealed")


@pytest.fixture(scope="module")
def nameless(started: Product) -> str:
    """A service whose description does not name its model; its engine does."""
    listed = json.dumps({"object": "list", "data": [{"id": "<b>"}, {"id": "gemma3:4b"}]})
    found = made("ollama", "serve")
    command = ENGINE.replace('"ok", "text/plain"', repr(listed))
    found.template.containers[0].command = ["-c", command]
    deploy(started, "nameless", found)
    return f"{PARENT}/services/nameless"


def test_a_model_that_nothing_names_is_asked_for(nameless: str, manager: Manager) -> None:
    assert manager.service(nameless).served_name == ""
    assert manager.chat(nameless, "hello there") == "hello there é "
    with pytest.raises(ManagerError, match="not an answer"):
        asking.named(manager.clients, replace(manager.service("theirs"), served_name=""))


def test_the_page_asks_for_it_by_a_button(
    nameless: str, session: Session, manager: Manager
) -> None:
    summary = manager.service(nameless)
    state = ServicePageState(session, summary)
    chats, services = Chats(session), ServicesState(session)
    comparison = ComparisonState(session, services, chats)
    chat = chats.begin(summary, state.log)
    panel = TryPanel(state, chat, ServiceEditState(session, services), comparison)
    assert not can_chat(summary)

    def shown() -> str:
        return str(panel.box.children[0].children[0].get_state())

    assert "does not name its model" in shown()
    state.ask_name()
    until(lambda: state.name_error or "Conversation" in shown())
    assert state.name_error is None
    assert not state.asks_name
    assert state.summary
    assert state.summary.served_name == "gemma3:4b"
    assert can_chat(state.summary)
    panel.close()
