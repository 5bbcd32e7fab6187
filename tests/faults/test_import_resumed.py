"""Imports that are resumed from objects in the bucket as earlier versions have written them.

Names and texts below were written by version 0.1.0. They must not change: whoever updates the
manager in the middle of an import resumes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.progress import ImportState
from llm_widgets.imports.store import ImportFolder
from llm_widgets.transfer.checkpoint import Checkpoint, CheckpointObject, checkpoint_name
from llm_widgets.transfer.share import Task
from tests.faults.faulty_source import FaultySource
from tests.faults.importing import PART, Imports, noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import ImportPlan

PARTS = 13
KEY = "73b5119eabc7e2d29cc12f53"  # of the path and the digest
ZEROS = "0" * 128  # no part of a block is left over: parts are whole blocks of SHA-256
AFTER_TWO = (
    '{"version": 1, "upload_id": "UPLOAD", "part_size": 5242880, "parts": 2, "hash_state": '
    '"2f4b205cb87683d0ebe9b3fd53639cb760b63374a9dfbccf1bd027888666e79a0000000500000000'
    f'{ZEROS}0000000020000000", "crc32c": 1685921152, "verified": false}}'
)
AFTER_THREE = (
    '{"version": 1, "upload_id": "UPLOAD", "part_size": 5242880, "parts": 3, "hash_state": '
    '"6d689dfe782f352427faaeaeb51c1b66c16b9210cd8e0311ee881f3e47369ecf0000800700000000'
    f'{ZEROS}0000000020000000", "crc32c": 2644018914, "verified": false}}'
)
BEGUN = (
    '{"version": 1, "upload_id": "UPLOAD", "part_size": 5242880, "parts": 0, "hash_state": null, '
    '"crc32c": 0, "verified": false}'
)
WORKER = (
    '{"started_at": "2026-01-02T03:04:05+00:00", "started_by": "ada@example.com", '
    '"execution": "", "host": "elsewhere", "pid": 4711}'
)
PROGRESS = (
    '{"import_id": "ID", "state": "running", "files": [{"path": "model.safetensors", '
    '"size": 62918881, "done": 15728640, "state": "active", "is_shared": false}], '
    '"started_at": "2026-01-02T03:04:05+00:00", "updated_at": "2026-01-02T03:05:05+00:00", '
    '"message": "", "cause": "", "fix": ""}'
)
SINCE = ('"is_shared": false}', '"is_shared": false, "part": ""}')  # what later versions add to it


@pytest.fixture
def source() -> Iterator[FaultySource]:
    source = FaultySource({"model.safetensors": noise((PARTS - 1) * PART + 4321)})
    yield source
    source.stop()


def store(imports: Imports, plan: ImportPlan, parts: int, objects: dict[str, str]) -> None:
    """Store parts of the file in an upload, and objects that name it."""
    (file,) = plan.files
    data = noise(file.size)
    stored = {1 + i: data[i * PART : (i + 1) * PART] for i in range(parts)}
    upload = imports.begin_upload(plan, file, stored)
    for name, text in objects.items():
        content = text.replace("UPLOAD", upload.id).replace('"ID"', f'"{plan.id}"')
        imports.objects.write(f"{plan.folder}/{name}", content)


def test_a_process_goes_on_from_a_checkpoint(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    written = {f"files/{KEY}.json": AFTER_THREE, "worker.json": WORKER, "progress/0.json": PROGRESS}
    store(imports, plan, 3, written)
    folder = ImportFolder(imports.objects, plan.id)
    progress, note = folder.progress(), folder.worker()[0]
    assert progress
    assert progress.done == 3 * PART
    assert progress.to_json().replace(plan.id, "ID") == PROGRESS.replace(*SINCE)
    assert note
    assert note.to_json() == WORKER
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(3, PARTS)]


def test_a_restarted_task_goes_on_from_leases_and_handovers(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    written = {
        f"files/{KEY}.json": BEGUN,
        f"files/{KEY}/000002.json": AFTER_TWO,  # after the first shard, which was the other task's
        f"files/{KEY}/run-1/000000": "1",
        f"files/{KEY}/run-1/000001": "0",
    }
    store(imports, plan, 2, written)
    assert imports.run(plan, Task(0, 2, "run-1", attempt=1)) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(2, PARTS)]


def test_a_lease_of_another_task_is_respected(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    written = {
        f"files/{KEY}.json": BEGUN,
        f"files/{KEY}/000002.json": AFTER_TWO,
        f"files/{KEY}/run-1/000000": "1",
        f"files/{KEY}/run-1/{(PARTS - 1) // 2:06d}": "1",  # the last shard
    }
    store(imports, plan, 2, written)
    assert imports.run(plan, Task(0, 2, "run-1")) is ImportState.VERIFYING
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(2, PARTS - 1)]
    assert f"{plan.folder}/files/{KEY}/{PARTS - 1:06d}.json" in imports.names(plan.folder)
    assert imports.run(plan, Task(1, 2, "run-1", attempt=1)) is ImportState.DONE
    assert imports.is_right(plan, source)


@pytest.mark.parametrize("text", [BEGUN, AFTER_TWO, AFTER_THREE])
def test_a_checkpoint_is_written_as_before(
    text: str, imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    name = checkpoint_name(plan.folder, plan.files[0])
    assert name == f"{plan.folder}/files/{KEY}.json"
    checkpoint = Checkpoint.from_json(text.encode())
    assert checkpoint
    CheckpointObject(imports.objects, name).save(checkpoint)
    found = imports.objects.read(name)
    assert found
    assert found[0].decode() == text
