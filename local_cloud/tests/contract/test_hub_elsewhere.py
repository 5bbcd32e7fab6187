"""What the sample hub does not hold comes from the hubs behind it."""

from __future__ import annotations

import hashlib
import socket
from typing import TYPE_CHECKING

import pytest
import requests
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError

from local_cloud.hub import Hub
from local_cloud.hub.repositories import Repository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REPO = "elsewhere/model"
WEIGHTS = bytes(range(256)) * 4096
DATE = "2026-11-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Stand for the hub on the internet: a second hub with a model of its own."""
    hub = Hub(tmp_path_factory.mktemp("real"), None, offline=True)
    hub.start()
    for made in (Repository(REPO), Repository(f"{REPO}-gated", gated="auto")):
        hub.repositories.add_commit(
            made,
            {"model.bin": WEIGHTS, "config.json": b"{}"},
            title="Add",
            date=DATE,
        )
    hub.models.add(
        "elsewhere",
        "model",
        ["latest"],
        config={"model_format": "gguf"},
        layers=[("model", hub.blobs.add(WEIGHTS))],
    )
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, real: Hub) -> Iterator[Hub]:
    hub = Hub(
        tmp_path_factory.mktemp("local"),
        None,
        offline=False,
        hugging_face_url=real.url,
        registry_urls=[f"http://127.0.0.1:{unused_port()}", real.url],
    )
    hub.start()
    yield hub
    hub.stop()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_model_of_the_other_hub(hub: Hub, tmp_path: Path) -> None:
    api = HfApi(endpoint=hub.url, token=False)
    info = api.model_info(REPO, files_metadata=True)
    assert {file.rfilename: file.size for file in info.siblings or []} == {
        "config.json": 2,
        "model.bin": len(WEIGHTS),
    }
    folder = api.snapshot_download(REPO, cache_dir=tmp_path)
    assert (folder and (tmp_path / folder / "model.bin").read_bytes()) == WEIGHTS
    part = requests.get(
        f"{hub.url}/{REPO}/resolve/main/config.json", headers={"Range": "bytes=1-1"}, timeout=30
    )
    assert (part.status_code, part.content, part.headers["Content-Range"]) == (
        206,
        b"}",
        "bytes 1-1/2",
    )
    assert [entry.path for entry in api.get_paths_info(REPO, ["config.json"])] == ["config.json"]


def test_errors_of_the_other_hub_come_through(hub: Hub) -> None:
    with pytest.raises(GatedRepoError):
        HfApi(endpoint=hub.url, token=False).auth_check(f"{REPO}-gated")
    # A token of the samples opens nothing elsewhere, and is not shown there.
    with pytest.raises(GatedRepoError) as caught:
        HfApi(endpoint=hub.url, token="hf_local_reader").auth_check(f"{REPO}-gated")
    assert caught.value.response.status_code == 401


def test_an_ollama_model_of_the_other_registry(hub: Hub) -> None:
    manifest = requests.get(f"{hub.url}/v2/elsewhere/model/manifests/latest", timeout=30).json()
    digest = manifest["layers"][0]["digest"]
    url = f"{hub.url}/v2/elsewhere/model/blobs/{digest}"
    assert requests.head(url, timeout=30).headers["Content-Length"] == str(len(WEIGHTS))
    content = requests.get(url, timeout=30).content
    assert f"sha256:{hashlib.sha256(content).hexdigest()}" == digest
    assert requests.get(f"{hub.url}/v2/no/such/manifests/latest", timeout=30).status_code == 404


def test_an_unreachable_hub_is_said_and_not_waited_for(tmp_path: Path) -> None:
    gone = f"http://127.0.0.1:{unused_port()}"
    hub = Hub(tmp_path, None, offline=False, hugging_face_url=gone, registry_urls=[gone])
    hub.start()
    try:
        for path in ("/api/models/elsewhere/model", "/v2/elsewhere/model/manifests/latest"):
            answer = requests.get(hub.url + path, timeout=30)
            assert answer.status_code == 404
            assert f"{gone} can't be reached" in answer.text
        assert requests.get(f"{hub.url}/api/models/local/tiny-llama", timeout=30).ok
    finally:
        hub.stop()
