"""Names of Ollama models, and the folder that holds them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from local_cloud.runner.mounts import READ_ONLY
from local_cloud.runner.ollama_api.library import Library, LibraryError
from local_cloud.runner.ollama_api.names import ModelName
from local_cloud.runner.ollama_api.settings import address, duration

if TYPE_CHECKING:
    from pathlib import Path


def blob(root: Path, data: bytes) -> dict[str, object]:
    digest = hashlib.sha256(data).hexdigest()
    (root / "blobs").mkdir(parents=True, exist_ok=True)
    (root / "blobs" / f"sha256-{digest}").write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def model(root: Path, name: str) -> Path:
    path = root / "manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    layer = {"mediaType": "application/vnd.ollama.image.model", **blob(root, b"GGUF")}
    config = blob(root, json.dumps({"model_format": "gguf"}).encode())
    path.write_text(json.dumps({"config": config, "layers": [layer]}))
    return path


def age(path: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    os.utime(path, (then, then))


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("gemma3", ("registry.ollama.ai", "library", "gemma3", "latest"), "gemma3:latest"),
        ("smollm2:135m", ("registry.ollama.ai", "library", "smollm2", "135m"), "smollm2:135m"),
        ("m:", ("registry.ollama.ai", "library", "m", "latest"), "m:latest"),
        ("me/x:1", ("registry.ollama.ai", "me", "x", "1"), "me/x:1"),
        ("hf.co/o/r:Q4_K_M", ("hf.co", "o", "r", "Q4_K_M"), "hf.co/o/r:Q4_K_M"),
    ],
)
def test_names(text: str, parts: tuple[str, ...], shown: str) -> None:
    name = ModelName.parse(text)
    assert (name.host, name.namespace, name.model, name.tag) == parts
    assert str(name) == shown


@pytest.mark.parametrize("text", ["", "a/b/c/d", "a b", "-x", "n.s/m", "x" * 81, "../x"])
def test_no_names(text: str) -> None:
    with pytest.raises(ValueError, match="is no name of a model"):
        ModelName.parse(text)


def test_models_are_found_at_their_depth(tmp_path: Path) -> None:
    model(tmp_path, "registry.ollama.ai/library/a/1")
    model(tmp_path, "hf.co/o/r/Q4")
    (tmp_path / "manifests" / "registry.ollama.ai" / "stray").write_text("{}")
    model(tmp_path, "registry.ollama.ai/library/broken/1").write_text("{")
    library = Library(tmp_path)
    assert {str(found.name) for found in library.models()} == {"a:1", "hf.co/o/r:Q4"}
    found = library.find("A:1")
    assert found is not None
    assert found.weights.read_bytes() == b"GGUF"
    assert library.find("nothing") is None


def test_an_empty_folder_is_prepared(tmp_path: Path) -> None:
    Library(tmp_path / "models").open(prune=True)
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == ["blobs", "manifests"]


def test_pruning(tmp_path: Path) -> None:
    manifest = model(tmp_path, "registry.ollama.ai/library/a/1")
    used = json.loads(manifest.read_text())["layers"][0]["digest"].replace(":", "-")
    orphan, fresh = blob(tmp_path, b"orphan")["digest"], blob(tmp_path, b"fresh")["digest"]
    blobs = tmp_path / "blobs"
    age(blobs / str(orphan).replace(":", "-"), 2)
    age(blobs / used, 2)
    (blobs / "README.txt").write_text("x")
    (tmp_path / "manifests" / "empty" / "folder").mkdir(parents=True)
    library = Library(tmp_path)
    library.open(prune=False)
    assert (blobs / "README.txt").exists()
    library.open(prune=True)
    names = {path.name for path in blobs.iterdir()}
    assert used in names
    assert str(fresh).replace(":", "-") in names
    assert str(orphan).replace(":", "-") not in names
    assert "README.txt" not in names
    assert not (tmp_path / "manifests" / "empty").exists()


def test_a_read_only_mount(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READ_ONLY, str(tmp_path))
    advice = "blobs: read-only file system: ensure path elements are traversable"
    with pytest.raises(LibraryError, match=advice):
        Library(tmp_path / "absent").open(prune=False)
    model(tmp_path, "registry.ollama.ai/library/a/1")
    stray = tmp_path / "blobs" / "README.txt"
    stray.write_text("x")
    Library(tmp_path).open(prune=True)  # what cannot be deleted is only logged
    assert stray.exists()
    (tmp_path / "manifests" / "empty").mkdir()
    with pytest.raises(LibraryError, match=r"remove .*empty: read-only file system"):
        Library(tmp_path).open(prune=True)
    Library(tmp_path).open(prune=False)


def test_blobs_of_old_are_renamed(tmp_path: Path) -> None:
    old = tmp_path / "blobs" / f"sha256:{'a' * 64}"
    old.parent.mkdir()
    old.write_text("x")
    Library(tmp_path).open(prune=False)
    assert (tmp_path / "blobs" / f"sha256-{'a' * 64}").exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("127.0.0.1", 11434)),
        ("0.0.0.0:8080", ("0.0.0.0", 8080)),
        (":8080", ("127.0.0.1", 8080)),
        ("http://localhost:1/", ("localhost", 1)),
        ("localhost", ("localhost", 11434)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5m", 300), ("1h30m", 5400), (90, 90), ("-1", float("inf")), (-1, float("inf")), (0, 0)],
)
def test_durations(text: str | float, seconds: float) -> None:
    assert duration(text) == seconds


def test_no_duration() -> None:
    with pytest.raises(ValueError, match='invalid duration "soon"'):
        duration("soon")
