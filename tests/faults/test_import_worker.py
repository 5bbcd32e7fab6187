"""Workers that are killed, meet others, are cancelled; and what they leave behind."""

from __future__ import annotations

import random
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import ImportState
from llm_widgets.imports.start import cancel_import
from llm_widgets.transfer import crc
from llm_widgets.transfer.checkpoint import Checkpoint, CheckpointObject, checkpoint_name
from llm_widgets.transfer.hashing import new_hasher
from llm_widgets.transfer.share import Task
from llm_widgets.transfer.transfer import Transfer
from local_cloud.testing.waiting import until
from tests.faults.faulty_source import FaultySource
from tests.faults.importing import PART, PATIENT, Imports, noise, two_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import ImportPlan

RATE = 6e6  # bytes/s for each connection, of which a worker has one or two: parts take 0.5 s


@pytest.fixture
def source() -> Iterator[FaultySource]:
    source = FaultySource({"model.safetensors": noise(12 * PART), "config.json": b"{}"})
    source.rate = RATE
    yield source
    source.stop()


def has_sent(source: FaultySource, enough: float) -> bool:
    return source.sent > enough


def wait_for_bytes(imports: Imports, plan: ImportPlan, count: int) -> None:
    begun = f"{plan.folder}/progress/"
    until(lambda: imports.objects.list(begun) and imports.progress(plan).done > count)


def test_killed_and_resumed(imports: Imports, source: FaultySource) -> None:
    source.rate = RATE / 2  # so slow that even the last worker is killed before the end
    plan = imports.plan(source)
    amounts = random.Random(3)
    kills = 0
    while kills < 4:
        worker = imports.start_process(plan)
        try:
            enough = source.sent + amounts.randrange(PART // 8, PART)
            until(partial(has_sent, source, enough))
            assert worker.poll() is None, worker.communicate()[1]
        finally:
            worker.send_signal(signal.SIGKILL)
            worker.communicate()
        kills += 1
        assert imports.names(plan.prefix) == []
    source.rate = 0
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    # A kill costs what was under way to the workers, and what had come since the last checkpoint.
    lost = source.sent - plan.size
    assert lost <= kills * (
        2 * PATIENT.workers * PART + RATE * PATIENT.workers * 2 * PATIENT.save_every
    )


def test_a_stopped_worker_leaves_everything_to_go_on_from(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    worker = imports.start_process(plan)
    wait_for_bytes(imports, plan, 4 * PART)
    worker.send_signal(signal.SIGTERM)
    out, _ = worker.communicate(timeout=60)
    assert out.strip() == "running"
    assert "can be resumed" in imports.progress(plan).message
    source.rate = 0
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    # A worker has a part that it moves, and another one that the hub may have begun to send.
    assert source.sent - plan.size <= 2 * PATIENT.workers * PART


def test_two_workers_of_one_import(imports: Imports, source: FaultySource) -> None:
    """The later one takes over; the earlier one notices and ends."""
    plan = imports.plan(source)
    first = imports.start_process(plan)
    wait_for_bytes(imports, plan, PART)
    states: list[ImportState] = []
    second = threading.Thread(target=lambda: states.append(imports.run(plan)))
    second.start()
    out, _ = first.communicate(timeout=60)
    second.join(60)
    assert states == [ImportState.DONE]
    assert out.strip() in ("running", "done")
    assert imports.is_right(plan, source)
    assert imports.record().status is ModelStatus.READY


def test_cancelled(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    states: list[ImportState] = []
    worker = threading.Thread(target=lambda: states.append(imports.run(plan)))
    worker.start()
    wait_for_bytes(imports, plan, 2 * PART)
    cancel_import(imports.clients, imports.bucket, plan.id)
    worker.join(60)
    assert states in ([ImportState.CANCELLED], [ImportState.RUNNING])
    assert imports.progress(plan).state is ImportState.CANCELLED
    assert imports.names(plan.prefix) == []
    assert imports.names(f"{plan.folder}/files/") == []
    record = imports.record()
    assert record.status is ModelStatus.FAILED
    assert "cancelled" in record.error


def test_cancelled_without_a_worker(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    worker = imports.start_process(plan)
    wait_for_bytes(imports, plan, 2 * PART)
    worker.kill()
    worker.communicate()
    cancel_import(imports.clients, imports.bucket, plan.id)
    assert imports.progress(plan).state is ImportState.CANCELLED
    assert imports.names(f"{plan.folder}/files/") == []


def test_a_worker_that_died_before_it_could_tell_that_a_file_is_whole(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    (large,) = [file for file in plan.files if file.size > PART]
    content = source.files[large.path]
    starts = range(0, len(content), PART)
    parts = {1 + i: content[at : at + PART] for i, at in enumerate(starts)}
    hasher = new_hasher(large.digest.kind, large.size)
    hasher.update(content)
    upload = imports.begin_upload(plan, large, parts)
    checkpoint = Checkpoint(
        upload.id, PART, len(parts), hasher.state(), crc32c=crc.extend(0, content)
    )
    CheckpointObject(imports.objects, checkpoint_name(plan.folder, large)).save(checkpoint)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert source.sent < PART  # nothing of the large file


def test_objects_that_are_put_together_wrongly_are_all_removed(imports: Imports) -> None:
    names = ("model-1.safetensors", "model-2.safetensors")
    source = FaultySource({name: noise(1000, seed) for seed, name in enumerate(names)})
    plan = imports.plan(source)
    for file in plan.files:
        upload = imports.begin_upload(plan, file, {1: noise(1000, 9)})
        sent = crc.extend(0, source.files[file.path])
        checkpoint = Checkpoint(upload.id, PART, 1, crc32c=sent, verified=True)
        CheckpointObject(imports.objects, checkpoint_name(plan.folder, file)).save(checkpoint)
    assert imports.run(plan) is ImportState.FAILED
    assert "put model-1.safetensors together wrongly" in imports.progress(plan).message
    assert imports.names(plan.prefix) == []
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    source.stop()


def test_shared_by_three_tasks(imports: Imports) -> None:
    files = {f"model-{i}.safetensors": noise(PART + i, i) for i in range(5)} | two_files()
    source = FaultySource(files)
    plan = imports.plan(source)
    states: dict[int, ImportState] = {}

    def task(index: int) -> None:
        states[index] = imports.run(plan, Task(index=index, count=3))

    threads = [threading.Thread(target=task, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert ImportState.DONE in states.values()
    assert set(states.values()) <= {ImportState.DONE, ImportState.VERIFYING}
    progress = imports.progress(plan)
    assert progress.state is ImportState.DONE
    assert progress.done == plan.size
    assert imports.is_right(plan, source)
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(5)]
    source.stop()


def test_the_token_goes_to_the_hub_alone(imports: Imports) -> None:
    token = "hf_SecretSecretSecret"
    source = FaultySource(two_files())
    source.token = token
    plan = imports.plan(source)
    transfer = Transfer(plan, imports.clients, imports.objects, token=token, options=PATIENT)
    assert transfer.run()
    assert source.hub_requests == len(plan.files)
    assert {request.host for request in source.requests} == {"localhost"}
    assert {request.authorization for request in source.requests} == {""}
    bucket = imports.clients.storage().bucket(imports.bucket)
    small = [name for name in imports.names() if name.endswith(".json")]
    assert small
    assert not [name for name in small if token.encode() in bucket.blob(name).download_as_bytes()]
    source.stop()
