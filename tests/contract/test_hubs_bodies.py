"""Answers of hubs that are malformed, or made to harm: a sentence with a way out, or taken."""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import ManagerError
from tests.gguf_models import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import HubModel

CONFIG = b'{"architectures": ["LlamaForCausalLM"]}'
FILES = {"config.json": CONFIG, "pytorch_model.bin": b"\x80\2" + bytes(60)}
WEIGHTS = written()
DESCRIBED = {"model_format": "gguf", "model_family": "llama", "model_families": ["llama"]}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


MODEL: dict[str, Any] = {
    "id": "org/model",
    "sha": "a" * 40,
    "private": False,
    "gated": False,
    "tags": ["license:mit"],
    "downloads": 0,
    "likes": 0,
    "pipeline_tag": "text-generation",
    "lastModified": "2026-01-01T00:00:00.000Z",
    "cardData": {"license": "mit", "tags": ["a"]},
    "safetensors": {"parameters": {"BF16": 4}, "total": 4},
    "siblings": [
        {"rfilename": path, "size": len(body), "blobId": "b" * 40} for path, body in FILES.items()
    ],
}


class FakeHub:
    """A hub that answers for one model with whatever a test writes into it."""

    def __init__(self) -> None:
        self.answer = b""
        self.files: dict[str, bytes] = {}
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                if "/org/renamed" in self.path:
                    self.send_response(307)
                    self.send_header("Location", self.path.replace("/org/renamed", "/org/model"))
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                last = self.path.rpartition("/")[2]
                body = hub.files.get(last.removeprefix("sha256:"), hub.answer)
                first, dash, end = self.headers.get("Range", "").partition("=")[2].partition("-")
                status = 206 if dash else 200
                if dash:
                    stop = min(int(end) + 1 if end else len(body), len(body))
                    ranges = f"bytes {first}-{stop - 1}/{len(body)}"
                    body = body[int(first) : stop]
                self.send_response(status)
                if dash:
                    self.send_header("Content-Range", ranges)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def inspect(self, source: str, text: str) -> HubModel:
        names = ("HF_ENDPOINT", "LLM_WIDGETS_OLLAMA_REGISTRY")
        return hubs.inspect(source, text, Settings(variables=dict.fromkeys(names, self.url)))


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeHub]:
    made = FakeHub()
    yield made
    made.server.shutdown()
    made.server.server_close()


def changed(document: Any, path: tuple[Any, ...], value: Any) -> bytes:
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(document).encode()


def refused(fake: FakeHub, source: str, text: str) -> ManagerError:
    with pytest.raises(ManagerError) as caught:
        fake.inspect(source, text)
    assert caught.value.cause
    assert caught.value.fix
    assert "Traceback" not in caught.value.cause
    return caught.value


TAKEN = {
    "as it is": json.dumps(MODEL).encode(),
    "a mark of UTF-8": b"\xef\xbb\xbf" + json.dumps(MODEL).encode(),
    "UTF-16": json.dumps(MODEL).encode("utf-16"),
    "no licence": changed(MODEL, ("cardData",), None),
    "a licence that is a list": changed(MODEL, ("cardData", "license"), ["mit", 7]),
    "a licence of halves": changed(MODEL, ("cardData", "license"), "m\ud800it\u202e"),
    "a card that is a text": changed(MODEL, ("cardData",), {"license": {"a": 1}}),
    "no tags": changed(MODEL, ("tags",), None),
    "no date": changed(MODEL, ("lastModified",), None),
    "what a later hub may add": changed(MODEL, ("more",), {"a": [1]}),
}


@pytest.mark.parametrize("name", TAKEN)
def test_models_that_are_taken(fake: FakeHub, name: str) -> None:
    fake.files, fake.answer = dict(FILES), TAKEN[name]
    found = fake.inspect("huggingface", "org/model")
    assert found.id == "org/model"
    assert found.license.isprintable()
    assert {file.path for file in found.chosen} == FILES.keys()


def test_a_model_that_was_renamed_is_taken(fake: FakeHub) -> None:
    fake.files, fake.answer = dict(FILES), TAKEN["as it is"]
    for text in ("org/renamed", "org/renamed@v1", "ORG/Model"):
        assert fake.inspect("huggingface", text).id == "org/model"


def test_an_answer_about_another_model_is_refused(fake: FakeHub) -> None:
    fake.files, fake.answer = dict(FILES), TAKEN["as it is"]
    error = refused(fake, "huggingface", "org/asked")
    assert error.message == "org/asked was requested, and the hub answered about org/model."


