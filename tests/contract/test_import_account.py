"""An import job's account, with nothing but what the product grants it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.oauth2.credentials import Credentials

from llm_widgets.domain import members
from llm_widgets.domain.progress import ImportState
from llm_widgets.errors import DeniedError, InvalidInputError, NotFoundError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import account_roles, custom_roles, policy, service_accounts
from llm_widgets.gcp.iam.account_roles import PAGE, TOKENS, On
from llm_widgets.gcp.run import jobs
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.gcp.storage.buckets import create_bucket
from llm_widgets.gcp.storage.metadata import read_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.remove import remove_model
from llm_widgets.imports.start import read_progress
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.worker import WAITING
from llm_widgets.manager import import_check, importing
from llm_widgets.manager.import_check import ImportRequest
from llm_widgets.manager.import_target import Target, TargetKind
from local_cloud.access import Access
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_cloud.issuer import Caller

GATED = "local/tiny-llama-gated"
TOKEN = "hf_local_reader"
JOB_ACCOUNT = f"llm-manager-import@{PROJECT}.iam.gserviceaccount.com"
PAGE_ACCOUNT = f"page-account@{PROJECT}.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("import-account"), environment)


@pytest.fixture
def bucket(product: Product, request: pytest.FixtureRequest) -> Iterator[str]:
    name = re.sub(r"[^a-z]+", "-", request.node.name)[-50:].strip("-")
    create_bucket(product.clients, PROJECT, name, REGION)
    yield name
    product.faults.reset()


@pytest.fixture(scope="module")
def manager(product: Product) -> Clients:
    """Return the clients of an account with the roles that the README names for the manager."""
    clients = product.clients
    own = service_accounts.OwnAccount("page-account", "Page", "The page of these tests.")
    email = service_accounts.create(clients, PROJECT, own).email
    member = members.service_account(email)
    for needed in PAGE:
        role = needed.role
        if role in account_roles.CUSTOM_ROLES:
            role = custom_roles.ensure(clients, PROJECT, account_roles.CUSTOM_ROLES[role])
        if needed.on is On.PROJECT:
            policy.grant(clients, policy.of_project(PROJECT), [role], member)
    of_jobs = service_accounts.create(clients, PROJECT, service_accounts.IMPORTS).email
    resource = policy.of_service_account(of_jobs, project=PROJECT)
    policy.grant(clients, resource, [account_roles.ACT_AS], member)
    return product.as_account(email)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """Record who was found to have which permission on what; a refused one begins with "no"."""
    made: list[tuple[str, str, str]] = []
    granted = Access.granted

    def note(self: Access, caller: Caller, permissions: Any, resource: str) -> list[str]:
        wanted = list(permissions)
        found = granted(self, caller, wanted, resource)
        asked = [each if each in found else f"no {each}" for each in wanted]
        made.extend((caller.member, each, resource) for each in asked)
        return found

    monkeypatch.setattr(Access, "granted", note)
    return made


def start(clients: Clients, bucket: str, model: str = GATED, token: str = TOKEN) -> HubToken:
    target = Target(TargetKind.EXISTING, bucket)
    request = ImportRequest("huggingface", model, target, token=token)
    checked = import_check.check_import(clients, clients.settings, PROJECT, request)
    import_id = importing.start_import(clients, clients.settings, PROJECT, checked, token)
    return HubToken(PROJECT, bucket, import_id)


def wait_for(clients: Clients, kept: HubToken, state: ImportState) -> None:
    def reached() -> bool:
        progress = importing.look(clients, kept.bucket, kept.import_id, for_life=False).progress
        return bool(progress and progress.state.is_final)

    until(reached)
    progress = read_progress(clients, kept.bucket, kept.import_id)
    assert progress
    assert progress.state is state, progress


def roles_on_secret(product: Product, kept: HubToken) -> set[tuple[str, str]]:
    found = policy.grants(product.clients, policy.of_secret(kept.secret))
    return {(grant.member, grant.role) for grant in found}


def is_gone(product: Product, kept: HubToken) -> bool:
    """Return whether the secret is deleted, and with it whatever was granted on it."""
    found = product.clients.secrets.list_secrets(parent=f"projects/{PROJECT}")
    return kept.id not in {secret.name.rsplit("/", 1)[-1] for secret in found}


HANDED = {(members.service_account(JOB_ACCOUNT), role) for role in account_roles.JOB_ON_TOKEN}


def test_a_gated_model_with_the_documented_roles_alone(
    product: Product, manager: Clients, bucket: str, calls: list[tuple[str, str, str]]
) -> None:
    create_bucket(product.clients, PROJECT, "of-others", REGION)
    SmallObjects(product.clients.storage(), "of-others").write("mine", "private")
    others = HubToken(PROJECT, "of-others", "0" * 32)
    secrets.put(product.clients, others, "hf_of_others")
    product.faults.update(bandwidth=200_000)  # so that it can be looked at while it runs
    kept = start(manager, bucket)
    assert roles_on_secret(product, kept) == HANDED
    job = product.as_account(JOB_ACCOUNT)
    with pytest.raises(DeniedError):
        SmallObjects(job.storage(), "of-others").read("mine")
    with pytest.raises(DeniedError):
        SmallObjects(job.storage(), "of-others").list("")
    with pytest.raises(DeniedError):
        secrets.read(job, others, is_handed=True)
    product.faults.reset()
    wait_for(manager, kept, ImportState.DONE)
    assert is_gone(product, kept)

    def touched(account: str) -> set[tuple[str, str]]:
        return {each[1:] for each in calls if each[0] == members.service_account(account)}

    def is_own(resource: str) -> bool:
        return resource.startswith(f"projects/_/buckets/{bucket}") or kept.id in resource

    by_job = touched(JOB_ACCOUNT)
    assert (secrets.ACCESS, f"{kept.secret}/versions/latest") in by_job
    granted = {each for each in by_job if not each[0].startswith("no ")}
    assert [each for each in granted if not is_own(each[1])] == []
    assert [each for each in by_job - granted if is_own(each[1])] == []  # it lacks nothing
    assert not [each for each in touched(PAGE_ACCOUNT) if each[0] == secrets.ACCESS]


def test_a_job_ends_the_token_when_no_page_sees_its_end(
    product: Product, manager: Clients, bucket: str
) -> None:
    kept = start(manager, bucket)

    def is_empty() -> bool:
        found = list(product.clients.secrets.list_secret_versions(parent=kept.secret))
        return bool(found) and all(each.state.name == "DESTROYED" for each in found)

    until(is_empty)
    with pytest.raises(NotFoundError, match="token is gone"):
        secrets.read(product.clients, kept)
    wait_for(manager, kept, ImportState.DONE)
    assert is_gone(product, kept)


def test_a_person_who_starts_a_job_lets_its_account_at_the_token(
    product: Product, bucket: str
) -> None:
    product.clients.session.get(f"{product.cloud.url}/oauth2/v3/userinfo")
    person = Clients(product.settings, Credentials(product.clients.credentials.token))
    product.faults.update(bandwidth=200_000)
    kept = start(person, bucket)
    assert roles_on_secret(product, kept) == HANDED
    product.faults.reset()
    wait_for(person, kept, ImportState.DONE)
    assert is_gone(product, kept)


def test_nothing_of_a_cancelled_import_is_left(
    product: Product, manager: Clients, bucket: str
) -> None:
    product.faults.update(bandwidth=100_000)
    kept = start(manager, bucket)
    importing.cancel(manager, bucket, kept.import_id)
    assert is_gone(product, kept)
    product.faults.reset()
    with pytest.raises(NotFoundError, match="token is gone"):
        importing.resume(manager, manager.settings, bucket, kept.import_id)


def test_a_failed_import_keeps_its_token_and_lets_nobody_at_it(
    product: Product, manager: Clients, bucket: str
) -> None:
    failing = {"match": "^POST /v2/.*/jobs/.*:run", "status": 400, "message": "No more jobs."}
    product.faults.update(failures=[failing])
    with pytest.raises(InvalidInputError, match="start the job"):
        start(manager, bucket)
    product.faults.update(failures=[], denied_permissions=["storage.multipartUploads.create"])
    kept = start(manager, bucket)
    wait_for(manager, kept, ImportState.FAILED)
    assert roles_on_secret(product, kept) == set()
    product.faults.reset()
    note, _ = ImportFolder(SmallObjects(manager.storage(), bucket), kept.import_id).worker()
    assert note
    until(lambda: jobs.execution(manager, note.execution).state.is_final)
    importing.resume(manager, manager.settings, bucket, kept.import_id)
    wait_for(manager, kept, ImportState.DONE)


def test_nothing_of_a_removed_import_is_left(
    product: Product, manager: Clients, bucket: str
) -> None:
    product.faults.update(denied_permissions=["storage.multipartUploads.create"])
    kept = start(manager, bucket)
    wait_for(manager, kept, ImportState.FAILED)
    assert not is_gone(product, kept)
    (record,) = read_metadata(manager.storage(), bucket)[0].models
    remove_model(manager, bucket, record)
    assert is_gone(product, kept)


def test_a_grant_in_flight_is_waited_for(product: Product, manager: Clients, bucket: str) -> None:
    product.faults.update(denied_permissions=[secrets.ACCESS])
    kept = start(manager, bucket)

    def waits() -> bool:
        progress = read_progress(manager, bucket, kept.import_id)
        return bool(progress and progress.message == WAITING)

    until(waits)
    product.faults.reset()
    wait_for(manager, kept, ImportState.DONE)


def test_a_grant_on_the_bucket_in_flight_is_waited_for(
    product: Product, manager: Clients, bucket: str, calls: list[tuple[str, str, str]]
) -> None:
    given = policy.Grant(members.service_account(JOB_ACCOUNT), account_roles.BUCKET_WRITER)
    resource = policy.of_bucket(bucket, project=PROJECT)
    product.faults.update(holds=["^POST /v2/.*/jobs/.*:run"])
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(start, manager, bucket)
        until(lambda: given in policy.grants(product.clients, resource))
        policy.revoke(product.clients, resource, given)
        product.faults.reset()
        kept = starting.result()
    until(lambda: (given.member, "no storage.objects.get") in {each[:2] for each in calls})
    policy.grant(product.clients, resource, [given.role], given.member)
    wait_for(manager, kept, ImportState.DONE)


REFUSED: dict[str, tuple[list[str], str, str]] = {
    "act as": (
        ["iam.serviceAccounts.actAs"],
        f"You don't have permission to start import jobs as {JOB_ACCOUNT}.",
        f"--member=serviceAccount:{PAGE_ACCOUNT} --role=roles/iam.serviceAccountUser",
    ),
    "token": (
        ["secretmanager.secrets.setIamPolicy"],
        f"You don't have permission to keep a token in Secret Manager in {PROJECT}.",
        f"--role=projects/{PROJECT}/roles/{TOKENS.id}",
    ),
    "bucket": (
        ["storage.buckets.setIamPolicy"],
        "Import jobs can't write to the bucket",
        f"--member=serviceAccount:{JOB_ACCOUNT} --role=roles/storage.objectUser",
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_missing_is_told_before_anything_is_made(
    product: Product, manager: Clients, bucket: str, reason: str
) -> None:
    denied, message, command = REFUSED[reason]
    product.faults.update(denied_permissions=denied)
    with pytest.raises(DeniedError) as caught:
        start(manager, bucket)
    assert caught.value.message.startswith(message)
    assert caught.value.fix
    assert command in caught.value.fix.command
    assert SmallObjects(product.clients.storage(), bucket).list("llm-manager/") == []


def test_an_account_of_the_settings_that_is_not_there(manager: Clients, bucket: str) -> None:
    settings = replace(manager.settings, import_account="other@nowhere.iam.gserviceaccount.com")
    clients = Clients(settings, manager.credentials)
    with pytest.raises(DeniedError, match="no such service account") as caught:
        start(clients, bucket)
    assert caught.value.fix
    assert "LLM_WIDGETS_IMPORT_ACCOUNT" in caught.value.fix.text
