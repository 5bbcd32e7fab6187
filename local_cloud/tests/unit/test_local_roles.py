"""Roles, quantities and policies of the local cloud."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from local_cloud.access import Access, Denied, Unauthenticated
from local_cloud.errors import ApiError
from local_cloud.faults import Faults
from local_cloud.google.run_resources import quantity
from local_cloud.issuer import ANONYMOUS, Issuer, caller_for
from local_cloud.roles import PERMISSIONS, ROLES, role_permissions, valid_on
from local_cloud.seed import owner_account, seed
from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MANAGER = caller_for(owner_account("p"))
SOMEBODY = caller_for("somebody@example.com")
BUCKET = "projects/_/buckets/b"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def access(store: Store) -> Access:
    access = Access(store, Faults(store))
    seed(store, access, ("p",))
    store.put("bucket", "b", {"project": "p"})
    return access


def bind(access: Access, resource: str, role: str, *members: str) -> None:
    policy = access.get_policy(resource)
    policy["bindings"].append({"role": role, "members": list(members)})
    access.set_policy(resource, policy)


def test_every_role_gives_something() -> None:
    assert [role for role in ROLES if not role_permissions(role)] == []
    assert role_permissions("roles/nothing") == frozenset()


def test_roles_hold_what_google_says() -> None:
    assert "run.services.setIamPolicy" in role_permissions("roles/run.admin")
    assert "run.services.setIamPolicy" not in role_permissions("roles/run.developer")
    assert "iam.serviceAccounts.actAs" not in role_permissions("roles/run.admin")
    assert "iam.serviceAccounts.getAccessToken" not in role_permissions("roles/owner")
    assert "secretmanager.versions.access" not in role_permissions("roles/editor")
    assert "storage.objects.get" not in role_permissions("roles/viewer")
    of_objects = {p for p in role_permissions("roles/storage.objectViewer") if ".objects." in p}
    assert of_objects == {"storage.objects.get", "storage.objects.list"}
    assert "run.executions.cancel" not in role_permissions("roles/run.invoker")


def test_owners_reach_into_buckets_by_the_policies_of_these_only() -> None:
    for role in ("roles/owner", "roles/editor"):
        held = role_permissions(role)
        assert "storage.buckets.create" in held
        assert not [p for p in held if p.startswith("storage.objects.")]
        assert "storage.buckets.get" not in held


def test_permissions_are_valid_where_they_mean_something() -> None:
    assert valid_on("run.services.get", "projects/p")
    assert not valid_on("run.services.*", "projects/p")
    assert not valid_on("resourcemanager.projects.list", "projects/p")
    assert valid_on("storage.objects.get", BUCKET)
    assert not valid_on("run.services.get", BUCKET)
    assert not valid_on("billing.accounts.get", "projects/p")
    assert len(PERMISSIONS) > 100


def test_a_bucket_inherits_from_its_project(access: Access) -> None:
    access.require(MANAGER, "storage.buckets.delete", BUCKET)
    bind(access, "projects/p", "roles/storage.objectViewer", MANAGER.member)
    access.require(MANAGER, "storage.objects.get", BUCKET)
    access.require(MANAGER, "storage.objects.get", f"{BUCKET}/objects/a/b")
    with pytest.raises(Denied, match=r"Permission 'storage\.objects\.get' denied on resource"):
        access.require(SOMEBODY, "storage.objects.get", BUCKET)
    bind(access, BUCKET, "roles/storage.objectViewer", SOMEBODY.member)
    access.require(SOMEBODY, "storage.objects.get", BUCKET)
    with pytest.raises(Denied):
        access.require(SOMEBODY, "storage.objects.get", "projects/_/buckets/other")


def test_everybody_and_everybody_signed_in(access: Access) -> None:
    service = "projects/p/locations/europe-west1/services/s"
    bind(access, service, "roles/run.invoker", "allAuthenticatedUsers")
    assert access.granted(SOMEBODY, ["run.routes.invoke"], service)
    assert not access.granted(ANONYMOUS, ["run.routes.invoke"], service)
    bind(access, service, "roles/run.invoker", "allUsers")
    assert access.granted(ANONYMOUS, ["run.routes.invoke"], service)


def test_owners_of_the_project_are_members(access: Access) -> None:
    bind(access, "projects/_/buckets/elsewhere", "roles/storage.admin", "projectOwner:p")
    assert access.granted(MANAGER, ["storage.buckets.get"], "projects/_/buckets/elsewhere")
    assert not access.granted(SOMEBODY, ["storage.buckets.get"], "projects/_/buckets/elsewhere")


@pytest.mark.parametrize(
    ("expression", "grants"),
    [("true", True), ("false", False), ("resource.colour == 'red'", False), ("'yes'", False)],
)
def test_a_condition_grants_only_where_it_is_true(
    access: Access,
    expression: str,
    grants: bool,  # noqa: FBT001 - a parameter
) -> None:
    policy = access.get_policy(BUCKET)
    policy["bindings"] = [
        {
            "role": "roles/storage.objectViewer",
            "members": [SOMEBODY.member],
            "condition": {"title": "x", "expression": expression},
        }
    ]
    access.set_policy(BUCKET, policy)
    assert bool(access.granted(SOMEBODY, ["storage.objects.get"], BUCKET)) is grants


def test_a_project_has_one_policy_by_id_and_number(access: Access, store: Store) -> None:
    record = store.get("project", "p")
    assert record
    by_number = access.get_policy(f"projects/{record['number']}")
    assert by_number == access.get_policy("projects/p")


def test_a_first_etag_is_checked_too(access: Access) -> None:
    first = access.get_policy(BUCKET)
    bind(access, BUCKET, "roles/storage.objectViewer", SOMEBODY.member)
    with pytest.raises(ApiError) as caught:
        access.set_policy(BUCKET, first)
    assert (caught.value.status, caught.value.reason) == (409, "ABORTED")


def test_tokens_stand_for_those_who_got_them(access: Access, store: Store) -> None:
    token = Issuer(store).access_token(MANAGER.email)
    assert access.caller_of(f"Bearer {token}") == MANAGER
    assert access.caller_of("", allow_anonymous=True) == ANONYMOUS
    body, _, signature = token.rpartition(".")
    for bad in ("Bearer x", f"Basic {token}", f"Bearer {body}.{signature[::-1]}"):
        with pytest.raises(Unauthenticated, match="invalid authentication"):
            access.caller_of(bad, allow_anonymous=True)
    with pytest.raises(Unauthenticated, match="missing"):
        access.caller_of("")


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("500m", "0.5"), ("2Gi", 2**31), ("1G", 10**9), ("0.5", "0.5"), ("128Mi", 2**27)],
)
def test_quantities(text: str, value: str | int) -> None:
    assert quantity(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "Gi", "-1", "1 Gi", "1e3", "1gi"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is not a quantity"):
        quantity(text)
