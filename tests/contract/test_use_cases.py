"""The same use case by the page and by Python: the same is made, and the same is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from llm_widgets.domain.metadata import METADATA_NAME, MetadataFile, MetadataFileError
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import StartupProbe
from llm_widgets.errors import (
    AlreadyExistsError,
    ConflictError,
    DeniedError,
    GatedModelError,
    InUseError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    QuotaError,
    TransferError,
)
from llm_widgets.gcp.client import rest
from llm_widgets.gcp.iam import bucket_readers, invokers, policy
from llm_widgets.gcp.run import service_json, services
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.manager import Manager, PartlyDoneWarning
from llm_widgets.manager.import_target import Target, TargetKind
from llm_widgets.manager.memory import FIT_ANYWAY
from llm_widgets.page.general.general import GeneralState
from llm_widgets.page.models.model import ModelPageState
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.session import Session
from local_cloud.testing.waiting import until
from tests.contract.models_tab import ModelsTab, opened
from tests.contract.product import PARENT, PROJECT, REGION, Product, running
from tests.contract.served_model import BUCKET, RECORD
from tests.unit.test_serving_hardware import L4, RTX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE = ModelRecord(
    "acme/large", "huggingface", ModelStatus.READY, size=10**12, prefix="huggingface/large"
)
UNREADY = ModelRecord("acme/broken", "ollama", ModelStatus.FAILED, prefix="ollama/broken")
# An engine that is up at once: what it serves is no matter here.
QUICK: dict[str, Any] = {
    "command": ("/bin/sh", "-c", "exec python3 -m http.server $PORT"),
    "probe": StartupProbe("/", period=1, timeout=1, failures=20),
}
GPUS = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
PLENTY = {GPUS: 99, "CpuAllocPerProjectRegion": 10**6, "MemAllocPerProjectRegion": 2**42}
TINY, GATED = "local/tiny-llama", "local/tiny-llama-gated"
READER = "hf_local_reader"
IMPORTS = "imported-models"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for started in running(tmp_path_factory.mktemp("use-cases"), environment):
            storage = started.clients.storage(PROJECT)
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            SmallObjects(storage, BUCKET).write(f"{RECORD.prefix}/model", b"weights")
            for record in (RECORD, LARGE, UNREADY):
                metadata.update_metadata(
                    storage, BUCKET, partial(MetadataFile.with_model, record=record)
                )
            buckets.create_bucket(started.clients, PROJECT, IMPORTS, REGION)
            storage.create_bucket("plain-bucket", location=REGION)
            buckets.create_bucket(started.clients, "demo-project", "demo-models", REGION)
            yield started


@pytest.fixture(autouse=True)
def enough(product: Product) -> Iterator[None]:
    product.faults.update(quotas=PLENTY)
    yield
    product.faults.reset()


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


@pytest.fixture
def tab(product: Product) -> Iterator[ModelsTab]:
    yield from opened(product)


@pytest.fixture
def form(session: Session) -> DeployFormState:
    return DeployFormState(session, ServicesState(session))


# --- deploy


def filled(
    form: DeployFormState, record: ModelRecord, changes: dict[str, Any], choices: dict[str, Any]
) -> dict[str, Any]:
    """Fill the form in: what is offered, and the changes to it."""
    form.start(BUCKET, REGION, record)
    until(lambda: form.memory.model)
    until(lambda: form.name_note or form.problems)
    assert form.deployment
    members = list(choices.get("callers", ()))
    kept = {"grant_access": choices.get("grant_access", True), FIT_ANYWAY: FIT_ANYWAY in choices}
    who = {"callers": "members" if members else "me", "members": members}
    return {**values_of(replace(form.deployment, **changes)), **kept, **who}


def refused_by_page(
    form: DeployFormState, record: ModelRecord, changes: dict[str, Any], choices: dict[str, Any]
) -> tuple[str, str]:
    """Press "Deploy", and return where it is refused, and in which words."""
    done: list[bool] = []
    form.deploy(filled(form, record, changes, choices), lambda: done.append(True))
    until(lambda: done)
    assert len(form.problems) == 1, form.problems
    ((where, text),) = form.problems.items()
    return where, text


@dataclass(frozen=True)
class Refused:
    """A deployment that is refused: what is asked for, what is broken, and with which words."""

    error: type[ManagerError]
    words: str
    where: str = ""
    changes: dict[str, Any] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)
    record: ModelRecord = RECORD


REFUSED = {
    "name": Refused(InvalidInputError, "can't be the name", "name", {"name": "Bad_Name-"}),
    "timeout": Refused(InvalidInputError, "1 to 3600 seconds", "timeout", {"timeout": 0}),
    "image": Refused(InvalidInputError, "image", "image", {"image": "no image"}),
    "instances": Refused(InvalidInputError, "at least one", "max_instances", {"max_instances": 0}),
    "cpu": Refused(InvalidInputError, "3 vCPU is not available", "cpu", {"cpu": 3}),
    "accelerator": Refused(InvalidInputError, "is not a GPU", "accelerator", {"accelerator": "x"}),
    "elsewhere": Refused(
        InvalidInputError, "There is no", "accelerator", {"accelerator": RTX, "cpu": 20}
    ),
    "memory": Refused(InvalidInputError, "not fit", FIT_ANYWAY, record=LARGE),
    "everybody": Refused(
        InvalidInputError, "allow public access", "members", choices={"callers": ["allUsers"]}
    ),
    "caller": Refused(
        InvalidInputError, "is not a member", "members", choices={"callers": ["ann"]}
    ),
    "taken": Refused(
        AlreadyExistsError, "A service taken already exists", "name", {"name": "taken"}
    ),
    "grant": Refused(
        InvalidInputError,
        "storage.buckets.setIamPolicy",
        "grant_access",
        {"service_account": f"stranger@{PROJECT}.iam.gserviceaccount.com"},
        faults={"denied_permissions": ["storage.buckets.setIamPolicy"]},
    ),
    "denied": Refused(
        DeniedError, "run.services.create", faults={"denied_permissions": ["run.services.create"]}
    ),
    "quota": Refused(
        QuotaError, "quota", changes={"max_instances": 4}, faults={"quotas": {**PLENTY, GPUS: 3}}
    ),
}


@pytest.mark.parametrize("reason", list(REFUSED))
def test_a_deployment_is_refused_alike(
    product: Product, form: DeployFormState, manager: Manager, reason: str
) -> None:
    case = REFUSED[reason]
    if reason == "grant":
        account(product, "stranger")
    if reason == "taken":
        made = run_v2.Service({"template": {"containers": [{"image": "local/python:3"}]}})
        services.create(product.clients, PROJECT, REGION, "taken", made)
    changes = {"name": f"refused-{reason}", **case.changes}
    product.faults.update(**case.faults)
    readers = own_grants(product)
    where, text = refused_by_page(form, case.record, changes, case.choices)
    with pytest.raises(case.error) as caught:
        manager.deploy(BUCKET, case.record.id, **case.choices, **changes)
    error = caught.value
    assert (error.field, where) == (case.where, case.where)
    assert case.words in str(error)
    assert error.message in text
    if form.diagnosis is None:  # which says it better
        assert error.cause in text
        assert not error.fix or error.fix.text in text
    assert own_grants(product) == readers
    product.faults.reset()
    if reason != "taken":
        with pytest.raises(NotFoundError):
            services.get(product.clients, f"{PARENT}/services/{changes['name']}")


def own_grants(product: Product) -> tuple[policy.Grant, ...]:
    """Return what the bucket's own policy grants."""
    return policy.grants(product.clients, policy.of_bucket(BUCKET))


