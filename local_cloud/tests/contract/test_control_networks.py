"""Networks, subnetworks and connectors through the official clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.cloud import compute_v1, vpcaccess_v1

from tests.contract.control_plane import PARENT, PROJECT, SOON, ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

WHERE = {"project": "local-project", "region": "europe-west1", "subnetwork": "default"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


def compute(plane: ControlPlane, client: type[Any]) -> Any:
    options = ClientOptions(api_endpoint=plane.url)
    return client(credentials=plane.credentials, client_options=options)


def test_a_project_has_a_default_network(plane: ControlPlane) -> None:
    client = compute(plane, compute_v1.NetworksClient)
    [network] = client.list(project="local-project")
    assert network.name == "default"
    assert client.get(project="local-project", network="default").self_link == network.self_link
    assert network.self_link.endswith("/projects/local-project/global/networks/default")
    with pytest.raises(exceptions.NotFound, match="was not found"):
        client.get(project="local-project", network="nowhere")
    with pytest.raises(exceptions.Forbidden, match=r"compute\.networks\.list"):
        list(client.list(project="other-project"))


def test_each_gpu_region_has_a_subnet(plane: ControlPlane) -> None:
    client = compute(plane, compute_v1.SubnetworksClient)
    found = dict(client.aggregated_list(project="local-project"))
    assert {"regions/europe-west1", "regions/us-central1", "regions/europe-west4"} <= set(found)
    [subnet] = client.list(project="local-project", region="europe-west1")
    assert subnet.ip_cidr_range == "10.132.0.0/20"
    assert found["regions/europe-west1"].subnetworks[0] == subnet
    request = compute_v1.ListSubnetworksRequest(
        project="local-project", region="europe-west1", filter='name = "other"'
    )
    assert list(client.list(request)) == []


def test_private_google_access_is_switched(plane: ControlPlane) -> None:
    client = compute(plane, compute_v1.SubnetworksClient)
    assert not client.get(**WHERE).private_ip_google_access
    body = compute_v1.SubnetworksSetPrivateIpGoogleAccessRequest(private_ip_google_access=True)
    # Not by the future of the client: that asks for the operation at Google, wherever it was begun.
    operation = client.set_private_ip_google_access_unary(
        **WHERE, subnetworks_set_private_ip_google_access_request_resource=body
    )
    assert operation.status == compute_v1.Operation.Status.RUNNING
    operations = compute(plane, compute_v1.RegionOperationsClient)
    where = {"project": WHERE["project"], "region": WHERE["region"], "operation": operation.name}
    assert operations.wait(**where).status == compute_v1.Operation.Status.DONE
    assert operations.get(**where).progress == 100
    assert client.get(**WHERE).private_ip_google_access


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_connectors_are_made_listed_and_deleted(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, vpcaccess_v1.VpcAccessServiceClient)
    assert list(client.list_connectors(parent=PARENT)) == []
    wanted = vpcaccess_v1.Connector(network="default", ip_cidr_range="10.8.0.0/28")
    made = client.create_connector(parent=PARENT, connector_id="lane", connector=wanted)
    connector = made.result(timeout=60, polling=SOON)
    assert connector.state == vpcaccess_v1.Connector.State.READY
    assert (connector.min_throughput, connector.max_throughput) == (200, 1000)
    assert client.get_connector(name=connector.name) == connector
    assert list(client.list_connectors(parent=f"{PROJECT}/locations/-")) == [connector]
    with pytest.raises(exceptions.Conflict, match="already exists"):
        client.create_connector(parent=PARENT, connector_id="lane", connector=wanted)
    client.delete_connector(name=connector.name).result(timeout=60, polling=SOON)
    with pytest.raises(exceptions.NotFound, match="The connector is not found"):
        client.get_connector(name=connector.name)


@pytest.mark.parametrize(
    ("connector", "text"),
    [
        ({"network": "default", "ip_cidr_range": "10.8.0.0/24"}, "/28 mask"),
        ({"network": "default", "ip_cidr_range": "10.8.0.1/28"}, "Invalid IP CIDR range"),
        ({"network": "nowhere", "ip_cidr_range": "10.8.0.0/28"}, "does not exist"),
        ({"network": "default"}, "must be specified"),
    ],
)
def test_a_wrong_connector_is_refused(
    plane: ControlPlane, connector: dict[str, str], text: str
) -> None:
    client = plane.rest(vpcaccess_v1.VpcAccessServiceClient)
    with pytest.raises(exceptions.BadRequest, match=text):
        client.create_connector(parent=PARENT, connector_id="lane", connector=connector)
