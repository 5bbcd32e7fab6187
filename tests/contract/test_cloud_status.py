"""What the General tab asks: each answer in its good, its bad and its unknown state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.cloud import run_v2, vpcaccess_v1

from llm_widgets.domain import gpus
from llm_widgets.domain.quotas import CPU, MEMORY
from llm_widgets.errors import (
    ApiDisabledError,
    DeniedError,
    NotFoundError,
)
from llm_widgets.gcp.iam import permissions, service_accounts
from llm_widgets.gcp.project import apis, billing, network, projects, quotas
from llm_widgets.gcp.project.billing import BillingState
from llm_widgets.gcp.run import services
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.gcp.client.clients import Clients

L4, RTX = gpus.GPUS[:2]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("status"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


def test_permissions_on_a_project(product: Product) -> None:
    wanted = ["run.services.create", "storage.buckets.create"]
    found = permissions.on_project(product.clients, PROJECT, wanted)
    assert (found.granted, found.missing) == (frozenset(wanted), frozenset())
    product.faults.update(denied_permissions=["run.*"])
    found = permissions.on_project(product.clients, PROJECT, wanted)
    assert found.missing == {"run.services.create"}
    assert found.granted == {"storage.buckets.create"}


def test_a_permission_that_means_nothing_here_spoils_no_other(product: Product) -> None:
    wanted = [f"run.services.{verb}" for verb in ("create", "get", "list", "update", "delete")]
    found = permissions.on_project(product.clients, PROJECT, [*wanted, "nothing.like.this"])
    assert found.granted == set(wanted)
    assert found.untestable == {"nothing.like.this"}


def test_more_permissions_than_one_call_takes(product: Product) -> None:
    wanted = [f"run.services.made{number}" for number in range(130)]
    found = permissions.on_project(product.clients, PROJECT, ["run.services.get", *wanted])
    assert "run.services.get" in found.granted
    assert found.missing | found.untestable == set(wanted)


def test_permissions_on_a_bucket(product: Product) -> None:
    product.clients.storage(PROJECT).create_bucket("tested-bucket", location=REGION)
    wanted = ["storage.objects.get", "storage.buckets.setIamPolicy"]
    assert permissions.on_bucket(product.clients, "tested-bucket", wanted).missing == frozenset()
    product.faults.update(denied_permissions=["storage.buckets.setIamPolicy"])
    found = permissions.on_bucket(product.clients, "tested-bucket", wanted)
    assert found.missing == {"storage.buckets.setIamPolicy"}
    with pytest.raises((NotFoundError, DeniedError)):
        permissions.on_bucket(product.clients, "no-such-bucket", wanted)


def test_permissions_on_a_service_account(product: Product) -> None:
    account = projects.get(product.clients, PROJECT).default_service_account
    wanted = ["iam.serviceAccounts.actAs"]
    found = permissions.on_service_account(product.clients, account, wanted)
    assert found.granted == set(wanted)
    product.faults.update(denied_permissions=wanted)
    found = permissions.on_service_account(product.clients, account, wanted)
    assert found.missing == set(wanted)


def test_permissions_that_can_not_be_asked_for(product: Product) -> None:
    product.faults.update(disabled_apis=["cloudresourcemanager.googleapis.com"])
    with pytest.raises(ApiDisabledError):
        permissions.on_project(product.clients, PROJECT, ["run.services.get"])


def test_billing(product: Product) -> None:
    assert billing.state(product.clients, PROJECT) is BillingState.ENABLED
    product.faults.update(billing_disabled=[PROJECT])
    assert billing.state(product.clients, PROJECT) is not BillingState.ENABLED
    product.faults.reset()
    product.faults.update(denied_permissions=["resourcemanager.projects.get"])
    with pytest.raises(DeniedError, match="Can't look up the billing of local-project"):
        billing.state(product.clients, PROJECT)


def test_apis(product: Product) -> None:
    found = apis.enabled(product.clients, PROJECT)
    assert set(found) == set(apis.NEEDED)
    assert all(found.values())
    product.clients.service_usage.disable_service(
        request={"name": f"projects/{PROJECT}/services/run.googleapis.com"}
    ).result(timeout=60)
    found = apis.enabled(product.clients, PROJECT)
    assert [api for api, on in found.items() if not on] == ["run.googleapis.com"]
    apis.enable(product.clients, PROJECT, "run.googleapis.com")
    assert apis.enabled(product.clients, PROJECT)["run.googleapis.com"]


def test_enabling_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["serviceusage.services.enable"])
    with pytest.raises(DeniedError) as caught:
        apis.enable(product.clients, PROJECT, "run.googleapis.com")
    assert caught.value.message.startswith("Can't enable Cloud Run in local-project")
    assert caught.value.fix
    assert "roles/serviceusage.serviceUsageAdmin" in caught.value.fix.command


def test_private_google_access_is_turned_on(product: Product) -> None:
    (subnet,) = network.subnets(product.clients, PROJECT, REGION)
    assert (subnet.name, subnet.network) == ("default", "default")
    assert subnet.is_large_enough
    assert not subnet.private_google_access
    network.turn_on_private_google_access(product.clients, PROJECT, REGION, "default")
    (subnet,) = network.subnets(product.clients, PROJECT, REGION)
    assert subnet.private_google_access


def test_connectors(product: Product) -> None:
    assert network.connectors(product.clients, PROJECT, REGION) == ()
    connector = vpcaccess_v1.Connector(network="default", ip_cidr_range="10.8.0.0/28")
    parent = f"projects/{PROJECT}/locations/{REGION}"
    product.clients.connectors.create_connector(
        parent=parent, connector_id="mine", connector=connector
    ).result(timeout=60)
    (found,) = network.connectors(product.clients, PROJECT, REGION)
    assert (found.id, found.network, found.state) == ("mine", "default", "READY")


@pytest.mark.parametrize(
    ("denied", "work"),
    [
        ("compute.subnetworks.list", network.subnets),
        ("vpcaccess.connectors.list", network.connectors),
    ],
)
def test_networks_denied(
    product: Product, denied: str, work: Callable[[Clients, str, str], object]
) -> None:
    product.faults.update(denied_permissions=[denied])
    with pytest.raises(DeniedError, match=denied):
        work(product.clients, PROJECT, REGION)


@pytest.mark.parametrize(
    ("quota_id", "raw", "value"),
    [
        (L4.quota_id(), 3, 3),
        (L4.quota_id(redundant=True), 1, 1),
        (RTX.quota_id(), 2000, 2),
        (CPU, 20000, 20),
        (MEMORY, 42949672960, 40),
    ],
)
def test_quotas_in_their_units(product: Product, quota_id: str, raw: int, value: float) -> None:
    product.faults.update(quotas={quota_id: raw})
    found = quotas.get(product.clients, PROJECT, quota_id)
    assert found.allowed("us-central1") == value
    assert found.allowed("mars-north1") is None


def test_a_region_of_its_own(product: Product) -> None:
    quota_id = L4.quota_id()
    product.faults.update(quotas={quota_id: 0, f"{quota_id}/{REGION}": 5})
    found = quotas.get(product.clients, PROJECT, quota_id)
    assert (found.allowed(REGION), found.allowed("us-central1")) == (5, 0)


def test_quotas_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["cloudquotas.*"])
    with pytest.raises(DeniedError, match=r"cloudquotas\.quotas\.get"):
        quotas.get(product.clients, PROJECT, CPU)


def test_asking_for_more(product: Product) -> None:
    quota_id, region = RTX.quota_id(), "us-central1"
    assert (quota_id, region) not in quotas.requests(product.clients, PROJECT)
    first = quotas.ask_for_more(product.clients, PROJECT, region, quota_id, 2)
    assert first.preferred == 2
    again = quotas.ask_for_more(product.clients, PROJECT, region, quota_id, 4)
    assert again.preferred == 4
    assert again.name == first.name
    assert quotas.requests(product.clients, PROJECT)[quota_id, region].preferred == 4
    product.faults.update(denied_permissions=["cloudquotas.quotas.update"])
    with pytest.raises(DeniedError, match="Can't request more of the quota"):
        quotas.ask_for_more(product.clients, PROJECT, region, quota_id, 5)


def test_a_request_of_an_earlier_version_is_changed(product: Product) -> None:
    quota_id, region = L4.quota_id(), "europe-west4"
    parent = f"projects/{PROJECT}/locations/global"
    before = product.clients.quotas.create_quota_preference(
        request={
            "parent": parent,
            "quota_preference_id": f"llm-manager-{quota_id}-{region}".lower(),
            "quota_preference": {
                "service": "run.googleapis.com",
                "quota_id": quota_id,
                "dimensions": {"region": region},
                "quota_config": {"preferred_value": 2},
            },
        }
    )
    assert quotas.requests(product.clients, PROJECT)[quota_id, region].preferred == 2
    again = quotas.ask_for_more(product.clients, PROJECT, region, quota_id, 3)
    assert (again.name, again.preferred) == (before.name, 3)


def test_usage_counts_all_instances() -> None:
    limits = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}
    big = run_v2.Service(
        template={
            "scaling": {"max_instance_count": 2},
            "node_selector": {"accelerator": "nvidia-l4"},
            "containers": [
                {"resources": {"limits": limits}},
                {"resources": {"limits": {"cpu": "500m", "memory": "512Mi"}}},
            ],
        }
    )
    small = run_v2.Service(
        template={"scaling": {"max_instance_count": 1}, "containers": [{"image": "x"}]}
    )
    found = quotas.usage([big, small])
    assert found == quotas.Usage(cpu=18, memory_gib=65.5, gpus={"nvidia-l4": 2})


def test_usage_of_a_region(product: Product) -> None:
    found = services.all_in_region(product.clients, PROJECT, REGION)
    assert quotas.usage(found) == quotas.Usage()


def test_the_runtime_account(product: Product) -> None:
    email = f"llm-runtime@{PROJECT}.iam.gserviceaccount.com"
    with pytest.raises(NotFoundError):
        service_accounts.get(product.clients, PROJECT, email)
    made = service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME)
    assert (made.email, made.is_disabled) == (email, False)
    assert made.member == f"serviceAccount:{email}"
    assert service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME) == made
    assert service_accounts.get(product.clients, PROJECT, email) == made
    product.faults.update(denied_permissions=["iam.serviceAccounts.create"])
    with pytest.raises(DeniedError) as caught:
        service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME)
    assert caught.value.fix
    assert "roles/iam.serviceAccountCreator" in caught.value.fix.command
