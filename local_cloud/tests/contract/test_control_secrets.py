"""Secrets and quotas through the official clients."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import google_crc32c
import pytest
import requests
from google.api_core import exceptions
from google.cloud import cloudquotas_v1, run_v2, secretmanager_v1
from google.iam.v1 import policy_pb2

from tests.contract.control_plane import (
    PARENT,
    PROJECT,
    SOON,
    ControlPlane,
    control_plane,
    service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUOTAS = f"{PROJECT}/locations/global/services/run.googleapis.com"
L4 = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


def make(client: secretmanager_v1.SecretManagerServiceClient, name: str) -> str:
    secret = secretmanager_v1.Secret(replication={"automatic": {}}, labels={"made-by": "test"})
    return client.create_secret(parent=PROJECT, secret_id=name, secret=secret).name


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_a_secret_keeps_versions(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, secretmanager_v1.SecretManagerServiceClient)
    name = make(client, f"s-{transport}")
    with pytest.raises(exceptions.Conflict, match="already exists"):
        make(client, f"s-{transport}")
    latest = f"{name}/versions/latest"
    with pytest.raises(exceptions.NotFound, match="Secret Version"):
        client.access_secret_version(name=latest)
    for word in (b"first", b"second"):
        payload = {"data": word, "data_crc32c": google_crc32c.value(word)}
        client.add_secret_version(parent=name, payload=payload)
    found = client.access_secret_version(name=latest)
    assert (found.payload.data, found.name) == (b"second", f"{name}/versions/2")
    with pytest.raises(exceptions.BadRequest, match="crc32c"):
        client.add_secret_version(parent=name, payload={"data": b"x", "data_crc32c": 1})
    assert client.access_secret_version(name=f"{name}/versions/1").payload.data == b"first"
    versions = [v.name.rsplit("/", 1)[1] for v in client.list_secret_versions(parent=name)]
    assert versions == ["2", "1"]
    client.destroy_secret_version(name=f"{name}/versions/1")
    with pytest.raises(exceptions.BadRequest, match="is in DESTROYED state"):
        client.access_secret_version(name=f"{name}/versions/1")
    listed = {"parent": PROJECT, "filter": "labels.made-by=test"}
    assert name in {s.name for s in client.list_secrets(listed)}
    client.delete_secret(name=name)
    with pytest.raises(exceptions.NotFound, match=r"Secret \[projects/\d+/secrets/s-"):
        client.get_secret(name=name)


def test_a_secret_reaches_the_container_that_may_read_it(plane: ControlPlane) -> None:
    client = plane.rest(secretmanager_v1.SecretManagerServiceClient)
    name = make(client, "word")
    client.add_secret_version(parent=name, payload={"data": b"hidden"})
    services = plane.rest(run_v2.ServicesClient)
    wanted = service()
    wanted.invoker_iam_disabled = True
    source = run_v2.EnvVarSource(
        secret_key_ref=run_v2.SecretKeySelector(secret="word", version="latest")
    )
    wanted.template.containers[0].env = [run_v2.EnvVar(name="WORD", value_source=source)]
    operation = services.create_service(parent=PARENT, service_id="teller", service=wanted)
    with pytest.raises(exceptions.BadRequest, match="Permission denied on secret"):
        operation.result(timeout=60, polling=SOON)
    made = services.get_service(name=f"{PARENT}/services/teller")
    policy = client.get_iam_policy({"resource": name})
    member = f"serviceAccount:{made.template.service_account}"
    role = "roles/secretmanager.secretAccessor"
    policy.bindings.append(policy_pb2.Binding(role=role, members=[member]))
    client.set_iam_policy({"resource": name, "policy": policy})
    made = services.update_service(service=made).result(timeout=60, polling=SOON)
    assert requests.get(made.uri, timeout=30).text == "hidden"


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_quotas_are_listed_by_region(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, cloudquotas_v1.CloudQuotasClient)
    quota = client.get_quota_info(name=f"{QUOTAS}/quotaInfos/{L4}")
    values = {info.dimensions["region"]: info.details.value for info in quota.dimensions_infos}
    assert values["us-central1"] == 3
    assert "europe-north1" not in values
    memory = client.get_quota_info(name=f"{QUOTAS}/quotaInfos/MemAllocPerProjectRegion")
    assert memory.dimensions_infos[0].details.value == 42949672960
    with pytest.raises(exceptions.NotFound):
        client.get_quota_info(name=f"{QUOTAS}/quotaInfos/Nope")


@pytest.mark.parametrize("transport", ["rest", "grpc"])
def test_more_is_asked_for_and_granted(plane: ControlPlane, transport: str) -> None:
    client = plane.client(transport, cloudquotas_v1.CloudQuotasClient)
    region = {"rest": "asia-south1", "grpc": "us-east4"}[transport]
    wish = cloudquotas_v1.QuotaPreference(
        service="run.googleapis.com",
        quota_id=L4,
        dimensions={"region": region},
        quota_config={"preferred_value": 5},
        contact_email="someone@example.com",
    )
    parent = f"{PROJECT}/locations/global"
    request = cloudquotas_v1.CreateQuotaPreferenceRequest(
        parent=parent, quota_preference_id=f"p-{transport}", quota_preference=wish
    )
    made = client.create_quota_preference(request)
    assert made.quota_config.granted_value == 5
    assert client.get_quota_preference(name=made.name) == made
    info = client.get_quota_info(name=f"{QUOTAS}/quotaInfos/{L4}")
    values = {i.dimensions["region"]: i.details.value for i in info.dimensions_infos}
    assert values[region] == 5
    with pytest.raises(exceptions.Conflict):
        client.create_quota_preference(request)
    made.quota_config.preferred_value = 50
    asked = client.update_quota_preference(quota_preference=made)
    assert asked.reconciling
    assert asked.quota_config.granted_value == 5
    assert made.name in {p.name for p in client.list_quota_preferences(parent=parent)}


def test_what_was_in_a_secret_is_in_no_file_after_its_end(tmp_path: Path) -> None:
    cloud = ControlPlane(tmp_path)
    client = cloud.rest(secretmanager_v1.SecretManagerServiceClient)
    words = [f"hf_{number}Very\u00e4Secret/{number}" for number in range(6)]
    name = make(client, "token")
    for word in words:
        client.add_secret_version(parent=name, payload={"data": word.encode()})

    def found() -> list[str]:
        cloud.cloud.log.flush()
        files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        return [word for word in words for form in forms(word) if form in files]

    assert found()
    client.destroy_secret_version(name=f"{name}/versions/1")
    assert words[0] not in found()
    client.delete_secret(name=name)
    assert found() == []
    cloud.cloud.stop()
    assert found() == []


def forms(word: str) -> list[bytes]:
    """Return how a file may hold a word: plain, at each place of base64, escaped for JSON."""
    raw = word.encode()
    shifted = [base64.b64encode(b"x" * offset + raw)[4:-4] for offset in range(3)]
    return [raw, raw.hex().encode(), *shifted, json.dumps(word)[1:-1].encode()]
