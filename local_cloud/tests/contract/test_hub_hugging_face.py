"""The sample hub as huggingface_hub and plain HTTP clients see it."""

from __future__ import annotations

import hashlib
import json
import math
import struct
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from huggingface_hub import HfApi, RepoFile
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import deserialize
from tokenizers import Tokenizer

from local_cloud.faults import Faults
from local_cloud.hub import Hub
from local_cloud.hub.samples import TINY_LLAMA, TINY_LLAMA_GATED, TINY_LLAMA_PRIVATE
from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

READER, VISITOR, WAITING = "hf_local_reader", "hf_local_visitor", "hf_local_waiting"
SHARD = "model-00001-of-00002.safetensors"


@contextmanager
def serving(data: Path, *, faults: Faults | None = None) -> Iterator[Hub]:
    hub = Hub(data, faults, offline=True)
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="module")
def faults(data: Path) -> Iterator[Faults]:
    store = Store(data / "state.db")
    yield Faults(store)
    store.close()


@pytest.fixture(scope="module")
def hub(data: Path, faults: Faults) -> Iterator[Hub]:
    with serving(data, faults=faults) as hub:
        yield hub


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.url, token=False)


def resolve(hub: Hub, path: str, *, repo: str = TINY_LLAMA, revision: str = "main") -> str:
    return f"{hub.url}/{repo}/resolve/{revision}/{path}"


