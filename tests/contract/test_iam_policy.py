"""Policies are read and changed in one way, whatever carries them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.errors import ConflictError, DeniedError, InvalidInputError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.iam import invokers, policy, service_accounts
from llm_widgets.gcp.iam.policy import Grant
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.gcp.storage import buckets
from tests.contract.engine import ENGINE, service
from tests.contract.product import PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.gcp.iam.policy import Resource

ANN, BOB, EVE = (f"user:{name}@example.org" for name in ("ann", "bob", "eve"))
OFFICE_HOURS = {"title": "office hours", "expression": "request.time.getHours() < 18"}


def project(_: Product) -> Resource:
    return policy.of_project(PROJECT)


def account(product: Product) -> Resource:
    made = service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME)
    return policy.of_service_account(made.email, project=PROJECT)


def secret(product: Product) -> Resource:
    kept = HubToken(PROJECT, "models", "policed")
    secrets.put(product.clients, kept, "hf_token")
    return policy.of_secret(kept.secret)


def bucket(product: Product) -> Resource:
    buckets.create_bucket(product.clients, PROJECT, "policy-models", REGION)
    return policy.of_bucket("policy-models", project=PROJECT)


def a_service(product: Product) -> Resource:
    request: Any = {"parent": PARENT, "service_id": "policed", "service": service(ENGINE)}
    product.clients.services.create_service(request=request).result(timeout=30)
    return policy.of_cloud_run(f"{PARENT}/services/policed")


def a_job(product: Product) -> Resource:
    container = {"image": "local/python:3", "command": ["-c", "pass"]}
    job = {"template": {"template": {"containers": [container]}}}
    request: Any = {"parent": PARENT, "job_id": "policed", "job": job}
    product.clients.jobs.create_job(request=request).result(timeout=30)
    return policy.of_cloud_run(f"{PARENT}/jobs/policed")


KINDS: dict[str, tuple[Callable[[Product], Resource], str]] = {
    "project": (project, "roles/run.viewer"),
    "account": (account, "roles/iam.serviceAccountUser"),
    "secret": (secret, "roles/secretmanager.secretAccessor"),
    "bucket": (bucket, "roles/storage.objectViewer"),
    "service": (a_service, invokers.INVOKER),
    "job": (a_job, "roles/run.jobsExecutor"),
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("policies"), environment)


@pytest.fixture(scope="module", params=KINDS)
def made(product: Product, request: pytest.FixtureRequest) -> tuple[Resource, str]:
    make, role = KINDS[request.param]
    return make(product), role


@pytest.fixture
def kind(product: Product, made: tuple[Resource, str]) -> Iterator[tuple[Resource, str]]:
    """Yield a resource and a role on it; the policy is put back afterwards."""
    resource, _ = made
    before = resource.read(product.clients)
    yield made
    product.faults.reset()
    now = resource.read(product.clients)["etag"]
    resource.write(product.clients, {"bindings": before.get("bindings", []), "etag": now})


def bind(product: Product, resource: Resource, *bindings: dict[str, Any]) -> None:
    """Add bindings, as somebody else does."""
    now = resource.read(product.clients)
    now["bindings"] = [*now.get("bindings", []), *bindings]
    resource.write(product.clients, {**now, "version": 3})


def bindings(product: Product, resource: Resource, role: str) -> list[dict[str, Any]]:
    found = resource.read(product.clients).get("bindings", [])
    return [each for each in found if each["role"] == role]


def etag(product: Product, resource: Resource) -> str:
    return str(resource.read(product.clients)["etag"])


def test_a_role_is_granted_once(product: Product, kind: tuple[Resource, str]) -> None:
    resource, role = kind
    policy.grant(product.clients, resource, [role], ANN)
    after = etag(product, resource)
    policy.grant(product.clients, resource, [role], ANN)
    assert etag(product, resource) == after  # nothing was written
    policy.grant(product.clients, resource, [role], BOB)
    assert bindings(product, resource, role) == [{"role": role, "members": [ANN, BOB]}]
    assert policy.roles_of(product.clients, resource, ANN) == {role}


def test_a_binding_with_a_condition_is_neither_a_grant_nor_touched(
    product: Product, kind: tuple[Resource, str]
) -> None:
    resource, role = kind
    conditional = {"role": role, "members": [ANN], "condition": OFFICE_HOURS}
    bind(product, resource, conditional)
    assert policy.roles_of(product.clients, resource, ANN) == frozenset()
    policy.grant(product.clients, resource, [role], ANN)
    assert bindings(product, resource, role) == [conditional, {"role": role, "members": [ANN]}]
    assert resource.read(product.clients)["version"] == 3
    given = {each for each in policy.grants(product.clients, resource) if each.member == ANN}
    assert given == {Grant(ANN, role), Grant(ANN, role, "office hours")}


def test_a_role_is_taken_away_and_kept_under_another_condition(
    product: Product, kind: tuple[Resource, str]
) -> None:
    resource, role = kind
    nameless = {"expression": "request.time.getHours() < 9"}
    kept = [
        {"role": role, "members": [ANN], "condition": OFFICE_HOURS},
        {"role": role, "members": [ANN], "condition": nameless},
    ]
    bind(product, resource, *kept, {"role": role, "members": [ANN]})
    policy.revoke(product.clients, resource, Grant(ANN, role))
    assert bindings(product, resource, role) == kept
    policy.revoke(product.clients, resource, Grant(ANN, role, "office hours"))
    assert bindings(product, resource, role) == kept[1:]
    after = etag(product, resource)
    policy.revoke(product.clients, resource, Grant(BOB, role))
    assert etag(product, resource) == after


def test_what_others_change_meanwhile_is_kept(product: Product, kind: tuple[Resource, str]) -> None:
    resource, role = kind
    tries: list[Any] = []

    def edit(read: dict[str, Any]) -> bool:
        if not tries:
            bind(product, resource, {"role": role, "members": [EVE]})
        tries.append(read["etag"])
        read.setdefault("bindings", []).append({"role": role, "members": [ANN]})
        return True

    policy.change(product.clients, resource, "let ann in", edit)
    assert len(set(tries)) == len(tries) == 2
    members = [member for each in bindings(product, resource, role) for member in each["members"]]
    assert sorted(members) == [ANN, EVE]


def test_a_conflict_that_does_not_end_is_told(
    product: Product, kind: tuple[Resource, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    resource, role = kind
    monkeypatch.setattr(policy, "_PATIENCE", 0.3)

    def edit(read: dict[str, Any]) -> bool:
        bind(product, resource, {"role": role, "members": [EVE]})
        return bool(read)

    with pytest.raises(ConflictError, match=r"Can't let ann in\."):
        policy.change(product.clients, resource, "let ann in", edit)


@pytest.mark.parametrize("verb", ["getIamPolicy", "setIamPolicy"])
def test_the_permission_that_lacks_is_told(
    product: Product, kind: tuple[Resource, str], verb: str
) -> None:
    resource, role = kind
    product.faults.update(denied_permissions=[f"*.{verb}"])
    with pytest.raises(DeniedError) as caught:
        policy.grant(product.clients, resource, [role], ANN)
    product.faults.reset()  # so that the policy can be put back
    assert f"{resource.permission}.{verb}" in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("projects/p-1", "the project p-1"),
        ("serviceAccounts/a@p.iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com"),
        ("projects/p-1/secrets/s", "the secret s"),
        ("buckets/models", "the bucket models"),
    ],
)
def test_what_a_diagnosis_names_is_found(name: str, title: str) -> None:
    assert policy.named(name, project="mine").title == title


def test_what_carries_no_roles_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="granting roles on folders/1"):
        policy.named("folders/1", project="mine")
