"""The pre-flight of an import from Hugging Face, against the sample hub."""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.domain.imports import DigestKind
from llm_widgets.domain.loading import QUANTIZED_FROM
from llm_widgets.errors import (
    GatedModelError,
    HubError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    TransferError,
    UnavailableError,
)
from llm_widgets.imports.plan import plan_import
from local_cloud.faults import Faults
from local_cloud.hub import Hub
from local_cloud.hub.blobs import Blob
from local_cloud.hub.repositories import Repository
from local_cloud.hub.samples import (
    SMOLLM2_GGUF,
    TINY_LLAMA,
    TINY_LLAMA_GATED,
    TINY_LLAMA_PRIVATE,
)
from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from werkzeug import Request, Response

    from llm_widgets.domain.imports import HubModel

READER, VISITOR, WAITING = "hf_local_reader", "hf_local_visitor", "hf_local_waiting"
ARCHIVE = b"PK\3\4" + bytes(60) + b"PK\5\6" + bytes(18)
"""As PyTorch's, in small: a ZIP archive with an end."""

DATE = "2026-11-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    store = Store(tmp_path_factory.mktemp("faults") / "state.db")
    yield Faults(store)
    store.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("cloud"), faults, offline=True)
    hub.start()
    yield hub
    hub.stop()


def inspect(hub: Hub, text: str, *, token: str = "", revision: str = "") -> HubModel:
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    return hubs.inspect("huggingface", text, settings, token=token, revision=revision)


def add(hub: Hub, name: str, files: Mapping[str, bytes | Blob]) -> None:
    hub.repositories.add_commit(Repository(name), files, title="Add", date=DATE)


LARGE = 60_000_000_000  # bytes
LLAMA_CONFIG = b'{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}'


def large(hub: Hub, digit: str) -> Blob:
    """Store a file of 60 GB that takes no place: a header, and a hole."""
    entry = {"dtype": "U8", "shape": [LARGE - 128], "data_offsets": [0, LARGE - 128]}
    header = json.dumps({"w": entry}).encode().ljust(120)
    with hub.blobs.path(digit * 64).open("wb") as file:
        file.write(struct.pack("<Q", 120) + header)
        file.truncate(LARGE)
    return Blob(LARGE, digit * 64, digit * 40)


def test_what_a_model_is_a_quantized_form_of_is_kept(hub: Hub) -> None:
    files = {
        "config.json": LLAMA_CONFIG,
        "model.safetensors": struct.pack("<Q", 56)
        + b'{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'.ljust(56)
        + b"\0",
    }
    base = {"base_model": "org/Base-8B"}
    for relation in ("quantized", "finetune"):
        card = {**base, "base_model_relation": relation}
        made = Repository(f"org/{relation}", card=card)
        hub.repositories.add_commit(made, files, title="Add", date=DATE)
    assert inspect(hub, "org/quantized").facts[QUANTIZED_FROM] == "org/Base-8B"
    assert QUANTIZED_FROM not in inspect(hub, "org/finetune").facts


