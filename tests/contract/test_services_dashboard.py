"""The Services tab's list: regions that fail, changes that are followed, deletion."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import ConflictError, DeniedError, ManagerError, UnavailableError
from llm_widgets.gcp.run import rollout, service_list, services
from llm_widgets.gcp.storage import metadata
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.services_table import service_row
from llm_widgets.page.session import Session
from local_cloud.testing.waiting import LONG, until
from tests.contract.product import PROJECT, REGION, Product, open_project, running
from tests.contract.quick_services import deployed
from tests.contract.served_model import BUCKET, RECORD, put_served_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTS = "GET /v2/projects/[^/]+/locations/{}/services"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("dashboard"), environment):
            put_served_model(started)
            yield started


@pytest.fixture
def session(product: Product) -> Iterator[Session]:
    made = Session(product.settings)
    yield made
    made.close()
    product.faults.update(delays={}, failures=[], denied_permissions=[])


@pytest.fixture
def state(session: Session) -> ServicesState:
    return ServicesState(session)


def test_regions_that_fail_or_hang_are_named_and_hold_nobody_up(
    product: Product, session: Session, state: ServicesState
) -> None:
    away = {"match": LISTS.format("us-east4"), "status": 503, "message": "away"}
    product.faults.update(
        failures=[away], delays={LISTS.format("europe-north1"): service_list.PATIENCE + 25}
    )
    with deployed(product, "quick"):
        started = time.monotonic()
        open_project(session, product)
        until(lambda: state.services)
        assert state.loading
        assert not state.loaded  # an empty table would say: no services
        until(lambda: state.loaded)
        assert time.monotonic() - started < service_list.PATIENCE + 20
        product.faults.update(failures=[], delays={})
    assert [region for region, _ in state.unreachable] == ["europe-north1", "us-east4"]
    assert state.denied == ()
    assert all(isinstance(error, UnavailableError) for _, error in state.unreachable)
    assert [each.id for each in state.services] == ["quick"]


def test_denied_regions_are_not_an_empty_project(
    product: Product, session: Session, state: ServicesState
) -> None:
    product.faults.update(denied_permissions=["run.services.list"])
    open_project(session, product)
    until(lambda: state.loaded)
    assert state.unreachable == ()
    assert len(state.denied) > 30
    assert all(isinstance(error, DeniedError) for _, error in state.denied)
    assert state.denied[0][1].fix
    product.faults.update(denied_permissions=[])
    state.refresh()
    until(lambda: not state.denied)


def test_what_was_there_stays_while_its_region_is_away(
    product: Product, session: Session, state: ServicesState
) -> None:
    with deployed(product, "stays"):
        open_project(session, product)
        until(lambda: state.loaded)
        failure = {"match": LISTS.format(REGION), "status": 400, "message": "away"}
        product.faults.update(failures=[failure])
        state.refresh()
        until(lambda: state.unreachable)
        assert [each.id for each in state.services] == ["stays"]
        product.faults.update(failures=[])


def test_the_list_refreshes_only_while_something_changes(
    product: Product, session: Session, state: ServicesState, tmp_path: Path
) -> None:
    counted = threading.Event()
    may_serve = tmp_path / "may-serve"  # until it is there the revision is on its way
    with deployed(product, "changing"):
        open_project(session, product)
        until(lambda: state.loaded)
        found = services.get(product.clients, state.services[0].name)
        (container,) = found.template.containers
        waits = f"until test -e {may_serve}; do sleep 0.1; done; "
        container.command = [*container.command[:-1], waits + container.command[-1]]
        services.update(product.clients, found, ["template"])
        state.refresh()
        until(lambda: state.services[0].state is ServiceState.DEPLOYING)
        may_serve.touch()
        until(lambda: state.services[0].state is ServiceState.READY)
        until(lambda: not state._polling)
        state.observe(lambda _: counted.set(), "services")
        found = services.get(product.clients, state.services[0].name)
        found.labels["team"] = "somebody"
        services.update(product.clients, found, ["labels"])
        assert not counted.wait(3), "nothing changed as far as the page knows"


def test_deletion_shows_at_once_and_leaves_the_files(
    product: Product, session: Session, state: ServicesState
) -> None:
    with deployed(product, "going"):
        open_project(session, product)
        until(lambda: state.loaded)
        service = state.services[0]
        row = service_row(service)
        assert row["url"]["copy"]
        assert "console.cloud.google.com" in row["links"]["console-metrics"]
        assert service_row(service, is_local=True)["hidden"] == ["resume", *row["links"]]
        begun = threading.Event()
        state.delete(service, begun=begun.set)
        assert begun.wait(LONG)
        assert state.services[0].state is ServiceState.DELETING
        disabled = service_row(state.services[0])["disabled"].keys()
        assert disabled == {"compare", "delete", "edit", "pause", "resume", "try"}
        until(lambda: not state.services)
    assert metadata.read_metadata(product.clients.storage(PROJECT), BUCKET)[0].models


def test_files_go_with_the_last_service_that_reads_them(
    product: Product, session: Session, state: ServicesState
) -> None:
    told: list[str] = []
    session.on_notice(lambda text, _: told.append(text))
    refused: list[ManagerError] = []
    removed = threading.Event()
    state.on_model_removed(removed.set)
    with deployed(product, "first", "second"):
        open_project(session, product)
        until(lambda: state.loaded)
        first, second = state.services
        state.delete(first, with_model=True, failed=refused.append)
        until(lambda: refused)
        assert isinstance(refused[0], ConflictError)
        assert "second (europe-west1)" in refused[0].message
        assert [each.state for each in state.services] == [ServiceState.READY] * 2
        state.delete(second)
        until(lambda: len(state.services) == 1)
        state.delete(first, with_model=True)
        assert removed.wait(LONG)
    assert told[-1] == f"first was deleted, and smollm2:135m was removed from {BUCKET}."
    file, _ = metadata.read_metadata(product.clients.storage(PROJECT), BUCKET)
    assert not file.models
    put_back(product)


def put_back(product: Product) -> None:
    metadata.update_metadata(
        product.clients.storage(PROJECT), BUCKET, lambda file: file.with_model(RECORD)
    )


def test_of_several_one_stays_with_the_reason_and_the_others_go(
    product: Product, session: Session, state: ServicesState
) -> None:
    told: list[str] = []
    session.on_notice(lambda text, _: told.append(text))
    with deployed(product, "one", "two", "three"):
        open_project(session, product)
        until(lambda: state.loaded)
        held = "DELETE /v2/projects/[^/]+/locations/[^/]+/services/two$"
        product.faults.update(failures=[{"match": held, "status": 400, "message": "Held."}])
        state.delete_all(state.services)
        until(lambda: state.not_deleted and len(state.services) == 1)
        until(lambda: not state.loading)
        (two,) = state.services
        assert (two.id, two.state) == ("two", ServiceState.READY)
        assert list(state.not_deleted) == [two.name]
        assert "Held." in str(state.not_deleted[two.name])
        assert sorted(told) == [
            "Deleting two failed. The Services tab says why.",
            "one was deleted.",
            "three was deleted.",
        ]
        # It fails after another project was opened: the list there says nothing of it.
        product.faults.update(delays={held: 1})
        state.delete_all([two])
        assert state.not_deleted == {}  # it is tried again
        state.forget()
        until(lambda: len(told) == 4)
        assert "Held." in told[-1]
        assert state.not_deleted == {}
        product.faults.update(failures=[], delays={})
        state.refresh()
        until(lambda: [each.id for each in state.services] == ["two"])
        state.delete_all(state.services)
        until(lambda: not state.services)
    assert state.not_deleted == {}


def test_a_service_that_somebody_else_deleted(
    product: Product, session: Session, state: ServicesState
) -> None:
    told: list[str] = []
    session.on_notice(lambda text, _: told.append(text))
    with deployed(product, "theirs"):
        open_project(session, product)
        until(lambda: state.loaded)
        gone = state.services[0]
        list(
            rollout.follow(product.clients, services.delete(product.clients, gone.name), period=0.1)
        )
        state.delete(gone)
        until(lambda: told)
        assert "theirs" in told[0]
        until(lambda: not state.services)
