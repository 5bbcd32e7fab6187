from __future__ import annotations

import fnmatch
import itertools

import pytest

from llm_widgets.checks.permissions import BUCKETS_NEED, GROUPS
from llm_widgets.gcp import secrets
from llm_widgets.gcp.iam import account_roles, role_catalogue
from llm_widgets.gcp.iam.account_roles import (
    CUSTOM_ROLES,
    IMPORT_JOBS,
    PAGE,
    PAUSES,
    SERVICES,
    TOKENS,
    NeededRole,
)
from local_cloud.facts import facts
from local_cloud.roles import PERMISSIONS, ROLES, role_permissions

# What Google's IAM API answered, in a public copy that neither the catalogue nor the local cloud
# was written from: the file names the commit.
RECORDED = {role: set(held) for role, held in facts("roles")["roles"].items()}
REAL = sorted(set[str]().union(*RECORDED.values()))

NEEDED = sorted({*BUCKETS_NEED, *(each for group in GROUPS for each in group.permissions)})


def held_by(role: str) -> frozenset[str]:
    """Return what a role holds: as Google tells it, or as the product defines it."""
    custom = CUSTOM_ROLES.get(role)
    return frozenset(custom.permissions) if custom else role_permissions(role)


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
        ("secretmanager.versions.add", "llmManagerTokens"),
        ("secretmanager.secrets.delete", "llmManagerTokens"),
        ("secretmanager.versions.access", "roles/secretmanager.secretAccessor"),
        ("tpu.nodes.create", ""),
    ],
)
def test_least_role(permission: str, role: str) -> None:
    assert role_catalogue.least_role(permission) == role


@pytest.mark.parametrize("permission", NEEDED)
def test_the_role_holds_what_it_is_granted_for(permission: str) -> None:
    assert permission in held_by(role_catalogue.least_role(permission))


@pytest.mark.parametrize("pattern", [pattern for pattern, _, _ in role_catalogue._ROLES])
def test_a_pattern_names_permissions_that_exist(pattern: str) -> None:
    assert fnmatch.filter(REAL, pattern)


def test_no_role_is_offered_that_does_not_really_hold_the_permission() -> None:
    offered = {permission: role_catalogue.least_role(permission) for permission in REAL}
    # Custom roles of ours are what they are; of these two there is no recording.
    unseen = {"", "roles/iam.roleAdmin", account_roles.TOKEN_ENDER, *CUSTOM_ROLES}
    wrong = [(p, r) for p, r in offered.items() if r not in unseen and p not in RECORDED[r]]
    assert wrong == []
    assert set(NEEDED) <= set(REAL)
    assert all(offered[permission] for permission in NEEDED)


def test_a_role_stands_in_for_those_below_it_in_its_row() -> None:
    for ladder in role_catalogue._LADDERS:
        for lower, higher in itertools.pairwise(ladder):
            asked = {p for p in REAL if role_catalogue.least_role(p) == lower}
            assert asked <= RECORDED[higher], (lower, higher)


def test_all_roles_together_hold_everything_and_none_is_spare() -> None:
    roles = role_catalogue.least_roles(NEEDED)
    held = [held_by(role) for role in roles]
    assert frozenset(NEEDED) <= frozenset[str]().union(*held)
    assert set(roles) <= {*ROLES, *CUSTOM_ROLES}
    for one in held:
        assert not any(one < other for other in held), roles


def together(roles: tuple[NeededRole, ...]) -> frozenset[str]:
    return frozenset[str]().union(*(held_by(each.role) for each in roles))


def test_the_page_reads_no_secret() -> None:
    assert secrets.ACCESS not in together(PAGE)
    assert secrets.ACCESS not in {each for group in GROUPS for each in group.permissions}
    assert set(TOKENS.permissions) <= PERMISSIONS


def test_only_an_import_job_reads_a_secret_and_it_can_hand_it_to_nobody() -> None:
    held = together(IMPORT_JOBS)
    assert secrets.ACCESS in held
    assert not {each for each in held if each.endswith(".setIamPolicy")}
    assert not {each for each in held if each.startswith(("run.", "iam."))}
    assert secrets.ACCESS not in together(SERVICES)


def test_every_role_of_the_accounts_is_one() -> None:
    named = {each.role for each in (*PAGE, *IMPORT_JOBS, *SERVICES, *PAUSES)}
    assert named <= {*ROLES, *CUSTOM_ROLES}


def test_a_custom_role_is_defined_before_it_is_granted() -> None:
    fix = role_catalogue.grant("secretmanager.secrets.create", "user:a@b.c", project="my-project")
    defined, granted = fix.command.splitlines()
    assert defined == (
        "gcloud iam roles create llmManagerTokens --project=my-project "
        f"--title='LLM Manager: tokens of imports' --permissions={','.join(TOKENS.permissions)}"
    )
    assert granted == (
        "gcloud projects add-iam-policy-binding my-project --member=user:a@b.c "
        "--role=projects/my-project/roles/llmManagerTokens"
    )


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
    assert fix.text == "Ask an administrator of the project for a role that has tpu.nodes.create."