FIRST = ("siblings", 0)
NO_MODELS = {
    "empty": b"",
    "white space": b"  \n",
    "null": b"null",
    "a number": b"1",
    "a list": b"[]",
    "a text": b'"model"',
    "two answers": json.dumps(MODEL).encode() * 2,
    "guarded": b")]}'\n" + json.dumps(MODEL).encode(),
    "a function": b"cb(" + json.dumps(MODEL).encode() + b")",
    "bytes": bytes(range(128, 256)),
    "nested": b'{"id":' + b"[" * 20000 + b"]" * 20000 + b"}",
    "an error with a good status": b'{"error": "Internal error"}',
    "no commit": changed(MODEL, ("sha",), None),
    "a branch for a commit": changed(MODEL, ("sha",), "main"),
    "a commit in capitals": changed(MODEL, ("sha",), "A" * 40),
    "two commits": json.dumps(MODEL).encode()[:-1] + b', "sha": "main"}',
    "an id that leads out": changed(MODEL, ("id",), "../../x"),
    "files that are an object": changed(MODEL, ("siblings",), {"a": 1}),
    "files that are texts": changed(MODEL, ("siblings",), ["config.json"]),
    "a file without a name": changed(MODEL, FIRST, {"size": 1}),
    "a size below zero": changed(MODEL, (*FIRST, "size"), -1),
    "a size beyond reason": changed(MODEL, (*FIRST, "size"), 2**62),
    "a size in words": changed(MODEL, (*FIRST, "size"), "39"),
    "a digest that is none": changed(MODEL, (*FIRST, "blobId"), "x"),
    "a name with a line break": changed(MODEL, (*FIRST, "rfilename"), "a\nb"),
    "a name the other way round": changed(MODEL, (*FIRST, "rfilename"), "a\u202eb"),
    "halves where a yes or no stands": changed(MODEL, ("private",), "\ud800"),
    "halves for a task": changed(MODEL, ("pipeline_tag",), "\ud800"),
    "tags that are numbers": changed(MODEL, ("tags",), [1]),
}


@pytest.mark.parametrize("name", NO_MODELS)
def test_what_is_no_model_is_told(fake: FakeHub, name: str) -> None:
    fake.files, fake.answer = dict(FILES), NO_MODELS[name]
    refused(fake, "huggingface", "org/model")


@pytest.mark.parametrize(
    "path", ["/etc/x", "../x", "a/../../x", "./config.json", "a//b", "a" * 900]
)
def test_files_that_no_bucket_holds_are_refused(fake: FakeHub, path: str) -> None:
    more = [*MODEL["siblings"], {"rfilename": path, "size": 1, "blobId": "b" * 40}]
    fake.files, fake.answer = dict(FILES), changed(MODEL, ("siblings",), more)
    with pytest.raises(ManagerError, match="has a file that"):
        fake.inspect("huggingface", "org/model")


def layer(kind: str, content: bytes) -> dict[str, Any]:
    digest = f"sha256:{sha256(content)}"
    return {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest, "size": 0} | {
        "size": len(content)
    }


def manifest(config: bytes) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "config": layer("config", config),
        "layers": [layer("model", WEIGHTS)],
    }


def answering(fake: FakeHub, config: bytes, answer: bytes | None = None) -> None:
    fake.files = {sha256(content): content for content in (config, WEIGHTS)}
    fake.answer = json.dumps(manifest(config)).encode() if answer is None else answer


PLAIN = json.dumps(DESCRIBED).encode()
NO_MANIFESTS = {
    "empty": b"",
    "null": b"null",
    "an index of OCI": b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:0"}]}',
    "of the first version": b'{"schemaVersion": 1, "fsLayers": []}',
    "an error with a good status": b'{"errors": [{"code": "DENIED", "message": "Not for you"}]}',
    "something behind it": json.dumps(manifest(PLAIN)).encode() + b"x",
    "no layers": changed(manifest(PLAIN), ("layers",), []),
    "layers that are an object": changed(manifest(PLAIN), ("layers",), {"a": 1}),
    "a digest that leads out": changed(manifest(PLAIN), ("layers", 0, "digest"), "sha256:../x"),
    "a digest of another kind": changed(manifest(PLAIN), ("layers", 0, "digest"), "md5:00"),
    "a size beyond reason": changed(manifest(PLAIN), ("layers", 0, "size"), 2**62),
    "a size that is a fraction": changed(manifest(PLAIN), ("layers", 0, "size"), 1.5),
    "a size that is less": changed(manifest(PLAIN), ("layers", 0, "size"), 5000),
    "another size of the configuration": changed(manifest(PLAIN), ("config", "size"), 1),
}


@pytest.mark.parametrize("name", NO_MANIFESTS)
def test_what_is_no_manifest_is_told(fake: FakeHub, name: str) -> None:
    answering(fake, PLAIN, NO_MANIFESTS[name])
    error = refused(fake, "ollama", "llama:1b")
    assert "schemaVersion" not in error.cause
    if "error" in name:
        assert error.cause == "Not for you"


@pytest.mark.parametrize(
    "config",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        changed(DESCRIBED, ("model_family",), 7),
        changed(DESCRIBED, ("model_family",), "\ud800"),
        changed(DESCRIBED, ("model_families",), "llama"),
        changed(DESCRIBED, ("capabilities",), {"vision": True}),
        changed(DESCRIBED, ("context_length",), "long"),
        changed(DESCRIBED, ("requires",), ["0.1"]),
    ],
)
def test_what_is_no_configuration_is_told(fake: FakeHub, config: bytes) -> None:
    answering(fake, config)
    refused(fake, "ollama", "llama:1b")


@pytest.mark.parametrize(
    "changes", [{}, {"model_families": None}, {"more": [1]}, {"context_length": 0}]
)
def test_configurations_that_are_taken(fake: FakeHub, changes: dict[str, Any]) -> None:
    answering(fake, json.dumps(DESCRIBED | changes).encode())
    assert fake.inspect("ollama", "llama:1b").id == "llama:1b"
