"""Whoever may write objects in one bucket gets nothing else by what he writes there."""

from __future__ import annotations

import hashlib
import json
import threading
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_widgets.documents import manifests, metadata, plans, progress, reading
from llm_widgets.domain.imports import DigestKind
from llm_widgets.domain.metadata import METADATA_NAME, MetadataFileError
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import DocumentError, ManagerError
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.gcp.storage.buckets import create_bucket
from llm_widgets.gcp.storage.metadata import read_metadata, update_metadata
from llm_widgets.imports import plan, start
from llm_widgets.imports.remove import remove_model
from llm_widgets.imports.store import WorkerNote
from llm_widgets.imports.worker import run_import
from llm_widgets.manager.bucket_models import read_project
from llm_widgets.page.models.models import row_id
from llm_widgets.serving import checks, recipes
from llm_widgets.transfer.checkpoint import Checkpoint
from llm_widgets.transfer.hashing import SavableSha256, resumed_hasher
from local_cloud.access import Access
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MODEL, SHA = "acme/llm", "0" * 39 + "1"
CONTENT = b"EVIL WEIGHTS"
PREFIX = f"huggingface/{MODEL}/{SHA}"
NOW = "2026-12-01T00:00:00+00:00"
PAYROLL = f"projects/{PROJECT}/secrets/payroll"


class Elsewhere:
    """A server of the attacker's: nobody is to ask it for anything."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(f"{self.path} {self.headers.get('Authorization')}")
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                self.wfile.write(CONTENT)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/model"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for made in running(tmp_path_factory.mktemp("documents"), environment):
            parent: Any = {
                "parent": f"projects/{PROJECT}",
                "secret_id": "payroll",
                "secret": {"replication": {"automatic": {}}},
            }
            made.clients.secrets.create_secret(request=parent)
            payload: Any = {"parent": PAYROLL, "payload": {"data": b"TOP SECRET"}}
            made.clients.secrets.add_secret_version(request=payload)
            for bucket in ("planted", "others"):
                create_bucket(made.clients, PROJECT, bucket, REGION)
            put(made, "others", f"{PREFIX}/model.safetensors", b"the real weights")
            yield made


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    made = Elsewhere()
    yield made
    made.stop()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record what the local cloud is asked for: permission and resource of every call."""
    return recorded(monkeypatch)


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    granted = Access.granted

    def note(self: Access, caller: Any, permissions: Any, resource: str) -> list[str]:
        wanted = list(permissions)
        made.extend((permission, resource) for permission in wanted)
        return granted(self, caller, wanted, resource)

    monkeypatch.setattr(Access, "granted", note)
    return made


def put(product: Product, bucket: str, name: str, content: bytes | str) -> None:
    product.clients.storage(PROJECT).bucket(bucket).blob(name).upload_from_string(content)


def everything(product: Product, bucket: str) -> dict[str, int]:
    """Return the objects of a bucket and their generations."""
    found = product.clients.storage(PROJECT).list_blobs(bucket)
    return {blob.name: blob.generation for blob in found}


def planted(bucket: str, url: str, /, **changes: Any) -> tuple[str, dict[str, Any]]:
    """Return a plan with its right id, as far as that can be, and everything else foreign."""
    import_id = plan.import_id(bucket, "huggingface", MODEL, SHA, ["model.bin"])
    digest = {"kind": "sha256", "value": hashlib.sha256(CONTENT).hexdigest()}
    file = {"path": "model.bin", "size": len(CONTENT), "digest": digest, "url": url}
    document = {
        "version": 1,
        "id": import_id,
        "bucket": bucket,
        "project": PROJECT,
        "source": "huggingface",
        "model_id": MODEL,
        "revision": SHA,
        "prefix": PREFIX,
        "files": [file],
        "created_at": NOW,
        "token_secret": f"{PAYROLL}/versions/1",
        **changes,
    }
    return import_id, document