def account(product: Product, id_: str) -> str:
    """Create a service account that may do nothing."""
    path = f"/v1/projects/{PROJECT}/serviceAccounts"
    made = rest.call(product.clients, "POST", "iam.googleapis.com", path, {"accountId": id_})
    return str(made["email"])


def test_a_model_that_is_not_ready_is_not_deployed(
    form: DeployFormState, session: Session, manager: Manager
) -> None:
    told: list[str] = []
    session.on_notice(lambda text, _: told.append(text))
    form.start(BUCKET, REGION, UNREADY)
    assert form.offered is None
    with pytest.raises(NotFoundError, match="no model acme/broken that is ready") as caught:
        manager.deploy(BUCKET, UNREADY.id)
    assert told == [str(caught.value)]


def test_what_was_asked_for_stays_and_the_rest_follows(manager: Manager) -> None:
    offered = manager.deployment(BUCKET, RECORD.id)
    assert (offered.accelerator, offered.region) == (L4, REGION)
    moved = manager.deployment(BUCKET, RECORD.id, region="europe-west4", accelerator=RTX)
    assert (moved.accelerator, moved.cpu) == (RTX, 20)  # vCPUs follow, as nobody asked for them
    follows = manager.deployment(BUCKET, RECORD.id, concurrency=3, port=9000)
    assert follows.environment["OLLAMA_NUM_PARALLEL"] == "3"
    assert follows.environment["OLLAMA_HOST"].endswith(":9000")


