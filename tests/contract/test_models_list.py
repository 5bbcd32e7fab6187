"""The list of models: buckets that can't be read, imports of others, updates, removal."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from llm_widgets.domain import regions
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import InUseError, ManagerError, NotFoundError
from llm_widgets.gcp.run import services
from llm_widgets.gcp.storage import buckets
from llm_widgets.gcp.storage.metadata import update_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.usage import services_with
from llm_widgets.imports.verify import FileCheck, verify_model
from llm_widgets.manager.bucket_models import ProjectBuckets, read_project
from llm_widgets.page.models.status import Condition, condition
from local_cloud.testing.waiting import until
from tests.contract.models_tab import ModelsTab, opened
from tests.contract.product import MANAGER, PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TINY = "local/tiny-llama"
BUCKET = "listed-models"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("models"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            tab = ModelsTab(started)
            tab.check("huggingface", TINY, BUCKET, revision="v1")
            tab.start()
            tab.ready(BUCKET, TINY)
            tab.session.close()
            yield started


@pytest.fixture
def tab(product: Product) -> Iterator[ModelsTab]:
    yield from opened(product)
    product.faults.reset()


def record_of(tab: ModelsTab, bucket: str, model_id: str = TINY) -> ModelRecord:
    here = tab.models.bucket(bucket)
    assert here
    return next(record for record in here.models if record.id == model_id)


def service(
    *, bucket: str, options: tuple[str, ...] = (), annotations: dict[str, str] | None = None
) -> run_v2.Service:
    gcs = run_v2.GCSVolumeSource(bucket=bucket, read_only=True, mount_options=list(options))
    volume = run_v2.Volume(name="models", gcs=gcs)
    container = run_v2.Container(image="ollama/ollama:latest")
    template = run_v2.RevisionTemplate(containers=[container], volumes=[volume])
    return run_v2.Service(annotations=annotations, template=template)


def test_a_bucket_that_can_not_be_read_spoils_nothing(tab: ModelsTab, product: Product) -> None:
    product.clients.storage(PROJECT).create_bucket("closed-bucket", location="us-east1")
    denied = (
        f"{MANAGER.partition(':')[2]} does not have storage.objects.get access to the Google Cloud "
        "Storage object. "
        "Permission 'storage.objects.get' denied on resource (or it may not exist)."
    )
    failure = {"match": "/b/closed-bucket/o/", "status": 403, "message": denied}
    product.faults.update(failures=[failure])
    tab.refresh()
    closed = tab.models.bucket("closed-bucket")
    assert closed
    assert closed.problem
    assert "Can't read the metadata file of closed-bucket: manager@" in closed.problem.message
    assert closed.problem.fix
    assert closed.problem.fix.command.startswith("gcloud storage buckets add-iam-policy-binding")
    assert (closed.is_ours, closed.location) == (False, "us-east1")
    assert record_of(tab, BUCKET).status is ModelStatus.READY
    assert tab.models.error is None


def test_labelled_buckets_are_told_before_the_others(tab: ModelsTab, product: Product) -> None:
    for number in range(3):
        name = f"slow-bucket-{number}"
        product.clients.storage(PROJECT).create_bucket(name, location=REGION)
    product.faults.update(delays={"/slow-bucket-": 1.0})
    told: list[ProjectBuckets] = []
    found = read_project(product.clients, PROJECT, told.append)
    (first,) = told
    assert BUCKET in [bucket.name for bucket in first.models]
    assert first.waiting >= 3
    assert found.waiting == 0
    assert {f"slow-bucket-{number}" for number in range(3)} <= {b.name for b in found.others}
    assert tab.models.loaded


def test_a_list_that_may_not_be_had(tab: ModelsTab, product: Product) -> None:
    product.faults.update(denied_permissions=["storage.buckets.list"])
    tab.refresh()
    assert tab.models.error
    assert "storage.buckets.list" in tab.models.error.message


def test_a_damaged_list_is_repaired(tab: ModelsTab, product: Product) -> None:
    blob = product.clients.storage().bucket(BUCKET).blob(METADATA_NAME)
    blob.upload_from_string('{"models": [')
    tab.refresh()
    damaged = tab.models.bucket(BUCKET)
    assert damaged
    assert damaged.problem
    assert damaged.problem.fix
    assert damaged.problem.fix.action == f"repair-metadata:{BUCKET}"
    tab.models.repair(BUCKET)
    until(lambda: (here := tab.models.bucket(BUCKET)) and here.models)
    assert record_of(tab, BUCKET).status is ModelStatus.READY
    repaired = tab.models.bucket(BUCKET)
    assert repaired
    assert repaired.repaired.startswith("llm-manager-metadata.corrupt-")


def test_a_newer_revision_is_told_until_it_is_there(tab: ModelsTab) -> None:
    old = record_of(tab, BUCKET)
    newest = until(lambda: tab.models.updates.newest.get(("huggingface", TINY)))
    assert newest != old.revision
    assert tab.models.updates.newer(old, [old]) == newest
    checked = tab.check("huggingface", TINY, BUCKET)
    assert (checked.model.revision, checked.there) == (newest, None)
    assert tab.models.updates.newer(old, [old, replace(old, revision=newest)]) == ""


def test_an_import_is_seen_by_everyone_and_resumed_when_its_worker_died(
    product: Product,
) -> None:
    local = replace(product.settings, image="")  # the worker is a process of this machine
    mine = ModelsTab(product)
    mine.session.settings = local
    product.faults.update(bandwidth=1_000_000)
    buckets.create_bucket(product.clients, PROJECT, "killed-models", REGION)
    mine.refresh()
    mine.check("ollama", "smollm2:135m", "killed-models")
    mine.start()
    other = ModelsTab(product)
    (import_id,) = until(lambda: list(other.models.imports.watched))
    watched = other.models.imports.watched
    seen = until(lambda: other.models.imports.watched[import_id].progress)
    assert [file.path for file in seen.files]
    folder = ImportFolder(SmallObjects(product.clients.storage(), "killed-models"), import_id)
    note = until(lambda: (found := folder.worker()[0]) and found.pid and found)
    os.kill(note.pid, signal.SIGKILL)
    watched = until(lambda: (now := other.models.imports.watched)[import_id].is_abandoned and now)
    record = record_of(other, "killed-models", "smollm2:135m")
    assert condition(record, watched[import_id]) is Condition.INCOMPLETE
    product.faults.reset()
    other.session.settings = local
    other.models.imports.resume("killed-models", import_id, record.id)
    other.ready("killed-models", "smollm2:135m")
    until(lambda: mine.models.imports.watched[import_id].is_over)
    for tab in (mine, other):
        tab.session.close()


def test_verified_again(tab: ModelsTab, product: Product) -> None:
    record = record_of(tab, BUCKET)
    assert verify_model(product.clients, BUCKET, record).is_whole
    stored = product.clients.storage().bucket(BUCKET)
    config = stored.blob(f"{record.prefix}/config.json")
    before = config.download_as_bytes()
    config.upload_from_string(before[:-1] + b" ")
    tokenizer = stored.blob(f"{record.prefix}/tokenizer.json")
    kept = tokenizer.download_as_bytes()
    tokenizer.delete()
    stored.blob(f"{record.prefix}/notes.txt").upload_from_string("mine")
    tab.model.open(BUCKET, record)
    tab.model.verify()
    found: Any = until(lambda: tab.model.verification)
    assert not tab.model.verifying
    assert not found.is_whole
    assert found.files["config.json"] is FileCheck.CHANGED
    assert found.files["tokenizer.json"] is FileCheck.MISSING
    assert found.files["notes.txt"] is FileCheck.ADDED
    assert "1 of 9 files are missing, 1 have changed" in found.sentence
    config.upload_from_string(before)
    tokenizer.upload_from_string(kept)
    assert verify_model(product.clients, BUCKET, record).is_whole


def test_a_model_of_another_application(tab: ModelsTab, product: Product) -> None:
    old = ModelRecord("org/old", "huggingface", ModelStatus.READY, prefix="org/old")
    update_metadata(product.clients.storage(), BUCKET, lambda file: file.with_model(old))
    tab.refresh()
    tab.model.open(BUCKET, record_of(tab, BUCKET, "org/old"))
    until(lambda: tab.model.manifest_error)
    assert isinstance(tab.model.manifest_error, NotFoundError)
    tab.model.verify()
    until(lambda: tab.model.verification_error)
    update_metadata(product.clients.storage(), BUCKET, lambda file: file.without(old.key))


def test_a_model_in_use_is_not_removed_unless_forced(tab: ModelsTab, product: Product) -> None:
    record = record_of(tab, BUCKET)
    made = service(bucket=BUCKET, options=(f"only-dir={record.prefix}",))
    services.create(product.clients, PROJECT, REGION, "chat", made)
    answers: list[ManagerError | None] = []

    def delete(*, force: bool) -> ManagerError | None:
        answers.clear()
        tab.model.delete(
            BUCKET,
            record,
            force=force,
            deleted=lambda: answers.append(None),
            failed=answers.append,
        )
        until(lambda: answers)
        return answers[0]

    refused = delete(force=False)
    assert isinstance(refused, InUseError)
    assert f"{TINY} is in use: chat ({REGION})." in refused.message
    product.faults.update(denied_permissions=["run.services.list"])
    unknown = delete(force=False)
    assert isinstance(unknown, InUseError)
    assert "Unknown whether a service in" in unknown.message
    assert "run.services.list" in unknown.cause
    assert unknown.fix
    assert "--role=roles/run." in unknown.fix.command
    product.faults.reset()
    objects = SmallObjects(product.clients.storage(), BUCKET)
    assert objects.list(f"{record.prefix}/")
    assert delete(force=True) is None
    assert objects.list(f"{record.prefix}/") == []
    until(lambda: (listed := tab.models.bucket(BUCKET)) and listed.models == ())
    document = objects.read(METADATA_NAME)
    assert document
    assert json.loads(document[0])["models"] == []


def test_who_reads_a_model(product: Product) -> None:
    record = ModelRecord("a/b", "huggingface", ModelStatus.READY, prefix="huggingface/a/b/1234")
    made = {
        "whole": service(bucket="used-models"),
        "folder": service(bucket="used-models", options=("only-dir=huggingface/a",)),
        "beside": service(bucket="used-models", options=("only-dir=huggingface/a/b/12345",)),
        "elsewhere": service(bucket="other-models"),
        "another": service(bucket="used-models", annotations={"llm-manager/model": "c/d"}),
    }
    streamed = service(bucket="other-models")
    streamed.template.containers[0].args = ["--model=gs://used-models/huggingface/a/b/1234"]
    made["streamed"] = streamed
    longer = service(bucket="other-models")
    longer.template.containers[0].args = ["--model=gs://used-models/huggingface/a/b/1234-big"]
    made["longer"] = longer
    by_variable = service(bucket="other-models")
    variable = run_v2.EnvVar(name="MODEL", value="gs://used-models/huggingface/a/b/1234/")
    by_variable.template.containers[0].env = [variable]
    made["variable"] = by_variable
    for name in ("used-models", "other-models"):
        buckets.create_bucket(product.clients, PROJECT, name, REGION)
    for name, each in made.items():
        services.create(product.clients, PROJECT, REGION, f"reads-{name}", each)
    usage = services_with(product.clients, PROJECT, "used-models", REGION, record)
    assert usage.services == tuple(
        f"{PARENT}/services/reads-{name}"
        for name in ("another", "folder", "streamed", "variable", "whole")
    )
    assert usage.unanswered == ()
    far = "africa-south1"  # has no GPUs: whoever serves a model there does it on processors
    services.create(product.clients, PROJECT, far, "reads-far", made["folder"])
    usage = services_with(product.clients, PROJECT, "used-models", REGION, record)
    assert "reads-far (africa-south1)" in usage.names
    refused = [{"match": f".*/locations/{far}/services.*", "status": 403}]
    product.faults.update(failures=refused)
    usage = services_with(product.clients, PROJECT, "used-models", REGION, record)
    assert [region for region, _ in usage.unanswered] == [far]
    assert (usage.unknown, len(usage.services)) == (far, 5)
    product.faults.update(failures=[], denied_permissions=["run.services.list"])
    usage = services_with(product.clients, PROJECT, "used-models", REGION, record)
    assert usage.services == ()
    assert len(usage.unanswered) == len(regions.offered())
    assert usage.unknown.endswith(f"and {len(regions.offered()) - 3} other regions")
    product.faults.reset()