def untouched(calls: list[tuple[str, str]]) -> None:
    """See that no secret was asked for, and nothing of the other bucket was changed."""
    assert not [call for call in calls if "payroll" in call[1]]
    assert not [call for call in calls if call[0] == "secretmanager.versions.access"]
    changing = ("storage.objects.create", "storage.objects.delete")
    assert not [call for call in calls if call[0] in changing and call[1].endswith("/others")]


@pytest.mark.parametrize("act", ["worker", "resume", "cancel", "remove"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bucket": "others"},
        {"id": "../../../x", "bucket": "others"},
        {"prefix": "huggingface/org/other/rev"},
        {"project": "demo-project"},
    ],
    ids=["secret and address", "bucket", "id", "folder", "project"],
)
def test_a_planted_plan_is_not_taken_for_an_order(
    product: Product,
    elsewhere: Elsewhere,
    calls: list[tuple[str, str]],
    changes: dict[str, Any],
    act: str,
) -> None:
    import_id, document = planted("planted", elsewhere.url, **changes)
    put(product, "planted", f"llm-manager/imports/{import_id}/plan.json", json.dumps(document))
    record = ModelRecord(
        MODEL,
        "huggingface",
        ModelStatus.FAILED,
        revision=SHA,
        prefix=PREFIX,
        import_id=import_id,
    )
    before = everything(product, "others")
    calls.clear()
    acts: dict[str, Callable[[], object]] = {
        "worker": lambda: run_import(product.clients, "planted", import_id),
        "resume": lambda: resumed(product, import_id),
        "cancel": lambda: start.cancel_import(product.clients, "planted", import_id),
        "remove": lambda: remove_model(product.clients, "planted", record),
    }
    with suppress(ManagerError):
        acts[act]()
    assert elsewhere.asked == []
    assert everything(product, "others") == before
    untouched(calls)


def resumed(product: Product, import_id: str) -> None:
    """Resume an import with a process of this machine, and wait until it has ended."""
    here = replace(product.settings, image="")
    start.resume_import(product.clients, here, "planted", import_id)

    def is_over() -> bool:
        found = start.read_progress(product.clients, "planted", import_id)
        return found is not None and found.state.is_final

    until(is_over)


def test_what_is_done_follows_from_the_model(product: Product) -> None:
    import_id, document = planted("planted", "https://example.com/x", prefix="a/b", id="../x")
    raw = json.dumps(document)
    read = plans.read(raw, bucket="planted", import_id=import_id)
    found = plan.checked(read, product.settings)
    assert (found.bucket, found.id, found.project, found.prefix) == (
        "planted",
        import_id,
        "",
        PREFIX,
    )
    hub = product.settings.variables["HF_ENDPOINT"]
    assert found.files[0].url == f"{hub}/{MODEL}/resolve/{SHA}/model.bin"


@pytest.mark.parametrize(
    "changes",
    [
        {"model_id": "org/other"},
        {"model_id": "../../others"},
        {"revision": "main/../../x"},
        {"source": "nowhere"},
        {"files": []},
        {"facts": []},
        {"created_at": "yesterday"},
        {"created_at": "9999-12-31T23:59:59+00:00"},
        {"version": 2},
        {"files": [{"path": "x"}]},
    ],
    ids=str,
)
def test_a_plan_that_this_product_does_not_make(product: Product, changes: dict[str, Any]) -> None:
    import_id, document = planted("planted", "https://example.com/x", **changes)
    with pytest.raises(DocumentError):
        plan.checked(
            plans.read(json.dumps(document), bucket="planted", import_id=import_id),
            product.settings,
        )


@pytest.mark.parametrize("import_id", ["../x", "a/b", "", ".", "A" * 20, "x" * 60, "a\nb"])
def test_an_id_that_is_none_makes_no_folder_and_no_log(product: Product, import_id: str) -> None:
    with pytest.raises(ManagerError):
        start.resume_import(product.clients, product.settings, "planted", import_id)
    with pytest.raises(ManagerError):
        run_import(product.clients, "planted", import_id)


