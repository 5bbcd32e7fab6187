"""The models in a folder, laid out as Ollama lays them out.

``manifests/<host>/<namespace>/<model>/<tag>`` is a registry manifest as it was served;
``blobs/sha256-<digest>`` are the layers and the configuration that it names.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_cloud.runner.mounts import READ_ONLY
from local_cloud.runner.ollama_api.names import ModelName

if TYPE_CHECKING:
    from pathlib import Path

_BLOB = re.compile(r"sha256-[0-9a-f]{64}")
_KEPT_SECONDS = 3600  # a blob that no manifest names may belong to a download under way
_HEADER_BYTES = 64 << 20  # of a GGUF, in which its metadata are looked for
_LAYER = "application/vnd.ollama.image."


class LibraryError(Exception):
    """The folder cannot be used; the message is Ollama's."""


@dataclass(frozen=True)
class Model:
    """One model of the library.

    Attributes
    ----------
    name
        Complete name.
    digest
        SHA-256 of the manifest, hexadecimal.
    size
        Bytes of all its blobs.
    modified
        Time of the manifest, RFC 3339.
    config
        The configuration blob.
    layers
        Digest of the blob for each kind of layer ("model", "params", …), the last of a kind.
    blobs
        Folder of the blobs.

    """

    name: ModelName
    digest: str
    size: int
    modified: str
    config: dict[str, Any]
    layers: dict[str, str]
    blobs: Path

    @property
    def weights(self) -> Path:
        """The GGUF file.

        Raises
        ------
        LibraryError
            If the model has none, as those for Apple's MLX.

        """
        if "model" not in self.layers:
            raise LibraryError(f"{self.name} has no GGUF weights")
        return self.blobs / self.layers["model"].replace(":", "-")

    @property
    def details(self) -> dict[str, Any]:
        """What /api/tags and /api/show tell."""
        return {
            "parent_model": "",
            "format": self.config.get("model_format", ""),
            "family": self.config.get("model_family", ""),
            "families": self.config.get("model_families"),
            "parameter_size": self.config.get("model_type", ""),
            "quantization_level": self.config.get("file_type", ""),
        }

    @property
    def has_chat_template(self) -> bool:
        """Whether the GGUF says how a conversation is written; base models do not."""
        return self._header_has(b"tokenizer.chat_template")

    @property
    def makes_embeddings(self) -> bool:
        """Whether the GGUF says how the vectors of its tokens become one: no chat model does."""
        return self._header_has(b".pooling_type")

    def _header_has(self, key: bytes) -> bool:
        with self.weights.open("rb") as file:
            size = min(os.fstat(file.fileno()).st_size, _HEADER_BYTES)
            with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as header:
                return header.find(key) >= 0

    def text(self, kind: str) -> str:
        """Return a layer of text, such as "system" or "license"; empty if there is none."""
        if kind not in self.layers:
            return ""
        return (self.blobs / self.layers[kind].replace(":", "-")).read_text()

    def parameters(self) -> dict[str, Any]:
        """Return the options that the model itself sets."""
        text = self.text("params")
        return dict(json.loads(text)) if text else {}


class Library:
    """The models under a folder (OLLAMA_MODELS).

    Parameters
    ----------
    root
        The folder.

    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._manifests = root / "manifests"
        self._blobs = root / "blobs"
        self._cache: dict[tuple[Path, int], Model] = {}

    def open(self, *, prune: bool) -> None:
        """Prepare the folder as Ollama does when it starts, and fail where it does.

        Parameters
        ----------
        prune
            Whether to delete what no manifest names (Ollama does unless OLLAMA_NOPRUNE is set).

        Raises
        ------
        LibraryError
            If the folder is read-only and something has to be written.

        """
        self._make(self._blobs)
        for blob in self._blobs.iterdir():
            if blob.name.startswith("sha256:"):
                self._writable("rename", blob)
                blob.rename(blob.with_name(blob.name.replace(":", "-", 1)))
        if not prune:
            return
        self._make(self._manifests)
        self._prune_blobs()
        folders = [path for path in self._manifests.rglob("*") if path.is_dir()]
        for folder in sorted(folders, reverse=True):  # inner ones first
            if not any(folder.iterdir()):
                self._writable("remove", folder)
                folder.rmdir()

    def models(self) -> list[Model]:
        """Return all models, the newest first; manifests that cannot be read are left out."""
        found = []
        for path in self._manifests.glob("*/*/*/*"):
            name = ModelName(*path.relative_to(self._manifests).parts)
            if name.valid and path.is_file():
                try:
                    found.append(self._read(name, path))
                except (OSError, ValueError, KeyError, TypeError):
                    continue
        return sorted(found, key=lambda model: (model.modified, str(model.name)), reverse=True)

    def find(self, text: str) -> Model | None:
        """Return the model of this name, if there is one; letter case does not count."""
        try:
            wanted = str(ModelName.parse(text)).lower()
        except ValueError:
            return None
        for model in self.models():
            if str(model.name).lower() == wanted:
                return model
        return None

    def _read(self, name: ModelName, path: Path) -> Model:
        status = path.stat()
        key = (path, status.st_mtime_ns)
        if key not in self._cache:
            raw = path.read_bytes()
            manifest = json.loads(raw)
            layers = manifest["layers"]
            config = self._blobs / manifest["config"]["digest"].replace(":", "-")
            self._cache[key] = Model(
                name=name,
                digest=hashlib.sha256(raw).hexdigest(),
                size=manifest["config"]["size"] + sum(layer["size"] for layer in layers),
                modified=datetime.fromtimestamp(status.st_mtime, UTC).isoformat(),
                config=json.loads(config.read_bytes()),
                layers={
                    layer["mediaType"].removeprefix(_LAYER): layer["digest"] for layer in layers
                },
                blobs=self._blobs,
            )
        return self._cache[key]

    def _prune_blobs(self) -> None:
        used = set()
        for path in self._manifests.glob("*/*/*/*"):
            manifest = json.loads(path.read_bytes())
            for part in (manifest["config"], *manifest["layers"]):
                used.add(part["digest"].replace(":", "-"))
        for blob in self._blobs.iterdir():
            fresh = time.time() - blob.stat().st_mtime < _KEPT_SECONDS
            orphan = blob.name not in used and not fresh
            if not _BLOB.fullmatch(blob.name) or orphan:
                try:
                    self._writable("remove", blob)
                    blob.unlink()
                except (LibraryError, OSError) as error:
                    print(f"couldn't remove blob: {error}", flush=True)  # noqa: T201 - the log

    def _make(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._writable("mkdir", folder, ": ensure path elements are traversable")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise LibraryError(
                f"mkdir {folder}: {reason}: ensure path elements are traversable"
            ) from error

    def _writable(self, action: str, path: Path, advice: str = "") -> None:
        """Raise ``LibraryError`` if the path is in a volume that is mounted read-only."""
        for folder in filter(None, os.environ.get(READ_ONLY, "").split(os.pathsep)):
            if path.is_relative_to(folder):
                reason = os.strerror(errno.EROFS).lower()
                raise LibraryError(f"{action} {path}: {reason}{advice}")
