"""Imports from the sample hub by a job of the local cloud, or by a process of this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets import hubs
from llm_widgets.documents import manifests
from llm_widgets.domain.manifest import manifest_name
from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import ImportState
from llm_widgets.errors import ConflictError, DeniedError, NotFoundError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.storage.buckets import create_bucket
from llm_widgets.gcp.storage.metadata import read_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports import launch
from llm_widgets.imports.plan import plan_import
from llm_widgets.imports.remove import remove_model
from llm_widgets.imports.start import (
    cancel_import,
    is_running,
    list_imports,
    read_progress,
    resume_import,
    start_import,
)
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.token import token_of
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.progress import ImportProgress

TINY = "local/tiny-llama"
SMOLLM2 = "smollm2:135m"
TOKEN = "hf_local_reader"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("imports"), environment)


@pytest.fixture
def bucket(product: Product, request: pytest.FixtureRequest) -> Iterator[str]:
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")[:50].strip("-")
    create_bucket(product.clients, PROJECT, name, REGION)
    yield name
    product.faults.reset()


def plan_of(product: Product, bucket: str, model: str, token: str = "") -> ImportPlan:
    source = "ollama" if ":" in model else "huggingface"
    found = hubs.inspect(source, model, product.settings, token=token)
    plan = plan_import(
        found,
        bucket=bucket,
        project=PROJECT,
        requested_by="a@example.com",
        has_token=bool(token),
    )
    if token:
        secrets.put(product.clients, token_of(plan), token)
    return plan


def wait(product: Product, plan: ImportPlan) -> ImportProgress:
    def final() -> ImportProgress | None:
        progress = read_progress(product.clients, plan.bucket, plan.id)
        return progress if progress and progress.state.is_final else None

    return until(final)


def only_record(product: Product, bucket: str) -> ModelRecord:
    (record,) = read_metadata(product.clients.storage(), bucket)[0].models
    return record


def names(product: Product, bucket: str) -> list[str]:
    return [stored.name for stored in SmallObjects(product.clients.storage(), bucket).list("")]


def test_ollama_model_by_a_job(product: Product, bucket: str) -> None:
    plan = plan_of(product, bucket, SMOLLM2)
    assert start_import(product.clients, product.settings, plan)
    note, _ = ImportFolder(SmallObjects(product.clients.storage(), bucket), plan.id).worker()
    assert note
    assert "/jobs/llm-manager-import/executions/" in note.execution
    assert only_record(product, bucket).status in (ModelStatus.IMPORTING, ModelStatus.READY)
    progress = wait(product, plan)
    assert progress.state is ImportState.DONE, progress
    assert progress.done == plan.size
    record = only_record(product, bucket)
    assert (record.id, record.status, record.import_id) == (SMOLLM2, ModelStatus.READY, plan.id)
    below = [name.removeprefix(f"{plan.prefix}/") for name in names(product, bucket)]
    manifest = "manifests/registry.ollama.ai/library/smollm2/135m"
    assert manifest in below
    listed = SmallObjects(product.clients.storage(), bucket).list(f"{plan.prefix}/")
    last = max(listed, key=lambda each: each.generation)
    assert last.name == f"{plan.prefix}/{manifest}"  # only then Ollama sees the model
    stored = product.clients.storage().bucket(bucket)
    text = json.loads(stored.blob(f"{plan.prefix}/{manifest}").download_as_bytes())
    for layer in [text["config"], *text["layers"]]:
        blob = stored.get_blob(f"{plan.prefix}/blobs/{layer['digest'].replace(':', '-')}")
        assert blob.size == layer["size"]
    assert not [name for name in names(product, bucket) if name.endswith("/")]
    kept = stored.blob(manifest_name(plan.id)).download_as_bytes()
    assert manifests.read(kept, import_id=plan.id).record() == record


def test_hugging_face_model_by_a_process_of_this_machine(product: Product, bucket: str) -> None:
    settings = replace(product.settings, image="")
    plan = plan_of(product, bucket, TINY)
    assert start_import(product.clients, settings, plan)
    assert not start_import(product.clients, settings, plan)  # joined
    progress = wait(product, plan)
    assert progress.state is ImportState.DONE, launch.log_file(plan.id).read_text()
    record = only_record(product, bucket)
    assert record.status is ModelStatus.READY
    assert record.imported_by == "a@example.com"
    assert f"{plan.prefix}/config.json" in names(product, bucket)
    assert not is_running(product.clients, bucket, plan.id)
    assert [p.import_id for p in list_imports(product.clients, bucket)] == [plan.id]
    assert start_import(product.clients, settings, plan)  # again: looked at, found whole
    assert wait(product, plan).state is ImportState.DONE


def is_gone(product: Product, token: Any) -> bool:
    """Return whether a token is deleted; its worker does that last."""
    try:
        secrets.read(product.clients, token)
    except NotFoundError:
        return True
    return False


def test_gated_model_and_its_token(product: Product, bucket: str) -> None:
    plan = plan_of(product, bucket, "local/tiny-llama-gated", TOKEN)
    assert start_import(product.clients, product.settings, plan)
    assert wait(product, plan).state is ImportState.DONE
    until(lambda: is_gone(product, token_of(plan)))
    stored = product.clients.storage().bucket(bucket)
    for name in names(product, bucket):
        assert TOKEN.encode() not in stored.blob(name).download_as_bytes(), name
    for job in product.clients.jobs.list_jobs(parent=f"projects/{PROJECT}/locations/{REGION}"):
        assert TOKEN not in str(job)
        for execution in product.clients.executions.list_executions(parent=job.name):
            assert TOKEN not in str(execution)
    for log in product.data.glob("logs.db*"):
        assert TOKEN.encode() not in log.read_bytes()


def test_cancelled_while_a_job_runs(product: Product, bucket: str) -> None:
    product.faults.update(bandwidth=2_000_000)
    plan = plan_of(product, bucket, SMOLLM2)
    assert start_import(product.clients, product.settings, plan)

    def has_begun() -> bool:
        progress = read_progress(product.clients, bucket, plan.id)
        return bool(progress and progress.done)

    until(has_begun)
    cancel_import(product.clients, bucket, plan.id)
    progress = wait(product, plan)
    assert progress.state is ImportState.CANCELLED
    assert [name for name in names(product, bucket) if name.startswith(plan.prefix)] == []
    record = only_record(product, bucket)
    assert (record.status, record.error) == (ModelStatus.FAILED, "The import was cancelled.")
    product.faults.reset()
    assert resume_import(product.clients, product.settings, bucket, plan.id)
    assert wait(product, plan).state is ImportState.DONE
    assert only_record(product, bucket).status is ModelStatus.READY


def test_a_job_that_may_not_be_started(product: Product, bucket: str) -> None:
    product.faults.update(denied_permissions=["run.jobs.*"])
    plan = plan_of(product, bucket, TINY)
    with pytest.raises(DeniedError, match=r"run\.jobs"):
        start_import(product.clients, product.settings, plan)
    record = only_record(product, bucket)
    assert record.status is ModelStatus.FAILED
    assert "run.jobs" in record.error
    assert wait(product, plan).state is ImportState.FAILED
    product.faults.reset()
    assert start_import(product.clients, product.settings, plan)
    assert wait(product, plan).state is ImportState.DONE


def test_removed(product: Product, bucket: str) -> None:
    other = plan_of(product, bucket, SMOLLM2)
    plan = plan_of(product, bucket, TINY)
    for started in (plan, other):
        start_import(product.clients, product.settings, started)
        file, _ = read_metadata(product.clients.storage(), bucket)
        (record,) = [m for m in file.models if m.import_id == started.id]
        with pytest.raises(ConflictError, match="is being imported"):
            remove_model(product.clients, bucket, record)
        assert wait(product, started).state is ImportState.DONE
    file, _ = read_metadata(product.clients.storage(), bucket)
    (record,) = [m for m in file.models if m.import_id == plan.id]
    stored = product.clients.storage().bucket(bucket)
    earlier = json.loads(stored.blob(manifest_name(plan.id)).download_as_bytes())
    earlier |= {"import_id": "earlier", "files": []}
    stored.blob(manifest_name("earlier")).upload_from_string(json.dumps(earlier))
    unfinished = replace(plan, id="unfinished")
    ImportFolder(SmallObjects(product.clients.storage(), bucket), "unfinished").write_plan(
        unfinished
    )
    remove_model(product.clients, bucket, record)
    left = names(product, bucket)
    assert not [name for name in left if plan.id in name or name.startswith(plan.prefix)]
    assert manifest_name("earlier") not in left
    assert not [name for name in left if name.startswith(unfinished.folder)]
    assert [name for name in left if name.startswith(other.prefix)]
    assert only_record(product, bucket).import_id == other.id


def test_several_tasks_of_a_job(product: Product, bucket: str) -> None:
    plan = plan_of(product, bucket, SMOLLM2)
    assert start_import(product.clients, replace(product.settings, import_tasks=3), plan)
    note, _ = ImportFolder(SmallObjects(product.clients.storage(), bucket), plan.id).worker()
    assert note
    assert product.clients.executions.get_execution(name=note.execution).task_count == 3
    progress = wait(product, plan)
    assert progress.state is ImportState.DONE, progress
    assert progress.done == plan.size
    assert only_record(product, bucket).status is ModelStatus.READY
    folder = f"{plan.folder}/progress/"
    assert len([name for name in names(product, bucket) if name.startswith(folder)]) == 3


def test_no_such_import(product: Product, bucket: str) -> None:
    assert read_progress(product.clients, bucket, "nothing") is None
    assert list_imports(product.clients, bucket) == []
    with pytest.raises(NotFoundError, match="There is no import nothing"):
        resume_import(product.clients, product.settings, bucket, "nothing")
    with pytest.raises(NotFoundError, match="There is no import nothing"):
        cancel_import(product.clients, bucket, "nothing")