@pytest.mark.parametrize(
    ("prefix", "named"),
    [
        ("llm-manager", "zz"),
        ("llm-manager/imports", "zz"),
        ("private", ""),
        ("private/data", ""),
        ("huggingface", "zz"),
        ("huggingface/org", "zz"),
        ("huggingface/org/other/rev", "zz"),
        ("..", "zz"),
        ("/", "zz"),
        ("", "theirs"),
    ],
)
def test_an_entry_takes_along_only_its_own(product: Product, prefix: str, named: str) -> None:
    bucket = f"removed-{hashlib.sha256((prefix + named).encode()).hexdigest()[:8]}"
    create_bucket(product.clients, PROJECT, bucket, REGION)
    kept = [
        "private/data/secret.txt",
        "huggingface/org/other/rev/model.safetensors",
        "llm-manager/imports/theirs/worker.json",
    ]
    for name in kept:
        put(product, bucket, name, "{}")
    theirs, document = planted(bucket, "https://example.com/x")
    put(product, bucket, f"llm-manager/imports/{theirs}/plan.json", json.dumps(document))
    other = ModelRecord(
        "org/other", "huggingface", ModelStatus.READY, revision="rev", import_id="theirs"
    )
    mine = ModelRecord(
        prefix or "x/y",
        "huggingface",
        ModelStatus.READY,
        prefix=prefix,
        import_id=theirs if named == "zz" else named,
    )
    storage = product.clients.storage(PROJECT)
    update_metadata(storage, bucket, lambda file: file.with_model(other).with_model(mine))
    remove_model(product.clients, bucket, mine)
    there = everything(product, bucket)
    assert {*kept, f"llm-manager/imports/{theirs}/plan.json"} <= there.keys()
    assert [each.id for each in read_metadata(storage, bucket)[0].models] == ["org/other"]


DEEP = "[" * 100_000 + "]" * 100_000
NOTES = [
    "[]",
    DEEP,
    '"text"',
    json.dumps({"started_at": "2026-12-01T00:00:00"}),
    json.dumps({"started_at": "9999-12-31T23:59:59-12:00"}),
    json.dumps({"started_at": "2150-01-01T00:00:00Z", "host": "elsewhere", "pid": 1}),
    json.dumps({"started_at": NOW, "pid": [1], "execution": 7}),
    json.dumps({"started_at": NOW, "execution": f"projects/{PROJECT}/secrets/payroll"}),
]


@pytest.mark.parametrize("note", NOTES, ids=range(len(NOTES)))
def test_whatever_a_note_says_an_import_can_be_cancelled_and_removed(
    product: Product, note: str
) -> None:
    bucket = f"noted-{hashlib.sha256(note.encode()).hexdigest()[:8]}"
    create_bucket(product.clients, PROJECT, bucket, REGION)
    import_id, document = planted(bucket, "https://example.com/x")
    folder = f"llm-manager/imports/{import_id}"
    put(product, bucket, f"{folder}/plan.json", json.dumps(document))
    put(product, bucket, f"{folder}/worker.json", note)
    for name in ("0.json", "1.json"):
        put(product, bucket, f"{folder}/progress/{name}", note)
    assert start.read_progress(product.clients, bucket, import_id) is None
    assert start.list_imports(product.clients, bucket) == []
    assert not start.is_running(product.clients, bucket, import_id)
    start.cancel_import(product.clients, bucket, import_id)
    found = start.read_progress(product.clients, bucket, import_id)
    assert found
    assert found.state == "cancelled"
    (record,) = read_metadata(product.clients.storage(PROJECT), bucket)[0].models
    remove_model(product.clients, bucket, record)
    assert list(everything(product, bucket)) == [METADATA_NAME]


