"""As slow and as strict as Google: what has its effect later, and what is too much or forbidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import iam_admin_v1, resourcemanager_v3, run_v2, storage

from local_cloud import slow
from local_cloud.cli import main
from tests.contract.control_plane import PARENT, PROJECT, ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR = 3600
ROLE = "roles/run.viewer"
LOGS = "/v2/entries:list"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("slow"))


@pytest.fixture(autouse=True)
def right_again(plane: ControlPlane) -> Iterator[None]:
    yield
    plane.cloud.faults.reset()


def create(plane: ControlPlane, short: str) -> str:
    client = plane.grpc(iam_admin_v1.IAMClient)
    email: str = client.create_service_account(name=PROJECT, account_id=short).email
    return email


def grant(plane: ControlPlane, member: str) -> None:
    client = plane.rest(resourcemanager_v3.ProjectsClient)
    policy = client.get_iam_policy(resource=PROJECT)
    policy.bindings.add(role=ROLE, members=[member])
    client.set_iam_policy({"resource": PROJECT, "policy": policy})


def services_of(plane: ControlPlane, email: str) -> Any:
    credentials = plane.credentials_of(plane.cloud.key(email))
    return plane.rest(run_v2.ServicesClient, credentials)


def test_grants_have_their_effect_later_and_are_read_at_once(plane: ControlPlane) -> None:
    email = create(plane, "latecomer")
    member = f"serviceAccount:{email}"
    plane.cloud.faults.update(grant_seconds=HOUR)
    grant(plane, member)
    read = plane.rest(resourcemanager_v3.ProjectsClient).get_iam_policy(resource=PROJECT)
    assert member in next(each.members for each in read.bindings if each.role == ROLE)
    with pytest.raises(exceptions.Forbidden):
        list(services_of(plane, email).list_services(parent=PARENT))
    # What was granted before has its effect all the time.
    assert list(plane.rest(run_v2.ServicesClient).list_services(parent=PARENT)) == []
    plane.cloud.faults.update(grant_seconds=0)
    assert list(services_of(plane, email).list_services(parent=PARENT)) == []


def test_new_accounts_are_unknown_at_first(plane: ControlPlane) -> None:
    plane.cloud.faults.update(account_seconds=HOUR)
    email = create(plane, "newcomer")
    client = plane.grpc(iam_admin_v1.IAMClient)
    with pytest.raises(exceptions.NotFound):
        client.get_service_account(name=f"{PROJECT}/serviceAccounts/{email}")
    with pytest.raises(exceptions.BadRequest, match=f"Service account {email} does not exist"):
        grant(plane, f"serviceAccount:{email}")
    with pytest.raises(exceptions.AlreadyExists):
        create(plane, "newcomer")
    plane.cloud.faults.update(account_seconds=0)
    grant(plane, f"serviceAccount:{email}")
    assert client.get_service_account(name=f"{PROJECT}/serviceAccounts/{email}").email == email


def test_too_many_reads_of_logs_are_refused(plane: ControlPlane) -> None:
    plane.cloud.faults.update(rates={"logging.googleapis.com/read_requests": 2})
    body = {"resourceNames": [PROJECT]}
    answers = [plane.session().post(plane.url + LOGS, json=body, timeout=30) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    info = answers[-1].json()["error"]["details"][0]
    assert info["reason"] == "RATE_LIMIT_EXCEEDED"
    assert info["metadata"]["quota_metric"] == "logging.googleapis.com/read_requests"
    assert info["metadata"]["quota_limit_value"] == "2"


def test_services_for_inside_answer_nobody_from_outside(plane: ControlPlane) -> None:
    plane.cloud.faults.update(enforce_ingress=True)
    client = plane.rest(run_v2.ServicesClient)
    wanted = {
        "template": {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello"}]},
        "ingress": run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY,
        "invoker_iam_disabled": True,
    }
    made = client.create_service(parent=PARENT, service_id="inside", service=wanted).result()
    assert requests.get(made.uri, timeout=30).status_code == 404
    plane.cloud.faults.update(enforce_ingress=False)
    assert requests.get(made.uri, timeout=30).status_code == 200


def test_constraints_of_the_organization(plane: ControlPlane) -> None:
    plane.cloud.faults.update(
        organization_policies={
            "constraints/gcp.resourceLocations": ["europe-west1"],
            "constraints/iam.allowedPolicyMemberDomains": [],
            "constraints/iam.disableServiceAccountCreation": [],
        }
    )
    with pytest.raises(exceptions.BadRequest, match="permitted customer"):
        grant(plane, "allUsers")
    with pytest.raises(exceptions.FailedPrecondition, match="not allowed on this project"):
        create(plane, "forbidden")
    buckets = storage.Client(
        "local-project", plane.credentials, client_options={"api_endpoint": plane.url}
    )
    with pytest.raises(exceptions.PreconditionFailed, match=r"constraints/gcp\.resourceLocations"):
        buckets.create_bucket("elsewhere", location="us-east1")
    buckets.create_bucket("at-home", location="europe-west1")
    wanted = {"template": {"containers": [{"image": "us-docker.pkg.dev/cloudrun/container/hello"}]}}
    with pytest.raises(exceptions.GoogleAPICallError, match="resourceLocations"):
        plane.rest(run_v2.ServicesClient).create_service(
            parent=f"{PROJECT}/locations/us-east1", service_id="elsewhere", service=wanted
        )


def test_the_profile_is_made_of_switches(plane: ControlPlane) -> None:
    plane.cloud.faults.update(**slow.as_slow_as_google(60))
    assert plane.cloud.faults.grant_seconds == 60
    assert plane.cloud.faults.account_seconds == 10
    plane.cloud.faults.update(**slow.AT_ONCE)
    assert slow.AT_ONCE.keys() == slow.as_slow_as_google().keys()
    assert plane.cloud.faults.grant_seconds == 0


def test_seconds_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--as-slow-as-google", "soon"])
    assert "'soon' is no number of seconds" in capsys.readouterr().err
