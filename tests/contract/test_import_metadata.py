"""The metadata file of a bucket: many writers, damage, and files of others."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.domain.manifest import ManifestFile, ModelManifest, manifest_name
from llm_widgets.domain.metadata import METADATA_NAME, MetadataFileError
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.progress import FileProgress, ImportProgress, ImportState
from llm_widgets.errors import DeniedError, NotFoundError
from llm_widgets.gcp.storage.buckets import adopt, create_bucket
from llm_widgets.gcp.storage.metadata import read_metadata, update_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.plan import plan_import
from llm_widgets.imports.store import ImportFolder
from tests.contract.product import Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client.clients import Clients

WRITERS = 64
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("metadata"), environment)


@pytest.fixture
def clients(product: Product) -> Iterator[Clients]:
    yield product.clients
    product.faults.reset()


@pytest.fixture
def bucket(clients: Clients) -> str:
    name = f"metadata-{next(_NUMBERS)}"
    create_bucket(clients, "local-project", name, "europe-west1")
    return name


def record(number: int) -> ModelRecord:
    name = f"acme/{number}"
    return ModelRecord(
        name, "huggingface", ModelStatus.IMPORTING, size=number, prefix=f"huggingface/{name}"
    )


def test_no_update_of_many_writers_is_lost(clients: Clients, bucket: str) -> None:
    client = clients.storage()

    def write(number: int) -> None:
        update_metadata(client, bucket, lambda file: file.with_model(record(number)))
        if number % 2:
            ready = replace(record(number), status=ModelStatus.READY)
            update_metadata(client, bucket, lambda file: file.with_model(ready))

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    file, _ = read_metadata(client, bucket)
    assert {model.id for model in file.models} == {f"acme/{i}" for i in range(WRITERS)}
    assert sum(model.status is ModelStatus.READY for model in file.models) == WRITERS // 2


def test_an_update_that_changes_nothing_writes_nothing(clients: Clients, bucket: str) -> None:
    _, before = read_metadata(clients.storage(), bucket)
    update_metadata(clients.storage(), bucket, lambda file: file)
    assert read_metadata(clients.storage(), bucket)[1] == before


def test_a_damaged_file_is_kept_and_rebuilt(clients: Clients, bucket: str) -> None:
    objects = SmallObjects(clients.storage(), bucket)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    digest = Digest(DigestKind.SHA256, "ab" * 32)
    manifest = ModelManifest(
        import_id="abc",
        source="ollama",
        model_id="smollm2:135m",
        revision="c" * 64,
        prefix="ollama/x",
        files=(ManifestFile("a", 5, digest, "AAAAAA=="),),
        submitted_at=now,
        finished_at=now,
    )
    earlier = replace(manifest, import_id="xyz", finished_at=now - timedelta(hours=1), files=())
    objects.write(manifest_name("xyz"), earlier.to_json())
    objects.write(manifest_name("abc"), manifest.to_json())
    objects.write(manifest_name("other"), "no manifest")
    damaged = b'{"models": [{"id": "acme/1", '
    objects.write(METADATA_NAME, damaged)
    with pytest.raises(MetadataFileError, match=f"metadata file of {bucket} is damaged") as told:
        read_metadata(clients.storage(), bucket)
    assert told.value.fix
    assert told.value.fix.action == f"repair-metadata:{bucket}"

    with ThreadPoolExecutor(8) as pool:  # found by many at once
        list(
            pool.map(
                lambda n: update_metadata(
                    clients.storage(), bucket, lambda file: file.with_model(record(n))
                ),
                range(8),
            )
        )
    file, _ = read_metadata(clients.storage(), bucket)
    assert file.models[0] == manifest.record()
    assert len(file.models) == 9
    backups = objects.list("llm-manager-metadata.corrupt-")
    assert [stored.name for stored in backups] == [file.repaired]
    kept = objects.read(file.repaired)
    assert kept
    assert kept[0] == damaged


@pytest.mark.parametrize("text", [b'{"models": [%b,]}', b'{"models": [%b', b'{"models": [}, %b]}'])
def test_damage_loses_nobodys_models(clients: Clients, bucket: str, text: bytes) -> None:
    objects = SmallObjects(clients.storage(), bucket)
    theirs = b'{"id": "acme/1", "source": "huggingface", "size": 5, "status": "completed"}'
    objects.write(METADATA_NAME, text % theirs)
    update_metadata(clients.storage(), bucket, lambda file: file.with_model(record(2)))
    file, _ = read_metadata(clients.storage(), bucket)
    assert [model.id for model in file.models] == ["acme/1", record(2).id]
    kept = objects.read(file.repaired)
    assert kept
    assert kept[0] == text % theirs


def test_imports_that_did_not_end_well_are_in_a_rebuilt_file(clients: Clients, bucket: str) -> None:
    objects = SmallObjects(clients.storage(), bucket)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    digest = Digest(DigestKind.SHA256, "ab" * 32)
    file = HubFile("model.safetensors", 5, digest, url="http://hub/m")

    def imported(name: str, *states: ImportState, said: str = "") -> ModelRecord:
        model = HubModel("huggingface", f"acme/{name}", "c" * 40, (file,))
        plan = plan_import(model, bucket=bucket, project="local-project", requested_by="a@b.c")
        folder = ImportFolder(objects, plan.id)
        folder.write_plan(plan)
        for task, state in enumerate(states):
            files = (FileProgress(file.path, file.size),)
            told = ImportProgress(plan.id, state, files, now, now, message=said)
            folder.write_progress(told, task, None)
        return plan.record(ModelStatus.IMPORTING)

    expected = {
        "acme/running": (ModelStatus.IMPORTING, ""),
        "acme/asked-for": (ModelStatus.IMPORTING, ""),
        "acme/failed": (ModelStatus.FAILED, "The bucket's quota is used up."),
        "acme/cancelled": (ModelStatus.FAILED, "The import was cancelled."),
        "acme/lost": (ModelStatus.FAILED, "Its manifest is gone or damaged."),
        "acme/ready": (ModelStatus.READY, ""),
    }
    imported("running", ImportState.RUNNING, ImportState.STARTING)
    imported("asked-for")
    imported("failed", ImportState.RUNNING, ImportState.FAILED, said=expected["acme/failed"][1])
    imported("cancelled", ImportState.CANCELLED, said=expected["acme/cancelled"][1])
    imported("lost", ImportState.DONE)
    ready = imported("ready", ImportState.VERIFYING)
    manifest = ModelManifest(
        ready.import_id, ready.source, ready.id, ready.revision, ready.prefix, (), now, now
    )
    objects.write(manifest_name(ready.import_id), manifest.to_json())
    objects.write("llm-manager/imports/other/plan.json", "17")
    objects.write("llm-manager/imports/other/progress/0.json", "no progress")
    objects.write(METADATA_NAME, "")

    rebuilt = update_metadata(clients.storage(), bucket, lambda found: found)
    assert {model.id: (model.status, model.error) for model in rebuilt.models} == expected
    running = next(model for model in rebuilt.models if model.id == "acme/running")
    assert (running.size, running.file_count, running.imported_by) == (5, 1, "a@b.c")
    assert read_metadata(clients.storage(), bucket)[0] == rebuilt


def test_the_file_of_the_application_before_this_one(clients: Clients, bucket: str) -> None:
    objects = SmallObjects(clients.storage(), bucket)
    old = {
        "description": "LLM Manager",
        "models": [
            {"id": "a/b", "source": "huggingface", "status": "completed", "size": 1, "buildId": "x"}
        ],
    }
    objects.write(METADATA_NAME, json.dumps(old))
    update_metadata(clients.storage(), bucket, lambda file: file.with_model(record(2)))
    found = objects.read(METADATA_NAME)
    assert found
    written = json.loads(found[0])
    assert written["models"][0]["buildId"] == "x"
    assert [model["id"] for model in written["models"]] == ["a/b", "acme/2"]


def test_making_a_bucket_one_of_models_keeps_what_is_there(clients: Clients, bucket: str) -> None:
    update_metadata(clients.storage(), bucket, lambda file: file.with_model(record(1)))
    adopt(clients, bucket)
    assert read_metadata(clients.storage(), bucket)[0].models == (record(1),)
    SmallObjects(clients.storage(), bucket).delete(METADATA_NAME)
    with pytest.raises(NotFoundError, match=r"has no llm-manager-metadata\.json"):
        read_metadata(clients.storage(), bucket)
    with pytest.raises(NotFoundError) as mistyped:
        read_metadata(clients.storage(), f"{bucket}-mistyped")
    assert mistyped.value.cause == "The specified bucket does not exist."
    adopt(clients, bucket)
    assert read_metadata(clients.storage(), bucket)[0].models == ()


def test_a_file_that_may_not_be_written(clients: Clients, bucket: str, product: Product) -> None:
    product.faults.update(denied_permissions=["storage.objects.create"])
    with pytest.raises(DeniedError, match=r"storage\.objects\.create"):
        update_metadata(clients.storage(), bucket, lambda file: file.with_model(record(1)))
