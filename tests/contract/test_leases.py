"""Services that Cloud Scheduler pauses at their time, on the local cloud, by every door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cli.main import main
from llm_widgets.domain.leases import LEASE_ANNOTATION
from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import InvalidInputError, ManagerError, NotFoundError
from llm_widgets.gcp import scheduler
from llm_widgets.gcp.iam import policy, service_accounts
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import Manager, leasing, pausing
from llm_widgets.manager.hosting.accounts import Accounts, Roles
from llm_widgets.manager.hosting.plan import Page, Site
from local_cloud.testing.waiting import until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import MANAGER, PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = f"{PARENT}/services/rests"
JOB = scheduler.job_of(NAME)
WHO = MANAGER.removeprefix("serviceAccount:")
ACCOUNT = f"serviceAccount:llm-manager-pause@{PROJECT}.iam.gserviceaccount.com"
LATER = timedelta(hours=2)
LIMITS = {"scalingMode": "AUTOMATIC", "minInstanceCount": 1, "maxInstanceCount": 2}


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("leases"), environment):
            deploy(product, "rests", service(ENGINE))
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    """The product, with a service that scales by itself and has no lease."""
    leasing.end(started.clients, NAME)
    pausing.settle(started.clients, NAME)
    document = {**service_json.read(started.clients, NAME), "scaling": LIMITS}
    service_json.patch(started.clients, document, ["scaling"])
    pausing.settle(started.clients, NAME)
    yield started
    started.faults.reset()


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


def read(product: Product) -> dict[str, Any]:
    return service_json.read(product.clients, NAME)


def job(product: Product) -> Any:
    """The job, or None."""
    found = product.clients.scheduler.list_jobs(parent=PARENT)
    return next((each for each in found if each.name == JOB), None)


def refused(manager: Manager, at: timedelta = LATER) -> ManagerError:
    """Lease the service, and return why Cloud Scheduler does not do it."""
    told: list[ManagerError] = []
    found = manager.lease("rests", at, untold=told.append)
    assert found.lease
    assert not found.lease.is_scheduled
    assert "Nothing pauses it automatically." in found.lease.text(datetime.now(UTC))
    (error,) = told
    return error


def test_cloud_scheduler_pauses_it_and_resuming_brings_all_back(
    product: Product, manager: Manager
) -> None:
    before = read(product)
    leased = manager.lease("rests", LATER)
    assert leased.state is ServiceState.READY
    assert leased.lease
    assert (leased.lease.is_scheduled, leased.lease.by) == (True, WHO)
    assert read(product)["template"] == before["template"]
    assert read(product)["scaling"] == before["scaling"]
    product.faults.update(schedule_ahead=LATER.total_seconds() - 300)
    assert manager.service("rests").state is ServiceState.READY
    product.faults.update(schedule_ahead=LATER.total_seconds() + 120)
    until(lambda: manager.service("rests").state is ServiceState.PAUSED)
    stopped = read(product)
    assert stopped["scaling"] == {"scalingMode": "MANUAL", "manualInstanceCount": 0}
    assert stopped["lastModifier"] == ACCOUNT.removeprefix("serviceAccount:")
    assert stopped["template"] == before["template"]
    assert until(lambda: job(product).last_attempt_time)
    assert job(product).schedule_time.year > datetime.now(UTC).year  # and so must not stay
    manager.resume("rests")
    after = read(product)
    assert after["scaling"] == before["scaling"]
    assert LEASE_ANNOTATION not in after["annotations"]
    assert job(product) is None


def lent(product: Product) -> list[str]:
    """What the account of leases has on the service and on its identity, and for how long."""
    runs_as = read(product)["template"]["serviceAccount"]
    account = policy.of_service_account(runs_as, project=PROJECT)
    found = [
        (each["role"], each["condition"])
        for resource in (policy.of_cloud_run(NAME), account)
        for each in policy.bindings(product.clients, resource)
        if ACCOUNT in each["members"] and "condition" in each
    ]
    assert {condition["title"] for _, condition in found} <= {"Pause rests in europe-west1"}
    return [f"{role} if {condition['expression']}" for role, condition in found]


def test_its_account_may_change_this_service_alone_until_it_is_over(
    product: Product, manager: Manager
) -> None:
    at = manager.lease("rests", LATER).lease
    assert at
    until_then = f'if request.time < timestamp("{at.at + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")'
    granted = ["roles/run.developer", "roles/iam.serviceAccountUser"]
    assert lent(product) == [f"{role} {until_then}" for role in granted]
    assert not policy.roles_of(product.clients, policy.of_project(PROJECT), ACCOUNT)
    made = job(product)
    assert made.http_target.uri.endswith(f"/v2/{NAME}?updateMask=scaling")
    assert made.http_target.oauth_token.service_account_email in ACCOUNT
    manager.lease("rests", timedelta(hours=5))  # in place of the first
    assert len(lent(product)) == len(granted)
    manager.lease("rests", None)
    assert lent(product) == []


def run_as(product: Product, account: str) -> None:
    template = {**read(product)["template"], "serviceAccount": account}
    template.pop("revision", None)
    service_json.patch(product.clients, {**read(product), "template": template}, ["template"])
    pausing.settle(product.clients, NAME)


@pytest.fixture
def page_account(product: Product) -> Iterator[str]:
    """The account of a page for colleagues, with its roles; the service runs as is usual there."""
    before = read(product)["template"]["serviceAccount"]
    page, site = Page(PROJECT, REGION), Site("123456789012", "")
    for step in (Accounts, Roles):
        step(page, site).ensure(product.clients)
    run_as(product, service_accounts.RUNTIME.email(PROJECT))
    yield service_accounts.PAGE.email(PROJECT)
    run_as(product, before)
    Roles(page, site).remove(product.clients)


def test_the_roles_of_a_page_for_colleagues_are_enough(
    product: Product, manager: Manager, page_account: str
) -> None:
    clients = product.as_account(page_account)
    assert leasing.lease(clients, NAME, datetime.now(UTC) + LATER) is None
    assert [each.split()[0] for each in lent(product)] == ["roles/run.developer"]
    product.faults.update(schedule_ahead=LATER.total_seconds() + 120)
    until(lambda: manager.service("rests").state is ServiceState.PAUSED)
    manager.resume("rests")


def test_what_it_was_granted_pauses_no_service_a_year_later(
    product: Product, manager: Manager
) -> None:
    manager.lease("rests", LATER)
    resource = policy.of_cloud_run(NAME)

    def long_ago(found: dict[str, Any]) -> bool:
        for each in found["bindings"]:
            if ACCOUNT in each["members"]:
                each["condition"]["expression"] = 'request.time < timestamp("2025-12-04T00:00:00Z")'
        return True

    policy.change(product.clients, resource, "let a year go by", long_ago)
    product.faults.update(schedule_ahead=LATER.total_seconds() + 120)
    until(lambda: job(product).last_attempt_time)
    until(lambda: job(product).status.code)
    assert manager.service("rests").state is ServiceState.READY


def test_what_can_not_be_taken_back_ends_by_itself(product: Product, manager: Manager) -> None:
    manager.lease("rests", LATER)
    product.faults.update(denied_permissions=["run.services.setIamPolicy"])
    assert manager.lease("rests", None).lease is None
    assert job(product) is None
    assert "request.time <" in lent(product)[0]


def test_it_is_changed_and_taken_off(product: Product, manager: Manager) -> None:
    first = manager.lease("rests", LATER).lease
    second = manager.lease("rests", datetime.now(UTC) + timedelta(hours=5)).lease
    assert first
    assert second
    assert second.at - first.at == timedelta(hours=3)
    assert job(product).schedule_time == second.at
    assert manager.lease("rests", None).lease is None
    assert job(product) is None
    assert LEASE_ANNOTATION not in read(product)["annotations"]


def test_a_deployment_keeps_it(product: Product, manager: Manager) -> None:
    lease = manager.lease("rests", LATER).lease
    document = read(product)
    document["template"].setdefault("annotations", {})["of"] = "others"
    service_json.patch(product.clients, document, ["template"])
    pausing.settle(product.clients, NAME)
    assert manager.service("rests").lease == lease


@pytest.mark.parametrize(
    ("switches", "told"),
    [
        ({"disabled_apis": ["cloudscheduler.googleapis.com"]}, "Cloud Scheduler"),
        ({"denied_permissions": ["cloudscheduler.jobs.create"]}, "cloudscheduler.jobs.create"),
        ({"regions_without_scheduler": ["europe-west1"]}, "is not in europe-west1"),
        ({"denied_permissions": ["run.services.setIamPolicy"]}, "run.services.setIamPolicy"),
        (
            {"denied_permissions": ["iam.serviceAccounts.setIamPolicy"]},
            "iam.serviceAccounts.setIamPolicy",
        ),
    ],
)
def test_without_cloud_scheduler_it_is_told_and_not_promised(
    product: Product, manager: Manager, switches: dict[str, Any], told: str
) -> None:
    product.faults.update(**switches)
    error = refused(manager)
    assert told in f"{error.message} {error.cause}"
    assert error.fix
    product.faults.reset()
    assert lent(product) == []
    assert manager.lease("rests", None).lease is None


def test_a_lease_that_can_not_be_scheduled_leaves_no_job_of_an_earlier_one(
    product: Product, manager: Manager
) -> None:
    manager.lease("rests", LATER)
    product.faults.update(denied_permissions=["cloudscheduler.jobs.update"])
    refused(manager, timedelta(hours=5))
    assert job(product) is None


def test_what_can_not_be_taken_back_is_not_forgotten(product: Product, manager: Manager) -> None:
    manager.lease("rests", LATER)
    product.faults.update(denied_permissions=["cloudscheduler.jobs.delete"])
    with pytest.raises(ManagerError, match="take back the scheduled pause"):
        manager.lease("rests", None)
    assert manager.service("rests").lease


def test_what_is_refused(product: Product, manager: Manager) -> None:
    for at in (timedelta(0), timedelta(days=-1), timedelta(days=120)):
        with pytest.raises(InvalidInputError, match="can't be paused at that time"):
            manager.lease("rests", at)
    manager.pause("rests")
    with pytest.raises(InvalidInputError, match="is paused already"):
        manager.lease("rests", LATER)
    assert job(product) is None
    manager.resume("rests")


def test_a_pause_before_its_time_ends_it_when_resumed(product: Product, manager: Manager) -> None:
    manager.lease("rests", LATER)
    assert manager.pause("rests").lease is None
    resumed = manager.resume("rests")
    assert resumed.lease is None
    assert read(product)["scaling"] == LIMITS
    assert job(product) is None


def test_a_service_of_others_is_not_changed(product: Product, manager: Manager) -> None:
    before = read(product)
    labels = {k: v for k, v in before["labels"].items() if k != "managed-by"}
    service_json.patch(product.clients, {**before, "labels": labels}, ["labels"])
    with pytest.raises(InvalidInputError, match="not managed here"):
        manager.lease("rests", LATER)
    assert LEASE_ANNOTATION not in read(product)["annotations"]
    document = {**read(product), "labels": before["labels"]}
    service_json.patch(product.clients, document, ["labels"])


def test_the_command_line(
    product: Product, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
    assert main(["pause", "rests", "--in", "2h"]) == 0
    assert job(product)
    assert main(["pause", "rests", "--at", "18:00", "--in", "2h"]) != 0
    assert main(["pause", "rests", "--in", "soon"]) != 0
    assert "not a time such as 4h" in capsys.readouterr().err
    assert main(["pause", "rests", "--off"]) == 0
    assert job(product) is None
    product.faults.update(disabled_apis=["cloudscheduler.googleapis.com"])
    assert main(["pause", "rests", "--in", "2h"]) == 0
    assert "nothing pauses it automatically" in capsys.readouterr().err


def test_a_deleted_service_leaves_no_job(product: Product, manager: Manager) -> None:
    manager.lease("rests", LATER)
    manager.delete("rests")
    with pytest.raises(NotFoundError):
        manager.service("rests")
    assert job(product) is None
    deploy(product, "rests", service(ENGINE))
