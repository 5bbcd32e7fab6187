"""Deployments that fail for planted reasons: the right cause is found, and its fix works."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cloud import (
    readers,
    rollout,
    service_accounts,
    service_json,
    service_list,
    services,
)
from llm_widgets.cloud.projects import Project
from llm_widgets.diagnosis import Diagnosis, Evidence, explain
from llm_widgets.diagnosis.context import Context
from llm_widgets.domain.services import Deployment, ServiceState, SubnetAccess
from llm_widgets.errors import DeploymentError, ManagerError
from llm_widgets.serving import recipes, request
from llm_widgets.state.service_edit import ServiceEditState
from llm_widgets.state.service_page import ServicePageState
from llm_widgets.state.services import ServicesState
from llm_widgets.state.session import Session
from tests.contract.product import PROJECT, REGION, Product, running
from tests.contract.served_model import BUCKET, RECORD, put_served_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GPUS = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
REDUNDANT = "NvidiaL4GpuAllocPerProjectRegion"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    pytest.importorskip("xllamacpp")
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("failures"), environment):
            put_served_model(started)
            yield started


@pytest.fixture(scope="module")
def session(product: Product) -> Iterator[Session]:
    made = Session(product.settings)
    found = product.clients.projects.get_project(name=f"projects/{PROJECT}")
    made.project = Project(PROJECT, found.name.rsplit("/", 1)[1], PROJECT)
    yield made
    made.close()


@pytest.fixture
def offered(product: Product, session: Session) -> Deployment:
    assert session.project
    account = session.project.default_service_account
    readers.grant_reader(product.clients, BUCKET, f"serviceAccount:{account}", project=PROJECT)
    return recipes.defaults(
        RECORD, project=PROJECT, region=REGION, bucket=BUCKET, service_account=account
    )


def put(product: Product, deployment: Deployment) -> Any:
    place = (deployment.project, deployment.region, deployment.name)
    return services.create(product.clients, *place, request.service(deployment))


def until(condition: Callable[[], object], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def broken(product: Product, session: Session, deployment: Deployment) -> ServicePageState:
    """Deploy what fails, and look at it as its page does."""
    operation = put(product, deployment)
    with pytest.raises(DeploymentError):
        for _ in rollout.follow(product.clients, operation, period=0.1):
            pass
    found = service_list.list_services(product.clients, PROJECT).services
    summary = next(each for each in found if each.id == deployment.name)
    page = ServicePageState(session, summary)
    page.start()
    until(lambda: page.diagnosis or page.error, 10)
    page.close()
    assert page.error is None
    return page


def remove(product: Product, name: str) -> None:
    for _ in rollout.follow(product.clients, services.delete(product.clients, name), period=0.1):
        pass


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    # what is changed, words of the cause, words of the proof
    "image": ({"image": "docker.io/nobody/nothing:1"}, "image", "nothing"),
    "option": (
        {"mount_options": ("file-cache-enable-parallel-downloads=true",), "cache_gib": 0},
        "parallel",
        "parallel download",
    ),
    "secret": ({"secrets": {"TOKEN": "no-such-secret:1"}}, "secret", "secret"),
    "network": ({"subnet": SubnetAccess("nowhere", "nowhere")}, "network", "nowhere"),
    "connector": ({"connector": "no-such-connector"}, "connector", "no-such-connector"),
    "model": ({"environment": {"MODEL": "gone:1b"}}, "", ""),
    "script": ({"command": ("/bin/sh", "-c", "echo no such thing >&2; exit 7")}, "", "exit"),
}


@pytest.mark.parametrize("reason", list(WRONG))
def test_the_cause_is_found(
    product: Product, session: Session, offered: Deployment, reason: str
) -> None:
    changes, cause, proof = WRONG[reason]
    if "environment" in changes:
        changes = {"environment": {**offered.environment, **changes["environment"]}}
    page = broken(product, session, replace(offered, name=f"wrong-{reason}", **changes))
    found = page.diagnosis
    remove(product, page.name)
    assert isinstance(found, Diagnosis)
    assert cause.lower() in found.cause.lower(), found
    assert found.proof is not None
    assert proof.lower() in found.proof.text.lower(), found
    assert found.remedies


def fixed(product: Product, session: Session, page: ServicePageState) -> None:
    """Do what the first remedy offers, as its button does, and see the service come up."""
    remedy = page.diagnosis.remedies[0]
    edit = ServiceEditState(session, ServicesState(session))
    document = service_json.read(product.clients, page.name)
    generation = document["generation"]
    edit.remedy(document, remedy)
    until(lambda: service_json.read(product.clients, page.name)["generation"] != generation, 10)
    for progress in rollout.follow_service(product.clients, page.name, period=0.1):
        last = progress
    assert last.service
    assert last.service.state is ServiceState.READY
    remove(product, page.name)


def test_a_grant_that_is_missing_is_given(
    product: Product, session: Session, offered: Deployment
) -> None:
    bare = service_accounts.create_runtime_account(product.clients, PROJECT)
    wanted = replace(offered, name="no-grant", service_account=bare.email)
    page = broken(product, session, wanted)
    assert "storage.objects" in page.diagnosis.proof.text
    fixed(product, session, page)


def test_a_probe_that_is_too_short_is_made_longer(
    product: Product, session: Session, offered: Deployment
) -> None:
    slow = ("/bin/sh", "-c", f"sleep 5\n{offered.command[2]}")
    probe = replace(offered.probe, period=1, timeout=1, failures=1)
    page = broken(product, session, replace(offered, name="short-probe", command=slow, probe=probe))
    assert "probe" in page.diagnosis.proof.text.lower()
    fixed(product, session, page)


@pytest.mark.parametrize(
    ("quotas", "changes", "words"),
    [
        ({GPUS: 0}, {}, "quota"),
        ({GPUS: 3}, {"max_instances": 4}, "instances"),
        ({REDUNDANT: 0}, {"zonal_redundancy": True}, "redundancy"),
        ({"CpuAllocPerProjectRegion": 4000}, {}, "cpu"),
        ({}, {"service_account": f"nobody@{PROJECT}.iam.gserviceaccount.com"}, "nobody"),
    ],
)
def test_what_is_refused_at_once(
    product: Product,
    offered: Deployment,
    quotas: dict[str, int],
    changes: dict[str, Any],
    words: str,
) -> None:
    wanted = replace(offered, name="refused", **changes)
    product.faults.update(quotas=quotas)
    try:
        with pytest.raises(ManagerError) as caught:
            put(product, wanted)
    finally:
        product.faults.update(quotas={})
    found = explain(Evidence(operation=caught.value.cause), Context.of(wanted))
    assert found.id != "unknown", found
    assert words in found.cause.lower(), found