def test_a_model_tells_its_files_sizes_and_digests(api: HfApi, tmp_path: Path) -> None:
    info = api.model_info(TINY_LLAMA, files_metadata=True, securityStatus=True)
    assert (info.id, info.gated, info.private, info.library_name) == (
        TINY_LLAMA,
        False,
        False,
        "transformers",
    )
    assert info.card_data is not None
    assert info.card_data.license == "apache-2.0"
    assert info.config == {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
    assert info.safetensors is not None
    assert info.safetensors.parameters == {"BF16": 393_856}
    for file in info.siblings or []:
        content = Path(
            api.hf_hub_download(TINY_LLAMA, file.rfilename, revision=info.sha, cache_dir=tmp_path)
        ).read_bytes()
        assert len(content) == file.size
        if file.lfs:
            assert hashlib.sha256(content).hexdigest() == file.lfs.sha256
        else:
            blob = b"blob %d\0" % len(content) + content
            assert hashlib.sha1(blob).hexdigest() == file.blob_id
    assert sum(bool(file.lfs) for file in info.siblings or []) == 3


def test_names_only_without_files_metadata(api: HfApi) -> None:
    siblings = api.model_info(TINY_LLAMA).siblings or []
    assert "config.json" in {file.rfilename for file in siblings}
    assert {file.size for file in siblings} == {None}


def test_expand_gives_the_properties_asked_for(api: HfApi) -> None:
    info = api.model_info(TINY_LLAMA, expand=["sha", "gated"])
    assert info.sha
    assert info.gated is False
    assert info.siblings is None


def test_snapshot_is_a_model_that_loads(api: HfApi, tmp_path: Path) -> None:
    folder = Path(api.snapshot_download(TINY_LLAMA, local_dir=tmp_path / "model"))
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    parameters = 0
    for shard in set(index["weight_map"].values()):
        for name, tensor in deserialize((folder / shard).read_bytes()):
            assert index["weight_map"][name] == shard
            parameters += math.prod(tensor["shape"])
    assert parameters == 393_856
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = "<|user|>Ein Fuß, 語!</s>"
    ids = tokenizer.encode(text).ids
    assert ids[0] == tokenizer.token_to_id("<|user|>")
    assert tokenizer.decode(ids, skip_special_tokens=False) == text
    config = json.loads((folder / "config.json").read_text())
    assert tokenizer.get_vocab_size() == config["vocab_size"]
    assert config["hidden_size"] // config["num_attention_heads"] == config["head_dim"] == 64


def test_the_samples_are_the_same_bytes_on_every_machine(hub: Hub, tmp_path: Path) -> None:
    with serving(tmp_path) as other:
        shas = [
            HfApi(endpoint=each.url, token=False).model_info(TINY_LLAMA).sha
            for each in (hub, other)
        ]
    assert shas[0] == shas[1]


def test_safetensors_metadata_both_ways(api: HfApi) -> None:
    by_ranges = api.get_safetensors_metadata(TINY_LLAMA)
    at_once = api.get_sharded_safetensors_metadata(TINY_LLAMA)
    assert by_ranges.sharded
    assert by_ranges.parameter_count == at_once.parameter_count == {"BF16": 393_856}
    assert by_ranges.weight_map == at_once.weight_map


def test_tree_paths_and_existence(api: HfApi) -> None:
    root = {entry.path for entry in api.list_repo_tree(TINY_LLAMA)}
    assert "original" in root
    assert "original/consolidated.safetensors" not in root
    everything = {entry.path for entry in api.list_repo_tree(TINY_LLAMA, recursive=True)}
    assert everything == root | {"original/consolidated.safetensors"}
    inside = [entry.path for entry in api.list_repo_tree(TINY_LLAMA, "original")]
    assert inside == ["original/consolidated.safetensors"]
    found = api.get_paths_info(TINY_LLAMA, ["config.json", "original", "nothing.txt"])
    assert [entry.path for entry in found] == ["config.json", "original"]
    assert api.file_exists(TINY_LLAMA, "config.json")
    assert not api.file_exists(TINY_LLAMA, "nothing.bin")
    assert api.repo_exists(TINY_LLAMA)
    assert not api.repo_exists("local/nothing")
    with pytest.raises(EntryNotFoundError):
        list(api.list_repo_tree(TINY_LLAMA, "nothing"))


def test_a_tree_comes_in_pages(hub: Hub, api: HfApi) -> None:
    url = f"{hub.url}/api/models/{TINY_LLAMA}/tree/main?recursive=true&limit=4"
    seen: list[str] = []
    pages = 0
    while url:
        answer = requests.get(url, timeout=30)
        seen += [entry["path"] for entry in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
        pages += 1
    assert pages == 3
    assert seen == [entry.path for entry in api.list_repo_tree(TINY_LLAMA, recursive=True)]
    assert len(list(api.list_repo_tree(TINY_LLAMA, recursive=True, expand=True))) == len(seen)


def test_search(api: HfApi) -> None:
    assert [model.id for model in api.list_models(search="TINY")] == [TINY_LLAMA, TINY_LLAMA_GATED]
    assert [model.id for model in api.list_models(search="tiny", limit=1)] == [TINY_LLAMA]
    assert list(api.list_models(search="tiny", author="someone")) == []
    assert [model.id for model in api.list_models(author="local", filter="license:other")] == [
        TINY_LLAMA_GATED
    ]
    full = next(iter(api.list_models(search="tiny", full=True, sort="last_modified")))
    assert full.sha
    assert full.siblings
    seen_by_reader = {model.id for model in api.list_models(search="tiny", token=READER)}
    assert TINY_LLAMA_PRIVATE in seen_by_reader


def test_revisions(hub: Hub, api: HfApi) -> None:
    refs = api.list_repo_refs(TINY_LLAMA)
    main, tag = refs.branches[0], refs.tags[0]
    assert (main.name, tag.name) == ("main", "v1")
    newest, oldest = api.list_repo_commits(TINY_LLAMA)
    assert (newest.commit_id, oldest.commit_id) == (main.target_commit, tag.target_commit)
    for revision in ("v1", oldest.commit_id, oldest.commit_id[:8], "refs/tags/v1"):
        assert api.model_info(TINY_LLAMA, revision=revision).sha == oldest.commit_id
    assert not api.file_exists(TINY_LLAMA, "README.md", revision="v1")
    for call in (
        lambda: api.model_info(TINY_LLAMA, revision="nothing"),
        lambda: api.list_repo_commits(TINY_LLAMA, revision="nothing"),
    ):
        with pytest.raises(RevisionNotFoundError):
            call()
    answer = requests.get(resolve(hub, "config.json", revision="nothing"), timeout=30)
    assert answer.headers["X-Error-Code"] == "RevisionNotFound"


def test_a_newer_commit_moves_main_and_keeps_the_old_one(tmp_path: Path) -> None:
    with serving(tmp_path) as hub:
        api = HfApi(endpoint=hub.url, token=False)
        before = api.model_info(TINY_LLAMA).sha
        repository = hub.repositories.get(TINY_LLAMA)
        assert repository is not None
        hub.repositories.add_commit(
            repository,
            {"README.md": b"# New\n", "generation_config.json": None},
            title="Change",
            date="2026-11-02T00:00:00.000Z",
        )
        after = api.model_info(TINY_LLAMA).sha
        assert after != before
        assert not api.file_exists(TINY_LLAMA, "generation_config.json")
        assert api.file_exists(TINY_LLAMA, "generation_config.json", revision=before)
    with serving(tmp_path) as hub:  # a restart makes no samples anew
        assert HfApi(endpoint=hub.url, token=False).model_info(TINY_LLAMA).sha == after


def test_head_tells_commit_digest_and_size(hub: Hub, api: HfApi) -> None:
    sha = api.model_info(TINY_LLAMA).sha
    large = api.get_hf_file_metadata(url=resolve(hub, SHARD))
    (entry,) = api.get_paths_info(TINY_LLAMA, [SHARD])
    assert isinstance(entry, RepoFile)
    assert entry.lfs
    assert (large.commit_hash, large.etag, large.size) == (sha, entry.lfs.sha256, entry.size)
    assert large.location.startswith("http://localhost:")
    small = requests.head(resolve(hub, "config.json"), timeout=30)
    assert small.status_code == 200
    assert small.headers["X-Repo-Commit"] == sha
    (plain,) = api.get_paths_info(TINY_LLAMA, "config.json")
    assert isinstance(plain, RepoFile)
    assert small.headers["ETag"].strip('"') == plain.blob_id
    assert int(small.headers["Content-Length"]) == len(
        requests.get(resolve(hub, "config.json"), timeout=30).content
    )


@pytest.mark.parametrize("path", [SHARD, "tokenizer.json"])
def test_ranges(hub: Hub, path: str) -> None:
    whole = requests.get(resolve(hub, path), timeout=30).content
    size = len(whole)
    for wanted, part in (
        ("bytes=0-7", whole[:8]),
        ("bytes=8-99", whole[8:100]),
        (f"bytes={size - 5}-", whole[-5:]),
        ("bytes=-5", whole[-5:]),
        (f"bytes=10-{size * 2}", whole[10:]),
    ):
        answer = requests.get(resolve(hub, path), headers={"Range": wanted}, timeout=30)
        assert (answer.status_code, answer.content) == (206, part)
        start = (
            size - len(part)
            if wanted.endswith("-") or "=-" in wanted
            else int(wanted[6:].split("-")[0])
        )
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{size}"
    beyond = requests.get(resolve(hub, path), headers={"Range": f"bytes={size}-"}, timeout=30)
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    hub.downloads.ignore_ranges = True
    try:
        answer = requests.get(resolve(hub, path), headers={"Range": "bytes=0-7"}, timeout=30)
    finally:
        hub.downloads.ignore_ranges = False
    assert (answer.status_code, answer.content) == (200, whole)


def test_a_token_that_follows_the_redirect_is_refused(hub: Hub) -> None:
    token = {"Authorization": f"Bearer {READER}"}
    hop = requests.get(resolve(hub, SHARD), headers=token, allow_redirects=False, timeout=30)
    assert hop.status_code == 302
    assert requests.get(hop.headers["Location"], timeout=30).status_code == 200
    assert requests.get(hop.headers["Location"], headers=token, timeout=30).status_code == 400
    # A client that keeps to the rule gets through in one go.
    assert requests.get(resolve(hub, SHARD), headers=token, timeout=30).status_code == 200


def test_a_signed_address_expires_and_cannot_be_changed(hub: Hub) -> None:
    def location() -> str:
        hop = requests.get(resolve(hub, SHARD), allow_redirects=False, timeout=30)
        return hop.headers["Location"]

    good = location()
    forged = good.replace("Expires=", "Expires=9")
    assert requests.get(forged, timeout=30).status_code == 403
    hub.downloads.seconds = -1  # it has expired before it is given
    try:
        short = location()
    finally:
        hub.downloads.seconds = 3600
    expired = requests.get(short, timeout=30)
    assert (expired.status_code, "expired" in expired.text) == (403, True)
    assert requests.get(good, timeout=30).status_code == 200


@pytest.mark.parametrize(
    ("repo", "token"),
    [
        (TINY_LLAMA, ""),
        (TINY_LLAMA, VISITOR),
        (TINY_LLAMA_GATED, READER),
        (TINY_LLAMA_PRIVATE, READER),
    ],
)
def test_who_may_read(api: HfApi, tmp_path: Path, repo: str, token: str) -> None:
    api.auth_check(repo, token=token or False)
    for path in ("config.json", SHARD):
        file = api.hf_hub_download(repo, path, token=token or False, cache_dir=tmp_path)
        assert Path(file).exists()


@pytest.mark.parametrize(
    ("repo", "token", "error", "status"),
    [
        (TINY_LLAMA, "hf_nobodys", HfHubHTTPError, 401),
        (TINY_LLAMA_GATED, "", GatedRepoError, 401),
        (TINY_LLAMA_GATED, VISITOR, GatedRepoError, 403),
        (TINY_LLAMA_GATED, WAITING, GatedRepoError, 403),
        (TINY_LLAMA_PRIVATE, "", RepositoryNotFoundError, 401),
        (TINY_LLAMA_PRIVATE, VISITOR, RepositoryNotFoundError, 404),
        ("local/nothing", READER, RepositoryNotFoundError, 404),
    ],
)
def test_who_may_not_read(
    api: HfApi, repo: str, token: str, error: type[HfHubHTTPError], status: int
) -> None:
    with pytest.raises(HfHubHTTPError) as caught:
        api.auth_check(repo, token=token or False)
    assert (type(caught.value), caught.value.response.status_code) == (error, status)


def test_a_gated_model_is_described_to_everyone(api: HfApi) -> None:
    info = api.model_info(TINY_LLAMA_GATED, files_metadata=True)
    assert info.gated == "manual"
    assert info.siblings


def test_the_words_of_refusals(hub: Hub) -> None:
    def message(repo: str, token: str = "") -> tuple[str, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.head(resolve(hub, SHARD, repo=repo), headers=headers, timeout=30)
        return answer.headers.get("X-Error-Code", ""), answer.headers["X-Error-Message"]

    assert message(TINY_LLAMA, "hf_nobodys") == ("", "Invalid credentials in Authorization header")
    assert message(TINY_LLAMA_GATED)[0] == "GatedRepo"
    assert "log in" in message(TINY_LLAMA_GATED)[1]
    assert "not in the authorized list" in message(TINY_LLAMA_GATED, VISITOR)[1]
    assert "awaiting a review" in message(TINY_LLAMA_GATED, WAITING)[1]
    unknown = requests.get(f"{hub.url}/api/models/local/ü%0Anothing", timeout=30)
    assert (unknown.status_code, unknown.headers["X-Error-Code"]) == (404, "RepoNotFound")
    assert "not among the samples" in unknown.json()["error"]


def test_whoami(api: HfApi) -> None:
    assert api.whoami(token=READER)["name"] == "local-reader"
    with pytest.raises(HfHubHTTPError):
        api.whoami(token="hf_nobodys")


def test_faults_delay_limit_and_refuse(hub: Hub, faults: Faults, api: HfApi) -> None:
    failure = {"match": "GET /api/models/.*tiny", "status": 429, "times": 1, "retry_after": 7}
    faults.update(failures=[failure], bandwidth=2_000_000)
    try:
        refused = requests.get(f"{hub.url}/api/models/{TINY_LLAMA}", timeout=30)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
        assert api.model_info(TINY_LLAMA).id == TINY_LLAMA
        started = time.monotonic()
        content = requests.get(resolve(hub, SHARD), timeout=30).content
        assert time.monotonic() - started > 0.18  # nearly 400,000 bytes at 2 MB/s
    finally:
        faults.reset()
    (length,) = struct.unpack("<Q", content[:8])
    assert "__metadata__" in json.loads(content[8 : 8 + length])


def test_folders_are_no_way_out(hub: Hub) -> None:
    for path in (
        "/api/models/../../state.db",
        "/api/models/%2e%2e/%2e%2e",
        "/a/b/resolve/main/..%2F..%2Fstate.db",
    ):
        url = requests.Request("GET", hub.url).prepare()
        url.url = hub.url + path
        with requests.Session() as session:
            assert session.send(url, timeout=30).status_code == 404
