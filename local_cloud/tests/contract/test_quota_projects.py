"""Quota projects: calls that name one, and persons who name none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud import cloudquotas_v1, resourcemanager_v3
from google.oauth2 import credentials as user_credentials

from local_cloud.issuer import Issuer
from local_cloud.store import Store
from tests.contract.control_plane import PROJECT, ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

API = "cloudquotas.googleapis.com"
QUOTA = (
    f"{PROJECT}/locations/global/services/run.googleapis.com/quotaInfos/CpuAllocPerProjectRegion"
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plane")


@pytest.fixture(scope="module")
def started(data: Path) -> Iterator[ControlPlane]:
    yield from control_plane(data)


@pytest.fixture
def plane(started: ControlPlane) -> Iterator[ControlPlane]:
    yield started
    started.cloud.faults.reset()


@pytest.fixture(scope="module")
def person(started: ControlPlane, data: Path) -> user_credentials.Credentials:
    """Return the credentials of a person who may read everything."""
    projects = started.rest(resourcemanager_v3.ProjectsClient)
    policy = projects.get_iam_policy(resource=PROJECT)
    policy.bindings.add(role="roles/owner", members=["user:ann@example.com"])
    projects.set_iam_policy(request={"resource": PROJECT, "policy": policy})
    token = Issuer(Store(data / "state.db")).access_token("ann@example.com", "all")
    return user_credentials.Credentials(token)


def test_a_person_who_names_none(plane: ControlPlane, person: user_credentials.Credentials) -> None:
    client = plane.rest(cloudquotas_v1.CloudQuotasClient, person)
    assert client.get_quota_info(name=QUOTA).quota_id
    plane.cloud.faults.update(quota_project_apis=[API])
    with pytest.raises(exceptions.Forbidden, match="requires a quota project") as told:
        client.get_quota_info(name=QUOTA)
    assert told.value.reason == "SERVICE_DISABLED"
    assert told.value.metadata == {"service": API, "consumer": "projects/764086051850"}
    named = person.with_quota_project("local-project")
    assert plane.rest(cloudquotas_v1.CloudQuotasClient, named).get_quota_info(name=QUOTA).quota_id
    assert plane.rest(cloudquotas_v1.CloudQuotasClient).get_quota_info(name=QUOTA).quota_id


@pytest.mark.parametrize("project", ["no-such-project", "local-project"])
def test_a_project_that_may_not_be_used(plane: ControlPlane, project: str) -> None:
    plane.cloud.faults.update(denied_permissions=["serviceusage.services.use"])
    credentials = plane.credentials.with_quota_project(project)
    with pytest.raises(exceptions.Forbidden, match=f"to use project {project}") as told:
        plane.rest(cloudquotas_v1.CloudQuotasClient, credentials).get_quota_info(name=QUOTA)
    assert told.value.reason == "USER_PROJECT_DENIED"
    assert told.value.metadata["consumer"] == f"projects/{project}"


def test_an_api_that_is_off_in_it(plane: ControlPlane) -> None:
    plane.cloud.faults.update(disabled_apis=[API])
    credentials = plane.credentials.with_quota_project("demo-project")
    with pytest.raises(exceptions.Forbidden, match="has not been used in project") as told:
        plane.rest(cloudquotas_v1.CloudQuotasClient, credentials).get_quota_info(name=QUOTA)
    assert told.value.reason == "SERVICE_DISABLED"
