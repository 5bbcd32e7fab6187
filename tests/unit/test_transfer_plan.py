from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.documents import plans
from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.domain.progress import (
    FileProgress,
    FileState,
    ImportProgress,
    ImportState,
    merged,
)
from llm_widgets.errors import TransferError
from llm_widgets.hubs.large_files import LARGEST_WHOLE
from llm_widgets.imports.launch import job_region
from llm_widgets.imports.plan import plan_import, task_count
from llm_widgets.imports.store import WorkerNote, is_silent

if TYPE_CHECKING:
    from llm_widgets.domain.imports import ImportPlan

DIGEST = Digest(DigestKind.SHA256, "ab" * 32)
REVISION = "c" * 40


def weights(**changes: Any) -> HubFile:
    return replace(HubFile("model.safetensors", 10, DIGEST, url="http://hub/m"), **changes)


def model(*files: HubFile, **changes: Any) -> HubModel:
    found = HubModel("huggingface", "acme/llm", REVISION, files or (weights(),))
    return replace(found, **changes)


def plan(found: HubModel, bucket: str = "models") -> ImportPlan:
    return plan_import(found, bucket=bucket, project="p", requested_by="a@example.com")


def test_layout_for_vllm() -> None:
    made = plan(model())
    assert made.prefix == f"huggingface/acme/llm/{REVISION}"
    assert made.object_name(made.files[0]).endswith(f"{REVISION}/model.safetensors")
    assert made.created_by == "a@example.com"


def test_layout_for_ollama_is_a_folder_of_its_own() -> None:
    manifest = HubFile(
        "manifests/registry.ollama.ai/library/smollm2/135m", 2, DIGEST, content=b"{}"
    )
    blob = HubFile("blobs/sha256-" + "ab" * 32, 10, DIGEST, url="http://r/b")
    made = plan(model(blob, manifest, source="ollama", id="smollm2:135m", revision="d" * 64))
    assert made.prefix == f"ollama/registry.ollama.ai/library/smollm2/135m/{'d' * 12}"


def test_the_same_import_has_the_same_id() -> None:
    ids = {
        plan(model()).id,
        plan(model(weights(), license="mit")).id,
        plan(model(), "models").id,
    }
    assert len(ids) == 1
    others = {
        plan(model(), "other").id,
        plan(model(revision="e" * 40)).id,
        plan(model(id="b/l")).id,
    }
    assert len(others | ids) == 4


def test_files_that_are_skipped_are_not_in_the_plan() -> None:
    made = plan(model(weights(), weights(path="onnx/model.onnx", skipped="vLLM does not read it")))
    assert [file.path for file in made.files] == ["model.safetensors"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([weights(skipped="no")], "No file of acme/llm is chosen"),
        ([weights(path="../x")], "impossible name"),
        ([weights(path="/etc/x")], "impossible name"),
        ([weights(path="a//b")], "impossible name"),
        ([weights(), weights()], "names a file twice"),
        ([weights(path="x" * 1020)], "too long for Cloud Storage"),
    ],
)
def test_what_can_not_be_imported(files: list[HubFile], said: str) -> None:
    with pytest.raises(TransferError, match=said):
        plan(model(*files))


def test_large_files_are_no_problem() -> None:
    manifest = HubFile("manifests/r/library/m/t", 2, DIGEST, content=b"{}")
    big = HubFile("blobs/sha256-x", LARGEST_WHOLE + 1, DIGEST, url="http://r/b")
    assert plan(model(big, manifest, source="ollama")).size == LARGEST_WHOLE + 3
    assert plan(model(weights(size=LARGEST_WHOLE + 1))).size == LARGEST_WHOLE + 1


def test_a_plan_survives_the_bucket() -> None:
    made = plan(model(weights(content=b"\x00\xff", size=2), facts={"layers": 4}))
    read = plans.read(made.to_json(), bucket="models", import_id=made.id)
    assert replace(read, project="p") == made