@pytest.mark.parametrize(
    "text",
    [
        DEEP,
        json.dumps({"models": [{}] * 200_000}),
        json.dumps({"models": [], "x": "y" * (reading.LARGEST + 10)}),
        '{"models": 1e999}',
    ],
    ids=["deep", "many", "long", "infinite"],
)
def test_a_list_that_can_not_be_read_is_that_buckets_trouble_alone(
    product: Product, text: str
) -> None:
    bucket = f"listed-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    create_bucket(product.clients, PROJECT, bucket, REGION)
    put(product, bucket, METADATA_NAME, text)
    found = {
        each.name: each for each in read_project(product.clients, PROJECT, lambda _: None).models
    }
    assert found["others"].problem is None
    assert isinstance(found[bucket].problem, MetadataFileError)
    rebuilt = update_metadata(product.clients.storage(PROJECT), bucket, lambda file: file)
    assert rebuilt.repaired in everything(product, bucket)


def test_half_a_character_is_the_trouble_of_its_entry_alone(product: Product) -> None:
    create_bucket(product.clients, PROJECT, "half-a-character", REGION)
    put(product, "half-a-character", METADATA_NAME, '{"models": [{"id": "\\ud800"}]}')
    found = {
        each.name: each for each in read_project(product.clients, PROJECT, lambda _: None).models
    }
    assert found["half-a-character"].problem is None
    assert found["half-a-character"].unread == 1


@pytest.mark.parametrize(
    "prefix",
    ["", "/", "..", "a/../b", "llm-manager", "llm-manager/imports", "a,custom-endpoint=x", "a\nb"],
)
def test_a_folder_that_is_more_than_a_folder_is_not_mounted(prefix: str) -> None:
    text = json.dumps(
        {
            "models": [
                {"id": "a/b", "source": "huggingface", "status": "completed", "prefix": prefix}
            ]
        }
    )
    (record,) = metadata.read(text).models
    offered = recipes.defaults(record, project=PROJECT, region="europe-west4", bucket="planted")
    assert offered.folder == ""
    assert "model" in [each.field for each in checks.problems(offered)]


@pytest.mark.parametrize("in_block", [65, 100, 2**31, 2**32 - 1])
def test_a_digest_does_not_go_on_from_a_state_beyond_its_block(in_block: int) -> None:
    hasher = resumed_hasher(DigestKind.SHA256, fresh_state())
    assert isinstance(hasher, SavableSha256)
    state = bytearray.fromhex(fresh_state())
    state[-8:-4] = in_block.to_bytes(4, "little")
    assert resumed_hasher(DigestKind.SHA256, state.hex()) is None


def fresh_state() -> str:
    from llm_widgets.transfer.hashing import new_hasher  # noqa: PLC0415 - used here only

    state = new_hasher(DigestKind.SHA256, 0).state()
    assert state
    return state


# What anybody may write in place of a document: JSON of any shape, or a document of the product
# with some values replaced.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([NOW, "../x", "llm-manager", "a,b=c", "x\0y", f"{PAYROLL}/versions/1"])
)
ANY = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


def changed(document: Any) -> st.SearchStrategy[Any]:
    """Return documents like one, with anything in some of its places."""
    if isinstance(document, dict):
        fields = {name: changed(value) | ANY for name, value in document.items()}
        return st.fixed_dictionaries({}, optional=fields)
    if isinstance(document, list):
        return st.lists(st.one_of([changed(each) for each in document] or [ANY]), max_size=3)
    return st.just(document) | ANY


DIGEST = {"kind": "sha256", "value": "ab" * 32}
FILE = {"path": "a", "size": 5, "digest": DIGEST, "crc32c": "AAAAAA==", "done": 3, "state": "done"}
PLAN = planted("planted", "https://example.com/x")[1]
MANIFEST = {**PLAN, "files": [FILE], "submitted_at": NOW, "finished_at": NOW}
PROGRESS = {"state": "running", "files": [FILE], "started_at": NOW, "updated_at": NOW}
NOTE = {"started_at": NOW, "started_by": "a", "execution": "", "host": "h", "pid": 5}
CHECKPOINT = {"version": 1, "upload_id": "u", "part_size": 5, "parts": 1, "crc32c": 7}
ENTRY = {
    "id": MODEL,
    "source": "huggingface",
    "status": "failed",
    "size": 1,
    "prefix": PREFIX,
    "revision": SHA,
    "importId": "abc",
    "submittedAt": NOW,
}
LIST = {"schemaVersion": 1, "models": [ENTRY], "extra": {"a": 1}}

