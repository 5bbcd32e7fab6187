"""Manual scaling of services, through the official client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core import exceptions
from google.cloud import run_v2
from google.iam.v1 import policy_pb2

from tests.contract.control_plane import PARENT, SOON, ControlPlane, control_plane, service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Mode = run_v2.ServiceScaling.ScalingMode
NAME = f"{PARENT}/services/rests"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


@pytest.fixture(scope="module")
def services(plane: ControlPlane) -> Any:
    return plane.rest(run_v2.ServicesClient)


@pytest.fixture
def made(services: Any) -> Iterator[run_v2.Service]:
    """A service that everybody may call, with a minimum and a maximum of its own."""
    wanted = service()
    wanted.scaling = run_v2.ServiceScaling(min_instance_count=1, max_instance_count=2)
    operation = services.create_service(parent=PARENT, service_id="rests", service=wanted)
    created = operation.result(timeout=60, polling=SOON)
    policy = policy_pb2.Policy(
        bindings=[policy_pb2.Binding(role="roles/run.invoker", members=["allUsers"])]
    )
    services.set_iam_policy({"resource": NAME, "policy": policy})
    yield created
    services.delete_service(name=NAME).result(timeout=60, polling=SOON)


def scaled(services: Any, etag: str = "", **scaling: Any) -> run_v2.Service:
    wanted = run_v2.Service(name=NAME, etag=etag, scaling=run_v2.ServiceScaling(**scaling))
    request = {"service": wanted, "update_mask": {"paths": ["scaling"]}}
    changed: run_v2.Service = services.update_service(request).result(timeout=60, polling=SOON)
    return changed


def test_a_stopped_service_has_no_instance_and_no_new_revision(
    services: Any, made: run_v2.Service
) -> None:
    assert requests.get(made.uri, timeout=30).text == "hello"
    stopped = scaled(services, made.etag, scaling_mode=Mode.MANUAL, manual_instance_count=0)
    assert stopped.template == made.template
    assert stopped.latest_ready_revision == made.latest_ready_revision
    assert "manual_instance_count" in stopped.scaling
    assert (stopped.scaling.min_instance_count, stopped.scaling.max_instance_count) == (0, 0)
    assert requests.get(made.uri, timeout=30).status_code == 503
    back = scaled(services, scaling_mode=Mode.AUTOMATIC, min_instance_count=1, max_instance_count=2)
    assert back.scaling.scaling_mode == Mode.AUTOMATIC
    assert requests.get(made.uri, timeout=30).text == "hello"


def test_a_change_while_it_is_stopped_makes_a_revision_that_is_ready(
    services: Any, made: run_v2.Service
) -> None:
    stopped = scaled(services, scaling_mode=Mode.MANUAL, manual_instance_count=0)
    stopped.template.containers[0].env = [run_v2.EnvVar(name="WORD", value="changed")]
    request = {"service": stopped, "update_mask": {"paths": ["template"]}}
    changed = services.update_service(request).result(timeout=60, polling=SOON)
    assert changed.latest_ready_revision != made.latest_ready_revision
    assert changed.scaling.scaling_mode == Mode.MANUAL
    assert requests.get(made.uri, timeout=30).status_code == 503
    scaled(services, scaling_mode=Mode.AUTOMATIC, max_instance_count=1)
    assert requests.get(made.uri, timeout=30).text == "changed"


def test_what_follows_from_a_change_of_the_mode(services: Any, made: run_v2.Service) -> None:
    counted = scaled(services, scaling_mode=Mode.MANUAL)
    assert counted.scaling.manual_instance_count == 1  # the minimum that it had
    with pytest.raises(exceptions.BadRequest, match="both be set, or neither"):
        scaled(services, scaling_mode=Mode.AUTOMATIC, min_instance_count=1)
    back = scaled(services, scaling_mode=Mode.AUTOMATIC)
    assert (back.scaling.min_instance_count, back.scaling.max_instance_count) == (1, 1)
    with pytest.raises((exceptions.Aborted, exceptions.Conflict)):
        scaled(services, made.etag, scaling_mode=Mode.MANUAL, manual_instance_count=0)


def test_a_stopped_service_stays_so_after_a_new_start(tmp_path: Path) -> None:
    first = ControlPlane(tmp_path)
    services = first.rest(run_v2.ServicesClient)
    public = service()
    public.invoker_iam_disabled = True
    operation = services.create_service(parent=PARENT, service_id="rests", service=public)
    address = operation.result(timeout=60, polling=SOON).uri
    scaled(services, scaling_mode=Mode.MANUAL, manual_instance_count=0)
    first.cloud.stop()
    second = ControlPlane(tmp_path)
    assert requests.get(address, timeout=30).status_code == 503
    services = second.rest(run_v2.ServicesClient)
    scaled(services, scaling_mode=Mode.AUTOMATIC, max_instance_count=1)
    assert requests.get(address, timeout=30).text == "hello"
    second.cloud.stop()
