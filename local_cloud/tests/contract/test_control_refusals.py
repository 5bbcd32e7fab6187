"""What Cloud Run refuses, and in which words: templates, names, quotas, permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.api_core import exceptions
from google.cloud import run_v2

from tests.contract.control_plane import PARENT, PROJECT, SOON, ControlPlane, control_plane, service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture
def services(plane: ControlPlane) -> Iterator[run_v2.ServicesClient]:
    yield plane.rest(run_v2.ServicesClient)
    plane.cloud.faults.reset()


def with_gpu(kind: str = "nvidia-l4", cpu: str = "8", memory: str = "32Gi") -> run_v2.Service:
    wanted = service(
        node_selector=run_v2.NodeSelector(accelerator=kind), gpu_zonal_redundancy_disabled=True
    )
    limits = {"cpu": cpu, "memory": memory, "nvidia.com/gpu": "1"}
    wanted.template.containers[0].resources = run_v2.ResourceRequirements(limits=limits)
    return wanted


def dry_run(services: run_v2.ServicesClient, wanted: run_v2.Service, parent: str = PARENT) -> None:
    services.create_service(
        run_v2.CreateServiceRequest(
            parent=parent, service_id="dry", service=wanted, validate_only=True
        )
    ).result(timeout=60, polling=SOON)


def limits(**values: str) -> Callable[[run_v2.Service], None]:
    def change(wanted: run_v2.Service) -> None:
        wanted.template.containers[0].resources.limits.update(values)

    return change


def put(path: str, value: Any) -> Callable[[run_v2.Service], None]:
    """Return a change of one field: ``template.timeout``."""

    def change(wanted: run_v2.Service) -> None:
        *head, last = path.split(".")
        place: Any = wanted
        for part in head:
            place = place[int(part)] if part.isdigit() else getattr(place, part)
        setattr(place, last, value)

    return change


ENV = "template.containers.0.env"
PROBE = "template.containers.0.startup_probe"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (put("labels", {"run.googleapis.com/x": "y"}), "reserved namespace"),
        (put("labels", {"Key": "x"}), "Invalid label key 'Key'"),
        (put("labels", {"key": "Upper.Case"}), "Invalid value 'Upper.Case' of label 'key'"),
        (put("template.annotations", {"autoscaling.knative.dev/x": "y"}), "reserved namespace"),
        (put("name", f"{PARENT}/services/dry"), "must be empty"),
        (
            put(ENV, [run_v2.EnvVar(name="PORT", value="1")]),
            "reserved env names were provided: PORT",
        ),
        (put("template.containers.0.image", ""), r"containers\[0\]\.image: must be set"),
        (put("template.timeout", {"seconds": 3601}), "between 1 and 3600"),
        (put("template.max_instance_request_concurrency", 1001), "between 1 and 1000"),
        (limits(cpu="8", memory="2Gi"), "For 8.0 CPU, memory must be between 4Gi and 32Gi"),
        (limits(cpu="3"), "container cpu. Must be equal to one of"),
        (limits(memory="much"), "Invalid value specified for memory"),
        (put(f"{PROBE}.failure_threshold", 601), "must not exceed 600 seconds"),
        (put(f"{PROBE}.initial_delay_seconds", 241), "between 0 and 240"),
        (put(f"{PROBE}.timeout_seconds", 9), "less than or equal to period_seconds"),
        (put("template.revision", "another-1"), "prefixed by the name"),
        (
            put("template.containers.0.volume_mounts", [{"name": "m", "mount_path": "/m"}]),
            "unknown volume 'm'",
        ),
        (put("template.vpc_access", {"egress": 1}), "needs a connector or a network interface"),
    ],
)
def test_what_contradicts_the_rules_is_refused(
    services: run_v2.ServicesClient, change: Callable[[run_v2.Service], None], text: str
) -> None:
    wanted = service()
    change(wanted)
    with pytest.raises(exceptions.BadRequest, match=text):
        dry_run(services, wanted)


def test_a_bucket_needs_the_second_generation(services: run_v2.ServicesClient) -> None:
    volume = run_v2.Volume(name="m", gcs=run_v2.GCSVolumeSource(bucket="b", read_only=True))
    wanted = service(volumes=[volume], execution_environment=1)
    with pytest.raises(exceptions.BadRequest, match="only supported with the gen2"):
        dry_run(services, wanted)
    wanted.template = run_v2.RevisionTemplate(wanted.template, execution_environment=2)
    dry_run(services, wanted)
    wanted.template.volumes[0].gcs.mount_options = ["--implicit-dirs"]
    with pytest.raises(exceptions.BadRequest, match="without leading dashes"):
        dry_run(services, wanted)
    wanted.template.volumes[0].gcs.mount_options = []
    wanted.template.containers[0].resources.limits["memory"] = "256Mi"
    with pytest.raises(exceptions.BadRequest, match="Total memory < 512 Mi is not supported"):
        dry_run(services, wanted)


@pytest.mark.parametrize("bad", ["Upper", "-a", "a-", "a" * 50, "1a"])
def test_a_bad_name_is_refused(services: run_v2.ServicesClient, bad: str) -> None:
    with pytest.raises(exceptions.BadRequest, match="only lowercase, digits, and hyphens"):
        services.create_service(parent=PARENT, service_id=bad, service=service())


def test_places_are_regions(services: run_v2.ServicesClient) -> None:
    with pytest.raises(exceptions.BadRequest, match="'-' is not allowed"):
        list(services.list_services(parent=f"{PROJECT}/locations/-"))
    with pytest.raises(exceptions.NotFound, match="Location mars is not found"):
        list(services.list_services(parent=f"{PROJECT}/locations/mars"))


def test_gpus_have_their_own_rules(services: run_v2.ServicesClient) -> None:
    dry_run(services, with_gpu())
    dry_run(services, with_gpu(cpu="4", memory="16Gi"))
    with pytest.raises(exceptions.BadRequest, match="at least 4 CPU and 16Gi"):
        dry_run(services, with_gpu(cpu="2", memory="8Gi"))
    two = with_gpu()
    two.template.containers[0].resources.limits["nvidia.com/gpu"] = "2"
    with pytest.raises(exceptions.BadRequest, match="Must be equal to 1"):
        dry_run(services, two)
    with pytest.raises(exceptions.BadRequest, match="not available in region 'us-west1'"):
        dry_run(services, with_gpu(), f"{PROJECT}/locations/us-west1")
    with pytest.raises(exceptions.BadRequest, match="Unsupported accelerator 'nvidia-x'"):
        dry_run(services, with_gpu("nvidia-x"))
    slow = with_gpu()
    slow.template.containers[0].startup_probe.failure_threshold = 1800
    dry_run(services, slow)
    slow.template.containers[0].startup_probe.failure_threshold = 1801
    with pytest.raises(exceptions.BadRequest, match="must not exceed 1800 seconds"):
        dry_run(services, slow)


def test_quotas_are_enforced_in_googles_words(
    plane: ControlPlane, services: run_v2.ServicesClient
) -> None:
    many = with_gpu()
    many.template.scaling.max_instance_count = 4
    with pytest.raises(exceptions.BadRequest) as caught:
        dry_run(services, many)
    assert "Max instances must be set to 3 or fewer in order to set GPU" in caught.value.message
    quota = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
    assert f"{quota} requested: 4 allowed: 3" in caught.value.message
    many.template.scaling.max_instance_count = 0
    with pytest.raises(exceptions.BadRequest, match="requested: 100 allowed: 3"):
        dry_run(services, many)
    redundant = with_gpu()
    redundant.template.gpu_zonal_redundancy_disabled = False
    with pytest.raises(exceptions.BadRequest, match="You could deploy using GPUs without zonal"):
        dry_run(services, redundant)
    rtx = with_gpu("nvidia-rtx-pro-6000", "20", "80Gi")
    with pytest.raises(exceptions.BadRequest, match="GPUs without zonal redundancy"):
        dry_run(services, rtx, f"{PROJECT}/locations/europe-west4")
    large = service()
    large.template.containers[0].resources.limits.update(cpu="4", memory="4Gi")
    large.template.scaling.max_instance_count = 100
    with pytest.raises(exceptions.BadRequest) as caught:
        dry_run(services, large)
    assert "must be set to 5 or fewer to set the requested total CPU" in caught.value.message
    assert "CpuAllocPerProjectRegion requested: 400000 allowed: 20000" in caught.value.message
    plane.cloud.faults.update(quotas={f"{quota}/europe-west1": 0})
    with pytest.raises(exceptions.BadRequest, match="You do not have quota for using GPUs without"):
        dry_run(services, with_gpu())


def test_a_missing_permission_is_refused(
    plane: ControlPlane, services: run_v2.ServicesClient
) -> None:
    plane.cloud.faults.update(denied_permissions=["run.services.list"])
    with pytest.raises(exceptions.Forbidden) as caught:
        list(services.list_services(parent=PARENT))
    assert f"Permission 'run.services.list' denied on resource '{PARENT}'" in caught.value.message
    assert caught.value.reason == "IAM_PERMISSION_DENIED"
    assert caught.value.metadata["permission"] == "run.services.list"
    grpc_client = plane.grpc(run_v2.ServicesClient)
    with pytest.raises(exceptions.PermissionDenied) as caught:
        list(grpc_client.list_services(parent=PARENT))
    assert caught.value.reason == "IAM_PERMISSION_DENIED"


def test_the_runtime_account_must_be_usable(
    plane: ControlPlane, services: run_v2.ServicesClient
) -> None:
    text = r"Permission 'iam\.serviceaccounts\.actAs' denied on service account"
    with pytest.raises(exceptions.Forbidden, match=text):
        dry_run(services, service(service_account="nobody@local-project.iam.gserviceaccount.com"))
    plane.cloud.faults.update(denied_permissions=["iam.serviceAccounts.actAs"])
    with pytest.raises(exceptions.Forbidden, match=text):
        dry_run(services, service())


def test_an_api_that_is_off_says_how_to_turn_it_on(
    plane: ControlPlane, services: run_v2.ServicesClient
) -> None:
    plane.cloud.faults.update(disabled_apis=["run.googleapis.com"])
    with pytest.raises(exceptions.Forbidden) as caught:
        services.get_service(name=f"{PARENT}/services/x")
    assert "Cloud Run Admin API has not been used in project" in caught.value.message
    assert caught.value.reason == "SERVICE_DISABLED"
    assert caught.value.metadata["service"] == "run.googleapis.com"


def test_without_billing_nothing_is_deployed(
    plane: ControlPlane, services: run_v2.ServicesClient
) -> None:
    plane.cloud.faults.update(billing_disabled=["local-project"])
    with pytest.raises(exceptions.Forbidden) as caught:
        dry_run(services, service())
    assert "requires billing to be enabled" in caught.value.message
    assert caught.value.reason == "BILLING_DISABLED"
    assert list(services.list_services(parent=PARENT)) == []


def test_unknown_fields_are_refused(plane: ControlPlane) -> None:
    answer = plane.session().post(
        f"{plane.url}/v2/{PARENT}/services?serviceId=x", json={"tempalte": {}}
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    assert "tempalte" in answer.json()["error"]["message"]


def test_a_secret_that_the_account_may_not_read_fails_the_revision(
    services: run_v2.ServicesClient,
) -> None:
    wanted = service()
    key = run_v2.SecretKeySelector(secret="missing", version="latest")
    source = run_v2.EnvVarSource(secret_key_ref=key)
    wanted.template.containers[0].env = [run_v2.EnvVar(name="KEY", value_source=source)]
    operation = services.create_service(parent=PARENT, service_id="secretive", service=wanted)
    with pytest.raises(exceptions.BadRequest, match="Secret Manager Secret Accessor"):
        operation.result(timeout=60, polling=SOON)
    found = services.get_service(name=f"{PARENT}/services/secretive").terminal_condition
    assert found.reason == run_v2.Condition.CommonReason.SECRETS_ACCESS_CHECK_FAILED


def test_a_network_that_is_not_there_fails_the_revision(
    services: run_v2.ServicesClient,
) -> None:
    interface = run_v2.VpcAccess.NetworkInterface(network="nowhere", subnetwork="default")
    wanted = service(vpc_access=run_v2.VpcAccess(network_interfaces=[interface], egress=1))
    operation = services.create_service(parent=PARENT, service_id="lonely", service=wanted)
    with pytest.raises(exceptions.BadRequest, match="VPC network 'nowhere' does not exist"):
        operation.result(timeout=60, polling=SOON)
    found = services.get_service(name=f"{PARENT}/services/lonely").terminal_condition
    assert found.reason == run_v2.Condition.CommonReason.VPC_NETWORK_NOT_FOUND