KINDS: dict[str, tuple[Any, Callable[[bytes], object]]] = {
    "plan": (PLAN, lambda raw: plans.read(raw, bucket="planted", import_id="abc")),
    "manifest": (MANIFEST, lambda raw: manifests.read(raw, import_id="abc").record()),
    "progress": (PROGRESS, lambda raw: progress.read(raw, import_id="abc").done),
    "note": (NOTE, WorkerNote.from_json),
    "checkpoint": (CHECKPOINT, lambda raw: (c := Checkpoint.from_json(raw)) and c.fits(100)),
    "list": (LIST, lambda raw: metadata.read(raw).to_json().encode()),
}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150)
@given(data=st.data())
def test_no_document_is_more_than_unreadable(kind: str, data: st.DataObject) -> None:
    document, read = KINDS[kind]
    raw = json.dumps(data.draw(changed(document) | ANY)).encode()
    with suppress(DocumentError, MetadataFileError):
        read(raw)


def test_the_documents_of_the_product_are_read() -> None:
    for document, read in KINDS.values():
        assert read(json.dumps(document).encode())


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_outside_an_import_changes(product: Product, data: st.DataObject) -> None:
    import_id, document = planted("planted", "https://example.com/x")
    folder = f"llm-manager/imports/{import_id}"
    written = {
        f"{folder}/plan.json": document,
        f"{folder}/worker.json": NOTE,
        f"{folder}/progress/0.json": PROGRESS,
        f"llm-manager/models/{import_id}.json": MANIFEST,
        METADATA_NAME: LIST,
    }
    for name, each in written.items():
        put(product, "planted", name, json.dumps(data.draw(changed(each))))
    put(product, "planted", "private/data", "mine")
    others, private = everything(product, "others"), everything(product, "planted")["private/data"]
    with pytest.MonkeyPatch.context() as patch:
        calls = recorded(patch)
        storage = product.clients.storage(PROJECT)
        found = read_project(product.clients, PROJECT, lambda _: None)
        assert {"planted", "others"} <= {each.name for each in found.models}
        start.list_imports(product.clients, "planted")
        start.read_progress(product.clients, "planted", import_id)
        with suppress(ManagerError):
            run_import(product.clients, "planted", import_id, project=PROJECT)
        with suppress(ManagerError):
            start.cancel_import(product.clients, "planted", import_id)
        for record in update_metadata(storage, "planted", lambda file: file).models:
            with suppress(ManagerError):
                remove_model(product.clients, "planted", record)
    assert everything(product, "others") == others
    assert everything(product, "planted")["private/data"] == private
    own = HubToken(PROJECT, "planted", import_id).id
    secret = [resource for permission, resource in calls if permission.startswith("secretmanager.")]
    assert not [resource for resource in secret if own not in resource]


TWICE = [
    {**ENTRY, "status": "completed"},
    {**ENTRY, "status": "failed"},
    {**ENTRY, "id": "a|b", "source": "c"},
    {**ENTRY, "id": "b", "source": "c|a"},
    {**ENTRY, "id": "a", "source": 'c", "b'},
]


def test_entries_that_look_alike_are_rows_of_their_own() -> None:
    file = metadata.read(json.dumps({"models": TWICE}))
    assert [record.status for record in file.models][:2] == ["completed", "failed"]
    assert len(file.models) == len(TWICE) - 1
    assert file.others == (TWICE[1],)
    assert len(json.loads(file.to_json())["models"]) == len(TWICE)
    assert len({row_id(record) for record in file.models}) == len(file.models)


@pytest.mark.parametrize("kind", ["plan", "manifest", "progress"])
def test_a_file_without_a_name_is_none(kind: str) -> None:
    document, read = KINDS[kind]
    with pytest.raises(DocumentError):
        read(json.dumps({**document, "files": [{**document["files"][0], "path": ""}]}).encode())