def deployed(product: Product, name: str) -> tuple[Any, ...]:
    """Return all that one deployment leaves, without its name."""
    made = service_json.read(product.clients, f"{PARENT}/services/{name}")
    template = {k: v for k, v in made["template"].items() if k != "revision"}
    settings = {k: made.get(k) for k in ("labels", "annotations", "ingress", "scaling")}
    who = {each.member for each in invokers.invokers(product.clients, made["name"])}
    return template, settings, who


def test_a_deployment_is_made_alike(
    product: Product, form: DeployFormState, manager: Manager
) -> None:
    email = account(product, "runs-it")
    changes = {**QUICK, "max_instances": 2, "concurrency": 3, "service_account": email}
    choices: dict[str, Any] = {"callers": ["ann@example.org", "group:all@example.org"]}
    taken: list[str] = []
    form.on_deployed(taken.append)
    form.deploy(filled(form, RECORD, {"name": "by-page", **changes}, choices), lambda: None)
    until(lambda: taken or form.problems)
    assert taken, form.problems
    made = manager.deploy(BUCKET, RECORD.id, name="by-python", **choices, **changes)
    assert made.state == "Ready"
    assert deployed(product, "by-page") == deployed(product, "by-python")
    _, _, who = deployed(product, "by-python")
    assert {"user:ann@example.org", "group:all@example.org"} <= who
    member = f"serviceAccount:{email}"
    assert policy.Grant(member, bucket_readers.READER) in own_grants(product)
    for name in ("by-page", "by-python"):
        services.delete(product.clients, f"{PARENT}/services/{name}")


def test_who_reads_by_the_project_is_granted_nothing(
    product: Product, form: DeployFormState, manager: Manager
) -> None:
    email = account(product, "reads-all")
    member = f"serviceAccount:{email}"
    policy.grant(product.clients, policy.of_project(PROJECT), [bucket_readers.READER], member)
    taken: list[str] = []
    form.on_deployed(taken.append)
    changes = {**QUICK, "service_account": email}
    form.deploy(filled(form, RECORD, {"name": "reads-by-page", **changes}, {}), lambda: None)
    until(lambda: taken or form.problems)
    assert taken, form.problems
    manager.deploy(BUCKET, RECORD.id, name="reads-by-python", **changes)
    assert member not in {each.member for each in own_grants(product)}
    for name in ("reads-by-page", "reads-by-python"):
        services.delete(product.clients, f"{PARENT}/services/{name}")


def test_a_caller_who_can_not_be_let_in_keeps_nobody_else_out(
    product: Product, manager: Manager
) -> None:
    told = "User gone@example.org does not exist."
    refused = {"match": "(?i)setIamPolicy", "status": 400, "message": told, "times": 1}
    product.faults.update(failures=[refused])
    with pytest.warns(PartlyDoneWarning, match=told):
        made = manager.deploy(
            BUCKET, RECORD.id, name="called", callers=["ann@example.org"], **QUICK
        )
    assert "user:ann@example.org" in {
        each.member for each in invokers.invokers(product.clients, made.name)
    }
    manager.delete(made)


# --- change, and who may call


