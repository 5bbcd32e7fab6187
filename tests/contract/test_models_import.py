"""Importing from the Models tab: pre-flight, buckets, tokens, choices, and what is refused."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.models import ModelStatus
from llm_widgets.errors import (
    AlreadyExistsError,
    DeniedError,
    GatedModelError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    QuotaError,
)
from llm_widgets.gcp import secrets
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.gcp.storage import buckets
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports import launch, start
from llm_widgets.imports.remove import remove_model
from llm_widgets.imports.store import ImportFolder
from llm_widgets.manager.import_target import Target, TargetKind
from local_cloud.testing.waiting import until
from tests.contract.models_tab import ModelsTab, opened, traits_text
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

TINY = "local/tiny-llama"
GATED = "local/tiny-llama-gated"
PRIVATE = "local/tiny-llama-private"
READER = "hf_local_reader"
BUCKET = "import-models"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("models"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            yield started


@pytest.fixture
def tab(product: Product) -> Iterator[ModelsTab]:
    yield from opened(product)
    product.faults.reset()


def object_names(product: Product, bucket: str) -> list[str]:
    return [stored.name for stored in SmallObjects(product.clients.storage(), bucket).list("")]


def test_a_new_bucket_is_made_when_the_import_is_confirmed(
    tab: ModelsTab, product: Product
) -> None:
    target = Target(TargetKind.CREATE, "fresh-models", "us-central1")
    checked = tab.check("huggingface", TINY, target)
    assert (checked.place.location, checked.warnings) == ("us-central1", ())
    assert (checked.is_ready, checked.is_measured, checked.has_token) == (False, False, False)
    assert checked.seconds == pytest.approx(checked.model.size / 100e6)
    with pytest.raises(NotFoundError):  # a check changes nothing
        buckets.get_bucket(product.clients, "fresh-models")
    tab.start()
    record = tab.ready("fresh-models", TINY)
    assert record.imported_by == "manager@local-project.iam.gserviceaccount.com"
    assert record.license == "apache-2.0"
    assert tab.models.location("fresh-models") == "us-central1"
    again = tab.check("huggingface", TINY, "fresh-models")
    assert again.is_ready
    assert any("in the bucket already" in warning for warning in again.warnings)


def test_settings_of_a_bucket_are_told_before_anything_moves(
    tab: ModelsTab, product: Product
) -> None:
    bucket = buckets.create_bucket(product.clients, PROJECT, "settled-models", REGION)
    kept = product.clients.storage(PROJECT).get_bucket(bucket.name)
    kept.versioning_enabled = True
    kept.soft_delete_policy.retention_duration_seconds = 604800
    kept.patch()
    said = " ".join(tab.check("huggingface", TINY, bucket.name).warnings)
    assert "Object Versioning is on" in said
    assert "deleted models are billed for 7 days longer" in said
    kept.retention_period = 864000
    kept.patch()
    with pytest.raises(InvalidInputError, match="No model can be imported") as caught:
        tab.check("huggingface", TINY, bucket.name)
    assert "retention policy keeps every object unchanged for 10 days" in caught.value.cause


def test_another_bucket_of_the_project_is_adopted(tab: ModelsTab, product: Product) -> None:
    product.clients.storage(PROJECT).create_bucket("plain-bucket", location="us-west1")
    tab.refresh()
    assert "plain-bucket" in [other.name for other in tab.models.others]
    target = Target(TargetKind.ADOPT, "plain-bucket")
    checked = tab.check("huggingface", TINY, target)
    assert "no GPUs in us-west1" in "".join(checked.warnings)
    assert object_names(product, "plain-bucket") == []
    tab.start()
    tab.ready("plain-bucket", TINY)
    assert buckets.get_bucket(product.clients, "plain-bucket").is_labelled
    assert "plain-bucket" not in [other.name for other in tab.models.others]


def test_a_changed_choice_of_files_is_another_import(tab: ModelsTab, product: Product) -> None:
    default = tab.check("huggingface", PRIVATE, BUCKET, token=READER)
    tab.form.toggle("README.md")
    tab.form.toggle("generation_config.json")
    changed = tab.form.checked
    assert changed
    assert changed.is_changed
    assert "changed the selected files" in "".join(changed.warnings)
    reasons = {file.path: file.skipped for file in changed.model.files}
    assert reasons["generation_config.json"] == "left out by you"
    tab.form.toggle("generation_config.json")
    tab.form.toggle("README.md")
    assert tab.form.checked
    assert not tab.form.checked.is_changed
    assert tab.form.checked.model == default.model
    tab.form.toggle("README.md")
    tab.start()
    record = tab.ready(BUCKET, PRIVATE)
    assert record.file_count == len(default.model.chosen) + 1
    assert f"{record.prefix}/README.md" in object_names(product, BUCKET)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("", "is gated"),
        ("hf_local_visitor", "has not accepted the licence"),
        ("hf_local_waiting", "not granted yet"),
    ],
)
def test_gated_without_the_right_token(tab: ModelsTab, token: str, sentence: str) -> None:
    with pytest.raises(GatedModelError, match=sentence) as caught:
        tab.check("huggingface", GATED, BUCKET, token=token)
    assert caught.value.fix
    assert not token or token not in str(caught.value)
    assert tab.form.checked is None


@pytest.mark.parametrize("worker", ["job", "process"])
def test_a_token_is_nowhere_but_in_secret_manager(
    tab: ModelsTab, product: Product, worker: str
) -> None:
    if worker == "process":
        tab.session.settings = replace(product.settings, image="")
        remove_model(product.clients, BUCKET, tab.ready(BUCKET, GATED))  # by the job, before
        tab.refresh()
    checked = tab.check("huggingface", GATED, BUCKET, token=f" {READER}\n")
    assert (checked.model.gated, checked.has_token) == (True, True)
    product.faults.update(bandwidth=200_000)  # so that it can be looked at while it runs
    tab.start()
    (import_id,) = tab.models.imports.watched
    folder = ImportFolder(SmallObjects(product.clients.storage(), BUCKET), import_id)
    kept = HubToken(PROJECT, BUCKET, import_id)
    assert secrets.read(product.clients, kept) == READER
    note = until(lambda: (found := folder.worker()[0]) and (found.pid or found.execution))
    if worker == "process":
        for about in ("cmdline", "environ"):
            assert READER.encode() not in Path(f"/proc/{note}/{about}").read_bytes()
    grep(product, tab)  # while it runs
    product.faults.reset()
    tab.ready(BUCKET, GATED)
    until(lambda: tab.models.imports.watched[import_id].is_over)
    with pytest.raises(NotFoundError):
        secrets.read(product.clients, kept)
    if worker == "process":
        assert READER not in launch.log_file(import_id).read_text()
    grep(product, tab)


def grep(product: Product, tab: ModelsTab) -> None:
    """Look for the token wherever it must not be."""
    seen = traits_text(tab.session, tab.models, tab.models.imports, tab.form, tab.model)
    assert READER not in seen + "\n".join(tab.notices)
    assert READER not in repr(vars(tab.form))
    stored = product.clients.storage().bucket(BUCKET)
    for name in object_names(product, BUCKET):
        assert READER.encode() not in stored.blob(name).download_as_bytes(), name
    parent = f"projects/{PROJECT}/locations/{REGION}"
    for job in product.clients.jobs.list_jobs(parent=parent):
        assert READER not in str(job)
        for execution in product.clients.executions.list_executions(parent=job.name):
            assert READER not in str(execution)
    for log in product.data.glob("logs.db*"):
        assert READER.encode() not in log.read_bytes()


def test_a_token_of_an_import_that_does_not_start_is_taken_back(
    tab: ModelsTab, product: Product
) -> None:
    target = Target(TargetKind.CREATE, "no-jobs-models", REGION)
    tab.check("huggingface", GATED, target, token=READER)
    product.faults.update(denied_permissions=["run.jobs.*"])
    with pytest.raises(DeniedError, match=r"run\.jobs"):
        tab.start()
    assert list(product.clients.secrets.list_secrets(parent=f"projects/{PROJECT}")) == []
    assert tab.form.checked  # it can be tried again, with the bucket that was made
    product.faults.reset()
    tab.start()
    tab.ready("no-jobs-models", GATED)


def test_a_bucket_that_got_no_list_of_models_gets_it_at_the_next_try(
    tab: ModelsTab, product: Product
) -> None:
    tab.check("huggingface", TINY, Target(TargetKind.CREATE, "half-made-models", REGION))
    full = {"match": "^POST /upload/storage/v1/b/half-made-models/", "status": 403}
    said = "The project exceeded its storage quota."
    product.faults.update(failures=[{**full, "reason": "quotaExceeded", "message": said}])
    with pytest.raises(QuotaError, match=said):
        tab.start()
    product.faults.reset()
    tab.start()
    tab.ready("half-made-models", TINY)


def test_a_bucket_of_the_project_that_somebody_else_has_made_meanwhile_is_not_taken(
    tab: ModelsTab, product: Product
) -> None:
    tab.check("huggingface", TINY, Target(TargetKind.CREATE, "taken-models", REGION))
    product.clients.storage(PROJECT).create_bucket("taken-models", location=REGION)
    with pytest.raises(AlreadyExistsError):
        tab.start()
    assert object_names(product, "taken-models") == []


def test_what_the_start_takes_is_looked_at_before_anything_is_made(
    tab: ModelsTab, product: Product
) -> None:
    target = Target(TargetKind.CREATE, "not-made-models", REGION)
    product.faults.update(denied_permissions=["run.jobs.runWithOverrides"])
    with pytest.raises(
        DeniedError, match="permission to run import jobs in local-project"
    ) as caught:
        tab.check("huggingface", TINY, target)
    assert "run.jobs.runWithOverrides" in caught.value.cause
    assert caught.value.fix
    assert "--role=roles/run.jobsExecutorWithOverrides" in caught.value.fix.command
    product.faults.update(denied_permissions=["secretmanager.secrets.create"])
    with pytest.raises(DeniedError, match="permission to keep a token in Secret Manager") as caught:
        tab.check("huggingface", GATED, target, token=READER)
    assert caught.value.fix
    assert f"--role=projects/{PROJECT}/roles/llmManagerTokens" in caught.value.fix.command
    tab.check("huggingface", TINY, target)  # which needs no token


def test_where_a_token_can_not_be_kept_there_is_no_new_bucket(
    tab: ModelsTab, product: Product
) -> None:
    target = Target(TargetKind.CREATE, "not-made-models", REGION)
    tab.check("huggingface", GATED, target, token=READER)
    product.faults.update(disabled_apis=["secretmanager.googleapis.com"])
    with pytest.raises(ManagerError, match="Secret Manager"):
        tab.start()
    product.faults.reset()
    assert not product.clients.storage().lookup_bucket("not-made-models")


LONG = "a" * 500


@pytest.mark.parametrize(
    ("source", "model_id", "field"),
    [
        ("huggingface", "../../etc/passwd", "model_id"),
        ("huggingface", "<img src=x onerror=alert(1)>", "model_id"),
        ("huggingface", "größe/модель", "model_id"),
        ("huggingface", LONG, "model_id"),
        ("huggingface", "", "model_id"),
        ("huggingface", "nobody/has-this", ""),
        ("ollama", "../x:y", "model_id"),
        ("ollama", "smollm2:<b>", "model_id"),
        ("ollama", "模型:最新", "model_id"),
        ("ollama", LONG, "model_id"),
        ("ollama", "smollm2:nothing", ""),
        ("ollama", "hf.co/local/nothing:Q4_0", ""),
    ],
)
def test_ids_that_are_none(tab: ModelsTab, source: str, model_id: str, field: str) -> None:
    with pytest.raises(ManagerError) as caught:
        tab.check(source, model_id, BUCKET)
    assert getattr(caught.value, "field", "") == field
    assert len(caught.value.message) < 250
    assert caught.value.message.endswith(".")
    assert "Error" not in caught.value.message


@pytest.mark.parametrize("revision", ["..", "no such", "a b", "nothing-like-it"])
def test_revisions_that_are_none(tab: ModelsTab, revision: str) -> None:
    with pytest.raises((InvalidInputError, NotFoundError), match=r"revision|branch") as caught:
        tab.check("huggingface", TINY, BUCKET, revision=revision)
    assert caught.value.field == "revision"


def test_a_token_with_a_line_break_inside(tab: ModelsTab) -> None:
    with pytest.raises(InvalidInputError) as caught:
        tab.check("huggingface", GATED, BUCKET, token="hf_local\n_reader")
    assert caught.value.field == "token"
    assert "hf_local" not in str(caught.value)


def test_buckets_that_can_not_be_used(tab: ModelsTab, product: Product) -> None:
    buckets.create_bucket(product.clients, "demo-project", "demo-models", REGION)
    product.clients.storage(PROJECT).create_bucket("read-only-bucket", location=REGION)
    tab.refresh()
    refused = {
        Target(TargetKind.ADOPT, "demo-models"): "belongs to another project",
        Target(TargetKind.CREATE, "demo-models", REGION): "is already taken",
        Target(TargetKind.CREATE, BUCKET, REGION): "A bucket import-models already exists",
        Target(TargetKind.CREATE, "Big Models", REGION): "can't be the name of a bucket",
        Target(TargetKind.CREATE, "../models", REGION): "can't be the name of a bucket",
        Target(TargetKind.CREATE, "good-name", "nowhere"): "is not a region",
        Target(TargetKind.ADOPT, "nobody-has-this-bucket"): "There is no bucket",
    }
    for target, sentence in refused.items():
        with pytest.raises(InvalidInputError, match=sentence):
            tab.check("huggingface", TINY, target)
    product.faults.update(denied_permissions=["storage.objects.create"])
    with pytest.raises(DeniedError, match="don't have permission to write to the bucket"):
        tab.check("huggingface", TINY, Target(TargetKind.ADOPT, "read-only-bucket"))
    product.faults.update(denied_permissions=["storage.buckets.create"])
    with pytest.raises(DeniedError, match="permission to create buckets in local-project"):
        tab.check("huggingface", TINY, Target(TargetKind.CREATE, "good-name", REGION))


def test_only_the_last_of_several_ids_is_answered(tab: ModelsTab, product: Product) -> None:
    product.faults.update(delays={"tiny-llama-gated": 1.0, "local/tin(?!y)": 1.0})
    told: list[str] = []
    for model_id in (GATED, "local/tin", TINY):
        tab.form.look_up(
            "huggingface", model_id, "", lambda said, error: told.append(said or str(error))
        )
    until(lambda: told)
    tab.session.background.close()
    tab.session.background._pool.shutdown(wait=True)
    assert told == [f"{TINY}: 806 kB in 8 files."]


def test_why_an_import_failed_is_told_later_too(tab: ModelsTab, product: Product) -> None:
    tab.session.settings = replace(product.settings, image="")
    target = Target(TargetKind.CREATE, "failed-models", REGION)
    checked = tab.check("huggingface", TINY, target)
    product.faults.update(failures=[{"match": "/resolve/", "status": 404}])
    tab.start()
    (import_id,) = tab.models.imports.watched
    until(lambda: tab.models.imports.watched[import_id].is_over)
    tab.refresh()
    listed = tab.models.bucket("failed-models")
    assert listed
    (record,) = listed.models
    assert record.status is ModelStatus.FAILED
    tab.model.open("failed-models", record)
    progress = until(lambda: tab.model.progress)
    assert progress.message == record.error
    assert "HTTP 404" in progress.cause
    assert "the check looks" in progress.fix
    assert until(lambda: tab.model.plan).files == checked.model.chosen
    names = object_names(product, "failed-models")
    assert not [name for name in names if name.startswith("huggingface/")]


def test_a_bucket_of_the_project_that_was_not_looked_into_yet(
    tab: ModelsTab, product: Product
) -> None:
    product.clients.storage(PROJECT).create_bucket("brand-new-bucket", location=REGION)
    checked = tab.check("huggingface", TINY, Target(TargetKind.ADOPT, "brand-new-bucket"))
    assert checked.place.location == REGION


def test_looking_an_id_up_reads_no_weights(tab: ModelsTab, product: Product) -> None:
    product.faults.update(failures=[{"match": "safetensors$", "status": 500}])
    told: list[str] = []
    tab.form.look_up("huggingface", TINY, "", lambda said, _: told.append(said))
    until(lambda: told)
    assert told == [f"{TINY}: 806 kB in 8 files."]


def test_what_is_there_of_an_unfinished_import(tab: ModelsTab, product: Product) -> None:
    product.faults.update(bandwidth=4_000_000)
    target = Target(TargetKind.CREATE, "partly-models", REGION)
    tab.session.settings = replace(product.settings, image="")
    whole = tab.check("ollama", "smollm2:135m", target)
    assert (whole.present, whole.held) == (0, (0, 0))
    tab.start()
    (import_id,) = tab.models.imports.watched
    folder = ImportFolder(SmallObjects(product.clients.storage(), "partly-models"), import_id)
    until(lambda: (progress := folder.progress()) and progress.done > 0)
    note = until(lambda: (found := folder.worker()[0]) and found.pid and found)
    until(lambda: [name for name in object_names(product, "partly-models") if "/files/" in name])
    os.kill(note.pid, signal.SIGKILL)
    tab.refresh()
    partly = tab.check("ollama", "smollm2:135m", "partly-models")
    assert 0 < partly.present < partly.model.size
    assert partly.seconds < whole.seconds
    assert partly.held == (1, partly.model.size)
    assert any("continues where it stopped" in warning for warning in partly.warnings)
    # Removed, it leaves neither parts nor what tells of them.
    assert list((product.data / "uploads").rglob("*"))
    listed = tab.models.bucket("partly-models")
    assert listed
    (record,) = listed.models
    until(lambda: not start.is_running(product.clients, "partly-models", import_id))
    remove_model(product.clients, "partly-models", record)
    assert object_names(product, "partly-models") == [METADATA_NAME]
    assert [path for path in (product.data / "uploads").rglob("*") if path.is_file()] == []


def test_cancelled_and_resumed(tab: ModelsTab, product: Product) -> None:
    product.faults.update(bandwidth=2_000_000)
    target = Target(TargetKind.CREATE, "cancelled-models", REGION)
    checked = tab.check("ollama", "smollm2:135m", target)
    tab.start()
    (import_id,) = tab.models.imports.watched
    imports = tab.models.imports
    until(lambda: imports.watched[import_id].progress and imports.watched[import_id].speed)
    assert imports.watched[import_id].seconds_left
    imports.cancel(import_id)
    until(lambda: imports.watched[import_id].is_over)
    names = object_names(product, "cancelled-models")
    assert not [name for name in names if name.startswith("ollama/")]
    tab.refresh()
    listed = tab.models.bucket("cancelled-models")
    assert listed
    (record,) = listed.models
    assert (record.status, record.error) == (ModelStatus.FAILED, "The import was cancelled.")
    again = tab.check("ollama", "smollm2:135m", "cancelled-models")
    assert again.is_begun
    product.faults.reset()
    imports.resume("cancelled-models", import_id, record.id)
    assert tab.ready("cancelled-models", "smollm2:135m").size == checked.model.size
