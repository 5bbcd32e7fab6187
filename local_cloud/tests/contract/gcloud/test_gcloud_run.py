"""``gcloud run`` as an independent client of Cloud Run, through the shim for its older API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core.client_options import ClientOptions
from google.cloud import run_v2
from google.oauth2 import service_account

from tests.contract.control_plane import PARENT, SCOPE, job

if TYPE_CHECKING:
    from local_cloud.cloud import LocalCloud
    from local_cloud.testing.gcloud import Gcloud

pytestmark = [pytest.mark.gcloud, pytest.mark.slow]

HELLO = "--image=us-docker.pkg.dev/cloudrun/container/hello"

WITH_A_MODEL = """
    --no-allow-unauthenticated --port=9000 --concurrency=4 --max-instances=1 --ingress=internal
    --cpu=4 --memory=16Gi --no-cpu-throttling --execution-environment=gen2
    --gpu=1 --gpu-type=nvidia-l4 --no-gpu-zonal-redundancy
    --network=default --subnet=default --vpc-egress=all-traffic
    --add-volume=name=models,type=cloud-storage,bucket=gcloud-models,readonly=true
    --add-volume-mount=volume=models,mount-path=/models
"""


def client(cloud: LocalCloud, kind: type[Any]) -> Any:
    credentials = service_account.Credentials.from_service_account_file(
        cloud.credentials, scopes=[SCOPE]
    )
    options = ClientOptions(api_endpoint=cloud.url)
    return kind(transport="rest", credentials=credentials, client_options=options)


def variables(service: dict[str, Any]) -> dict[str, str]:
    container = service["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: each["value"] for each in container["env"]}


def test_a_service_from_its_deployment_to_its_end(gcloud: Gcloud) -> None:
    # Python writes what it logs at once, not when its buffer is full.
    flags = ("--set-env-vars=A=1,PYTHONUNBUFFERED=1", "--allow-unauthenticated")
    made = gcloud.json("run", "deploy", "hello", HELLO, *flags)
    url = made["status"]["url"]
    assert requests.get(f"{url}/?from-a-test", timeout=30).status_code == 200
    more = ("--update-env-vars=B=2", "--concurrency=7", "--max-instances=3", "--update-labels=x=y")
    gcloud.run("run", "services", "update", "hello", *more)
    described, listed, everywhere, regions, policy = gcloud.answers(
        "run services describe hello",
        "run services list --region=europe-west1",
        "run services list",
        "run regions list",
        "run services get-iam-policy hello",
    )
    assert variables(described) == {"A": "1", "B": "2", "PYTHONUNBUFFERED": "1"}
    assert described["metadata"]["labels"]["x"] == "y"
    template = described["spec"]["template"]
    assert template["spec"]["containerConcurrency"] == 7
    assert template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"] == "3"
    status = described["status"]
    assert {c["type"]: c["status"] for c in status["conditions"]} == {
        "Ready": "True",
        "RoutesReady": "True",
        "ConfigurationsReady": "True",
    }
    assert status["latestReadyRevisionName"].startswith("hello-00002-")
    assert status["url"] == url
    for found in (listed, everywhere):
        assert "hello" in {each["metadata"]["name"] for each in found}
    assert "europe-west1" in {each["locationId"] for each in regions}
    assert policy["bindings"] == [{"role": "roles/run.invoker", "members": ["allUsers"]}]
    removed = "remove-iam-policy-binding hello --member=allUsers --role=roles/run.invoker"
    logs, _ = gcloud.together("run services logs read hello", f"run services {removed}")
    assert b"GET /?from-a-test" in logs.stdout
    assert requests.get(url, timeout=30).status_code == 403
    gcloud.run("run", "services", "delete", "hello")
    told = gcloud.refusal("run", "services", "describe", "hello")
    assert "Cannot find service [hello]" in told


def test_a_service_with_a_model_is_the_same_for_googles_client(
    gcloud: Gcloud, cloud: LocalCloud
) -> None:
    gcloud.run("storage", "buckets", "create", "gs://gcloud-models", "--location=europe-west1")
    flags = WITH_A_MODEL.split()
    gcloud.run("run", "deploy", "model", HELLO, *flags)
    service = client(cloud, run_v2.ServicesClient).get_service(name=f"{PARENT}/services/model")
    template = service.template
    container = template.containers[0]
    assert dict(container.resources.limits) == {
        "cpu": "4",
        "memory": "16Gi",
        "nvidia.com/gpu": "1",
    }
    assert not container.resources.cpu_idle
    assert container.ports[0].container_port == 9000
    assert container.volume_mounts[0].mount_path == "/models"
    volume = template.volumes[0].gcs
    assert (volume.bucket, volume.read_only) == ("gcloud-models", True)
    assert template.node_selector.accelerator == "nvidia-l4"
    assert template.gpu_zonal_redundancy_disabled
    assert template.scaling.max_instance_count == 1
    assert template.max_instance_request_concurrency == 4
    assert template.vpc_access.network_interfaces[0].subnetwork == "default"
    assert template.vpc_access.egress == run_v2.VpcAccess.VpcEgress.ALL_TRAFFIC
    gen2 = run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2
    assert template.execution_environment == gen2
    assert service.ingress == run_v2.IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY
    gcloud.run("run", "services", "delete", "model")


def test_a_job_and_its_executions(gcloud: Gcloud, cloud: LocalCloud) -> None:
    jobs = client(cloud, run_v2.JobsClient)
    wanted = job("import os; print(os.environ['CLOUD_RUN_TASK_INDEX'])", task_count=2)
    jobs.create_job(parent=PARENT, job_id="count", job=wanted).result(timeout=60)
    done = gcloud.json("run", "jobs", "execute", "count", "--wait")
    assert done["status"]["succeededCount"] == 2
    name = done["metadata"]["name"]
    listed, described, executions, one = gcloud.answers(
        "run jobs list",
        "run jobs describe count",
        "run jobs executions list --job=count",
        f"run jobs executions describe {name}",
    )
    assert "count" in {each["metadata"]["name"] for each in listed}
    assert described["spec"]["template"]["spec"]["taskCount"] == 2
    assert described["status"]["latestCreatedExecution"]["name"] == name
    assert [each["metadata"]["name"] for each in executions] == [name]
    completed = next(c for c in one["status"]["conditions"] if c["type"] == "Completed")
    assert completed["status"] == "True"
    gcloud.run("run", "jobs", "delete", "count")
    assert "Cannot find job [count]" in gcloud.refusal("run", "jobs", "describe", "count")


def test_why_a_service_does_not_start_is_told(gcloud: Gcloud) -> None:
    told = gcloud.refusal("run", "deploy", "absent", "--image=docker.io/none/none:1")
    assert "is not ready and cannot serve traffic" in told
    assert "Image 'docker.io/none/none:1' not found" in told
    ready = gcloud.json("run", "services", "describe", "absent")["status"]["conditions"][0]
    assert (ready["type"], ready["status"]) == ("Ready", "False")
    gcloud.run("run", "services", "delete", "absent")


def test_what_is_refused_is_told_in_googles_words(gcloud: Gcloud, cloud: LocalCloud) -> None:
    cloud.faults.update(denied_permissions=["run.services.create", "run.services.list"])
    deployed, listed = gcloud.refusals(
        f"run deploy denied {HELLO}", "run services list --region=europe-west1"
    )
    assert "Permission 'run.services.create' denied" in deployed
    assert "Permission 'run.services.list' denied" in listed
    cloud.faults.update(denied_permissions=[], disabled_apis=["run.googleapis.com"])
    told = gcloud.refusal("run", "services", "list", "--region=europe-west1")
    assert "Cloud Run Admin API has not been used in project" in told
