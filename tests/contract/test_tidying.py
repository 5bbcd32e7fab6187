"""What buckets store, and deleting what nobody needs: nothing else goes, unknown stays unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from google.cloud import run_v2

from llm_widgets.cli.listed import buckets as commands
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.storage_use import BucketUse, Kind, Use
from llm_widgets.errors import ConflictError, InUseError, ManagerError, NotFoundError
from llm_widgets.gcp.project.projects import Project
from llm_widgets.gcp.run import services
from llm_widgets.gcp.storage import buckets
from llm_widgets.gcp.storage.metadata import update_metadata
from llm_widgets.manager import Manager, tidying
from llm_widgets.page.models.storage import Measured, StorageState
from local_cloud.testing.waiting import until
from tests.contract.models_tab import ModelsTab, opened
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.gcp.client.lazy import storage

LATER = datetime.now(UTC) + timedelta(days=2)
PARENT = f"projects/{PROJECT}/locations/us-central1"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("tidying"), environment)


@pytest.fixture
def bucket(product: Product, request: pytest.FixtureRequest) -> Iterator[storage.Bucket]:
    """A bucket of models with no model in it, of the test's own name."""
    name = request.node.name.replace("_", "-")[:60].strip("-")
    buckets.create_bucket(product.clients, PROJECT, name, REGION)
    yield product.clients.storage(PROJECT).get_bucket(name)
    product.faults.reset()


def add_model(product: Product, bucket: str, prefix: str) -> ModelRecord:
    *_, owner, name, revision = prefix.split("/")
    record = ModelRecord(
        f"{owner}/{name}", "huggingface", ModelStatus.READY, revision=revision, prefix=prefix
    )
    update_metadata(product.clients.storage(), bucket, lambda file: file.with_model(record))
    return record


def write(bucket: storage.Bucket, **files: bytes) -> None:
    for name, content in files.items():
        bucket.blob(name).upload_from_string(content)


def names(bucket: storage.Bucket) -> set[str]:
    return {blob.name for blob in bucket.list_blobs()}


def mount(product: Product, service_id: str, bucket: str, *options: str) -> None:
    gcs = run_v2.GCSVolumeSource(bucket=bucket, read_only=True, mount_options=list(options))
    template = run_v2.RevisionTemplate(
        containers=[run_v2.Container(image="us-docker.pkg.dev/cloudrun/container/hello")],
        volumes=[run_v2.Volume(name="models", gcs=gcs)],
    )
    asked = run_v2.Service(template=template)
    product.clients.services.create_service(parent=PARENT, service=asked, service_id=service_id)


def read(product: Product, bucket: storage.Bucket) -> BucketUse:
    return tidying.read(product.clients, PROJECT, bucket.name, now=LATER)