def test_a_service_is_changed_and_opened_alike(
    product: Product, session: Session, manager: Manager
) -> None:
    made = manager.deploy(BUCKET, RECORD.id, name="changed", **QUICK)
    edit = ServiceEditState(session, ServicesState(session))
    edit.start(made.name)
    until(lambda: edit.is_open)
    assert edit.before
    refused: tuple[tuple[dict[str, Any], str], ...] = (
        ({"timeout": 0}, "1 to 3600"),
        ({}, "No changes"),
    )
    for values, words in refused:
        assert not edit.review({**values_of(edit.before), **values})
        with pytest.raises(InvalidInputError, match=words) as caught:
            manager.change(made, **values)
        assert caught.value.message in edit.problems[caught.value.field]
    with pytest.raises(InvalidInputError, match="region of a service can't be changed") as caught:
        manager.change(made, region="us-central1", timeout=77)
    assert caught.value.field == "region"
    sent: list[ManagerError] = []
    edit.send(lambda: None, sent.append)  # nothing of what was reviewed can be sent
    assert sent
    changed = manager.change(made, timeout=77, concurrency=3)
    assert changed.state == "Ready"
    template = service_json.read(product.clients, made.name)["template"]
    assert (template["timeout"], template["maxInstanceRequestConcurrency"]) == ("77s", 3)
    page = ServicePageState(session, made)
    assert page.add_invoker("allUsers")  # to be confirmed
    with pytest.raises(InvalidInputError, match="public access"):
        manager.let_in(made, "allUsers")
    assert not page.add_invoker("ann")
    with pytest.raises(InvalidInputError, match="is not a member") as caught:
        manager.let_in(made, "ann")
    assert str(page.access_error) == str(caught.value)
    manager.let_in(made, "allUsers", everybody=True)
    who = {each.member for each in invokers.invokers(product.clients, made.name)}
    assert "allUsers" in who
    manager.delete(made)


# --- import


@dataclass(frozen=True)
class NoImport:
    """An import that is refused."""

    error: type[ManagerError]
    words: str
    where: str = ""
    bucket: str = IMPORTS
    model_id: str = TINY
    arguments: dict[str, Any] = field(default_factory=dict)
    denied: tuple[str, ...] = ()

    @property
    def target(self) -> Target:
        """The bucket as the form holds it."""
        if region := self.arguments.get("create_in"):
            return Target(TargetKind.CREATE, self.bucket, region)
        kind = TargetKind.ADOPT if self.arguments.get("adopt") else TargetKind.EXISTING
        return Target(kind, self.bucket)


NO_IMPORT = {
    "id": NoImport(InvalidInputError, "", "model_id", model_id="../../etc/passwd"),
    "nobody's": NoImport(ManagerError, "nobody/has-this", model_id="nobody/has-this"),
    "gated": NoImport(GatedModelError, "is gated", "token", model_id=GATED),
    "token": NoImport(
        InvalidInputError, "", "token", model_id=GATED, arguments={"token": "hf_\n_reader"}
    ),
    "revision": NoImport(ManagerError, "", "revision", arguments={"revision": "no-such"}),
    "no bucket": NoImport(InvalidInputError, "There is no bucket", "bucket", "nobody-has-this-1"),
    "no models": NoImport(InvalidInputError, "not a model bucket", "bucket", "plain-bucket"),
    "another project": NoImport(InvalidInputError, "another project", "bucket", "demo-models"),
    "taken": NoImport(
        InvalidInputError, "taken", "bucket", "demo-models", arguments={"create_in": REGION}
    ),
    "region": NoImport(
        InvalidInputError, "not a region", "region", "good-name", arguments={"create_in": "nowhere"}
    ),
    "writing": NoImport(
        DeniedError, "permission to write to the bucket", denied=("storage.objects.create",)
    ),
    "jobs": NoImport(
        DeniedError, "permission to run import jobs", denied=("run.jobs.runWithOverrides",)
    ),
    "account": NoImport(
        DeniedError, "permission to start import jobs as", denied=("iam.serviceAccounts.actAs",)
    ),
    "secrets": NoImport(
        DeniedError,
        "permission to keep a token",
        model_id=GATED,
        arguments={"token": READER},
        denied=("secretmanager.secrets.create",),
    ),
}


