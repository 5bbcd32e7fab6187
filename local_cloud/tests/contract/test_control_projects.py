"""Projects, billing and enabled APIs through the official clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.api_core import exceptions
from google.cloud import billing_v1, resourcemanager_v3, run_v2, service_usage_v1

from tests.contract.control_plane import PARENT, PROJECT, SOON, ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def module_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture
def plane(module_plane: ControlPlane) -> Iterator[ControlPlane]:
    yield module_plane
    module_plane.cloud.faults.reset()


@pytest.fixture(params=["rest", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_project_is_found_by_id_and_by_number(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, resourcemanager_v3.ProjectsClient)
    by_id = client.get_project(name=PROJECT)
    assert by_id.project_id == "local-project"
    assert client.get_project(name=by_id.name) == by_id
    services = plane.client(transport, run_v2.ServicesClient)
    assert list(services.list_services(parent=PARENT.replace(PROJECT, by_id.name))) == []


@pytest.mark.parametrize("name", ["projects/other-project", "projects/no-such-project"])
def test_what_may_not_be_seen_looks_like_what_is_not(
    plane: ControlPlane, transport: str, name: str
) -> None:
    client = plane.client(transport, resourcemanager_v3.ProjectsClient)
    with pytest.raises(exceptions.Forbidden, match="The caller does not have permission"):
        client.get_project(name=name)
    with pytest.raises(exceptions.Forbidden, match=r"run\.services\.list"):
        list(plane.rest(run_v2.ServicesClient).list_services(parent=PARENT.replace(PROJECT, name)))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"local-project", "demo-project"}),
        ("id:demo-project", {"demo-project"}),
        ("projectId=demo*", {"demo-project"}),
        ('displayName:"Local project"', {"local-project"}),
        ("state:ACTIVE AND id:local*", {"local-project"}),
        ("id:other-project", set()),
        ("id:demo* name:demo*", {"demo-project"}),
        ("id:demo* name:Local*", {"local-project", "demo-project"}),
        ("id:demo* AND name:Local*", set()),
    ],
)
def test_projects_are_searched(
    plane: ControlPlane, transport: str, query: str, found: set[str]
) -> None:
    client = plane.client(transport, resourcemanager_v3.ProjectsClient)
    request = resourcemanager_v3.SearchProjectsRequest(query=query, page_size=1)
    pager = client.search_projects(request)
    assert {project.project_id for project in pager} == found


def test_bad_searches_are_refused(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, resourcemanager_v3.ProjectsClient)
    with pytest.raises(exceptions.BadRequest, match="Invalid query"):
        client.search_projects(query="something else")
    with pytest.raises(exceptions.BadRequest, match="page token"):
        client.search_projects(resourcemanager_v3.SearchProjectsRequest(page_token="x"))


def test_billing_is_told_and_switched(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, billing_v1.CloudBillingClient)
    info = client.get_project_billing_info(name=PROJECT)
    assert info.billing_enabled
    account = info.billing_account_name
    none = billing_v1.ProjectBillingInfo(billing_account_name="")
    client.update_project_billing_info(name=PROJECT, project_billing_info=none)
    assert not client.get_project_billing_info(name=PROJECT).billing_enabled
    again = billing_v1.ProjectBillingInfo(billing_account_name=account)
    assert client.update_project_billing_info(
        name=PROJECT, project_billing_info=again
    ).billing_enabled
    plane.cloud.faults.update(billing_disabled=["local-project"])
    assert not client.get_project_billing_info(name=PROJECT).billing_enabled
    with pytest.raises(exceptions.Forbidden):
        client.get_project_billing_info(name="projects/other-project")


def test_apis_are_switched(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, service_usage_v1.ServiceUsageClient)
    name = f"{PROJECT}/services/run.googleapis.com"
    state = service_usage_v1.State
    assert client.get_service({"name": name}).state == state.ENABLED
    client.disable_service({"name": name}).result(timeout=60, polling=SOON)
    assert client.get_service({"name": name}).state == state.DISABLED
    disabled = {"parent": PROJECT, "filter": "state:DISABLED"}
    assert [s.config.name for s in client.list_services(disabled)] == ["run.googleapis.com"]
    services = plane.client(transport, run_v2.ServicesClient)
    with pytest.raises(exceptions.Forbidden) as caught:
        list(services.list_services(parent=PARENT))
    assert caught.value.reason == "SERVICE_DISABLED"
    wanted = ["run.googleapis.com", "compute.googleapis.com"]
    done = client.batch_enable_services({"parent": PROJECT, "service_ids": wanted})
    assert {s.config.name for s in done.result(timeout=60, polling=SOON).services} == set(wanted)
    found = client.batch_get_services({"parent": PROJECT, "names": [name]})
    assert found.services[0].state == state.ENABLED
    assert list(services.list_services(parent=PARENT)) == []
    with pytest.raises(exceptions.NotFound):
        client.get_service({"name": f"{PROJECT}/services/nope.googleapis.com"})
