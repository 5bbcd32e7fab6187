"""Several services are deleted at once, by Python and by words: one that fails stops no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.errors import ConflictError, ManagerError, NotFoundError
from llm_widgets.gcp.storage import metadata
from llm_widgets.manager import Manager
from tests.contract.product import PROJECT, Product, running
from tests.contract.quick_services import deployed
from tests.contract.served_model import BUCKET, put_served_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import ServiceSummary

REFUSED = "The service is held by its owner."


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LLM_WIDGETS_PROJECT", PROJECT)
        for started in running(tmp_path_factory.mktemp("delete"), environment):
            settings.cache_clear()
            put_served_model(started)
            yield started
    settings.cache_clear()


@pytest.fixture
def manager(product: Product) -> Iterator[Manager]:
    yield Manager(PROJECT, product.settings)
    product.faults.reset()


def hold(product: Product, name: str) -> None:
    """Have the local cloud refuse to delete a service."""
    match = f"DELETE /v2/projects/[^/]+/locations/[^/]+/services/{name}$"
    product.faults.update(failures=[{"match": match, "status": 400, "message": REFUSED}])


def left(manager: Manager) -> list[str]:
    return [each.id for each in manager.services()]


def test_one_that_fails_stops_no_other(product: Product, manager: Manager) -> None:
    told: dict[str, ManagerError | None] = {}

    def ended(service: ServiceSummary, error: ManagerError | None) -> None:
        told[service.id] = error

    with deployed(product, "one", "two", "three"):
        hold(product, "two")
        with pytest.raises(ManagerError) as caught:
            manager.delete("one", manager.service("two"), "three", "one", ended=ended)
        assert left(manager) == ["two"]
        assert caught.value.message == "Deleting 1 of 3 services failed: two."
        assert caught.value.cause.startswith("two: ")
        assert REFUSED in caught.value.cause
        assert [told["one"], told["three"]] == [None, None]
        assert REFUSED in str(told["two"])
        with pytest.raises(ManagerError) as alone:
            manager.delete("two")
        assert str(alone.value) == str(told["two"])
        product.faults.reset()


def test_a_name_that_is_none_deletes_nothing(product: Product, manager: Manager) -> None:
    with deployed(product, "stays"):
        with pytest.raises(NotFoundError):
            manager.delete("stays", "no-such-service")
        assert left(manager) == ["stays"]


def test_a_model_that_two_of_them_read_stays(product: Product, manager: Manager) -> None:
    with deployed(product, "first", "second"):
        with pytest.raises(ConflictError, match="nothing was deleted"):
            manager.delete("first", "second", with_model=True)
        assert left(manager) == ["first", "second"]
    assert metadata.read_metadata(product.clients.storage(PROJECT), BUCKET)[0].models


def test_by_words(product: Product, manager: Manager, capsys: pytest.CaptureFixture[str]) -> None:
    with deployed(product, "one", "two", "three"):
        hold(product, "two")
        assert main(["delete", "one", "two", "three", "--quiet", "--format", "json"]) == 1
        printed = capsys.readouterr()
        lines = printed.err.splitlines()
        assert {"Deleted one.", "Deleted three.", "Failed to delete two."} <= set(lines)
        assert "Deleting 1 of 3 services failed: two." in lines
        assert REFUSED in json.loads(printed.out)["error"]["cause"]
        product.faults.reset()
        assert main(["delete", "two", "--quiet"]) == 0
        assert capsys.readouterr().err == "Deleted two.\n"
        assert left(manager) == []
