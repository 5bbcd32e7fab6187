"""Who is signed in, projects, and tokens in Secret Manager."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.oauth2 import credentials as user_credentials

from llm_widgets.config import Settings
from llm_widgets.errors import (
    ApiDisabledError,
    DeniedError,
    InvalidInputError,
    NotFoundError,
    SignInError,
    UnavailableError,
)
from llm_widgets.gcp import secrets
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.auth.identity import IdentityKind
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.project import projects
from llm_widgets.gcp.secrets import HubToken
from tests.contract.product import MANAGER, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("projects"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


def test_identity_from_application_default_credentials(product: Product) -> None:
    found = identity.current(product.clients)
    assert (found.kind, found.member) == (IdentityKind.SERVICE_ACCOUNT, MANAGER)
    assert found.cloud == "the local cloud"


def test_a_users_address_is_asked_for(product: Product) -> None:
    product.clients.session.get(f"{product.cloud.url}/oauth2/v3/userinfo")
    token = product.clients.credentials.token
    clients = Clients(product.settings, user_credentials.Credentials(token))
    found = identity.current(clients)
    assert found.kind is IdentityKind.USER
    assert found.member == "user:manager@local-project.iam.gserviceaccount.com"


def test_a_user_whose_token_does_not_tell(product: Product) -> None:
    clients = Clients(product.settings, user_credentials.Credentials("worn out"))
    product.faults.update(failures=[{"match": "userinfo", "status": 403}])
    found = identity.current(clients)
    assert (found.kind, found.member, found.email) == (IdentityKind.USER, "", "")
    assert "without an e-mail address" in found.label


def test_a_key_that_is_not_accepted(product: Product) -> None:
    key = json.loads(product.cloud.credentials.read_text())
    key["client_email"] = "nobody@local-project.iam.gserviceaccount.com"
    file = product.data / "nobody.json"
    file.write_text(json.dumps(key))
    from google.oauth2 import service_account  # noqa: PLC0415 - for this test alone

    made = service_account.Credentials.from_service_account_file(str(file), scopes=["x"])
    with pytest.raises(SignInError) as caught:
        projects.search(Clients(product.settings, made))
    assert caught.value.fix
    assert caught.value.fix.command == "gcloud auth application-default login"


def test_search(product: Product) -> None:
    everything = projects.search(product.clients)
    assert [each.id for each in everything.projects] == ["demo-project", "local-project"]
    assert everything.next_token == ""
    for text in ("loc", "LOCAL", "Local pro"):
        found = projects.search(product.clients, text)
        assert [each.id for each in found.projects] == ["local-project"], text
    assert projects.search(product.clients, "<b>nothing</b>").projects == ()


def test_pages(product: Product) -> None:
    first = projects.search(product.clients, page_size=1)
    assert len(first.projects) == 1
    second = projects.search(product.clients, page_token=first.next_token, page_size=1)
    assert {first.projects[0].id, second.projects[0].id} == {"demo-project", "local-project"}


def test_a_search_is_one_call(product: Product) -> None:
    product.faults.update(failures=[{"match": "projects:search", "status": 503, "times": 1}])
    with pytest.raises(UnavailableError, match="Can't list the projects"):
        projects.search(product.clients)
    assert projects.search(product.clients).projects


def test_get(product: Product) -> None:
    found = projects.get(product.clients, " local-project ")
    assert (found.id, found.name) == ("local-project", "Local project")
    assert found.default_service_account == (
        f"{found.number}-compute@developer.gserviceaccount.com"
    )


@pytest.mark.parametrize("project", ["other-project", "no-such-project"])
def test_projects_that_are_not_to_be_seen(product: Product, project: str) -> None:
    with pytest.raises(DeniedError) as caught:
        projects.get(product.clients, project)
    assert caught.value.message == (
        f"The project {project} does not exist, or you don't have permission to view it."
    )
    assert caught.value.fix
    assert caught.value.fix.text.startswith("Check the project ID")
    assert "roles/browser" in caught.value.fix.command


@pytest.mark.parametrize("project", ["", "a b", "<script>alert(1)</script>", "x" * 300])
def test_what_can_not_be_an_id_is_not_sent(product: Product, project: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        projects.get(product.clients, project)
    assert caught.value.field == "project"
    assert len(caught.value.message) < 250


def test_listing_denied(product: Product) -> None:
    failure = {
        "match": "projects:search",
        "status": 403,
        "message": "The caller does not have permission",
    }
    product.faults.update(failures=[failure])
    with pytest.raises(DeniedError, match="lacks the permission resourcemanager"):
        projects.search(product.clients)


def test_resource_manager_disabled(product: Product) -> None:
    product.faults.update(disabled_apis=["cloudresourcemanager.googleapis.com"])
    with pytest.raises(ApiDisabledError) as caught:
        projects.get(product.clients, PROJECT)
    assert caught.value.fix
    assert caught.value.fix.action == "enable-api:cloudresourcemanager.googleapis.com"


def test_a_cloud_that_is_not_there() -> None:
    settings = Settings(google_endpoint="http://127.0.0.1:9")
    with pytest.raises(UnavailableError) as caught:
        projects.search(Clients(settings, AnonymousCredentials()))
    assert caught.value.message == "Can't list the projects: the local cloud does not answer."


KEPT = HubToken(PROJECT, "models", "abc")


def test_a_token_comes_back_and_goes(product: Product) -> None:
    assert secrets.put(product.clients, KEPT, "hf_before")
    assert not secrets.put(product.clients, KEPT, "hf_secret")
    assert secrets.read(product.clients, KEPT) == "hf_secret"
    kept = product.clients.secrets.get_secret(name=KEPT.secret)
    assert kept.labels["managed-by"] == "llm-manager"
    assert kept.expire_time or kept.ttl
    secrets.delete(product.clients, KEPT)
    secrets.delete(product.clients, KEPT)
    with pytest.raises(NotFoundError):
        secrets.read(product.clients, KEPT)


def test_two_tokens_do_not_meet(product: Product) -> None:
    first, second = replace(KEPT, import_id="one"), replace(KEPT, bucket="other")
    for kept in (first, second):
        secrets.put(product.clients, kept, kept.import_id)
    assert secrets.read(product.clients, first) == "one"
    assert secrets.read(product.clients, second) == "abc"


def test_a_secret_of_somebody_else_is_neither_read_nor_replaced_nor_deleted(
    product: Product,
) -> None:
    taken = replace(KEPT, import_id="taken")
    made = {"replication": {"automatic": {}}, "labels": {"managed-by": "llm-manager"}}
    request: Any = {"parent": f"projects/{PROJECT}", "secret_id": taken.id, "secret": made}
    product.clients.secrets.create_secret(request=request)
    for touch in (
        lambda: secrets.read(product.clients, taken),
        lambda: secrets.put(product.clients, taken, "mine"),
        lambda: secrets.delete(product.clients, taken),
        lambda: secrets.allow(product.clients, taken, "serviceAccount:a@b.iam.gserviceaccount.com"),
        lambda: secrets.disallow(product.clients, taken),
    ):
        with pytest.raises(DeniedError, match="not this import's"):
            touch()
    assert product.clients.secrets.get_secret(name=taken.secret)


def test_a_worker_is_let_read_a_token(product: Product) -> None:
    kept = replace(KEPT, import_id="let")
    secrets.put(product.clients, kept, "hf_secret")
    member = "serviceAccount:worker@example-project.iam.gserviceaccount.com"
    secrets.allow(product.clients, kept, member)
    secrets.allow(product.clients, kept, member)

    def granted() -> list[list[str]]:
        policy = product.clients.secrets.get_iam_policy(request={"resource": kept.secret})
        return [list(binding.members) for binding in policy.bindings]

    assert granted() == [[member], [member]]  # a role to read it, and one to destroy it
    secrets.disallow(product.clients, kept)
    secrets.disallow(product.clients, kept)
    assert granted() == []
    secrets.delete(product.clients, kept)
    secrets.disallow(product.clients, kept)
    with pytest.raises(NotFoundError, match="token is gone"):
        secrets.allow(product.clients, kept, member)


def test_secrets_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["secretmanager.*"])
    with pytest.raises(DeniedError) as caught:
        secrets.put(product.clients, KEPT, "hf_secret")
    assert "secretmanager.secrets.create" in caught.value.message
    assert "hf_secret" not in str(caught.value)


def test_a_client_is_made_once(product: Product) -> None:
    assert product.clients.projects is product.clients.projects
    assert product.clients.storage(PROJECT) is product.clients.storage(PROJECT)
    assert product.clients.storage(PROJECT) is not product.clients.storage("demo-project")


def test_errors_of_the_package_do_not_leak(product: Product) -> None:
    product.faults.update(failures=[{"match": "/v3/projects", "status": 418, "message": "teapot"}])
    with pytest.raises(Exception, match="teapot") as caught:
        projects.get(product.clients, PROJECT)
    assert not isinstance(caught.value, exceptions.GoogleAPICallError)
