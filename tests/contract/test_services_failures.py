"""Deployments that fail for planted reasons: the right cause is found, and its fix works."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.diagnosis import Diagnosis, Evidence, RemedyKind, changed, choices, explain
from llm_widgets.domain.failures.context import Context
from llm_widgets.domain.services import Deployment, ServiceState, StartupProbe, SubnetAccess
from llm_widgets.errors import DeploymentError, ManagerError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.iam import bucket_readers, service_accounts
from llm_widgets.gcp.run import rollout, service_json, service_list, services
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.manager.remedies import carry_out, is_beside
from llm_widgets.page.services.diagnosis_card import DiagnosisCard, form_label, service_label
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.serving import codec, recipes
from local_cloud.testing.waiting import until
from tests.contract.product import PARENT, PROJECT, REGION, Product, running
from tests.contract.served_model import BUCKET, RECORD, put_served_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.page.session import Session

GPUS = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
REDUNDANT = "NvidiaL4GpuAllocPerProjectRegion"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    pytest.importorskip("xllamacpp")
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("failures"), environment):
            put_served_model(started)
            yield started


@pytest.fixture
def offered(product: Product, session: Session) -> Deployment:
    assert session.project
    account = session.project.default_service_account
    bucket_readers.grant_reader(
        product.clients, BUCKET, f"serviceAccount:{account}", project=PROJECT
    )
    return recipes.defaults(
        RECORD, project=PROJECT, region=REGION, bucket=BUCKET, service_account=account
    )


def put(product: Product, deployment: Deployment) -> Any:
    return services.create_from(product.clients, codec.document(deployment))


def broken(product: Product, session: Session, deployment: Deployment) -> ServicePageState:
    """Deploy what fails, and look at it as its page does."""
    operation = put(product, deployment)
    with pytest.raises(DeploymentError):
        for _ in rollout.follow(product.clients, operation, period=0.1):
            pass
    found = service_list.list_services(product.clients, PROJECT).services
    summary = next(each for each in found if each.id == deployment.name)
    page = ServicePageState(session, summary)
    page.start()
    until(lambda: page.diagnosis or page.error)
    page.close()
    assert page.error is None
    return page


def remove(product: Product, name: str) -> None:
    for _ in rollout.follow(product.clients, services.delete(product.clients, name), period=0.1):
        pass


def acted(product: Product, session: Session, page: ServicePageState) -> None:
    """Do what the first remedy offers, as its button does, and see the service come up."""
    remedy = page.diagnosis.remedies[0]
    assert service_label(remedy), remedy
    edit = ServiceEditState(session, ServicesState(session))
    document = service_json.read(product.clients, page.name)
    generation = document["generation"]
    edit.remedy(document, remedy)
    until(lambda: service_json.read(product.clients, page.name)["generation"] != generation)
    for progress in rollout.follow_service(product.clients, page.name, period=0.1):
        last = progress
    assert last.service
    assert last.service.state is ServiceState.READY
    remove(product, page.name)


# An engine that serves only when it is told what the remedy says; else it prints what vLLM does.
PICKY = """
case "$0 $OLLAMA_CONTEXT_LENGTH" in {accepted}) exec python3 -m http.server $PORT;; esac
echo "{says}" >&2
exit 1
"""
KV_CACHE = (
    "ValueError: To serve at least one request with the models's max seq len (40960), (5.62 GiB KV "
    "cache is needed, which is larger than the available KV cache memory (4.50 GiB). Based on the "
    "available memory, the estimated maximum model length is 32768. Try increasing "
    "gpu_memory_utilization or decreasing max_model_len when initializing the engine."
)
NO_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB. GPU 0 has a total "
    "capacity of 22.05 GiB of which 512.06 MiB is free."
)


def shell(script: str) -> dict[str, Any]:
    """Have a shell script serve on the port of the requests."""
    probe = StartupProbe("/", period=1, timeout=1, failures=20)
    return {"command": ("/bin/sh", "-c", script), "probe": probe}


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    # what is changed, words of the cause, words of the proof
    "image": ({"image": "docker.io/nobody/nothing:1"}, "no image", "nothing"),
    "option": (
        {"mount_options": ("file-cache-enable-parallel-downloads=true",), "cache_gib": 0},
        "parallel",
        "parallel download",
    ),
    "network": ({"subnet": SubnetAccess("nowhere", "nowhere")}, "network", "nowhere"),
    "connector": ({"connector": "no-such-connector"}, "connector", "no-such-connector"),
    "model": ({"environment": {"MODEL": "gone:1b"}}, "no model gone:1b", "gone:1b"),
    "probe": (
        {
            "command": ("/bin/sh", "-c", "sleep 5; exec python3 -m http.server $PORT"),
            "probe": StartupProbe("/", period=1, timeout=1, failures=1),
        },
        "did not answer on port",
        "probe",
    ),
    "context": (
        {
            **shell(PICKY.format(accepted="--max-model-len=32768*", says=KV_CACHE)),
            "args": ("--max-model-len=40960",),
            "framework": "vllm",
        },
        "40960 tokens needs 5.62 GiB",
        "estimated maximum model length is 32768",
    ),
    "memory": (
        {
            **shell(PICKY.format(accepted="*2048", says=NO_MEMORY)),
            "environment": {"OLLAMA_CONTEXT_LENGTH": "4096"},
        },
        "memory is full",
        "CUDA out of memory",
    ),
}


@pytest.mark.parametrize("reason", list(WRONG))
def test_the_cause_is_found_and_its_button_puts_it_right(
    product: Product, session: Session, offered: Deployment, reason: str
) -> None:
    changes, cause, proof = WRONG[reason]
    if "environment" in changes:
        environment = {**offered.environment, **changes["environment"]}
        changes = {**changes, "environment": environment}
    page = broken(product, session, replace(offered, name=f"wrong-{reason}", **changes))
    found = page.diagnosis
    assert isinstance(found, Diagnosis)
    assert cause.lower() in found.cause.lower(), found
    assert found.proof is not None
    assert proof.lower() in found.proof.text.lower(), found
    acted(product, session, page)


def test_grants_that_are_missing_are_given(
    product: Product, session: Session, offered: Deployment
) -> None:
    bare = service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME)
    wanted = replace(offered, name="no-grant", service_account=bare.email)
    page = broken(product, session, wanted)
    assert "storage.objects" in page.diagnosis.proof.text
    acted(product, session, page)

    kept = HubToken(PROJECT, "models", "shared")
    secrets.put(product.clients, kept, "a value")
    secret = kept.id
    page = broken(
        product, session, replace(wanted, name="no-secret", secrets={"KEY": f"{secret}:1"})
    )
    assert f"can't read the secret {secret}" in page.diagnosis.cause
    acted(product, session, page)


@pytest.mark.parametrize(
    "case",
    [
        ("echo '<b>no such thing</b>' >&2; ", "error-other", "<b>no such thing</b>"),
        ("", "exit-code", "code 7"),
    ],
    ids=["words", "silent"],
)
def test_what_nobody_knows_shows_what_was_said(
    product: Product, session: Session, offered: Deployment, case: tuple[str, str, str]
) -> None:
    said, known_by, told = case
    script: dict[str, Any] = {"command": ("/bin/sh", "-c", f"{said}exit 7")}
    page = broken(product, session, replace(offered, name=f"unheard-of-{known_by}", **script))
    found = page.diagnosis
    card = DiagnosisCard(lambda _, ended: ended(), service_label)
    card.show(found)
    remove(product, page.name)
    assert found.id == known_by
    assert told in found.cause
    if said:
        assert told in found.proof.text
        assert told in [entry.text for entry in page.log.entries]
    else:
        assert "exit" in found.proof.text


CPUS, MEMORY = "CpuAllocPerProjectRegion", "MemAllocPerProjectRegion"
PLENTY = {GPUS: 9, CPUS: 99_000, MEMORY: 2**40}
REFUSED: dict[str, tuple[dict[str, int], dict[str, Any], str, RemedyKind | None]] = {
    # quotas, what is changed, words of the cause, what puts it right
    "redundancy": ({REDUNDANT: 0}, {"zonal_redundancy": True}, "redundancy", RemedyKind.REDEPLOY),
    "instances": ({**PLENTY, GPUS: 3}, {"max_instances": 4}, "instances", RemedyKind.REDEPLOY),
    "cpu-quota": (
        {GPUS: 9, MEMORY: 2**40},
        {"max_instances": 3},
        "24 vcpu",
        RemedyKind.REQUEST_QUOTA,
    ),
    "gpu-quota": ({GPUS: 0}, {}, "quota", None),
    "api": ({}, {}, "not enabled", RemedyKind.ENABLE_API),
    "account": (
        {},
        {"service_account": f"nobody@{PROJECT}.iam.gserviceaccount.com"},
        "nobody",
        None,
    ),
}


@pytest.mark.parametrize("reason", list(REFUSED))
def test_what_is_refused_at_once(product: Product, offered: Deployment, reason: str) -> None:
    quotas, changes, words, kind = REFUSED[reason]
    wanted = replace(offered, name=f"refused-{reason}", **changes)
    product.faults.update(quotas=quotas)
    if reason == "api":
        api = f"projects/{PROJECT}/services/run.googleapis.com"
        product.clients.service_usage.disable_service(request={"name": api}).result(30)
    try:
        with pytest.raises(ManagerError) as caught:
            put(product, wanted)
        found = explain(Evidence(operation=caught.value.cause), Context.of(wanted))
        assert found.id != "unknown", found
        assert words in found.cause.lower(), found
        if kind:
            remedy = next(each for each in found.remedies if each.kind is kind)
            assert form_label(remedy)
            if is_beside(remedy):
                assert carry_out(product.clients, PROJECT, remedy).is_granted
            else:
                wanted = changed(wanted, remedy)
            operation = put(product, wanted)
            assert list(rollout.follow(product.clients, operation, period=0.1))[-1].done
            remove(product, f"{PARENT}/services/{wanted.name}")
    finally:
        product.faults.reset()


def test_another_region_is_chosen(product: Product, session: Session, offered: Deployment) -> None:
    product.faults.update(quotas={f"{GPUS}/{REGION}": 0})
    with pytest.raises(ManagerError) as caught:
        put(product, replace(offered, name="elsewhere"))
    found = explain(Evidence(operation=caught.value.cause), Context.of(offered))
    product.faults.reset()
    choose = next(each for each in found.remedies if each.kind is RemedyKind.CHOOSE)
    labels = [service_label(each) for each in choices(choose)]
    assert "Deploy in us-central1 too" in labels
    assert REGION not in str(labels)
    page = broken(product, session, replace(offered, name="elsewhere", **WRONG["network"][0]))
    document = service_json.read(product.clients, page.name)
    document["template"].pop("vpcAccess")
    ended: list[bool] = []
    edit = ServiceEditState(session, ServicesState(session))
    there = next(each for each in choices(choose) if each.parameters["region"] == "us-central1")
    edit.remedy(document, there, lambda: ended.append(True))
    until(lambda: ended)
    name = page.name.replace(REGION, "us-central1")
    for progress in rollout.follow_service(product.clients, name, period=0.1):
        last = progress
    assert last.service
    assert (last.service.state, last.service.model_id) == (ServiceState.READY, RECORD.id)
    for each in (page.name, name):
        remove(product, each)