@pytest.fixture
def reads(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """First byte and length of each answer of the hub's storage."""
    found: list[tuple[int, int]] = []
    answer = hub.downloads.answer

    def recorded(request: Request, path: Path, *, etag: str) -> Response:
        made = answer(request, path, etag=etag)
        first = made.content_range.start or 0
        found.append((first, made.content_length or 0))
        return made

    monkeypatch.setattr(hub.downloads, "answer", recorded)
    return found


def test_everything_that_an_import_needs_to_know(hub: Hub) -> None:
    model = inspect(hub, f" https://huggingface.co/{TINY_LLAMA} ")
    assert (model.id, model.source, model.gated) == (TINY_LLAMA, "huggingface", False)
    assert model.license == "apache-2.0"
    assert len(model.revision) == 40
    assert {file.path for file in model.chosen} == {
        "config.json",
        "generation_config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert {file.path for file in model.files if file.skipped} == {
        "README.md",
        "original/consolidated.safetensors",
    }
    assert model.size == sum(file.size for file in model.chosen) < 1_000_000
    assert model.notes == ()
    assert model.facts["architecture"] == "LlamaForCausalLM"
    assert model.facts["parameters"] == {"BF16": 393_856}
    assert model.facts["context_length"] == 512
    assert model.facts["config"]["head_dim"] == 64
    json.dumps(model.facts)  # the plan keeps them as JSON


def test_each_file_is_where_it_is_said_to_be_and_is_what_it_is_said_to_be(hub: Hub) -> None:
    for file in inspect(hub, TINY_LLAMA).files:
        content = requests.get(file.url, timeout=30).content
        assert len(content) == file.size
        if file.digest.kind is DigestKind.SHA256:
            assert hashlib.sha256(content).hexdigest() == file.digest.value
        else:
            blob = b"blob %d\0" % len(content) + content
            assert hashlib.sha1(blob).hexdigest() == file.digest.value


def test_revisions(hub: Hub) -> None:
    newest = inspect(hub, TINY_LLAMA)
    old = inspect(hub, TINY_LLAMA, revision="v1")
    assert old.revision != newest.revision
    assert "README.md" not in {file.path for file in old.files}
    assert inspect(hub, f"https://huggingface.co/{TINY_LLAMA}/tree/v1").revision == old.revision
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    assert hubs.newest_revision("huggingface", TINY_LLAMA, settings) == newest.revision
    with pytest.raises(NotFoundError, match="no revision “v9”"):
        inspect(hub, TINY_LLAMA, revision="v9")
    with pytest.raises(InvalidInputError):
        inspect(hub, TINY_LLAMA, revision="../v1")


def test_a_newer_commit_is_noticed(hub: Hub) -> None:
    add(hub, "made-here/moving", {"pytorch_model.bin": ARCHIVE, "config.json": b"{}"})
    before = inspect(hub, "made-here/moving").revision
    repository = hub.repositories.get("made-here/moving")
    assert repository is not None
    hub.repositories.add_commit(repository, {"README.md": b"."}, title="More", date=DATE)
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    after = hubs.newest_revision("huggingface", "made-here/moving", settings)
    assert after != before
    assert inspect(hub, "made-here/moving", revision=before).revision == before


@pytest.mark.parametrize(
    ("model_id", "token"),
    [(TINY_LLAMA_GATED, READER), (TINY_LLAMA_PRIVATE, READER), (TINY_LLAMA, VISITOR)],
)
def test_a_token_that_may(hub: Hub, model_id: str, token: str) -> None:
    model = inspect(hub, model_id, token=f" {token}\n")
    assert model.gated is (model_id == TINY_LLAMA_GATED)
    assert model.size
    assert token not in repr(model)


@pytest.mark.parametrize(
    ("model_id", "token", "error", "said"),
    [
        (TINY_LLAMA_GATED, "", GatedModelError, "is gated"),
        (TINY_LLAMA_GATED, VISITOR, GatedModelError, "has not accepted the licence"),
        (TINY_LLAMA_GATED, WAITING, GatedModelError, "not granted yet"),
        (TINY_LLAMA_PRIVATE, "", NotFoundError, "no model local/tiny-llama-private"),
        (TINY_LLAMA_PRIVATE, VISITOR, NotFoundError, "no model local/tiny-llama-private"),
        (TINY_LLAMA, "hf_nobodys", InvalidInputError, "does not accept this token"),
        (TINY_LLAMA, "hf_a\nb", InvalidInputError, "line break"),
        ("local/nothing", "", NotFoundError, "no model local/nothing"),
        ("local/nothing", READER, NotFoundError, "no model local/nothing"),
        ("gpt2", "", NotFoundError, "no model gpt2"),
    ],
)
def test_who_may_not_read_is_told_why(
    hub: Hub, model_id: str, token: str, error: type[ManagerError], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        inspect(hub, model_id, token=token)
    assert caught.value.fix
    assert caught.value.fix.text
    if token:
        assert token not in str(caught.value)
    if error is GatedModelError:
        assert caught.value.fix.url == f"{hub.url}/{model_id}"


def test_capitals_do_not_count(hub: Hub) -> None:
    model = inspect(hub, TINY_LLAMA.upper())
    assert model.id == TINY_LLAMA
    assert inspect(hub, TINY_LLAMA_PRIVATE.title(), token=READER).id == TINY_LLAMA_PRIVATE


def test_named_files_are_kept_in_mind(hub: Hub) -> None:
    model = inspect(hub, f"hf download {TINY_LLAMA} config.json --revision v1")
    assert "You named files (config.json)" in model.notes[0]
    assert model.revision == inspect(hub, f"{TINY_LLAMA}@v1").revision


@pytest.mark.parametrize("start", ["https://hf-mirror.com", "own"])
def test_the_page_of_a_mirror_is_the_model_of_this_hub(hub: Hub, start: str) -> None:
    address = f"{hub.url if start == 'own' else start}/{TINY_LLAMA}/tree/main"
    found = inspect(hub, address)
    assert (found.id, found.revision) == (TINY_LLAMA, inspect(hub, TINY_LLAMA).revision)
    said = f"hf-mirror.com is a mirror of Hugging Face. The same model is imported from {hub.url}."
    assert (said in found.notes) == (start != "own")


def test_repositories_that_vllm_cannot_load(hub: Hub) -> None:
    with pytest.raises(HubError, match="can't load") as caught:
        inspect(hub, SMOLLM2_GGUF)
    assert caught.value.fix
    assert f"hf.co/{SMOLLM2_GGUF}" in caught.value.fix.text
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "gone.safetensors"}}
    files = {
        "config.json": b"{}",
        "model-00001-of-00002.safetensors": b"\2\0\0\0\0\0\0\0{}",
        "model.safetensors.index.json": json.dumps(index).encode(),
    }
    add(hub, "made-here/torn", files)
    with pytest.raises(HubError) as caught:
        inspect(hub, "made-here/torn")
    assert "gone.safetensors" in caught.value.cause


