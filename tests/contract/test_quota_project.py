"""Which project the calls of a person count against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.oauth2 import credentials as user_credentials

from llm_widgets.domain.quotas import CPU
from llm_widgets.errors import ApiDisabledError, QuotaProjectError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import policy
from llm_widgets.gcp.project import quotas
from llm_widgets.manager.projects import open_project
from local_cloud.issuer import Issuer
from local_cloud.store import Store
from tests.contract.product import PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER = "demo-project"
QUOTAS = "cloudquotas.googleapis.com"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("quota"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    started.faults.update(quota_project_apis=[QUOTAS])
    yield started
    started.faults.reset()


@pytest.fixture(scope="module")
def token(started: Product) -> str:
    """Return a token of a person who owns both projects."""
    for project in (PROJECT, OTHER):
        place = policy.of_project(project)
        policy.grant(started.clients, place, ["roles/owner"], "user:ann@example.com")
    return Issuer(Store(started.data / "state.db")).access_token("ann@example.com", "all")


def person(product: Product, token: str, quota_project: str | None = None) -> Clients:
    """Return the clients of a person, as Application Default Credentials make them."""
    made = user_credentials.Credentials(
        token, account="ann@example.com", quota_project_id=quota_project
    )
    return Clients(product.settings, made)


def test_without_a_quota_project(product: Product, token: str) -> None:
    with pytest.raises(QuotaProjectError, match="your credentials have no quota project") as told:
        quotas.get(person(product, token), PROJECT, CPU)
    assert told.value.fix
    assert told.value.fix.command == (
        f"gcloud auth application-default set-quota-project {PROJECT}"
    )


@pytest.mark.parametrize("before", [None, OTHER, PROJECT])
def test_the_opened_project_becomes_the_quota_project(
    product: Product, token: str, before: str | None
) -> None:
    clients = person(product, token, before)
    who = identity.current(clients)
    assert open_project(clients, PROJECT).id == PROJECT
    assert clients.credentials.quota_project_id == PROJECT
    assert quotas.get(clients, PROJECT, CPU).allowed("europe-west1")
    assert identity.current(clients) is who
    open_project(clients, OTHER)
    assert clients.credentials.quota_project_id == OTHER


def test_where_it_may_not_be_the_quota_project(product: Product, token: str) -> None:
    clients = person(product, token, OTHER)
    open_project(clients, PROJECT)
    product.faults.update(denied_permissions=["serviceusage.services.use"])
    with pytest.raises(QuotaProjectError, match=rf"serviceusage\.services\.use on .* {OTHER}\."):
        open_project(clients, OTHER)
    assert clients.credentials.quota_project_id == OTHER


def test_an_api_that_is_off_in_the_quota_project(product: Product, token: str) -> None:
    clients = person(product, token, OTHER)
    api = f"projects/{OTHER}/services/{QUOTAS}"
    clients.service_usage.disable_service(request={"name": api}).result(60)
    with pytest.raises(ApiDisabledError, match=r"not enabled in the project \d+") as told:
        quotas.get(clients, PROJECT, CPU)
    assert told.value.fix
    clients.service_usage.enable_service(request={"name": api}).result(60)


def test_service_accounts_are_left_as_they_are(product: Product) -> None:
    credentials = product.clients.credentials
    open_project(product.clients, PROJECT)
    assert product.clients.credentials is credentials
    assert quotas.get(product.clients, PROJECT, CPU).allowed("europe-west1")
