"""Services are changed without losing what is not shown, callers added and taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from google.cloud import run_v2

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import MANAGED_BY, ServiceState, StartupProbe
from llm_widgets.errors import ConflictError, DeploymentError, NotFoundError
from llm_widgets.gcp.iam import bucket_readers, invokers
from llm_widgets.gcp.iam.policy import Grant
from llm_widgets.gcp.run import revisions, rollout, service_json, services
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import change
from llm_widgets.page.services.deploy_values import differences
from llm_widgets.serving import codec, recipes
from llm_widgets.serving.codec import deployment_of, edited
from local_cloud.testing.programs import ECHO_SERVER
from tests.contract.product import PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = f"{PARENT}/services/rich"
ANN = "user:ann@example.org"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("edit"), environment):
            started.clients.secrets.create_secret(
                request={
                    "parent": f"projects/{PROJECT}",
                    "secret_id": "key",
                    "secret": {"replication": {"automatic": {}}},
                }
            )
            started.clients.secrets.add_secret_version(
                request={"parent": f"projects/{PROJECT}/secrets/key", "payload": {"data": b"s3"}}
            )
            member = "serviceAccount:" + _default_account(started)
            policy = {
                "bindings": [
                    {"role": "roles/secretmanager.secretAccessor", "members": [member]},
                ]
            }
            started.clients.secrets.set_iam_policy(
                request={"resource": f"projects/{PROJECT}/secrets/key", "policy": policy}
            )
            operation = services.create(started.clients, PROJECT, REGION, "rich", rich())
            for _ in rollout.follow(started.clients, operation, period=0.1):
                pass
            yield started


def _default_account(product: Product) -> str:
    project = product.clients.projects.get_project(name=f"projects/{PROJECT}")
    return f"{project.name.rsplit('/', 1)[1]}-compute@developer.gserviceaccount.com"


def rich(*, sidecar: bool = False) -> run_v2.Service:
    """Return a service with everything that the form of this product does not have."""
    main = run_v2.Container(
        name="main",
        image="local/python:3",
        command=["-c", ECHO_SERVER],
        args=["--flag", "--a=b=c"],
        env=[
            {"name": "PLAIN", "value": "one\ntwo"},
            {"name": "KEY", "value_source": {"secret_key_ref": {"secret": "key", "version": "1"}}},
        ],
        ports=[{"container_port": 8080}],
        resources={"limits": {"cpu": "1", "memory": "512Mi"}, "cpu_idle": True},
        volume_mounts=[{"name": "scratch", "mount_path": "/scratch"}],
        liveness_probe={"http_get": {"path": "/"}, "period_seconds": 60},
    )
    beside = run_v2.Container(
        name="sidecar",
        image="local/python:3",
        command=["-c", "import time; time.sleep(3600)"],
        resources={"limits": {"cpu": "1", "memory": "512Mi"}},
    )
    return run_v2.Service(
        labels={MANAGED_BY[0]: MANAGED_BY[1], "team": "blue"},
        annotations={"example.org/owner": "ann"},
        template=run_v2.RevisionTemplate(
            containers=[main, beside] if sidecar else [main],
            volumes=[{"name": "scratch", "empty_dir": {"size_limit": "64Mi"}}],
            scaling={"max_instance_count": 3},
            max_instance_request_concurrency=7,
            session_affinity=True,
            labels={"cost": "x"},
            execution_environment=run_v2.ExecutionEnvironment.EXECUTION_ENVIRONMENT_GEN2,
        ),
    )


def wait(product: Product) -> ServiceState:
    for progress in rollout.follow_service(product.clients, NAME, period=0.1):
        last = progress
    assert last.service
    return last.service.state


def test_a_change_touches_nothing_else(product: Product) -> None:
    before = services.get(product.clients, NAME)
    document = service_json.read(product.clients, NAME)
    now = deployment_of(document)
    assert (now.concurrency, now.max_instances, now.secrets) == (7, 3, {"KEY": "key:1"})
    wanted = replace(
        now, max_instances=2, args=("--flag",), environment={"PLAIN": "three", "NEW": "="}
    )
    changed, paths = edited(document, now, wanted)
    assert paths == ["template"]
    assert [change.field for change in differences(now, wanted)] == [
        "max_instances",
        "args",
        "environment",
    ]
    service_json.patch(product.clients, changed, paths, validate_only=True)
    assert services.get(product.clients, NAME).etag == before.etag
    service_json.patch(product.clients, changed, paths)
    assert wait(product) is ServiceState.READY

    after = services.get(product.clients, NAME)
    main = after.template.containers[0]
    assert list(main.args) == ["--flag"]
    assert [(v.name, v.value) for v in main.env] == [("PLAIN", "three"), ("KEY", ""), ("NEW", "=")]
    assert after.template.scaling.max_instance_count == 2
    expected = run_v2.RevisionTemplate(before.template)
    expected.containers[0].args = main.args
    expected.containers[0].env = main.env
    expected.scaling.max_instance_count = 2
    assert after.template == expected
    assert after.labels == before.labels
    assert after.annotations == before.annotations


def test_a_file_cache_is_taken_away_and_given_back(product: Product) -> None:
    buckets.create_bucket(product.clients, PROJECT, "cached-models", REGION)
    member = f"serviceAccount:{_default_account(product)}"
    bucket_readers.grant_reader(product.clients, "cached-models", member, project=PROJECT)
    record = ModelRecord("org/name", "ollama", ModelStatus.READY)
    offered = recipes.defaults(
        record, project=PROJECT, region=REGION, bucket="cached-models", accelerator=""
    )
    cached = replace(
        offered,
        name="cached",
        image="local/python:3",
        command=("-c", ECHO_SERVER),
        port=8080,
        probe=StartupProbe("/", failures=60),
        cache_gib=2,
    )
    for _ in rollout.follow(
        product.clients, services.create_from(product.clients, codec.document(cached)), period=0.1
    ):
        pass
    name = f"{PARENT}/services/cached"
    for size in (0, 1):
        there = service_json.read(product.clients, name)
        before = deployment_of(there)
        assert before.cache_gib != size
        changed, paths = edited(there, before, replace(before, cache_gib=size))
        service_json.patch(product.clients, changed, paths)
        for _ in rollout.follow_service(product.clients, name, period=0.1):
            pass
        template = services.get(product.clients, name).template
        assert [each.name for each in template.volumes] == ["models", *["cache"] * size]
        assert deployment_of(service_json.read(product.clients, name)).cache_gib == size


def test_a_sidecar_stays(product: Product) -> None:
    name = f"{PARENT}/services/two"
    operation = services.create(product.clients, PROJECT, REGION, "two", rich(sidecar=True))
    with pytest.raises(DeploymentError, match="sidecars"):  # the local cloud runs none
        for _ in rollout.follow(product.clients, operation, period=0.1):
            pass
    before = services.get(product.clients, name)
    document = service_json.read(product.clients, name)
    now = deployment_of(document)
    service_json.patch(product.clients, *edited(document, now, replace(now, timeout=60)))
    with pytest.raises(DeploymentError):
        for _ in rollout.follow_service(product.clients, name, period=0.1):
            pass
    after = services.get(product.clients, name)
    expected = run_v2.RevisionTemplate(before.template)
    expected.timeout = timedelta(seconds=60)
    assert after.template == expected
    assert [each.name for each in after.template.containers] == ["main", "sidecar"]


def test_somebody_else_was_faster(product: Product) -> None:
    document = service_json.read(product.clients, NAME)
    now = deployment_of(document)
    theirs, paths = edited(document, now, replace(now, labels={"team": "red"}))
    assert paths == ["labels"]
    service_json.patch(product.clients, theirs, paths)
    wait(product)
    mine, paths = edited(document, now, replace(now, concurrency=9))
    with pytest.raises(ConflictError):
        service_json.patch(product.clients, mine, paths)
    after = services.get(product.clients, NAME)
    assert after.template.max_instance_request_concurrency == 7
    assert after.labels == {MANAGED_BY[0]: MANAGED_BY[1], "team": "red"}


def test_nothing_changed_is_nothing_sent(product: Product) -> None:
    document = service_json.read(product.clients, NAME)
    now = deployment_of(document)
    assert edited(document, now, now) == (document, [])
    assert differences(now, now) == ()


def test_deployed_again_as_it_is(product: Product) -> None:
    before = len(revisions.list_revisions(product.clients, NAME))
    unchanged = change.Change(service_json.read(product.clients, NAME), ())
    change.send(product.clients, change.again(unchanged))
    assert wait(product) is ServiceState.READY
    listed = revisions.list_revisions(product.clients, NAME)
    assert len(listed) == before + 1
    assert listed[0].state == "ready"
    assert listed[0].image == "local/python:3"


def test_back_to_an_earlier_revision(product: Product) -> None:
    first = revisions.list_revisions(product.clients, NAME)[-1]
    change.serve(product.clients, NAME, {first.id: 100})
    wait(product)
    traffic = services.get(product.clients, NAME).traffic
    assert [(t.revision, t.percent) for t in traffic] == [(first.id, 100)]
    last = revisions.list_revisions(product.clients, NAME)[0]
    change.serve(product.clients, NAME, {first.id: 30, last.id: 70})
    wait(product)
    traffic = services.get(product.clients, NAME).traffic
    assert [(t.revision, t.percent) for t in traffic] == [(first.id, 30), (last.id, 70)]
    change.serve(product.clients, NAME, {"": 100})
    wait(product)
    latest = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST
    assert [t.type_ for t in services.get(product.clients, NAME).traffic] == [latest]


def test_callers_come_and_go_and_conditions_stay(product: Product) -> None:
    condition = {"title": "office hours", "expression": "request.time.getHours() < 18"}
    policy = {
        "version": 3,
        "bindings": [{"role": invokers.INVOKER, "members": [ANN], "condition": condition}],
    }
    product.clients.services.set_iam_policy(request={"resource": NAME, "policy": policy})
    invokers.add_invoker(product.clients, NAME, "user:bob@example.org")
    invokers.add_invoker(product.clients, NAME, "user:bob@example.org")
    invokers.add_invoker(product.clients, NAME, ANN)
    found = set(invokers.invokers(product.clients, NAME))
    ann, bob = (Grant(who, invokers.INVOKER) for who in (ANN, "user:bob@example.org"))
    restricted = Grant(ANN, invokers.INVOKER, "office hours")
    assert found == {bob, ann, restricted}
    invokers.remove_invoker(product.clients, NAME, ann)
    found = set(invokers.invokers(product.clients, NAME))
    assert found == {bob, restricted}


def test_a_service_that_is_gone(product: Product) -> None:
    with pytest.raises(NotFoundError):
        service_json.read(product.clients, f"{PARENT}/services/never")
