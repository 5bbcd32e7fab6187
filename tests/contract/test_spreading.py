"""What was granted moments ago and has no effect yet: waited for, told, and not granted again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.oauth2.service_account import Credentials

from llm_widgets.diagnosis import RemedyKind
from llm_widgets.domain.services import ServiceState, StartupProbe
from llm_widgets.errors import DeniedError, DeploymentError, Fix, ManagerError, NotFoundError
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import (
    account_roles,
    bucket_readers,
    custom_roles,
    invokers,
    policy,
    propagation,
    service_accounts,
)
from llm_widgets.gcp.run import invoke, revisions
from llm_widgets.gcp.run import services as service_api
from llm_widgets.gcp.run.service_errors import LET_IN
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.manager import Manager, deploy, spreading
from llm_widgets.manager.remedies import carry_out
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.services import ServicesState
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running
from tests.contract.served_model import BUCKET, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session

HOUR = 3600
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GPUS = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
PLENTY = {GPUS: 99, "CpuAllocPerProjectRegion": 10**6, "MemAllocPerProjectRegion": 2**42}
# An engine that is up at once: what it serves is no matter here.
QUICK: dict[str, Any] = {
    "command": ("/bin/sh", "-c", "exec python3 -m http.server $PORT"),
    "probe": StartupProbe("/", period=1, timeout=1, failures=20),
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for started in running(tmp_path_factory.mktemp("spreading"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            storage = started.clients.storage(PROJECT)
            metadata.update_metadata(storage, BUCKET, lambda file: file.with_model(RECORD))
            yield started


@pytest.fixture(autouse=True)
def slow(product: Product) -> Iterator[None]:
    """Let grants have no effect until a test says so."""
    product.faults.update(quotas=PLENTY, grant_seconds=HOUR)
    yield
    product.faults.reset()


@pytest.fixture
def services(session: Session) -> ServicesState:
    return ServicesState(session)


def spread(product: Product) -> None:
    """Let all that was granted have its effect."""
    product.faults.update(grant_seconds=0)


def account(product: Product, id_: str) -> str:
    own = service_accounts.OwnAccount(id_, "An account", "of a test")
    return service_accounts.create(product.clients, PROJECT, own).email


def shown(services: ServicesState, name: str) -> ServiceSummary:
    """Return a service as the dashboard has it."""
    found = services.find(name)
    assert found
    return found


class Asked:
    """A question to a service, asked in a thread of its own."""

    def __init__(self, clients: Clients, service: ServiceSummary) -> None:
        self.stream = invoke.chat_stream(
            clients, service.url, "m", [], path="/v1/chat/completions", service=service.name
        )
        self._pool = ThreadPoolExecutor(1)
        self._answer = self._pool.submit(list, self.stream)

    @property
    def error(self) -> ManagerError:
        """Why it was not answered, once that is known."""
        found = self._answer.exception(timeout=60)
        self._pool.shutdown()
        assert isinstance(found, ManagerError)
        return found


def fix(error: ManagerError) -> Fix:
    assert error.fix
    return error.fix


def clients_of(product: Product, email: str) -> Clients:
    """Return clients that call as another account."""
    key = product.cloud.key(email)
    return Clients(product.settings, Credentials.from_service_account_file(key, scopes=[SCOPE]))


def test_a_deployment_right_after_the_grant_comes_up_by_itself(
    product: Product, session: Session, services: ServicesState
) -> None:
    email = account(product, "by-the-page")
    form = DeployFormState(session, services)
    form.start(BUCKET, REGION, RECORD)
    until(lambda: form.memory.model)
    until(lambda: form.name_note or form.problems)
    assert form.deployment
    wanted = replace(form.deployment, name="by-page", service_account=email, **QUICK)
    taken: list[str] = []
    form.on_deployed(taken.append)
    form.deploy({**values_of(wanted), "grant_access": True, "callers": "me"}, lambda: None)
    until(lambda: taken or form.problems)
    assert taken, form.problems
    until(lambda: services.find(taken[0]))
    page = ServicePageState(session, shown(services, taken[0]))
    page.start()
    why = until(lambda: page.diagnosis)
    granted = f"{account_roles.BUCKET_READER} was granted to {email} less than a minute ago"
    assert why.cause == f"{granted}. The grant takes 2 to 7 minutes to take effect."
    assert [each.kind for each in why.remedies] == [RemedyKind.NONE]
    assert "automatically" in why.remedies[0].text
    assert page.summary
    assert page.summary.state == ServiceState.DEPLOYING
    until(lambda: "waits for a new grant" in shown(services, taken[0]).reason)
    assert shown(services, taken[0]).state == ServiceState.DEPLOYING
    spread(product)
    until(lambda: page.summary and page.summary.state == "Ready")
    page.close()
    assert len(revisions.list_revisions(product.clients, taken[0])) > 1
    service_api.delete(product.clients, taken[0])


def test_python_waits_for_it_too(product: Product) -> None:
    manager = Manager(PROJECT, product.settings)
    email = account(product, "by-python")
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        spread(product)

    propagation.of(manager.clients).on_wait(tell)
    made = manager.deploy(BUCKET, RECORD.id, name="by-python", service_account=email, **QUICK)
    assert made.state == "Ready"
    (sentence,) = told
    assert "2 to 7 minutes" in sentence
    assert "deploys again automatically" in sentence
    manager.delete(made)


def test_after_its_time_a_grant_is_not_offered_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = account(product, "long-ago")
    manager = Manager(PROJECT, product.settings)
    wanted = manager.deployment(BUCKET, RECORD.id, name="long-ago", service_account=email, **QUICK)
    refused = DeploymentError(
        "It did not come up.",
        cause=f"Error 403: {email} does not have storage.objects.list access to the Google Cloud "
        "Storage bucket.",
    )
    found = deploy.why(product.clients, manager.project, wanted, refused)
    assert found
    assert found.remedies[0].kind is RemedyKind.GRANT
    carry_out(product.clients, PROJECT, found.remedies[0])
    monkeypatch.setattr(propagation, "LONGEST", 0.0)
    found = deploy.why(product.clients, manager.project, wanted, refused)
    assert found
    assert not found.passes
    assert found.remedies[0].kind is RemedyKind.REDEPLOY
    assert "was granted to" in found.remedies[0].text
    assert RemedyKind.GRANT not in {each.kind for each in found.remedies}


def test_a_new_account_is_waited_for(product: Product) -> None:
    clients = Clients(product.settings, product.clients.credentials)
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        product.faults.update(account_seconds=0)

    propagation.of(clients).on_wait(tell)
    product.faults.update(account_seconds=HOUR)
    own = service_accounts.OwnAccount("just-made", "An account", "of a test")
    made = service_accounts.create(clients, PROJECT, own)
    assert told == [f"Waiting for {made.email}, which takes up to 7 minutes."]


def test_a_policy_that_names_a_new_account_is_tried_again(product: Product) -> None:
    clients = Clients(product.settings, product.clients.credentials)
    email = f"in-a-policy@{PROJECT}.iam.gserviceaccount.com"
    resource = policy.of_bucket(BUCKET, project=PROJECT)
    with pytest.raises(NotFoundError, match="does not exist"):  # nobody has made it
        policy.grant(clients, resource, [bucket_readers.READER], f"serviceAccount:{email}")
    propagation.of(clients).made(f"serviceAccount:{email}")
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        account(product, "in-a-policy")

    propagation.of(clients).on_wait(tell)
    policy.grant(clients, resource, [bucket_readers.READER], f"serviceAccount:{email}")
    assert len(told) == 1
    assert bucket_readers.READER in policy.roles_of(clients, resource, f"serviceAccount:{email}")


def test_acting_in_the_name_of_an_account_is_tried_again(product: Product) -> None:
    spread(product)
    deployer = account(product, "deployer")
    member = f"serviceAccount:{deployer}"
    runs = account(product, "runs-as")
    roles = ("roles/run.developer", "roles/iam.serviceAccountAdmin")
    policy.grant(product.clients, policy.of_project(PROJECT), roles, member)
    clients = clients_of(product, deployer)
    wanted = Manager(PROJECT, product.settings).deployment(
        BUCKET, RECORD.id, name="in-its-name", service_account=runs, **QUICK
    )
    with pytest.raises(DeniedError, match="runs-as"):
        deploy.check(clients, wanted)
    product.faults.update(grant_seconds=HOUR)
    place = policy.of_service_account(runs, project=PROJECT)
    policy.grant(clients, place, [account_roles.ACT_AS], member)
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        spread(product)

    propagation.of(clients).on_wait(tell)
    deploy.check(clients, wanted)
    assert told == ["Waiting for the new grant, which takes 2 to 7 minutes."]


def test_who_was_let_in_moments_ago_is_answered_without_asking_again(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread(product)
    manager = Manager(PROJECT, product.settings)
    made = manager.deploy(BUCKET, RECORD.id, name="called", **QUICK)
    caller = account(product, "caller")
    member = f"serviceAccount:{caller}"
    lets_in = account_roles.CustomRole(
        "letsIn", "Lets in", ("run.services.getIamPolicy", "run.services.setIamPolicy")
    )
    role = custom_roles.ensure(product.clients, PROJECT, lets_in)
    policy.grant(product.clients, policy.of_project(PROJECT), [role], member)
    clients = clients_of(product, caller)
    product.faults.update(grant_seconds=HOUR)
    assert fix(Asked(clients, made).error).action == LET_IN
    invokers.add_invoker(clients, made.name, member)
    with monkeypatch.context() as patched:
        patched.setattr(propagation, "LONGEST", 0.0)
        refused = fix(Asked(clients, made).error)
        assert refused.action == ""
        assert "Access was granted less than a minute ago" in refused.text
    waiting = Asked(clients, made)
    until(lambda: waiting.stream.waits_for)
    assert "The grant takes 2 to 7 minutes to take effect" in waiting.stream.waits_for
    spread(product)
    # The server takes no conversations, and says so to whoever may call it.
    assert waiting.error.message == "The service failed."
    manager.delete(made)


def test_a_service_that_is_gone_is_not_deployed_again(product: Product) -> None:
    name = f"projects/{PROJECT}/locations/{REGION}/services/gone"
    again = spreading.Redeployment(product.clients, name)
    assert not again.look()
    assert again.deployments == 0
