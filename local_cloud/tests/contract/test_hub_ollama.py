"""The sample hub as an Ollama client sees it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
import requests

from local_cloud.hub import Hub
from local_cloud.hub.samples import SMOLLM2_GGUF

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
SMOLLM2 = "/v2/library/smollm2/manifests/135m"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("cloud"), None, offline=True)
    hub.start()
    assert hub.notes == ()  # the package that holds the sample belongs to the test environment
    yield hub
    hub.stop()


def get(hub: Hub, path: str, **headers: str) -> requests.Response:
    return requests.get(hub.url + path, headers=headers, timeout=30)


def test_a_model_is_pulled_as_ollama_does_it(hub: Hub) -> None:
    answer = get(hub, SMOLLM2, Accept=MANIFEST)
    assert answer.headers["Content-Type"] == MANIFEST
    head = requests.head(hub.url + SMOLLM2, timeout=30)
    assert head.headers["ollama-content-digest"] == hashlib.sha256(answer.content).hexdigest()
    assert "ollama-content-digest" not in answer.headers
    manifest = answer.json()
    kinds = [layer["mediaType"].rpartition(".")[2] for layer in manifest["layers"]]
    assert kinds == ["model", "params", "license"]
    for blob in [manifest["config"], *manifest["layers"]]:
        url = f"{hub.url}/v2/library/smollm2/blobs/{blob['digest']}"
        assert int(requests.head(url, timeout=30).headers["Content-Length"]) == blob["size"]
        hop = requests.get(url, allow_redirects=False, timeout=30)
        assert hop.status_code == 307
        assert hop.headers["Location"].startswith("http://localhost:")
        digest = hashlib.sha256()
        with requests.get(hop.headers["Location"], stream=True, timeout=30) as body:
            for chunk in body.iter_content(1 << 20):
                digest.update(chunk)
        assert f"sha256:{digest.hexdigest()}" == blob["digest"]


def test_the_sample_is_a_gguf_that_brings_its_chat_template(hub: Hub) -> None:
    manifest = get(hub, SMOLLM2).json()
    blobs = f"{hub.url}/v2/library/smollm2/blobs/"
    model, params, licence = (blobs + layer["digest"] for layer in manifest["layers"])
    part = requests.get(model, headers={"Range": "bytes=0-65535"}, timeout=30)
    assert part.status_code == 206
    assert part.headers["Content-Range"] == f"bytes 0-65535/{manifest['layers'][0]['size']}"
    assert part.content.startswith(b"GGUF")
    header = hub.blobs.path(manifest["layers"][0]["digest"].removeprefix("sha256:")).read_bytes()
    assert b"tokenizer.chat_template" in header[: 4 << 20]
    assert json.loads(requests.get(params, timeout=30).content)["stop"]
    assert "Apache License" in requests.get(licence, timeout=30).text
    config = requests.get(blobs + manifest["config"]["digest"], timeout=30).json()
    assert (config["model_format"], config["file_type"]) == ("gguf", "Q4_1")


def test_tags_of_one_model_share_the_manifest(hub: Hub) -> None:
    latest = get(hub, "/v2/library/smollm2/manifests/latest")
    assert latest.content == get(hub, SMOLLM2).content
    owner, name = SMOLLM2_GGUF.split("/")
    quantised = get(hub, f"/v2/{owner}/{name}/manifests/Q4_1")
    assert quantised.json()["layers"] == latest.json()["layers"]


def test_catalog_and_tags(hub: Hub) -> None:
    assert get(hub, "/v2/_catalog").json() == {"repositories": ["library/smollm2"]}
    assert get(hub, "/v2/library/smollm2/tags/list").json() == {
        "name": "library/smollm2",
        "tags": ["135m", "latest"],
    }


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/library/nothing/manifests/latest", "MANIFEST_UNKNOWN"),
        ("/v2/library/smollm2/manifests/9b", "MANIFEST_UNKNOWN"),
        ("/v2/library/smollm2/tags/../manifests/..", "MANIFEST_UNKNOWN"),
        (f"/v2/library/smollm2/blobs/sha256:{'0' * 64}", "BLOB_UNKNOWN"),
    ],
)
def test_unknown(hub: Hub, path: str, code: str) -> None:
    answer = get(hub, path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == code
    assert "not among the samples" in answer.json()["errors"][0]["message"]


def test_the_base_page_is_none_as_at_the_real_registry(hub: Hub) -> None:
    assert get(hub, "/v2/").status_code == 404


def test_an_old_client_is_told_to_update(hub: Hub) -> None:
    weights = hub.blobs.add(b"GGUF made up for this test")
    hub.models.add(
        "someone",
        "from-tomorrow",
        ["latest"],
        config={"model_format": "gguf", "requires": "0.40.0"},
        layers=[("model", weights)],
    )
    path = "/v2/someone/from-tomorrow/manifests/latest"
    old = get(hub, path, **{"User-Agent": "ollama/0.9.1 (amd64 linux) Go/go1.24"})
    assert old.status_code == 412
    assert "newer version of Ollama" in old.text
    new = get(hub, path, **{"User-Agent": "ollama/0.40.0 (amd64 linux) Go/go1.24"})
    assert new.status_code == 200
