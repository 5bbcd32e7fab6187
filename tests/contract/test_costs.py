"""What services cost, by billed time and prices that the local cloud tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cli.main import main
from llm_widgets.domain.costs import Costs
from llm_widgets.domain.prices import Basis, Price
from llm_widgets.errors import DeniedError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.run import service_list, services
from llm_widgets.manager import Manager, costing
from llm_widgets.page.services.costs import CostsState
from llm_widgets.page.services.costs_card import CostsCard
from llm_widgets.page.services.pauses import Pauses
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.session import Session
from llm_widgets.widgets.layout import is_shown
from local_cloud.runner.entries import Journal
from local_cloud.testing.waiting import until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import PARENT, PROJECT, REGION, Product, open_project, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.costs import ServiceCost
    from llm_widgets.domain.services import ServiceSummary

# Later than anything that this machine measures while the tests run.
NOW = datetime(2031, 5, 20, 12, tzinfo=UTC)
TIME = "run.googleapis.com/container/billable_instance_time"
COUNT = "run.googleapis.com/container/instance_count"
REQUESTS = "run.googleapis.com/request_count"
L4 = {"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}


def with_gpu(least: int = 0) -> Any:
    made = service(ENGINE, gpu_zonal_redundancy_disabled=True)
    template = made.template
    template.node_selector.accelerator = "nvidia-l4"
    template.containers[0].resources.limits.update(L4)
    template.scaling.min_instance_count = least
    return made


def resource(product: Product, revision: str) -> Any:
    return Journal.of_revision(product.cloud.log, revision).resource


def always_billed() -> Any:
    made = service(ENGINE)
    made.template.containers[0].resources.limits.update({"cpu": "1", "memory": "512Mi"})
    return made


def bill(product: Product, revision: str, *, hours: int, idle: int = 0) -> None:
    """Write down hours of an instance, the last ones before NOW, and in how many it was idle."""
    book, of = product.cloud.metrics, resource(product, revision)
    for hour in range(hours):
        begin = (NOW - timedelta(hours=hour + 1)).timestamp()
        # Not each minute has a point: there are gaps where nothing was written.
        for part in range(4):
            book.record(TIME, 900, of, at=begin + 900 * part + 5)
        for state in ("active", "idle"):
            is_so = (state == "idle") == (hour < idle)
            book.record(COUNT, int(is_so), of, {"state": state}, at=begin + 60)


def ask(product: Product, revision: str, code: str) -> None:
    labels = {"response_code": code, "response_code_class": f"{code[0]}xx"}
    at = (NOW - timedelta(hours=20)).timestamp()
    product.cloud.metrics.record(REQUESTS, 1, resource(product, revision), labels, at=at)


def revision_of(product: Product, name: str) -> str:
    return services.get(product.clients, f"{PARENT}/services/{name}").latest_ready_revision


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("costs"), environment):
            deploy(product, "always", with_gpu(least=1))
            deploy(product, "plain", always_billed())
            deploy(product, "small", service(ENGINE))
            deploy(product, "silent", with_gpu())
            first = revision_of(product, "always")
            bill(product, first, hours=2, idle=2)
            larger = services.get(product.clients, f"{PARENT}/services/always")
            larger.template.containers[0].resources.limits.update({"cpu": "8", "memory": "32Gi"})
            services.update(product.clients, larger, ["template"]).result()
            bill(product, revision_of(product, "always"), hours=2)
            bill(product, revision_of(product, "plain"), hours=3, idle=1)
            bill(product, revision_of(product, "small"), hours=1)
            bill(product, f"{PARENT}/services/gone/revisions/gone-00001-abc", hours=1)
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.fixture
def clients(product: Product) -> Clients:
    """Clients that have read no prices yet."""
    return Clients(product.settings, product.clients.credentials)


@pytest.fixture(scope="module")
def listed(started: Product) -> tuple[ServiceSummary, ...]:
    """Return those that are billed by instance."""
    found = service_list.list_services(started.clients, PROJECT, [REGION]).services
    return tuple(each for each in found if each.id != "small")


def found(clients: Clients, listed: tuple[ServiceSummary, ...]) -> tuple[Costs, ServiceCost]:
    """Return the costs of all, and those of the service that always runs."""
    made = costing.costs(clients, PROJECT, listed, now=NOW)
    return made, next(each for each in made if each.id == "always")


def test_cost_is_billed_time_by_the_prices_of_each_revision(
    clients: Clients, listed: tuple[ServiceSummary, ...]
) -> None:
    costs, always = found(clients, listed)
    # 2 h * 3600 * (0.0001867 + 4 * 0.000018 + 16 * 0.000002)
    # + 2 h * 3600 * (0.0001867 + 8 * 0.000018 + 32 * 0.000002) = 2.09304 + 2.84184
    assert always.spent == Price(Decimal("4.93"), Basis.LIST)
    assert always.seconds == 4 * 3600
    assert always.idle_text == "50% ($2.47)"
    assert always.hour_text == "$1.42/h"
    by_name = {each.id: each for each in costs}
    # 3 h * 3600 * (0.000018 + 0.5 * 0.000002)
    assert by_name["plain"].spent == Price(Decimal("0.21"), Basis.LIST)
    assert by_name["plain"].idle_text == "33% ($0.07)"
    assert by_name["silent"].spent_text == "$0.00"
    assert costs.total == Price(Decimal("5.14"), Basis.LIST)
    assert costs.summary == "$5.14 since 1 May 2031 (UTC)"
    assert costs.notes[0].startswith("List prices")
    assert any("2.0 instance hours of 2 other services" in note for note in costs.notes)


def test_the_total_is_the_sum_of_the_rows(
    clients: Clients, listed: tuple[ServiceSummary, ...]
) -> None:
    costs, _ = found(clients, listed)
    assert costs.total
    assert costs.total.amount == sum(each.spent.amount for each in costs if each.spent)
    told = sum(Decimal(each.spent_text.removeprefix("$")) for each in costs)
    assert costs.total_text == f"${told}"


def test_instances_that_run_for_nobody_are_warned_of(
    product: Product, clients: Clients, listed: tuple[ServiceSummary, ...]
) -> None:
    revision = revision_of(product, "always")
    ask(product, revision, "403")
    costs, always = found(clients, listed)
    assert always.warning == (
        "No request in 24 hours, and 1 instance always runs for $34.10 a day."
    )
    assert [each.id for each in costs if each.warning] == ["always"]
    fresh = costing.costs(clients, PROJECT, listed)
    assert not any(each.warning for each in fresh)  # none is a day old
    ask(product, revision, "200")
    assert found(clients, listed)[1].is_unused is False


def test_without_the_catalogue_costs_are_approximate(
    product: Product, clients: Clients, listed: tuple[ServiceSummary, ...]
) -> None:
    product.faults.update(disabled_apis=["cloudbilling.googleapis.com"])
    costs, always = found(clients, listed)
    assert always.spent == Price(Decimal("4.93"), Basis.ABOUT)
    assert always.spent_text == "about $4.93"
    assert costs.total_text == "about $5.14"
    assert costs.notes[0].startswith("Approximate")


def test_what_may_not_be_read_is_unknown_and_not_nothing(
    product: Product, clients: Clients, listed: tuple[ServiceSummary, ...]
) -> None:
    product.faults.update(denied_permissions=["run.revisions.list"])
    costs, always = found(clients, listed)
    assert (always.spent, always.spent_text) == (None, "unknown")
    assert always.hour_text == "$1.42/h"  # of the service as it is, which may be seen
    assert costs.total_text == "unknown"
    assert any(note.startswith(f"Sizes of revisions in {REGION}") for note in costs.notes)
    product.faults.update(denied_permissions=["monitoring.timeSeries.list"])
    with pytest.raises(DeniedError):
        found(clients, listed)


def test_a_service_that_is_billed_by_request_has_other_prices(started: Product) -> None:
    costs = Manager(PROJECT, started.settings)
    everything = service_list.list_services(costs.clients, PROJECT, [REGION]).services
    made = costing.costs(costs.clients, PROJECT, everything, now=NOW)
    small = next(each for each in made if each.id == "small")
    assert (small.spent_text, small.hour_text) == ("unknown", "unknown")
    assert small.remark.startswith("Billed by request")
    assert made.total_text == "at least $5.14"


def test_python_and_the_command_line_tell_the_same(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    until(lambda: is_billed(product))
    costs = Manager(PROJECT).costs()
    assert {each.id for each in costs} == {"always", "plain", "silent", "small"}
    assert [each.id for each in costs if each.spent is None] == ["small"]
    assert main(["costs", "--project", PROJECT, "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} == {each.id for each in costs}
    assert {row["basis"] for row in rows} == {"list price", None}
    assert main(["costs", "--project", PROJECT]) == 0
    assert "Total: " in capsys.readouterr().out
    product.faults.update(denied_permissions=["monitoring.timeSeries.list"])
    assert main(["costs", "--project", PROJECT]) == 1
    assert "roles/monitoring.viewer" in capsys.readouterr().err


def test_the_page_shows_costs_and_pauses_what_runs_for_nobody(product: Product) -> None:
    session = Session(product.settings)
    services_state = ServicesState(session)
    state = CostsState(session, services_state)
    pauses = Pauses(session, services_state)
    card = CostsCard(state, lambda _: None, pauses.pause)
    open_project(session, product)
    # Each has been up for long enough that something of it is measured.
    until(lambda: is_billed(product))
    until(lambda: state.costs is not None)
    state.costs = None
    state.refresh()
    until(lambda: state.costs is not None)
    shown = {row["service"]: row for row in card._table.rows}
    assert set(shown) == {"always", "plain", "silent", "small"}
    assert shown["small"]["spent"]["text"] == "unknown"
    assert shown["always"]["hour"] == "$1.42/h"
    assert state.costs.summary in card._total.value
    assert not state.costs.is_all
    assert not card._warnings.children
    state.costs = with_warning(state.costs)
    (warned,) = card._warnings.children
    assert warned.text.startswith("always: No request in 24 hours")
    warned._action_callbacks()
    until(lambda: paused(services_state, "always"))
    pauses.resume(f"{PARENT}/services/always")
    until(lambda: not paused(services_state, "always"))
    product.faults.update(denied_permissions=["monitoring.timeSeries.list"])
    state.refresh()
    until(lambda: state.error is not None)
    assert state.costs is None
    assert not is_shown(card._table)
    session.close()


def is_billed(product: Product) -> bool:
    """Tell whether something of each service is measured."""
    costs = Manager(PROJECT, product.settings).costs()
    return len(costs) == 4 and all(each.seconds for each in costs)


def paused(state: ServicesState, name: str) -> bool:
    found = state.find(f"{PARENT}/services/{name}")
    return bool(found and found.paused)


def with_warning(costs: Costs) -> Costs:
    """Return the costs as they were before anybody asked the service that always runs."""
    made = Costs((replace(each, is_unused=each.id == "always") for each in costs), costs.columns)
    made.since, made.until, made.notes = costs.since, costs.until, costs.notes
    return made
