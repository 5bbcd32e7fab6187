"""What Cloud Storage, the bucket and the rights on it do wrong while an import runs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from google.api_core.exceptions import Conflict

from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import ImportState
from llm_widgets.errors import DeniedError, NotFoundError
from llm_widgets.imports.verify import FileCheck, verify_model
from llm_widgets.transfer.share import Task
from llm_widgets.transfer.transfer import Transfer
from local_cloud.testing.waiting import until
from tests.faults.faulty_source import Fault, FaultySource, Request
from tests.faults.importing import PATIENT, QUICK, Imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.conftest import StorageCloud


def in_the_middle(act: Callable[[], None]) -> Callable[[int, Request], Fault]:
    """Do something when the third part is asked for."""

    def plan(number: int, _: Request) -> Fault:
        if number == 2:
            act()
        return Fault()

    return plan


def abort_uploads(imports: Imports, name: str) -> None:
    """Abort the uploads of a file; those of others may be completed at the same time."""
    session, bucket = imports.clients.session, f"{imports.clients.url('')}/{imports.bucket}"
    listed = ET.fromstring(session.get(f"{bucket}?uploads").content)
    for upload in listed.iterfind("{*}Upload"):
        key, upload_id = upload.findtext("{*}Key"), upload.findtext("{*}UploadId")
        if str(key).endswith(f"/{name}"):
            assert session.delete(f"{bucket}/{key}?uploadId={upload_id}").ok


@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_of_uploads(
    method: str, status: int, imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    match = f"^{method} /{imports.bucket}/"
    storage_cloud.faults.update(failures=[{"match": match, "status": status, "times": 3}])
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_other_bytes_when_a_part_is_read_again(
    imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    refused = {"match": f"^PUT /{imports.bucket}/", "status": 503, "times": 1}
    storage_cloud.faults.update(failures=[refused])
    seen: set[tuple[str, int]] = set()

    def changed(_: int, request: Request) -> Fault:
        key = (request.path.partition("?")[0], request.first)
        is_again = key in seen
        seen.add(key)
        return Fault(corrupt=is_again)

    source.plan = changed
    plan = imports.plan(source)
    # One worker: every part is hashed as it comes, and so not kept.
    alone = replace(PATIENT, workers=1, min_workers=1)
    assert imports.run(plan, options=alone) is ImportState.FAILED
    assert "two different answers" in imports.progress(plan).message
    assert imports.names(plan.prefix) == []
    source.plan = lambda *_: Fault()
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_lasting_failure_of_uploads(
    imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    match = f"^PUT /{imports.bucket}/"
    storage_cloud.faults.update(failures=[{"match": match, "status": 503}])
    plan = imports.plan(source)
    state = imports.run(plan, options=QUICK)
    assert state is ImportState.FAILED
    progress = imports.progress(plan)
    assert f"Gave up writing to gs://{imports.bucket}" in progress.message
    assert "503" in progress.cause


def test_a_worker_with_attempts_left_does_not_fail_the_import(
    imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    match = f"^PUT /{imports.bucket}/"
    storage_cloud.faults.update(failures=[{"match": match, "status": 503}])
    plan = imports.plan(source)
    assert imports.run(plan, Task(attempt=0, retries=1), QUICK) is ImportState.RUNNING
    assert "Trying again" in imports.progress(plan).message
    storage_cloud.faults.reset()
    assert imports.run(plan, Task(attempt=1, retries=1)) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_a_failure_that_stays_is_not_tried_again(imports: Imports, source: FaultySource) -> None:
    source.token = "nobody-has-it"
    plan = imports.plan(source)
    assert imports.run(plan, Task(attempt=0, retries=3)) is ImportState.FAILED
    asked = source.hub_requests
    assert imports.run(plan, Task(attempt=1, retries=3)) is ImportState.FAILED
    assert source.hub_requests == asked


def test_a_quota(imports: Imports, source: FaultySource, storage_cloud: StorageCloud) -> None:
    failure = {
        "match": f"^PUT /{imports.bucket}/",
        "status": 403,
        "message": "The project exceeded the storage quota of its bucket.",
    }
    storage_cloud.faults.update(failures=[failure])
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.FAILED
    progress = imports.progress(plan)
    assert progress.message.startswith(f"Can't write to gs://{imports.bucket}: a quota")
    assert progress.cause == failure["message"]  # not the JSON that it came in
    assert "higher quota" in progress.fix
    assert imports.names(plan.prefix) == []


def test_uploads_are_no_longer_permitted(
    imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    def deny() -> None:
        denied = ["storage.multipartUploads.*", "storage.objects.create"]
        storage_cloud.faults.update(denied_permissions=denied)

    source.plan = in_the_middle(deny)
    plan = imports.plan(source)
    with pytest.raises(DeniedError, match=f"gs://{imports.bucket}") as told:
        imports.run(plan)
    assert "Object User" in str(told.value) or "objectUser" in str(told.value)
    assert imports.names(plan.prefix) == []
    storage_cloud.faults.reset()
    source.plan = lambda _number, _request: Fault()
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_the_bucket_is_deleted(imports: Imports, source: FaultySource) -> None:
    def delete() -> None:
        bucket, is_there = imports.clients.storage().bucket(imports.bucket), True
        while is_there:
            with suppress(Conflict):  # the import has written something meanwhile
                bucket.delete(force=True)
                is_there = False

    source.plan = in_the_middle(delete)
    plan = imports.plan(source)
    with pytest.raises(NotFoundError, match=f"gs://{imports.bucket} is gone|There is no import"):
        imports.run(plan)


def test_an_access_token_that_expires_is_renewed(imports: Imports, source: FaultySource) -> None:
    def expire() -> None:
        imports.clients.credentials.token = "expired"

    source.plan = in_the_middle(expire)
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_a_crash_after_publication_moves_nothing_again(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    transfer = Transfer(plan, imports.clients, imports.objects, options=PATIENT)
    assert transfer.run()
    imports.objects.delete(f"llm-manager/models/{plan.id}.json")  # as if it died before this
    assert imports.names(f"{plan.folder}/files/")
    sent = source.sent
    assert imports.run(plan) is ImportState.DONE
    assert source.sent == sent
    assert imports.is_right(plan, source)
    assert imports.record().status is ModelStatus.READY


def test_an_unfinished_upload_that_was_aborted_is_begun_again(
    imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    plan = imports.plan(source)
    storage_cloud.faults.update(
        failures=[{"match": f"^POST /{imports.bucket}/huggingface", "status": 500, "times": 0}]
    )
    transfer = Transfer(plan, imports.clients, imports.objects, options=PATIENT)
    transfer.run()
    for file in plan.files:  # a verified file whose upload and object are both gone
        imports.objects.delete(plan.object_name(file))
    imports.objects.delete(f"llm-manager/models/{plan.id}.json")
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_an_object_that_an_earlier_request_still_puts_together(
    imports: Imports, source: FaultySource, storage_cloud: StorageCloud
) -> None:
    faults, name = storage_cloud.faults, "model.safetensors"
    complete = f"^POST /{imports.bucket}/.*/{name}$"
    look = f"^GET /storage/v1/b/{imports.bucket}/o/.*/{name}$"
    source.plan = in_the_middle(lambda: faults.update(holds=[complete, look]))
    plan = imports.plan(source)
    transfer = Transfer(plan, imports.clients, imports.objects, options=PATIENT)
    with ThreadPoolExecutor(1) as pool:
        try:
            done = pool.submit(transfer.run)
            until(lambda: faults.held == 1)
            sent = source.sent
            abort_uploads(imports, name)  # to this request, as if another one had completed it
            faults.release()
            until(lambda: faults.held == 1)
            (large,) = (file for file in plan.files if file.path == name)
            imports.objects.write(plan.object_name(large), source.files[name])
        finally:
            faults.reset()
        assert done.result()
    assert source.sent == sent
    assert imports.names(plan.prefix)


def test_a_finished_import_is_looked_at_and_not_moved_again(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    requests = len(source.requests)
    assert imports.run(plan) is ImportState.DONE
    assert len(source.requests) == requests


def test_a_damaged_model_is_repaired_by_importing_it_again(
    imports: Imports, source: FaultySource
) -> None:
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert verify_model(imports.clients, imports.bucket, imports.record()).is_whole
    imports.objects.write(plan.object_name(plan.files[0]), b"overwritten")
    imports.objects.delete(plan.object_name(plan.files[1]))
    damaged = verify_model(imports.clients, imports.bucket, imports.record())
    assert damaged.files["config.json"] is FileCheck.MISSING
    assert damaged.files["model.safetensors"] is FileCheck.CHANGED
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_nothing_is_visible_before_everything_is(imports: Imports, source: FaultySource) -> None:
    seen: list[str] = []
    done = threading.Event()
    plan = imports.plan(source)

    def look(_number: int, request: Request) -> Fault:
        if request.path == "model.safetensors" and request.first:
            seen.extend(imports.names(plan.prefix))
            done.set()
        return Fault()

    source.plan = look
    assert imports.run(plan) is ImportState.DONE
    assert done.is_set()
    assert seen == []
