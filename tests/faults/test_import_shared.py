"""A large file that several tasks of a job move together, and what may happen to them."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.progress import ImportState
from llm_widgets.imports.start import read_progress
from llm_widgets.imports.store import ImportFolder
from llm_widgets.transfer.checkpoint import (
    Checkpoint,
    CheckpointObject,
    checkpoint_name,
    latest_handovers,
)
from llm_widgets.transfer.options import MIB
from llm_widgets.transfer.share import Task
from local_cloud.testing.waiting import until
from tests.faults.faulty_source import Fault, FaultySource
from tests.faults.importing import PART, PATIENT, Imports, noise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import ImportPlan

PARTS = 12


@pytest.fixture
def source() -> Iterator[FaultySource]:
    large = {"model.safetensors": noise(PARTS * PART + 4321)}
    small = {f"{name}.safetensors": noise(PART // 2, i) for i, name in enumerate("abc")}
    source = FaultySource(small | large)
    yield source
    source.stop()


def run_all(
    imports: Imports, plan: ImportPlan, count: int, *, run: str = "run-1", attempt: int = 0
) -> list[ImportState]:
    states: dict[int, ImportState] = {}

    def work(index: int) -> None:
        task = Task(index, count, run, attempt)
        states[index] = imports.run(plan, task)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [states[index] for index in range(count)]


def moved_by(imports: Imports, plan: ImportPlan, task: int) -> int:
    """Return how many bytes of the large file a task says to have moved."""
    progress, _ = ImportFolder(imports.objects, plan.id).task_progress(task)
    assert progress
    (large,) = [file for file in progress.files if file.path == "model.safetensors"]
    return large.done


def wait_until_moved(imports: Imports, plan: ImportPlan, size: int) -> None:
    def so_far() -> bool:
        progress = read_progress(imports.clients, imports.bucket, plan.id)
        return bool(progress and progress.done >= size)

    until(so_far)


def test_all_tasks_move_a_large_file(imports: Imports, source: FaultySource) -> None:
    source.rate = 40 * MIB  # so that no task is done before the others have begun
    plan = imports.plan(source)
    states = run_all(imports, plan, 3)
    assert states.count(ImportState.DONE) >= 1
    assert set(states) <= {ImportState.DONE, ImportState.VERIFYING}
    assert imports.is_right(plan, source)
    # Nobody moved what another one did.
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(PARTS + 1)]
    assert imports.progress(plan).done == plan.size


def test_no_task_needs_the_others_for_a_large_file(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    assert imports.run(plan, Task(1, 3, "run-1")) is ImportState.VERIFYING
    assert moved_by(imports, plan, 1) == PARTS * PART + 4321
    assert imports.run(plan, Task(0, 3, "run-1")) is ImportState.VERIFYING
    assert imports.run(plan, Task(2, 3, "run-1")) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(PARTS + 1)]


def test_a_killed_task_comes_back_to_its_shards(imports: Imports, source: FaultySource) -> None:
    source.rate = 4 * MIB
    plan = imports.plan(source)
    others = [imports.start_process(plan, Task(index, 3, "run-1")) for index in (0, 2)]
    killed = imports.start_process(plan, Task(1, 3, "run-1"))
    wait_until_moved(imports, plan, 3 * PART)
    killed.kill()
    killed.communicate()
    source.rate = 0
    again = imports.start_process(plan, Task(1, 3, "run-1", attempt=1))
    said = [process.communicate(timeout=60)[0].strip() for process in (*others, again)]
    assert "done" in said
    assert set(said) <= {"done", "verifying"}
    assert imports.is_right(plan, source)
    assert source.sent <= plan.size + (PATIENT.workers + 1) * PART


def test_one_process_goes_on_from_what_tasks_have_left(
    imports: Imports, source: FaultySource
) -> None:
    source.rate = 2 * MIB
    plan = imports.plan(source)
    tasks = [imports.start_process(plan, Task(index, 2, "run-1")) for index in range(2)]
    wait_until_moved(imports, plan, 6 * PART)
    until(lambda: latest_handovers(imports.names(f"{plan.folder}/files/")))
    for process in tasks:
        process.kill()
        process.communicate()
    source.rate = 0
    before = len(source.requests)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    large = [r for r in source.requests[before:] if "model.safetensors" in r.path]
    assert min(request.first for request in large) >= PART


def test_tasks_go_on_from_what_one_process_has_left(imports: Imports, source: FaultySource) -> None:
    source.rate = 8 * MIB
    plan = imports.plan(source)
    process = imports.start_process(plan)
    (file,) = [file for file in plan.files if file.path == "model.safetensors"]
    saved = CheckpointObject(imports.objects, checkpoint_name(plan.folder, file))
    until(lambda: (found := saved.load()) and found.parts)
    process.kill()
    process.communicate()
    source.rate = 0
    before = len(source.requests)
    assert ImportState.DONE in run_all(imports, plan, 2, run="run-2")
    assert imports.is_right(plan, source)
    large = [r for r in source.requests[before:] if "model.safetensors" in r.path]
    assert min(request.first for request in large) >= PART


def test_wrong_bytes_of_a_shared_file(imports: Imports, source: FaultySource) -> None:
    source.plan = lambda number, _: Fault(corrupt=number == 5)
    plan = imports.plan(source)
    states = run_all(imports, plan, 2)
    assert ImportState.FAILED in states
    assert "not what the hub promised" in imports.progress(plan).message
    assert imports.names(plan.prefix) == []
    source.plan = lambda *_: Fault()
    assert ImportState.DONE in run_all(imports, plan, 2, run="run-2")
    assert imports.is_right(plan, source)


def test_a_task_that_never_comes_back_is_not_waited_for_in_vain(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    (large,) = [file for file in plan.files if file.path == "model.safetensors"]
    folder = checkpoint_name(plan.folder, large).removesuffix(".json")
    imports.objects.write(f"{folder}/run-1/000000", "2")  # task 2 has the first shard
    state = imports.run(plan, Task(0, 3, "run-1"), replace(PATIENT, give_up_after=1))
    assert state is ImportState.FAILED
    assert "the task that moves the bytes before" in imports.progress(plan).message
    assert ImportState.DONE in run_all(imports, plan, 3, run="run-2")
    assert imports.is_right(plan, source)


def test_a_stored_part_of_another_size_is_sent_again(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    (large,) = [file for file in plan.files if file.path == "model.safetensors"]
    upload = imports.begin_upload(plan, large, {2: noise(PART + MIB)})
    name = checkpoint_name(plan.folder, large)
    CheckpointObject(imports.objects, name).save(Checkpoint(upload.id, PART))
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
