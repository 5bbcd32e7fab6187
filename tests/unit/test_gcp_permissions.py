from __future__ import annotations

import pytest

from llm_widgets.checks.permissions import BUCKETS_NEED, GROUPS
from llm_widgets.gcp.iam import role_catalogue
from local_cloud.roles import ROLES, role_permissions

NEEDED = sorted({*BUCKETS_NEED, *(each for group in GROUPS for each in group.permissions)})


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("run.services.create", "roles/run.developer"),
        ("run.services.setIamPolicy", "roles/run.admin"),
        ("run.services.list", "roles/run.viewer"),
        ("run.routes.invoke", "roles/run.invoker"),
        ("storage.buckets.create", "roles/storage.admin"),
        ("storage.buckets.get", "roles/storage.bucketViewer"),
        ("storage.objects.list", "roles/storage.objectViewer"),
        ("storage.objects.create", "roles/storage.objectUser"),
        ("iam.serviceaccounts.actAs", "roles/iam.serviceAccountUser"),
        ("compute.subnetworks.setPrivateIpGoogleAccess", "roles/compute.networkAdmin"),
        ("run.executions.cancel", "roles/run.jobsExecutor"),
        ("resourcemanager.projects.getIamPolicy", "roles/browser"),
        ("secretmanager.versions.add", "roles/secretmanager.secretVersionAdder"),
        ("tpu.nodes.create", ""),
    ],
)
def test_least_role(permission: str, role: str) -> None:
    assert role_catalogue.least_role(permission) == role


@pytest.mark.parametrize("permission", NEEDED)
def test_the_role_holds_what_it_is_granted_for(permission: str) -> None:
    assert permission in role_permissions(role_catalogue.least_role(permission))


def test_all_roles_together_hold_everything_and_none_is_spare() -> None:
    roles = role_catalogue.least_roles(NEEDED)
    held = [role_permissions(role) for role in roles]
    assert frozenset(NEEDED) <= frozenset[str]().union(*held)
    assert set(roles) <= set(ROLES)
    for one in held:
        assert not any(one < other for other in held), roles


def test_a_member_with_a_star_is_quoted_for_the_shell() -> None:
    member = "principalSet://iam.googleapis.com/projects/1/locations/global/x/*"
    fix = role_catalogue.grant("run.services.get", member, project="my-project")
    assert f"--member='{member}'" in fix.command


def test_without_a_member_there_is_no_command_to_copy() -> None:
    fix = role_catalogue.grant("run.services.get", "", project="my-project")
    assert not fix.command
    assert "roles/run.viewer" in fix.text
    assert "project=my-project" in fix.url


def test_unknown_permission() -> None:
    fix = role_catalogue.grant("tpu.nodes.create", "user:a@example.com", project="my-project")
    assert fix.text == "Ask an administrator of the project for access."