def test_a_file_that_http_does_not_carry(hub: Hub, faults: Faults) -> None:
    add(hub, "made-here/gone", {"config.json": b"{}", "pytorch_model.bin": large(hub, "0")})
    faults.update(failures=[{"match": "cdn/0000", "status": 400}])  # as Xet's bridge does
    said = r"Hugging Face does not give pytorch_model\.bin, which has 60 GB"
    try:
        with pytest.raises(TransferError, match=said) as caught:
            inspect(hub, "made-here/gone")
    finally:
        faults.reset()
    assert "HTTP 400" in caught.value.cause
    assert caught.value.fix


def test_a_file_over_50_gb_is_read_in_ranges(hub: Hub, reads: list[tuple[int, int]]) -> None:
    files: dict[str, bytes | Blob] = {
        "config.json": LLAMA_CONFIG,
        "model.safetensors": large(hub, "1"),
    }
    add(hub, "made-here/large", files)
    found = inspect(hub, "made-here/large")
    (weights,) = (file for file in found.chosen if file.path == "model.safetensors")
    assert (weights.size, weights.digest.value) == (LARGE, "1" * 64)
    assert {(0, 1), (LARGE - 1, 1)} <= set(reads)
    assert sum(length for _, length in reads) < 1 << 20
    made = plan_import(found, bucket="b", project="p")
    assert made.size > LARGE


def test_a_hub_that_gives_large_files_whole_is_not_read(hub: Hub) -> None:
    add(hub, "made-here/whole", {"config.json": LLAMA_CONFIG, "model.safetensors": large(hub, "2")})
    hub.downloads.ignore_ranges = True
    try:
        with pytest.raises(TransferError, match=r"does not give model\.safetensors") as caught:
            inspect(hub, "made-here/whole")
    finally:
        hub.downloads.ignore_ranges = False
    assert "whole only" in caught.value.cause


def test_what_should_be_known_before_confirming(hub: Hub) -> None:
    add(
        hub,
        "made-here/old",
        {"pytorch_model.bin": ARCHIVE, "config.json": b'{"auto_map": {"AutoModel": "x.Y"}}'},
    )
    unnamed, bare, slow, code = inspect(hub, "made-here/old").notes
    assert "names no architecture" in unnamed
    assert "no tokenizer" in bare
    assert "PyTorch" in slow
    assert "--trust-remote-code" in code
    add(hub, "made-here/bare", {"model.safetensors": b"\2\0\0\0\0\0\0\0{}"})
    with pytest.raises(HubError, match=r"no config\.json"):
        inspect(hub, "made-here/bare")


def test_an_import_does_not_depend_on_headers_that_cannot_be_read_now(
    hub: Hub, faults: Faults
) -> None:
    faults.update(failures=[{"match": r"resolve/.*\.safetensors$", "status": 502}])
    try:
        found = inspect(hub, TINY_LLAMA)
    finally:
        faults.reset()
    assert "memory" not in found.facts
    assert found.size == inspect(hub, TINY_LLAMA).size


def test_a_hub_that_fails_or_pauses_or_is_away(hub: Hub, faults: Faults) -> None:
    for failure, said in (
        ({"match": "GET /api/models", "status": 429, "retry_after": 9}, "no more requests"),
        ({"match": "GET /api/models", "status": 503}, "Hugging Face is not available now"),
        ({"match": "resolve/.*config.json", "status": 502}, "Hugging Face failed"),
    ):
        faults.update(failures=[failure])
        try:
            with pytest.raises(UnavailableError, match=said):
                inspect(hub, TINY_LLAMA)
        finally:
            faults.reset()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
    for call in (
        lambda: hubs.inspect("huggingface", "a/b", Settings(variables={"HF_ENDPOINT": nobody})),
        lambda: hubs.suggest("huggingface", "", Settings(variables={"HF_ENDPOINT": nobody})),
    ):
        with pytest.raises(UnavailableError, match="can't be reached"):
            call()


def test_many_at_once(hub: Hub) -> None:
    revisions: list[str] = []
    threads = [
        threading.Thread(target=lambda: revisions.append(inspect(hub, TINY_LLAMA).revision))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(revisions) == 8
    assert len(set(revisions)) == 1


def test_suggestions_exist_and_have_their_sizes(hub: Hub) -> None:
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    found = {entry.id: entry for entry in hubs.suggest("huggingface", "tiny", settings)}
    assert set(found) == {TINY_LLAMA, TINY_LLAMA_GATED}
    assert found[TINY_LLAMA_GATED].gated
    weights = inspect(hub, TINY_LLAMA).size
    assert found[TINY_LLAMA].size == pytest.approx(weights, rel=0.05)
    assert hubs.suggest("huggingface", "no such", settings) == ()
    assert SMOLLM2_GGUF not in {entry.id for entry in hubs.suggest("huggingface", "", settings)}