def progress(state: ImportState, *files: FileProgress, second: int = 0) -> ImportProgress:
    time = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    return ImportProgress("id", state, files, time, time, message=state.value)


def test_progress_of_tasks_together() -> None:
    a = FileProgress("a", 10, 4, FileState.ACTIVE)
    b = FileProgress("b", 10, 10, FileState.DONE)
    one = progress(ImportState.RUNNING, a, replace(b, done=0, state=FileState.WAITING), second=5)
    two = progress(ImportState.VERIFYING, replace(a, done=0), b, second=3)
    both = merged([one, two])
    assert both.files == (a, b)
    assert both.done == 14
    assert both.state is ImportState.VERIFYING
    assert (both.started_at.second, both.updated_at.second) == (3, 5)


def test_what_one_task_says_is_told_though_others_say_nothing() -> None:
    silent = replace(progress(ImportState.RUNNING), message="")
    told = replace(silent, message="Reading a fails: HTTP 503. Trying again.")
    assert merged([silent, told, silent]).message == told.message
    assert merged([told, replace(progress(ImportState.VERIFYING), message="")]).message == ""


def test_one_failed_task_fails_the_import_and_one_publisher_ends_it() -> None:
    running, failed = progress(ImportState.RUNNING), progress(ImportState.FAILED)
    assert merged([running, failed]).message == "failed"
    assert merged([failed, progress(ImportState.DONE)]).state is ImportState.DONE


def test_silence() -> None:
    now = datetime.now(UTC)
    old = now - timedelta(minutes=5)
    assert is_silent(None, WorkerNote(old))
    assert not is_silent(None, WorkerNote(now))
    assert not is_silent(replace(progress(ImportState.RUNNING), updated_at=now), WorkerNote(old))


def test_notes_survive_the_bucket() -> None:
    note = WorkerNote(datetime.now(UTC), "a@example.com", host="h", pid=7)
    assert WorkerNote.from_json(note.to_json().encode()) == note
    assert WorkerNote.from_json(b"{}") is None
    assert WorkerNote.from_json(b"\x00") is None


@pytest.mark.parametrize(
    ("location", "kind", "region"),
    [
        ("EUROPE-WEST1", "region", "europe-west1"),
        ("US", "multi-region", "us-central1"),
        ("EU", "multi-region", "europe-west4"),
        ("ASIA1", "dual-region", "asia-southeast1"),
    ],
)
def test_region_of_the_job(location: str, kind: str, region: str) -> None:
    assert job_region(location, kind) == region


@pytest.mark.parametrize(
    ("size", "tasks"), [(10, 1), (8 * 10**9, 1), (9 * 10**9, 2), (43 * 10**9, 6), (10**12, 8)]
)
def test_tasks_of_an_import(size: int, tasks: int) -> None:
    halves = weights(size=size // 2), weights(path="model-2.safetensors", size=size - size // 2)
    assert task_count(replace(plan(model()), files=halves)) == tasks


def test_no_more_tasks_than_can_share_a_file() -> None:
    assert task_count(replace(plan(model()), files=(weights(size=65 * 10**9),))) == 4


def test_what_tasks_moved_of_a_shared_file_is_added_up() -> None:
    now = datetime.now(UTC)

    def told(done: int, state: FileState = FileState.ACTIVE) -> ImportProgress:
        shared = FileProgress("model.safetensors", 100, done, state, is_shared=True)
        alone = FileProgress("config.json", 5, min(done, 5), state)
        return ImportProgress("i", ImportState.RUNNING, (shared, alone), now, now)

    assert [file.done for file in merged([told(30), told(40), told(0)]).files] == [70, 5]
    assert merged([told(80), told(40)]).files[0].done == 100  # a part was moved twice
    done = merged([told(100, FileState.DONE), told(40)])
    assert (done.files[0].done, done.files[0].state) == (100, FileState.DONE)