@pytest.mark.parametrize("reason", list(NO_IMPORT))
def test_an_import_is_refused_alike(
    product: Product, tab: ModelsTab, manager: Manager, reason: str
) -> None:
    case = NO_IMPORT[reason]
    product.faults.update(denied_permissions=list(case.denied))
    told = {k: v for k, v in case.arguments.items() if k in {"token", "revision"}}
    with pytest.raises(case.error) as by_page:
        tab.check("huggingface", case.model_id, case.target, **told)
    with pytest.raises(case.error) as by_python:
        manager.import_model(case.bucket, "huggingface", case.model_id, **case.arguments)
    page, python = by_page.value, by_python.value
    assert (page.message, page.cause, page.fix) == (python.message, python.cause, python.fix)
    assert (page.field, python.field, type(page)) == (case.where, case.where, type(python))
    assert case.words in python.message
    with pytest.raises(ManagerError):
        buckets.get_bucket(product.clients, "good-name")


def test_an_import_is_made_alike(product: Product, tab: ModelsTab, manager: Manager) -> None:
    tab.check("huggingface", GATED, Target(TargetKind.CREATE, "page-models", REGION), token=READER)
    tab.form.toggle("README.md")
    assert tab.form.checked
    paths = [file.path for file in tab.form.checked.model.chosen]
    tab.start()
    page = tab.ready("page-models", GATED)
    told: list[int] = []
    python = manager.import_model(
        "python-models",
        "huggingface",
        GATED,
        token=READER,
        files=paths,
        create_in=REGION,
        watch=lambda progress: told.append(progress.done),
    )
    same: dict[str, Any] = {"import_id": "", "submitted_at": None, "finished_at": None}
    assert replace(page, **same) == replace(python, **same)
    assert told[-1] == python.size
    objects = [copied(product, name) for name in ("page-models", "python-models")]
    assert objects[0] == objects[1]
    assert list(product.clients.secrets.list_secrets(parent=f"projects/{PROJECT}")) == []
    with pytest.raises(InvalidInputError, match="has no file") as caught:
        manager.check_import(IMPORTS, "huggingface", TINY, files=["no-such"])
    assert caught.value.field == "files"


@pytest.mark.parametrize(
    ("hub", "asked", "meant"),
    [
        ("ollama", "smolm2:135m", "smollm2:135m"),
        ("huggingface", "local/tiny-lama", "local/tiny-llama"),
        ("ollama", "nothing-like-it:1b", ""),
    ],
)
def test_an_id_that_is_mistyped_is_told_with_the_one_that_was_meant(
    manager: Manager, hub: str, asked: str, meant: str
) -> None:
    with pytest.raises(NotFoundError) as caught:
        manager.check_import(IMPORTS, hub, asked)
    advice = caught.value.fix.text if caught.value.fix else ""
    assert advice.startswith(f"Did you mean {meant}?") is bool(meant)


def test_a_token_is_used_where_it_is_named(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {**product.settings.variables, "HF_TOKEN": f"{READER}\n"}
    manager = Manager(PROJECT, replace(product.settings, variables=variables))
    with pytest.raises(GatedModelError, match="is gated"):
        manager.inspect("huggingface", GATED)  # by itself it takes none
    found = manager.inspect("huggingface", GATED, token="HF_TOKEN", files=["config.json"])
    assert [file.path for file in found.chosen] == ["config.json"]
    kept = tmp_path / "token"
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(kept))
    with pytest.raises(InvalidInputError, match="hf auth login holds no token"):
        manager.inspect("huggingface", GATED, token="hf auth login")
    kept.write_text(READER)
    assert manager.inspect("huggingface", GATED, token="hf auth login").gated
    with pytest.raises(InvalidInputError, match="HF_TOKEN holds no token"):
        Manager(PROJECT, product.settings).inspect("huggingface", GATED, token="HF_TOKEN")


