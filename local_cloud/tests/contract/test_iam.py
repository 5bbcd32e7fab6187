"""IAM: policies, permissions and service accounts, over REST and over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions
from google.cloud import iam_admin_v1, iam_credentials_v1, resourcemanager_v3, run_v2
from google.iam.v1 import policy_pb2

from tests.contract.control_plane import (
    MANAGER,
    PARENT,
    PROJECT,
    SCOPE,
    ControlPlane,
    control_plane,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

V1 = "/v1/projects/-/serviceAccounts"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture
def projects(plane: ControlPlane) -> Iterator[resourcemanager_v3.ProjectsClient]:
    client = plane.rest(resourcemanager_v3.ProjectsClient)
    before = client.get_iam_policy(resource=PROJECT)
    yield client
    plane.cloud.faults.reset()
    before.etag = b""
    client.set_iam_policy({"resource": PROJECT, "policy": before})


def account(plane: ControlPlane, short: str) -> str:
    """Make a service account, and return its address."""
    client = plane.grpc(iam_admin_v1.IAMClient)
    try:
        made = client.create_service_account(name=PROJECT, account_id=short)
    except exceptions.AlreadyExists:
        return f"{short}@local-project.iam.gserviceaccount.com"
    return str(made.email)


def as_account(plane: ControlPlane, email: str, client: type[Any]) -> Any:
    """Return a client that calls as another account."""
    key = plane.cloud.key(email)
    return plane.rest(client, plane.credentials_of(key))


def grant(client: resourcemanager_v3.ProjectsClient, role: str, member: str) -> None:
    policy = client.get_iam_policy(resource=PROJECT)
    policy.bindings.append(policy_pb2.Binding(role=role, members=[member]))
    client.set_iam_policy({"resource": PROJECT, "policy": policy})


def test_a_role_gives_its_permissions_and_no_others(
    plane: ControlPlane, projects: resourcemanager_v3.ProjectsClient
) -> None:
    email = account(plane, "reader-of-runs")
    reader = as_account(plane, email, run_v2.ServicesClient)
    with pytest.raises(exceptions.Forbidden, match=r"run\.services\.list"):
        list(reader.list_services(parent=PARENT))
    grant(projects, "roles/run.viewer", f"serviceAccount:{email}")
    assert list(reader.list_services(parent=PARENT)) == []
    with pytest.raises(exceptions.Forbidden, match=r"run\.services\.delete"):
        reader.delete_service(name=f"{PARENT}/services/x")
    own = as_account(plane, email, resourcemanager_v3.ProjectsClient)
    held = own.test_iam_permissions(
        resource=PROJECT, permissions=["run.services.get", "run.services.create"]
    )
    assert list(held.permissions) == ["run.services.get"]
    assert [found.project_id for found in own.search_projects()] == ["local-project"]


def test_a_policy_is_changed_by_read_modify_write(
    projects: resourcemanager_v3.ProjectsClient,
) -> None:
    stale = projects.get_iam_policy(resource=PROJECT)
    grant(projects, "roles/run.viewer", f"serviceAccount:{MANAGER}")
    with pytest.raises(exceptions.Conflict, match="concurrent policy changes"):
        projects.set_iam_policy({"resource": PROJECT, "policy": stale})
    now = projects.get_iam_policy(resource=PROJECT)
    assert "roles/run.viewer" in {b.role for b in now.bindings}


@pytest.mark.parametrize(
    ("role", "member", "text"),
    [
        ("roles/run.chief", f"serviceAccount:{MANAGER}", "Role roles/run.chief is not supported"),
        ("roles/run.viewer", "manager", "Invalid member: 'manager'"),
        (
            "roles/run.viewer",
            "serviceAccount:nobody@local-project.iam.gserviceaccount.com",
            "does not exist",
        ),
    ],
)
def test_a_wrong_binding_is_refused(
    projects: resourcemanager_v3.ProjectsClient, role: str, member: str, text: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=text):
        grant(projects, role, member)


@pytest.mark.parametrize(
    "permission", ["run.services.*", "resourcemanager.projects.list", "made.up.permission"]
)
def test_what_cannot_be_tested_on_a_project_is_refused(
    projects: resourcemanager_v3.ProjectsClient, permission: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match="is not valid for this resource"):
        projects.test_iam_permissions(resource=PROJECT, permissions=[permission])


def test_at_most_a_hundred_permissions_are_tested(
    projects: resourcemanager_v3.ProjectsClient,
) -> None:
    with pytest.raises(exceptions.BadRequest, match="at most 100"):
        projects.test_iam_permissions(resource=PROJECT, permissions=["run.services.get"] * 101)


def test_acting_as_an_account_can_be_granted_on_it_alone(plane: ControlPlane) -> None:
    user, runtime = account(plane, "some-user"), account(plane, "some-runtime")
    session = plane.session()
    url = f"{plane.url}{V1}/{runtime}"
    policy = session.post(f"{url}:getIamPolicy").json()
    policy["bindings"] = [
        {"role": "roles/iam.serviceAccountUser", "members": [f"serviceAccount:{user}"]}
    ]
    answer = session.post(f"{url}:setIamPolicy", json={"policy": policy})
    assert answer.status_code == 200
    assert answer.json()["etag"] != policy["etag"]
    own = as_account(plane, user, iam_credentials_v1.IAMCredentialsClient).transport._session
    asked = {"permissions": ["iam.serviceAccounts.actAs", "iam.serviceAccounts.delete"]}
    held = own.post(f"{url}:testIamPermissions", json=asked).json()
    assert held == {"permissions": ["iam.serviceAccounts.actAs"]}
    other = own.post(f"{plane.url}{V1}/{MANAGER}:testIamPermissions", json=asked).json()
    assert other == {}


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_service_accounts_are_listed(plane: ControlPlane, transport: str) -> None:
    if transport == "grpc":
        client = plane.grpc(iam_admin_v1.IAMClient)
        found = {a.email for a in client.list_service_accounts(name=PROJECT)}
        one = client.get_service_account(name=f"projects/-/serviceAccounts/{MANAGER}")
        assert one.display_name == "Owner of the projects"
    else:
        session = plane.session()
        listed = session.get(f"{plane.url}/v1/{PROJECT}/serviceAccounts").json()["accounts"]
        found = {a["email"] for a in listed}
        one = session.get(f"{plane.url}{V1}/{MANAGER}").json()
        assert one["displayName"] == "Owner of the projects"
    assert MANAGER in found
    assert any(email.endswith("-compute@developer.gserviceaccount.com") for email in found)


def test_accounts_are_made_once_and_well_named(plane: ControlPlane) -> None:
    client = plane.grpc(iam_admin_v1.IAMClient)
    client.create_service_account(name=PROJECT, account_id="only-once")
    with pytest.raises(exceptions.AlreadyExists, match="only-once already exists"):
        client.create_service_account(name=PROJECT, account_id="only-once")
    with pytest.raises(exceptions.InvalidArgument, match="does not match"):
        client.create_service_account(name=PROJECT, account_id="x")


def test_tokens_for_others_need_the_permission(
    plane: ControlPlane, projects: resourcemanager_v3.ProjectsClient
) -> None:
    credentials = plane.rest(iam_credentials_v1.IAMCredentialsClient)
    email = account(plane, "impersonated")
    name = f"projects/-/serviceAccounts/{email}"
    with pytest.raises(exceptions.Forbidden, match="getAccessToken"):
        credentials.generate_access_token(name=name, scope=[SCOPE])
    grant(projects, "roles/iam.serviceAccountTokenCreator", f"serviceAccount:{MANAGER}")
    token = credentials.generate_access_token(name=name, scope=[SCOPE]).access_token
    answer = plane.session().get(f"{plane.url}/tokeninfo", params={"access_token": token})
    assert answer.json()["email"] == email
    made = credentials.generate_id_token(name=name, audience="https://a.example").token
    answer = plane.session().get(f"{plane.url}/tokeninfo", params={"id_token": made})
    assert answer.json()["aud"] == "https://a.example"


def test_a_custom_role_gives_what_it_includes(
    plane: ControlPlane, projects: resourcemanager_v3.ProjectsClient
) -> None:
    roles = plane.grpc(iam_admin_v1.IAMClient)
    name = f"{PROJECT}/roles/runLister"
    wanted = iam_admin_v1.Role(title="Lists runs", included_permissions=["run.services.list"])
    made = roles.create_role({"parent": PROJECT, "role_id": "runLister", "role": wanted})
    assert (made.name, made.title) == (name, "Lists runs")
    with pytest.raises(exceptions.AlreadyExists):
        roles.create_role({"parent": PROJECT, "role_id": "runLister", "role": wanted})
    told = plane.session().get(f"{plane.url}/v1/{name}").json()
    assert told["includedPermissions"] == ["run.services.list"]

    email = account(plane, "lister-of-runs")
    lister = as_account(plane, email, run_v2.ServicesClient)
    grant(projects, name, f"serviceAccount:{email}")
    assert list(lister.list_services(parent=PARENT)) == []
    with pytest.raises(exceptions.Forbidden, match=r"run\.services\.get"):
        lister.get_service(name=f"{PARENT}/services/x")

    more = {"included_permissions": ["run.services.list", "run.services.get"]}
    mask = {"paths": ["included_permissions"]}
    changed = roles.update_role({"name": name, "role": more, "update_mask": mask})
    assert (changed.title, len(changed.included_permissions)) == ("Lists runs", 2)
    with pytest.raises(exceptions.NotFound):
        lister.get_service(name=f"{PARENT}/services/x")


def test_a_custom_role_of_permissions_that_are_none(plane: ControlPlane) -> None:
    roles = plane.grpc(iam_admin_v1.IAMClient)
    wanted = iam_admin_v1.Role(included_permissions=["run.services.fly"])
    with pytest.raises(exceptions.InvalidArgument, match=r"run\.services\.fly"):
        roles.create_role({"parent": PROJECT, "role_id": "flyer", "role": wanted})
    with pytest.raises(exceptions.NotFound, match="was not found"):
        roles.get_role({"name": f"{PROJECT}/roles/flyer"})
