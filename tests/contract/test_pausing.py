"""Pausing and resuming services on the local cloud, by every door."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cli.main import main
from llm_widgets.domain import pausing as pauses
from llm_widgets.domain.pausing import PAUSED_ANNOTATION
from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import ConflictError, InvalidInputError, ManagerError
from llm_widgets.gcp.run import service_json, services
from llm_widgets.manager import Manager, pausing
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import MANAGER, PARENT, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = f"{PARENT}/services/rests"
WHO = MANAGER.removeprefix("serviceAccount:")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("pausing"), environment):
            deploy(product, "rests", limited())
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    """The product, with a service that scales by itself."""
    document = service_json.read(started.clients, NAME)
    document["annotations"].pop(PAUSED_ANNOTATION, None)
    service_json.patch(started.clients, document, ["annotations"])
    pausing.settle(started.clients, NAME)
    scale(started, scalingMode="AUTOMATIC", minInstanceCount=1, maxInstanceCount=2)
    yield started
    started.faults.reset()


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


def limited() -> Any:
    made = service(ENGINE)
    made.scaling.min_instance_count, made.scaling.max_instance_count = 1, 2
    return made


def scale(product: Product, **scaling: Any) -> None:
    """Scale the service as another program would."""
    document = service_json.read(product.clients, NAME)
    wanted = {"name": NAME, "etag": document["etag"], "scaling": scaling}
    service_json.patch(product.clients, wanted, ["scaling"])
    pausing.settle(product.clients, NAME)


def read(product: Product) -> dict[str, Any]:
    return service_json.read(product.clients, NAME)


def test_a_paused_service_keeps_all_but_its_instances(product: Product, manager: Manager) -> None:
    before = read(product)
    paused = manager.pause("rests")
    assert paused.state is ServiceState.PAUSED
    assert paused.paused
    assert (paused.paused.by, paused.paused.least, paused.paused.most) == (WHO, 1, 2)
    assert paused.paused.at
    assert paused.min_instances == 0
    after = read(product)
    assert after["template"] == before["template"]
    assert after["latestCreatedRevision"] == before["latestCreatedRevision"]
    assert after["scaling"] == {"scalingMode": "MANUAL", "manualInstanceCount": 0}
    with pytest.raises(ManagerError):
        manager.chat("rests", "hello")
    assert [each.state.value for each in manager.services()] == ["Paused"]


def test_a_resumed_service_is_as_it_was(product: Product, manager: Manager) -> None:
    before = read(product)
    manager.pause("rests")
    resumed = manager.resume("rests")
    assert resumed.state is ServiceState.READY
    assert resumed.paused is None
    after = read(product)
    assert after["scaling"] == before["scaling"]
    assert after["scaling"]["minInstanceCount"] == 1
    assert after["scaling"]["maxInstanceCount"] == 2
    assert PAUSED_ANNOTATION not in after["annotations"]
    assert after["template"] == before["template"]
    assert manager.chat("rests", "hello there") == "hello there é "


def test_limits_that_were_not_set_are_those_of_the_revision(
    product: Product, manager: Manager
) -> None:
    scale(product, scalingMode="AUTOMATIC")
    manager.pause("rests")
    kept = pauses.read(read(product)["annotations"][PAUSED_ANNOTATION])
    assert (kept.least, kept.most) == (None, None)
    manager.resume("rests")
    # The template says at most 1; both are sent, as nought would be the number of the pause.
    assert read(product)["scaling"] == {"scalingMode": "AUTOMATIC", "maxInstanceCount": 1}


def test_pausing_twice_keeps_what_was_there_first(product: Product, manager: Manager) -> None:
    manager.pause("rests")
    first = read(product)
    manager.pause("rests")
    assert read(product)["annotations"] == first["annotations"]
    assert read(product)["generation"] == first["generation"]


def test_what_others_have_set_since_stays(product: Product, manager: Manager) -> None:
    manager.pause("rests")
    scale(product, scalingMode="AUTOMATIC", minInstanceCount=0, maxInstanceCount=3)
    with pytest.raises(InvalidInputError, match="is not paused"):
        manager.resume("rests")
    assert read(product)["scaling"]["maxInstanceCount"] == 3
    scale(product, scalingMode="MANUAL", manualInstanceCount=1)
    assert manager.service("rests").paused is None
    manager.change("rests", timeout=98, progress=False)
    assert PAUSED_ANNOTATION not in read(product)["annotations"]
    with pytest.raises(InvalidInputError, match="is not paused"):
        manager.resume("rests")


def test_one_that_others_paused_can_be_resumed(product: Product, manager: Manager) -> None:
    scale(product, scalingMode="MANUAL", manualInstanceCount=0)
    found = manager.service("rests")
    assert found.paused
    assert (found.paused.at, found.paused.text) == (None, "")
    assert found.shown()["paused"] == "yes"
    manager.resume("rests")
    assert read(product)["scaling"] == {"scalingMode": "AUTOMATIC", "maxInstanceCount": 1}


def test_a_change_does_not_resume_it(product: Product, manager: Manager) -> None:
    manager.pause("rests")
    changed = manager.change("rests", max_instances=4, timeout=99, progress=False)
    assert changed.state is ServiceState.PAUSED
    after = read(product)
    assert after["scaling"] == {"scalingMode": "MANUAL", "manualInstanceCount": 0}
    assert after["template"]["timeout"] == "99s"
    manager.resume("rests")
    # What it goes back to follows the change; what nobody touched is as it was.
    assert read(product)["scaling"]["maxInstanceCount"] == 4
    assert read(product)["scaling"]["minInstanceCount"] == 1
    manager.change("rests", max_instances=1, timeout=300, progress=False)
    assert read(product)["scaling"]["maxInstanceCount"] == 1


def test_a_conflict_is_read_again_and_one_that_lasts_is_told(
    product: Product, manager: Manager
) -> None:
    conflict = {"match": f"PATCH /v2/{NAME}", "status": 409, "message": "Conflict for resource"}
    product.faults.update(failures=[{**conflict, "times": 1}])
    assert manager.pause("rests").state is ServiceState.PAUSED
    product.faults.update(failures=[conflict])
    with pytest.raises(ConflictError):
        manager.resume("rests")
    product.faults.reset()
    assert manager.service("rests").state is ServiceState.PAUSED


def test_a_service_whose_newest_revision_failed_can_be_paused(
    product: Product, manager: Manager
) -> None:
    broken = services.get(product.clients, NAME)
    broken.template.containers[0].command = ["-c", "exit(1)"]
    broken.template.containers[0].startup_probe.failure_threshold = 1
    services.update(product.clients, broken, ["template"])
    pausing.settle(product.clients, NAME)
    assert manager.service("rests").state is ServiceState.OLD_SERVING
    paused = manager.pause("rests")
    assert paused.paused
    whole = services.get(product.clients, NAME)
    whole.template.containers[0].command = ["-c", ENGINE]
    whole.template.containers[0].startup_probe.failure_threshold = 20
    services.update(product.clients, whole, ["template"]).result()
    assert manager.resume("rests").state is ServiceState.READY


def test_who_may_not_change_it_may_not_pause_it(product: Product, manager: Manager) -> None:
    product.faults.update(denied_permissions=["run.services.update"])
    with pytest.raises(ManagerError, match="rests"):
        manager.pause("rests")
    assert manager.service("rests").paused is None


@pytest.mark.usefixtures("product")
def test_the_command_line_does_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("rests", "--project", PROJECT, "--format", "json")
    assert main(["pause", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["state"] == "Paused"
    assert f"by {WHO}" in told["paused"]
    assert main(["resume", *words]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "Ready"
    assert main(["resume", *words]) == 1
    assert "is not paused" in capsys.readouterr().err