def test_a_damaged_list_is_repaired_when_asked(product: Product, manager: Manager) -> None:
    manager.create_bucket("edited-models", REGION)
    objects = SmallObjects(product.clients.storage(), "edited-models")
    theirs = b'{"id": "acme/1", "source": "huggingface", "size": 5, "status": "completed"}'
    objects.write(METADATA_NAME, b'{"models": [' + theirs)
    with pytest.raises(MetadataFileError) as caught:
        manager.import_model("edited-models", "huggingface", TINY)
    assert caught.value.fix
    assert [model.id for model in manager.repair_models("edited-models")] == ["acme/1"]
    objects.write(METADATA_NAME, b'{"models": [' + theirs + b",]} // by hand")
    manager.import_model("edited-models", "huggingface", TINY)
    assert [model.id for model in manager.models("edited-models")] == ["acme/1", TINY]


def test_the_newest_import_is_deployed_or_the_one_that_is_named(manager: Manager) -> None:
    bucket = "revisions-of-one"
    first = manager.import_model(bucket, "huggingface", TINY, create_in=REGION)
    last = manager.import_model(bucket, "huggingface", f"{TINY}@v1")
    assert manager.deployment(bucket, TINY).folder == last.prefix != first.prefix
    for named in (first, last):
        short = manager.deployment(bucket, TINY, revision=named.revision[:8])
        assert short.folder == named.prefix
    with pytest.raises(NotFoundError, match="has no model"):
        manager.deployment(bucket, TINY, revision="0" * 40)


def copied(product: Product, bucket: str) -> list[str]:
    found = SmallObjects(product.clients.storage(), bucket).list("huggingface/")
    return sorted(stored.name for stored in found)


def test_an_import_that_failed_is_resumed(product: Product, manager: Manager) -> None:
    product.faults.update(failures=[{"match": r"/resolve/.*\.safetensors$", "status": 404}])
    with pytest.raises(TransferError):
        manager.import_model(IMPORTS, "huggingface", TINY)
    product.faults.reset()
    assert manager.resume_import(IMPORTS, TINY).status is ModelStatus.READY
    with pytest.raises(NotFoundError, match="no unfinished import"):
        manager.cancel_import(IMPORTS, TINY)


# --- remove


def test_what_is_in_use_is_not_removed(session: Session, manager: Manager) -> None:
    first = manager.deploy(BUCKET, RECORD.id, name="reads-first", **QUICK)
    second = manager.deploy(BUCKET, RECORD.id, name="reads-second", **QUICK)
    models = ModelsState(session)
    models.refresh()
    until(lambda: models.loaded and not models.loading)
    refused: list[ManagerError] = []
    ModelPageState(session, models).delete(
        BUCKET, RECORD, force=False, deleted=lambda: None, failed=refused.append
    )
    until(lambda: refused)
    with pytest.raises(InUseError) as caught:
        manager.delete_model(BUCKET, RECORD.id)
    assert str(refused[0]) == str(caught.value)
    failed: list[ManagerError] = []
    ServicesState(session).delete(first, with_model=True, failed=failed.append)
    until(lambda: failed)
    with pytest.raises(ConflictError, match="nothing was deleted") as conflict:
        manager.delete(first, with_model=True)
    assert str(failed[0]) == str(conflict.value)
    assert RECORD in manager.models(BUCKET)
    manager.delete(first)
    manager.delete(second)


# --- the lock to one project


def test_a_locked_product_opens_no_other_project(product: Product) -> None:
    locked = replace(product.settings, project=PROJECT)
    with pytest.raises(InvalidInputError, match=f"Only the project {PROJECT}") as caught:
        Manager("demo-project", locked)
    assert caught.value.field == "project"
    assert Manager(chosen=locked).project.id == PROJECT
    session = Session(locked)
    general = GeneralState(session)
    general.confirm("demo-project")
    assert str(general.project_error) == str(caught.value)
    assert session.project is None
    session.close()
    with pytest.raises(InvalidInputError, match="is deployed there") as elsewhere:
        Manager(chosen=locked).deploy(  # type: ignore[call-arg] # no keyword of it
            BUCKET, RECORD.id, project="demo-project"
        )
    assert elsewhere.value.field == "project"