def test_bytes_are_told_by_kind(product: Product, bucket: storage.Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.soft_delete_policy.retention_duration_seconds = 7 * 24 * 3600
    bucket.patch()
    write(bucket, **{"notes/a": b"12345"})
    write(bucket, **{"notes/a": b"123"})
    gone = bucket.blob("notes/b")
    gone.upload_from_string(b"1234567")
    bucket.blob("notes/b", generation=gone.generation).delete()
    session = product.clients.session
    url = f"{product.cloud.url}/{bucket.name}/notes/c"
    opened = session.post(f"{url}?uploads").text
    upload = opened.partition("<UploadId>")[2].partition("<")[0]
    session.put(f"{url}?partNumber=1&uploadId={upload}", data=b"x" * 11)
    found = read(product, bucket)
    own = bucket.get_blob(METADATA_NAME).size
    assert (found.live_bytes, found.noncurrent) == (own + 3, 5)
    assert (found.of(Use.OWN), found.of(Use.OTHER)) == (own, 3)
    assert (found.soft_deleted, found.unfinished) == (7, 11)
    assert found.soft_deleted_until is not None
    assert [sentence.partition(" is on")[0] for sentence in found.effects] == [
        "Object Versioning",
        "Soft delete",
    ]
    assert found.problems == ()


def test_what_can_not_be_read_is_unknown(product: Product, bucket: storage.Bucket) -> None:
    product.faults.update(denied_permissions=["storage.objects.list"])
    denied = read(product, bucket)
    assert (denied.live, denied.noncurrent, denied.soft_deleted) == (None, None, None)
    assert (denied.findings, denied.not_empty) == (None, None)
    assert denied.unfinished == 0
    assert len(denied.problems) == 1
    product.faults.update(denied_permissions=["storage.multipartUploads.list"])
    assert read(product, bucket).unfinished is None
    product.faults.update(denied_permissions=["storage.buckets.get"])
    (unopened,) = tidying.read_all(product.clients, PROJECT, [bucket.name])
    assert (unopened.live, unopened.is_empty) == (None, None)
    assert "storage.buckets.get" in unopened.problems[0].message


def test_only_a_folder_without_an_entry_goes(product: Product, bucket: storage.Bucket) -> None:
    model = "huggingface/a/m/0123456789abcdef"
    add_model(product, bucket.name, model)
    kept = {f"{model}/config.json": b"{}", "huggingface/a/m2/1/config.json": b"{}"}
    write(
        bucket, **kept, **{"huggingface/a/m/old/config.json": b"{}", "huggingface/a/m/old/w": b"w"}
    )
    found = {each.folder: each for each in read(product, bucket).findings or ()}
    assert {folder: each.kind for folder, each in found.items()} == {
        model: Kind.MODEL,
        "huggingface/a/m/old": Kind.LOOSE,
        "huggingface/a/m2": Kind.LOOSE,
    }
    old = found["huggingface/a/m/old"]
    assert (old.size, len(old.objects)) == (3, 2)
    assert old.written_at
    assert (datetime.now(UTC) - old.written_at).total_seconds() < 600
    for folder in (model, "huggingface", "huggingface/a/m", "../x", ""):
        with pytest.raises(NotFoundError):
            tidying.delete_folder(product.clients, PROJECT, bucket.name, folder, now=LATER)
    tidying.delete_folder(product.clients, PROJECT, bucket.name, "huggingface/a/m/old", now=LATER)
    assert names(bucket) == {METADATA_NAME, *kept}


def test_a_copy_within_a_model_goes_alone(product: Product, bucket: storage.Bucket) -> None:
    model = "huggingface/a/copied/0123456789abcdef"
    add_model(product, bucket.name, model)
    weights = b"w" * 2**20
    write(bucket, **{f"{model}/w": weights, f"{model}/copied/w": weights})
    folders = {each.folder: each.kind for each in read(product, bucket).findings or ()}
    assert folders == {model: Kind.MODEL, f"{model}/copied": Kind.COPY}
    tidying.delete_folder(product.clients, PROJECT, bucket.name, f"{model}/copied", now=LATER)
    assert names(bucket) == {METADATA_NAME, f"{model}/w"}


def test_what_is_left_of_an_import_goes(product: Product, bucket: storage.Bucket) -> None:
    left, named = "llm-manager/imports/left", "llm-manager/imports/named"
    write(bucket, **{f"{left}/plan.json": b"{}", f"{named}/plan.json": b"{}"})
    record = replace(add_model(product, bucket.name, "huggingface/a/m/1"), import_id="named")
    client = product.clients.storage()
    update_metadata(client, bucket.name, lambda file: file.with_model(record))
    mount(product, "mounts-all", bucket.name)
    (found,) = (e for e in read(product, bucket).findings or () if e.kind is Kind.IMPORT)
    assert (found.folder, found.refusal) == (left, "")
    with pytest.raises(ConflictError, match="can't be deleted"):
        tidying.delete_folder(product.clients, PROJECT, bucket.name, left)
    tidying.delete_folder(product.clients, PROJECT, bucket.name, left, now=LATER)
    assert names(bucket) == {METADATA_NAME, f"{named}/plan.json"}
    services.delete(product.clients, f"{PARENT}/services/mounts-all").result()


def test_what_is_being_written_stays(product: Product, bucket: storage.Bucket) -> None:
    write(bucket, **{"huggingface/a/m/1/config.json": b"{}"})
    with pytest.raises(ConflictError, match="24 hours"):
        tidying.find(product.clients, PROJECT, bucket.name, "huggingface/a")
    record = add_model(product, bucket.name, "huggingface/a/m/1")
    importing = replace(record, status=ModelStatus.IMPORTING)
    client = product.clients.storage()
    update_metadata(client, bucket.name, lambda file: file.with_model(importing))
    assert read(product, bucket).findings == ()


def test_an_entry_that_is_unread_may_own_any_folder(
    product: Product, bucket: storage.Bucket
) -> None:
    write(bucket, **{"notes/x": b"x"})
    bucket.blob(METADATA_NAME).upload_from_string('{"models": [{"odd": 1}]}')
    (found,) = read(product, bucket).findings or ()
    assert "can't be read" in found.refusal


def test_what_services_of_other_regions_mount_stays(
    product: Product, bucket: storage.Bucket
) -> None:
    used, unused = "huggingface/a/used/1", "huggingface/a/unused/1"
    for prefix in (used, unused):
        add_model(product, bucket.name, prefix)
        write(bucket, **{f"{prefix}/config.json": b"{}"})
    write(bucket, **{"mine/w": b"w"})
    mount(product, "reads-model", bucket.name, f"only-dir={used}")
    mount(product, "reads-folder", bucket.name, "only-dir=mine")
    found = {each.folder: each for each in read(product, bucket).findings or ()}
    assert set(found) == {unused, "mine"}
    assert found[unused].used_by == ""
    use = read(product, bucket)
    assert (use.of(Use.USED), use.of(Use.UNUSED), use.of(Use.OTHER)) == (2, 2, 1)
    with pytest.raises(InUseError, match="reads-folder"):
        tidying.delete_folder(product.clients, PROJECT, bucket.name, "mine", now=LATER)
    for service in ("reads-model", "reads-folder"):
        services.delete(product.clients, f"{PARENT}/services/{service}").result()


def test_what_an_older_revision_mounts_stays_while_it_serves(
    product: Product, bucket: storage.Bucket
) -> None:
    before, after = "huggingface/a/before/1", "huggingface/a/after/1"
    for prefix in (before, after):
        add_model(product, bucket.name, prefix)
        write(bucket, **{f"{prefix}/config.json": b"{}"})
    mount(product, "rolled-back", bucket.name, f"only-dir={before}")
    name = f"{PARENT}/services/rolled-back"
    service = services.get(product.clients, name)
    old = until(lambda: services.get(product.clients, name).latest_created_revision)
    service.template.volumes[0].gcs.mount_options = [f"only-dir={after}"]
    kind = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION
    revision = old.rpartition("/")[2]
    service.traffic = [run_v2.TrafficTarget(type_=kind, revision=revision, percent=100)]
    product.clients.services.update_service(service=service)
    until(lambda: services.get(product.clients, name).latest_created_revision != old)
    assert read(product, bucket).of(Use.UNUSED) == 0
    assert read(product, bucket).findings == ()
    services.delete(product.clients, name).result()


def test_a_region_without_an_answer_makes_use_unknown(
    product: Product, bucket: storage.Bucket
) -> None:
    add_model(product, bucket.name, "huggingface/a/m/1")
    write(bucket, **{"mine/w": b"w"})
    failure = {"match": "/locations/asia-southeast1/services", "status": 403, "message": "No."}
    product.faults.update(failures=[failure])
    found = read(product, bucket).findings or ()
    assert [each.used_by for each in found] == [None, None]
    assert {each.shown()["used_by"] for each in found} == {"unknown"}
    told = read(product, bucket)
    assert (told.of(Use.UNSURE), told.of(Use.OTHER)) == (0, 1)
    (problem,) = told.problems
    assert "asia-southeast1" in problem.message
    with pytest.raises(InUseError, match="asia-southeast1"):
        tidying.delete_folder(product.clients, PROJECT, bucket.name, "mine", now=LATER)
    update_metadata(product.clients.storage(), bucket.name, lambda file: replace(file, models=()))
    bucket.blob("mine/w").delete()
    with pytest.raises(InUseError, match="asia-southeast1"):
        tidying.delete_bucket(product.clients, PROJECT, bucket.name)
    assert bucket.exists()


def test_a_bucket_goes_only_when_it_is_empty(product: Product, bucket: storage.Bucket) -> None:
    def delete() -> None:
        tidying.delete_bucket(product.clients, PROJECT, bucket.name)

    bucket.versioning_enabled = True
    bucket.patch()
    write(bucket, x=b"1")
    with pytest.raises(ConflictError, match="1 object"):
        delete()
    bucket.blob("x").delete()
    with pytest.raises(ConflictError, match="1 noncurrent version"):
        delete()
    (old,) = [blob for blob in bucket.list_blobs(versions=True) if blob.name == "x"]
    bucket.blob("x", generation=old.generation).delete()
    record = add_model(product, bucket.name, "huggingface/a/m/1")
    with pytest.raises(ConflictError, match="names models"):
        delete()
    client = product.clients.storage()
    update_metadata(client, bucket.name, lambda file: file.without(record.key))
    product.faults.update(denied_permissions=["storage.buckets.delete"])
    with pytest.raises(ManagerError, match="Can't delete the bucket"):
        delete()
    assert names(bucket) == {METADATA_NAME}  # it is still a bucket of models
    product.faults.reset()
    assert read(product, bucket).not_empty == ""
    delete()
    assert not bucket.exists()


def test_a_mounted_bucket_stays(product: Product, bucket: storage.Bucket) -> None:
    mount(product, "mounts-empty", bucket.name)
    with pytest.raises(InUseError, match="mounts-empty"):
        tidying.delete_bucket(product.clients, PROJECT, bucket.name)
    services.delete(product.clients, f"{PARENT}/services/mounts-empty").result()


def test_a_bucket_of_something_else_stays(product: Product) -> None:
    client = product.clients.storage(PROJECT)
    foreign = client.create_bucket("of-something-else", location=REGION)
    with pytest.raises(NotFoundError):
        tidying.delete_bucket(product.clients, PROJECT, foreign.name)
    assert foreign.exists()


def test_the_command_line_asks_for_the_name(bucket: storage.Bucket) -> None:
    write(bucket, **{"mine/w": b"w"})

    def run(*words: str, typed: str = "") -> str:
        done = CliRunner().invoke(commands, [*words, "--project", PROJECT], input=typed)
        return f"{done.exit_code} {done.output}"

    told = run("use", bucket.name)
    assert "noncurrent bytes" in told
    assert "folder without an entry" in told
    assert "yes" not in next(line for line in run("use").splitlines() if bucket.name in line)
    assert "24 hours" in run("tidy", bucket.name)
    bucket.blob("mine/w").delete()
    assert "yes" in next(line for line in run("use").splitlines() if bucket.name in line)
    assert run("delete", bucket.name, typed="other\n").startswith("1 ")
    assert bucket.exists()
    assert f"Deleted the bucket {bucket.name}." in run("delete", bucket.name, typed=bucket.name)
    assert not bucket.exists()


def test_python_lists_and_deletes(product: Product, bucket: storage.Bucket) -> None:
    manager = Manager(PROJECT, product.settings)
    write(bucket, **{"mine/w": b"w"})
    (use,) = manager.storage_use(bucket.name)
    assert use.live_bytes == bucket.get_blob(METADATA_NAME).size + 1
    (found,) = manager.tidy(bucket.name)
    assert found.what == "mine"
    with pytest.raises(ConflictError):
        manager.delete_folder(bucket.name, "mine")
    bucket.blob("mine/w").delete()
    manager.delete_bucket(bucket.name)
    assert bucket.name not in {each.name for each in manager.buckets()}


@pytest.fixture
def tab(product: Product, bucket: storage.Bucket) -> Iterator[ModelsTab]:
    """An open page, which knows the bucket."""
    for opened_tab in opened(product):
        assert opened_tab.models.bucket(bucket.name)
        yield opened_tab


def measured(state: StorageState, bucket: storage.Bucket) -> Measured:
    """Wait until a bucket is measured."""

    def find() -> Measured | None:
        found = state.measured.get(bucket.name)
        return None if found is None or found.is_measuring else found

    return until(find)


def outcome(delete: Callable[..., None], *what: str) -> ManagerError | None:
    """Delete something on the page, and return why that failed."""
    answers: list[ManagerError | None] = []
    delete(*what, deleted=lambda: answers.append(None), failed=answers.append)
    until(lambda: answers)
    return answers[0]


def test_the_page_measures_when_asked_and_when_it_lists_again(
    tab: ModelsTab, bucket: storage.Bucket
) -> None:
    state = tab.models.storage
    assert state.measured == {}
    state.measure(bucket.name)
    first = measured(state, bucket).use
    assert first
    assert first.is_empty
    write(bucket, **{"mine/w": b"w"})
    tab.refresh()
    second = until(lambda: (now := measured(state, bucket).use) is not first and now)
    assert (second.of(Use.OTHER), second.is_empty) == (1, False)
    tab.session.project = Project("another-project", "1", "another")
    assert state.measured == {}


def test_a_measurement_that_nobody_waits_for_is_not_shown(
    tab: ModelsTab, bucket: storage.Bucket, product: Product
) -> None:
    product.faults.update(delays={f"/b/{bucket.name}/o": 0.3})
    tab.models.storage.measure(bucket.name)
    tab.models.storage.dismiss(bucket.name)
    until(lambda: tab.session.background.under_way == 0)
    assert tab.models.storage.measured == {}


def test_the_page_names_the_permission_that_is_missing(
    tab: ModelsTab, bucket: storage.Bucket, product: Product
) -> None:
    state = tab.models.storage
    product.faults.update(denied_permissions=["storage.objects.list"])
    state.measure(bucket.name)
    use = measured(state, bucket).use
    assert use
    (problem,) = use.problems
    assert "storage.objects.list" in f"{problem.message} {problem.cause}"
    assert problem.fix
    assert "gcloud storage buckets add-iam-policy-binding" in problem.fix.command
    product.faults.update(denied_permissions=["storage.buckets.get"])
    state.measure(bucket.name)
    error = until(lambda: measured(state, bucket).error)
    assert "storage.buckets.get" in f"{error.message} {error.cause}"


def test_the_page_deletes_a_folder_and_measures_again(
    tab: ModelsTab, bucket: storage.Bucket
) -> None:
    write(bucket, **{"mine/w": b"w", "yours/w": b"w"})
    young = outcome(tab.models.storage.delete_folder, bucket.name, "mine")
    assert isinstance(young, ConflictError)
    assert "24 hours" in young.cause
    state = StorageState(tab.session, tab.models.refresh, now=lambda: LATER)

    def found() -> set[str]:
        use = measured(state, bucket).use
        assert use
        return {each.what for each in use.findings or ()}

    state.measure(bucket.name)
    assert found() == {"mine", "yours"}
    assert outcome(state.delete_folder, bucket.name, "mine") is None
    until(lambda: found() == {"yours"})
    assert names(bucket) == {METADATA_NAME, "yours/w"}
    assert f"mine was deleted from {bucket.name}." in tab.notices


def test_the_page_deletes_an_empty_bucket_and_lists_it_no_more(
    tab: ModelsTab, bucket: storage.Bucket
) -> None:
    state = tab.models.storage
    write(bucket, x=b"1")
    refused = outcome(state.delete_bucket, bucket.name)
    assert refused
    assert refused.cause == "It holds 1 object."
    bucket.blob("x").delete()
    state.measure(bucket.name)
    assert measured(state, bucket).use
    assert outcome(state.delete_bucket, bucket.name) is None
    until(lambda: tab.models.bucket(bucket.name) is None)
    assert state.measured == {}
    assert not bucket.exists()
