"""gcloud on projects, billing, APIs, accounts and networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from local_cloud.cloud import LocalCloud
    from local_cloud.testing.gcloud import Gcloud

pytestmark = [pytest.mark.gcloud, pytest.mark.slow]

MANAGER = "manager@local-project.iam.gserviceaccount.com"


def test_a_project_and_what_is_in_it(gcloud: Gcloud) -> None:
    projects, demo, policy, billing, apis, accounts, networks, subnetworks, secrets = (
        gcloud.answers(
            "projects list",
            "projects describe demo-project",
            "projects get-iam-policy demo-project",
            "billing projects describe demo-project",
            "services list --enabled",
            "iam service-accounts list",
            "compute networks list",
            "compute networks subnets list",
            "secrets list",
        )
    )
    assert {each["projectId"] for each in projects} == {"demo-project", "local-project"}
    assert (demo["projectId"], demo["lifecycleState"]) == ("demo-project", "ACTIVE")
    owners = next(b for b in policy["bindings"] if b["role"] == "roles/owner")
    assert f"serviceAccount:{MANAGER}" in owners["members"]
    assert billing["billingEnabled"] is True
    assert {"run.googleapis.com", "storage.googleapis.com"} <= {a["config"]["name"] for a in apis}
    number = next(p["projectNumber"] for p in projects if p["projectId"] == "local-project")
    assert {MANAGER, f"{number}-compute@developer.gserviceaccount.com"} <= {
        each["email"] for each in accounts
    }
    assert [each["name"] for each in networks] == ["default"]
    ranges = {each["region"].rpartition("/")[2]: each["ipCidrRange"] for each in subnetworks}
    assert ranges["europe-west1"] == "10.132.0.0/20"
    assert secrets == []


def test_connectors_accounts_and_apis_are_made_and_switched(gcloud: Gcloud) -> None:
    at = "--region=europe-west1"
    connectors = "compute networks vpc-access connectors"
    gcloud.together(
        f"{connectors} create from-gcloud {at} --range=10.8.0.0/28",
        "iam service-accounts create from-gcloud --display-name=Runner",
        "services disable vpcaccess.googleapis.com --project=demo-project",
    )
    found, accounts, apis = gcloud.answers(
        f"{connectors} list {at}",
        "iam service-accounts list",
        "services list --enabled --project=demo-project",
    )
    assert [(c["name"].rpartition("/")[2], c["state"]) for c in found] == [("from-gcloud", "READY")]
    email = "from-gcloud@local-project.iam.gserviceaccount.com"
    assert (email, "Runner") in {(a["email"], a.get("displayName")) for a in accounts}
    enabled = {each["config"]["name"] for each in apis}
    assert "vpcaccess.googleapis.com" not in enabled
    assert "run.googleapis.com" in enabled
    gcloud.together(
        f"{connectors} delete from-gcloud {at}",
        f"iam service-accounts delete {email}",
        "services enable vpcaccess.googleapis.com --project=demo-project",
    )


def test_what_is_refused_is_told_in_googles_words(gcloud: Gcloud, cloud: LocalCloud) -> None:
    cloud.faults.update(denied_permissions=["iam.serviceAccounts.list"])
    project, accounts = gcloud.refusals(
        "projects describe other-project", "iam service-accounts list"
    )
    assert "The caller does not have permission" in project
    assert "Permission 'iam.serviceAccounts.list' denied" in accounts
