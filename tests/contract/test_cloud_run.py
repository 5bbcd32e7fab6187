"""Services, jobs and their logs: created, followed, called and deleted."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from llm_widgets.domain import regions
from llm_widgets.domain.services import ServiceState
from llm_widgets.engines.base import Api
from llm_widgets.errors import (
    AlreadyExistsError,
    ApiDisabledError,
    BillingError,
    ConflictError,
    DeniedError,
    DeploymentError,
    InvalidInputError,
    ManagerError,
    NoInstanceError,
    NotFoundError,
    UnavailableError,
)
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.run import (
    invoke,
    jobs,
    locations,
    rollout,
    service_errors,
    service_list,
    services,
)
from llm_widgets.gcp.run.jobs import ExecutionState
from local_cloud.testing.waiting import until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import MANAGER, PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = Api().path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("run"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.fixture(scope="module")
def engine(started: Product) -> str:
    """A service that answers chats; its resource name."""
    operation = services.create(started.clients, PROJECT, REGION, "engine", service(ENGINE))
    for progress in rollout.follow(started.clients, operation, period=0.1):
        last = progress
    assert last.service
    return last.service.name


def chat(product: Product, engine: str, model: str, text: str = "hello big world") -> Any:
    url = services.get(product.clients, engine).uri
    messages = [{"role": "user", "content": text}]
    return invoke.chat_stream(product.clients, url, model, messages, path=PATH, service=engine)


def test_from_creation_to_deletion(product: Product) -> None:
    seen = deploy(product, "whole-life", service(ENGINE))
    assert [progress.done for progress in seen[:-1]] == [False] * (len(seen) - 1)
    assert seen[0].service
    assert seen[0].service.state is ServiceState.DEPLOYING
    last = seen[-1].service
    assert seen[-1].done
    assert last
    assert (last.state, last.model_id, last.reason) == (ServiceState.READY, "org/model", "")
    assert last.url.startswith("http")

    listing = service_list.list_services(product.clients, PROJECT)
    assert "whole-life" in [each.id for each in listing.services]
    assert listing.unreachable == ()

    operation = services.delete(product.clients, last.name)
    *_, end = rollout.follow(product.clients, operation, period=0.1)
    assert end.done
    assert end.service is None
    with pytest.raises(NotFoundError, match="Can't open the service whole-life"):
        services.get(product.clients, last.name)


def test_only_our_services_are_listed_wherever_they_are(product: Product) -> None:
    ours, theirs = service(ENGINE), service(ENGINE)
    theirs.labels.clear()
    for region, name, made in (
        ("us-central1", "ours", ours),
        ("europe-west1", "theirs", theirs),
        ("europe-north1", "without-gpus", ours),
    ):
        operation = services.create(product.clients, PROJECT, region, name, made)
        assert list(rollout.follow(product.clients, operation, period=0.1))[-1].done
    found = service_list.list_services(product.clients, PROJECT).services
    assert {(each.id, each.region) for each in found} >= {("ours", "us-central1")}
    assert "theirs" not in {each.id for each in found}
    assert "without-gpus" in {each.id for each in found}
    here = service_list.list_services(product.clients, PROJECT, ["us-central1"]).services
    assert {each.id for each in here} == {"ours"}


def test_a_region_that_only_the_api_lists_is_looked_into(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tuple(region for region in regions.REGIONS if region != "europe-north2")
    operation = services.create(product.clients, PROJECT, "europe-north2", "newer", service(ENGINE))
    assert list(rollout.follow(product.clients, operation, period=0.1))[-1].done
    monkeypatch.setattr(regions, "REGIONS", older)
    product.faults.update(denied_permissions=["run.locations.list"])
    clients = Clients(product.clients.settings, product.clients.credentials)
    listing = service_list.list_services(clients, PROJECT)
    assert "newer" not in {each.id for each in listing.services}
    assert listing.unreachable == ()  # of the regions that are known, all have answered
    assert locations.everywhere(clients, PROJECT) == regions.offered()
    product.faults.reset()
    found = service_list.list_services(clients, PROJECT).services
    assert ("newer", "europe-north2") in {(each.id, each.region) for each in found}
    assert set(locations.everywhere(clients, PROJECT)) == {*older, "europe-north2"}


def test_an_unreachable_region_is_named(product: Product, engine: str) -> None:
    failure = {"match": "GET /v2/projects/.*/us-east4/services", "status": 400, "message": "no"}
    product.faults.update(failures=[failure])
    listing = service_list.list_services(product.clients, PROJECT)
    assert [region for region, _ in listing.unreachable] == ["us-east4"]
    assert engine in [each.name for each in listing.services]


def test_denied_everywhere_is_not_an_empty_list(product: Product) -> None:
    product.faults.update(denied_permissions=["run.services.list"])
    listing = service_list.list_services(product.clients, PROJECT)
    assert listing.services == ()
    assert listing.unreachable
    assert all(isinstance(error, DeniedError) for _, error in listing.unreachable)


def test_regions_are_asked_at_once(product: Product) -> None:
    product.faults.update(delays={"GET /v2/projects/[^/]+/locations/[^/]+/services": 0.5})
    started = time.monotonic()
    service_list.list_services(product.clients, PROJECT)
    assert time.monotonic() - started < 10  # one after the other: 20 s


def test_a_container_that_does_not_come_up(product: Product) -> None:
    script = "import sys; sys.exit('CUDA error: out of memory')"
    with pytest.raises(DeploymentError) as caught:
        deploy(product, "broken", service(script))
    assert caught.value.message == "The service broken did not come up."
    assert "failed" in caught.value.cause
    name = f"{PARENT}/services/broken"
    listed = {
        each.name: each for each in service_list.list_services(product.clients, PROJECT).services
    }
    assert listed[name].state is ServiceState.ERROR
    assert "broken-00001" in listed[name].reason
    with pytest.raises(DeploymentError):
        list(rollout.follow_service(product.clients, name, period=0.1))
    written = logs.entries(product.clients, PROJECT, logs.service_filter(REGION, "broken"))
    assert any("CUDA error: out of memory" in entry.text for entry in written)


def test_an_image_that_is_not_there(product: Product) -> None:
    made = service(ENGINE)
    made.template.containers[0].image = "docker.io/nobody/nothing:1"
    with pytest.raises(DeploymentError) as caught:
        deploy(product, "imageless", made)
    assert "Image 'docker.io/nobody/nothing:1' not found" in caught.value.cause


def test_a_new_revision_that_fails_leaves_the_old_one_serving(product: Product) -> None:
    deploy(product, "two-revisions", service(ENGINE))
    found = services.get(product.clients, f"{PARENT}/services/two-revisions")
    found.template.containers[0].command = ["-c", "raise SystemExit(3)"]
    operation = services.update(product.clients, found, ["template"])
    with pytest.raises(DeploymentError):
        list(rollout.follow(product.clients, operation, period=0.1))
    listed = service_list.list_services(product.clients, PROJECT).services
    shown = next(each for each in listed if each.id == "two-revisions")
    assert shown.state is ServiceState.OLD_SERVING
    assert shown.reason


def test_a_change_of_somebody_else_is_not_overwritten(product: Product) -> None:
    deploy(product, "contended", service(ENGINE))
    name = f"{PARENT}/services/contended"
    mine, theirs = services.get(product.clients, name), services.get(product.clients, name)
    theirs.labels["team"] = "theirs"
    operation = services.update(product.clients, theirs, ["labels"])
    assert list(rollout.follow(product.clients, operation, period=0.1))[-1].done
    mine.labels["team"] = "mine"
    with pytest.raises(ConflictError) as caught:
        services.update(product.clients, mine, ["labels"])
    assert caught.value.fix
    assert "reload" in caught.value.fix.text
    assert services.get(product.clients, name).labels["team"] == "theirs"


def test_a_service_followed_by_its_name(product: Product) -> None:
    services.create(product.clients, PROJECT, REGION, "by-name", service(ENGINE))
    name = f"{PARENT}/services/by-name"
    *_, last = rollout.follow_service(product.clients, name, period=0.1)
    assert last.service
    assert last.service.state is ServiceState.READY
    services.delete(product.clients, name)
    *_, end = rollout.follow_service(product.clients, name, period=0.1)
    assert end == rollout.Progress(done=True, message="The service is deleted.")


def test_validate_only_creates_nothing(product: Product) -> None:
    services.create(product.clients, PROJECT, REGION, "trial", service(ENGINE), validate_only=True)
    with pytest.raises(NotFoundError):
        services.get(product.clients, f"{PARENT}/services/trial")


def test_an_accepted_trial_is_not_followed(product: Product) -> None:
    product.faults.update(failures=[{"match": "/operations/", "status": 404}])
    made = service(ENGINE)
    services.create(product.clients, PROJECT, REGION, "trial", made, validate_only=True)


def test_a_taken_name(product: Product, engine: str) -> None:
    name = engine.rsplit("/", 1)[-1]
    with pytest.raises(AlreadyExistsError, match="Can't create the service engine"):
        services.create(product.clients, PROJECT, REGION, name, service(ENGINE))


def test_what_cloud_run_refuses(product: Product) -> None:
    made = service(ENGINE)
    made.template.containers[0].resources.limits = {"cpu": "8", "memory": "64Gi"}
    with pytest.raises(InvalidInputError) as caught:
        services.create(product.clients, PROJECT, REGION, "huge", made, validate_only=True)
    assert "memory" in caught.value.cause


def test_creation_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["run.services.create"])
    with pytest.raises(DeniedError) as caught:
        services.create(product.clients, PROJECT, REGION, "denied", service(ENGINE))
    assert "lacks the permission run.services.create" in caught.value.message
    assert caught.value.fix
    assert caught.value.fix.command == (
        f"gcloud projects add-iam-policy-binding {PROJECT} --member={MANAGER} "
        "--role=roles/run.developer"
    )


def test_acting_as_the_runtime_account_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["iam.serviceAccounts.actAs"])
    with pytest.raises(DeniedError) as caught:
        services.create(product.clients, PROJECT, REGION, "no-actor", service(ENGINE))
    assert "iam.serviceAccounts.actAs" in caught.value.message
    assert caught.value.fix
    assert caught.value.fix.command.startswith(
        "gcloud iam service-accounts add-iam-policy-binding "
    )
    assert "--role=roles/iam.serviceAccountUser" in caught.value.fix.command


def test_api_disabled_and_billing_off(product: Product) -> None:
    product.faults.update(disabled_apis=["run.googleapis.com"])
    with pytest.raises(ApiDisabledError) as caught:
        services.create(product.clients, PROJECT, REGION, "off", service(ENGINE))
    assert caught.value.fix
    assert caught.value.fix.action == "enable-api:run.googleapis.com"
    product.faults.reset()
    product.faults.update(billing_disabled=[PROJECT])
    with pytest.raises(BillingError):
        services.create(product.clients, PROJECT, REGION, "off", service(ENGINE))


def test_a_chat(product: Product, engine: str) -> None:
    events = list(chat(product, engine, "good"))
    assert "".join(event.text for event in events) == "hello big world é "
    stats = events[-1].stats
    assert stats
    assert (stats.tokens, stats.prompt_tokens, stats.finish_reason) == (7, 3, "stop")
    assert 0 < stats.first_token < stats.seconds
    assert stats.tokens_per_second > 0
    assert all(event.stats is None for event in events[:-1])


def test_the_pieces_come_while_the_engine_still_writes(product: Product, engine: str) -> None:
    stream = chat(product, engine, "endless")
    pieces = [event.text for event, _ in zip(stream, range(10), strict=False)]
    assert pieces[:3] == ["hello ", "big ", "world "]
    stream.close()


@pytest.mark.parametrize("model", ["endless", "stuck"])
def test_a_stream_is_closed_from_another_thread(product: Product, engine: str, model: str) -> None:
    stream = chat(product, engine, model)
    threading.Timer(0.5, stream.close).start()
    started = time.monotonic()
    events = list(stream)
    assert time.monotonic() - started < 30  # the engine would go on for a minute
    assert events[-1].stats is None
    assert events[0].text == "hello "


@pytest.mark.parametrize(
    ("model", "kind", "cause"),
    [
        ("missing", NotFoundError, "The service answers 404: model missing not found"),
        ("busy", NoInstanceError, "The service answers 503: No instance"),
        ("strict", InvalidInputError, "The service answers 400: messages: too long"),
        ("broken", ManagerError, "CUDA out of memory"),
    ],
)
def test_an_engine_that_fails(
    product: Product, engine: str, model: str, kind: type[ManagerError], cause: str
) -> None:
    with pytest.raises(kind) as caught:
        list(chat(product, engine, model))
    assert type(caught.value) is kind
    assert caught.value.cause == cause


def test_a_stream_is_closed_before_anything_has_come(product: Product, engine: str) -> None:
    stream = chat(product, engine, "silent")
    threading.Timer(0.5, stream.close).start()
    started = time.monotonic()
    assert list(stream) == []
    assert time.monotonic() - started < 30  # the engine would be silent for a minute


def test_a_silent_engine(product: Product, engine: str) -> None:
    url = services.get(product.clients, engine).uri
    messages = [{"role": "user", "content": "x"}]
    for model in ("stuck", "silent"):
        stream = invoke.chat_stream(
            product.clients, url, model, messages, path=PATH, silence_timeout=0.5
        )
        with pytest.raises(UnavailableError, match="The service was silent"):
            list(stream)


def test_a_service_that_is_gone(product: Product) -> None:
    messages = [{"role": "user", "content": "x"}]
    stream = invoke.chat_stream(product.clients, "http://127.0.0.1:9", "m", messages, path=PATH)
    with pytest.raises(UnavailableError, match="does not answer, or broke off"):
        list(stream)


def test_who_may_not_call_is_told_how_to(product: Product, engine: str) -> None:
    product.faults.update(denied_permissions=["run.routes.invoke"])
    with pytest.raises(DeniedError) as caught:
        list(chat(product, engine, "good"))
    assert caught.value.message == (
        "manager@local-project.iam.gserviceaccount.com can't call the service engine."
    )
    assert caught.value.fix
    assert caught.value.fix.command == (
        f"gcloud run services add-iam-policy-binding engine --region={REGION} "
        f"--project={PROJECT} --member={MANAGER} --role=roles/run.invoker"
    )


@pytest.mark.parametrize("status", [403, 404])
def test_a_service_that_lets_nobody_in_from_outside(
    product: Product, engine: str, status: int
) -> None:
    page = b"<html><title>Error</title><body>Not found</body></html>"
    traffic: Any = run_v2.IngressTraffic  # its members are declared as numbers
    before = service_errors.refusal(status, page, product.clients, engine)
    assert "from outside" not in before.message
    found = services.get(product.clients, engine)
    found.ingress = traffic.INGRESS_TRAFFIC_INTERNAL_ONLY
    services.update(product.clients, found, ["ingress"])
    try:
        told = service_errors.refusal(status, page, product.clients, engine)
        engines = b'{"error": "model x not found"}'
        said = service_errors.refusal(status, engines, product.clients, engine)
    finally:
        found = services.get(product.clients, engine)
        found.ingress = traffic.INGRESS_TRAFFIC_ALL
        services.update(product.clients, found, ["ingress"])
    assert isinstance(told, DeniedError)
    assert "from the project's networks only" in told.message
    assert told.fix
    assert told.fix.url.endswith(f"/networking?project={PROJECT}")
    assert "from outside" not in said.message


def test_structured_log_entries_are_readable(product: Product, engine: str) -> None:
    list(chat(product, engine, "good"))
    wanted = logs.service_filter(REGION, "engine", severity="WARNING")
    found = until(lambda: logs.entries(product.clients, PROJECT, wanted))
    assert found[0].text == "asked model=1"
    assert found[0].severity == "WARNING"
    assert found[0].labels["service_name"] == "engine"


def test_pages_of_a_log(product: Product, engine: str) -> None:
    for _ in range(4):
        list(chat(product, engine, "good"))
    until(lambda: len(logs.entries(product.clients, PROJECT, "", limit=4)) > 3)
    everything = logs.entries(product.clients, PROJECT, "", limit=5000)
    some = logs.entries(product.clients, PROJECT, "", limit=3)
    assert len(some) == 3 < len(everything)
    oldest = logs.entries(product.clients, PROJECT, "", limit=1, newest_first=False)
    assert oldest[0].time == min(entry.time for entry in everything if entry.time)


def test_logs_denied(product: Product) -> None:
    product.faults.update(denied_permissions=["logging.logEntries.list"])
    with pytest.raises(DeniedError) as caught:
        logs.entries(product.clients, PROJECT, "")
    assert caught.value.fix
    assert "roles/logging.viewer" in caught.value.fix.command


JOB = "import os, sys; print('task', os.environ['CLOUD_RUN_TASK_INDEX'], os.environ.get('WORD'))"


def job(script: str) -> run_v2.Job:
    container = {"image": "local/python:3", "command": ["-c", script]}
    return run_v2.Job({"template": {"template": {"containers": [container], "max_retries": 0}}})


def finished(product: Product, name: str) -> jobs.ExecutionStatus:
    def final() -> jobs.ExecutionStatus | None:
        found = jobs.execution(product.clients, name)
        return found if found.state.is_final else None

    return until(final)


def test_a_job_runs_with_overrides(product: Product) -> None:
    name = jobs.ensure(product.clients, PROJECT, REGION, "worker", job(JOB))
    assert name == f"{PARENT}/jobs/worker"
    execution = jobs.run(product.clients, name, env={"WORD": "given"}, tasks=2)
    found = finished(product, execution)
    assert (found.state, found.succeeded, found.failed) == (ExecutionState.SUCCEEDED, 2, 0)
    short = execution.rsplit("/", 1)[-1]
    wanted = logs.job_filter(REGION, "worker", execution=short)
    texts = {entry.text for entry in logs.entries(product.clients, PROJECT, wanted)}
    assert texts >= {"task 0 given", "task 1 given"}


def test_a_job_is_updated_only_when_it_is_different(product: Product) -> None:
    name = jobs.ensure(product.clients, PROJECT, REGION, "kept", job(JOB))
    before = product.clients.jobs.get_job(name=name).generation
    jobs.ensure(product.clients, PROJECT, REGION, "kept", job(JOB))
    assert product.clients.jobs.get_job(name=name).generation == before
    jobs.ensure(product.clients, PROJECT, REGION, "kept", job("print(1)"))
    found = product.clients.jobs.get_job(name=name)
    assert found.generation > before
    assert found.template.template.containers[0].command[-1] == "print(1)"


def test_two_make_the_same_job(product: Product) -> None:
    failures: list[Exception] = []

    def ensure() -> None:
        try:
            jobs.ensure(product.clients, PROJECT, REGION, "raced", job(JOB))
        except ManagerError as error:
            failures.append(error)

    threads = [threading.Thread(target=ensure) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_job_that_fails(product: Product) -> None:
    name = jobs.ensure(product.clients, PROJECT, REGION, "failing", job("raise SystemExit(3)"))
    found = finished(product, jobs.run(product.clients, name))
    assert (found.state, found.failed) == (ExecutionState.FAILED, 1)
    assert found.message


def test_a_job_is_cancelled(product: Product) -> None:
    name = jobs.ensure(product.clients, PROJECT, REGION, "long", job("import time; time.sleep(60)"))
    execution = jobs.run(product.clients, name)
    jobs.cancel(product.clients, execution)
    assert finished(product, execution).state is ExecutionState.CANCELLED
    jobs.cancel(product.clients, execution)
    jobs.cancel(product.clients, f"{name}/executions/gone")


def test_jobs_denied(product: Product) -> None:
    name = jobs.ensure(product.clients, PROJECT, REGION, "worker", job(JOB))
    product.faults.update(denied_permissions=["run.jobs.runWithOverrides"])
    with pytest.raises(DeniedError) as caught:
        jobs.run(product.clients, name, env={"WORD": "x"})
    assert caught.value.fix
    assert "roles/run.jobsExecutorWithOverrides" in caught.value.fix.command
    product.faults.update(denied_permissions=["run.jobs.create", "run.jobs.get"])
    with pytest.raises(DeniedError, match="Can't prepare the job other"):
        jobs.ensure(product.clients, PROJECT, REGION, "other", job(JOB))


def test_an_execution_that_is_gone(product: Product) -> None:
    with pytest.raises(NotFoundError):
        jobs.execution(product.clients, f"{PARENT}/jobs/worker/executions/gone")
