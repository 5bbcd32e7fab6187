"""Cloud Run services through the official client, over REST and over gRPC."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import requests
from google.api_core import exceptions
from google.auth.transport.requests import Request
from google.cloud import run_v2
from google.iam.v1 import policy_pb2
from google.oauth2 import service_account

from local_cloud.google.records import Records
from local_cloud.store import Store
from tests.contract.control_plane import (
    MANAGER,
    PARENT,
    SOON,
    ControlPlane,
    control_plane,
    service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

State = run_v2.Condition.State


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture(params=["rest", "grpc"])
def services(request: pytest.FixtureRequest, plane: ControlPlane) -> run_v2.ServicesClient:
    client: run_v2.ServicesClient = plane.client(request.param, run_v2.ServicesClient)
    return client


@pytest.fixture
def name(services: run_v2.ServicesClient) -> Iterator[str]:
    """Return the name of a service to make; it is deleted at the end."""
    name = f"{PARENT}/services/s-{services.transport.kind}"
    yield name
    with contextlib.suppress(exceptions.NotFound):
        services.delete_service(name=name).result(timeout=60, polling=SOON)


def create(
    services: run_v2.ServicesClient, name: str, wanted: run_v2.Service | None = None
) -> run_v2.Service:
    operation = services.create_service(
        parent=PARENT, service_id=name.rsplit("/", 1)[1], service=wanted or service()
    )
    made: run_v2.Service = operation.result(timeout=60, polling=SOON)
    return made


def test_a_service_is_deployed_and_answers(
    plane: ControlPlane, services: run_v2.ServicesClient, name: str
) -> None:
    operation = services.create_service(
        parent=PARENT, service_id=name.rsplit("/", 1)[1], service=service()
    )
    assert not operation.done()
    assert operation.metadata.reconciling
    assert operation.metadata.terminal_condition.state == State.CONDITION_RECONCILING
    made = operation.result(timeout=60, polling=SOON)
    assert made.name == name
    assert (made.generation, made.observed_generation, made.reconciling) == (1, 1, False)
    assert made.terminal_condition.type_ == "Ready"
    assert made.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert made.creator == made.last_modifier == MANAGER
    assert made.latest_ready_revision == made.latest_created_revision
    other, own = made.urls
    assert own == made.uri != other
    assert requests.get(other, timeout=30).status_code == 403
    assert made.traffic_statuses[0].percent == 100
    assert requests.get(made.uri, timeout=30).status_code == 403
    token = service_account.IDTokenCredentials.from_service_account_file(
        plane.cloud.credentials, target_audience=made.uri
    )
    token.refresh(Request())
    answer = requests.get(made.uri, headers={"Authorization": f"Bearer {token.token}"}, timeout=30)
    assert answer.text == "hello"
    wrong = service_account.IDTokenCredentials.from_service_account_file(
        plane.cloud.credentials, target_audience="https://elsewhere.example"
    )
    wrong.refresh(Request())
    answer = requests.get(made.uri, headers={"Authorization": f"Bearer {wrong.token}"}, timeout=30)
    assert answer.status_code == 401


def test_defaults_are_filled_in(services: run_v2.ServicesClient, name: str) -> None:
    template = create(services, name).template
    assert template.timeout.total_seconds() == 300
    assert template.max_instance_request_concurrency == 80
    assert template.containers[0].ports[0].container_port == 8080
    assert template.service_account.endswith("-compute@developer.gserviceaccount.com")


def test_a_public_service_answers_everybody(services: run_v2.ServicesClient, name: str) -> None:
    made = create(services, name)
    policy = services.get_iam_policy({"resource": name})
    policy.bindings.append(policy_pb2.Binding(role="roles/run.invoker", members=["allUsers"]))
    stale = policy_pb2.Policy()
    stale.CopyFrom(policy)
    stored = services.set_iam_policy({"resource": name, "policy": policy})
    assert stored.etag != policy.etag
    assert requests.get(made.uri, timeout=30).text == "hello"
    services.set_iam_policy({"resource": name, "policy": stored})
    with pytest.raises((exceptions.Aborted, exceptions.Conflict), match="concurrent policy"):
        services.set_iam_policy({"resource": name, "policy": stored})


def test_a_changed_template_makes_a_revision_and_labels_do_not(
    plane: ControlPlane, services: run_v2.ServicesClient, name: str
) -> None:
    first = create(services, name)
    first.template.containers[0].env.append(run_v2.EnvVar(name="WORD", value="changed"))
    second = services.update_service(service=first).result(timeout=60, polling=SOON)
    assert second.generation == 2
    assert second.latest_ready_revision != first.latest_ready_revision
    assert second.uri == first.uri
    labelled = services.update_service(
        run_v2.UpdateServiceRequest(
            service=run_v2.Service(name=name, labels={"managed-by": "test"}),
            update_mask={"paths": ["labels"]},
        )
    ).result(timeout=60, polling=SOON)
    assert dict(labelled.labels) == {"managed-by": "test"}
    assert labelled.template.containers[0].env[0].value == "changed"
    assert labelled.latest_created_revision == second.latest_created_revision
    revisions = plane.client(services.transport.kind, run_v2.RevisionsClient)
    found = list(revisions.list_revisions(parent=name))
    assert [r.name for r in found] == [second.latest_ready_revision, first.latest_ready_revision]
    active = {r.name: {c.type_: c.state for c in r.conditions}["Active"] for r in found}
    assert active[second.latest_ready_revision] == State.CONDITION_SUCCEEDED
    assert active[first.latest_ready_revision] == State.CONDITION_FAILED


def test_an_old_etag_is_refused(services: run_v2.ServicesClient, name: str) -> None:
    first = create(services, name)
    services.update_service(
        run_v2.UpdateServiceRequest(
            service=run_v2.Service(name=name, labels={"a": "b"}), update_mask={"paths": ["labels"]}
        )
    ).result(timeout=60, polling=SOON)
    with pytest.raises((exceptions.Aborted, exceptions.Conflict), match="Conflict for resource"):
        services.update_service(service=first)
    with pytest.raises((exceptions.Aborted, exceptions.Conflict), match="current version is"):
        services.delete_service(run_v2.DeleteServiceRequest(name=name, etag=first.etag))


def test_a_failing_update_leaves_the_old_revision_serving(
    services: run_v2.ServicesClient, name: str
) -> None:
    first = create(services, name)
    first.template.containers[0].command = ["-c", "raise SystemExit(3)"]
    operation = services.update_service(service=first)
    failure = operation.exception(timeout=30)
    assert isinstance(failure, exceptions.BadRequest)
    assert "is not ready and cannot serve traffic" in str(failure)
    second = services.get_service(name=name)
    assert second.terminal_condition.state == State.CONDITION_FAILED
    reason = second.terminal_condition.revision_reason
    assert reason == run_v2.Condition.RevisionReason.HEALTH_CHECK_CONTAINER_ERROR
    assert second.latest_ready_revision == first.latest_ready_revision
    assert second.latest_created_revision != second.latest_ready_revision
    assert requests.get(second.uri, timeout=30).status_code == 403


def test_an_unknown_image_fails_the_operation(services: run_v2.ServicesClient, name: str) -> None:
    wanted = service()
    wanted.template.containers[0].image = "docker.io/library/nope:1"
    with pytest.raises(exceptions.BadRequest, match="not found"):
        create(services, name, wanted)
    found = services.get_service(name=name)
    common = run_v2.Condition.CommonReason
    assert found.terminal_condition.reason == common.CONTAINER_MISSING
    assert not found.latest_ready_revision
    assert not found.reconciling


def test_a_dry_run_changes_nothing(services: run_v2.ServicesClient, name: str) -> None:
    dry = run_v2.CreateServiceRequest(
        parent=PARENT,
        service_id=name.rsplit("/", 1)[1],
        service=service(),
        validate_only=True,
    )
    assert services.create_service(dry).result(timeout=60, polling=SOON).name == name
    with pytest.raises(exceptions.NotFound, match="of kind 'SERVICE' in region 'europe-west1'"):
        services.get_service(name=name)
    dry.service.template.timeout = {"seconds": 7200}
    with pytest.raises(exceptions.BadRequest, match=r"template\.timeout"):
        services.create_service(dry)


def test_a_missing_service_can_be_made_by_an_update(
    services: run_v2.ServicesClient, name: str
) -> None:
    wanted = service()
    wanted.name = name
    with pytest.raises(exceptions.NotFound):
        services.update_service(service=wanted)
    made = services.update_service(
        run_v2.UpdateServiceRequest(service=wanted, allow_missing=True)
    ).result(timeout=60, polling=SOON)
    assert made.generation == 1


def test_names_are_unique_and_pages_are_whole(services: run_v2.ServicesClient, name: str) -> None:
    create(services, name)
    other = f"{name}-b"
    create(services, other)
    with pytest.raises(exceptions.Conflict, match="already exists"):
        create(services, name)
    request = run_v2.ListServicesRequest(parent=PARENT, page_size=1)
    assert {name, other} <= {s.name for s in services.list_services(request)}
    assert len(list(services.list_services(request).pages)) >= 2
    services.delete_service(name=other).result(timeout=60, polling=SOON)
    assert other not in {s.name for s in services.list_services(parent=PARENT)}
    request.show_deleted = True
    assert other in {s.name for s in services.list_services(request) if s.delete_time}


def test_a_deleted_service_is_gone(services: run_v2.ServicesClient, name: str) -> None:
    made = create(services, name)
    gone = services.delete_service(name=name).result(timeout=60, polling=SOON)
    assert gone.delete_time
    with pytest.raises(exceptions.NotFound):
        services.get_service(name=name)
    with pytest.raises(requests.ConnectionError):
        requests.get(made.uri, timeout=30)


def test_a_service_that_is_being_deleted_is_not_changed(
    plane: ControlPlane, services: run_v2.ServicesClient, name: str
) -> None:
    made = create(services, name)
    store = Store(plane.cloud.credentials.parent / "state.db")
    made.delete_time = made.update_time  # as after a crash in the middle of it
    Records(store, "run-service", run_v2.Service).put(name, made)
    store.close()
    with pytest.raises(exceptions.BadRequest, match="is being deleted"):
        services.update_service(service=made)
    services.delete_service(name=name).result(timeout=60, polling=SOON)


def test_a_newer_deployment_takes_over(services: run_v2.ServicesClient, name: str) -> None:
    wanted = service("import time; time.sleep(60)")
    first = services.create_service(
        parent=PARENT, service_id=name.rsplit("/", 1)[1], service=wanted
    )
    better = service()
    better.name = name
    second = services.update_service(service=better).result(timeout=60, polling=SOON)
    assert second.terminal_condition.state == State.CONDITION_SUCCEEDED
    assert second.latest_ready_revision == second.latest_created_revision
    with pytest.raises(exceptions.GoogleAPICallError, match="replaced"):
        first.result(timeout=60, polling=SOON)
    assert services.get_service(name=name).terminal_condition.state == State.CONDITION_SUCCEEDED


def test_gpus_are_counted_by_region(plane: ControlPlane, services: run_v2.ServicesClient) -> None:
    def with_gpu() -> run_v2.Service:
        wanted = service(
            node_selector=run_v2.NodeSelector(accelerator="nvidia-l4"),
            gpu_zonal_redundancy_disabled=True,
        )
        wanted.template.containers[0].resources = run_v2.ResourceRequirements(
            limits={"cpu": "4", "memory": "16Gi", "nvidia.com/gpu": "1"}
        )
        return wanted

    quota = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
    plane.cloud.faults.update(quotas={quota: 1})
    names = [f"{PARENT}/services/gpu-{n}" for n in range(2)]
    try:
        create(services, names[0], with_gpu())
        with pytest.raises(exceptions.BadRequest, match="Quota exceeded for total allowable count"):
            create(services, names[1], with_gpu())
        services.delete_service(name=names[0]).result(timeout=60, polling=SOON)
        again = services.get_service(name=names[1])
        again.labels["try"] = "again"
        ready = services.update_service(service=again).result(timeout=60, polling=SOON)
        assert ready.terminal_condition.state == State.CONDITION_SUCCEEDED
    finally:
        plane.cloud.faults.reset()
        services.delete_service(name=names[1]).result(timeout=60, polling=SOON)
