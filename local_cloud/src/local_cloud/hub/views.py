"""Repositories as the Hugging Face Hub describes them in JSON."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from local_cloud.hub import gguf_header
from local_cloud.hub.repositories import is_lfs

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from local_cloud.hub.blobs import Blob, Blobs
    from local_cloud.hub.repositories import Commit, Repository

# The small file that stands for a large one in git; https://git-lfs.com, pointer format 1.
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
_LARGEST_HEADER = 100 << 20  # bytes; the format's own limit
_CONFIG_KEYS = ("architectures", "model_type", "quantization_config")


def model(
    repository: Repository, commit: Commit, blobs: Blobs, *, files_metadata: bool
) -> dict[str, Any]:
    """Describe a model at one commit.

    Parameters
    ----------
    files_metadata
        Whether sizes and digests of the files are told, or their names only.
    """
    newest_first = repository.history(commit)
    licence = repository.card.get("license")
    tags = [repository.library_name, *([f"license:{licence}"] if licence else [])]
    if any(path.endswith(".safetensors") for path in commit.files):
        tags.append("safetensors")
    base, relation = (repository.card.get(k) for k in ("base_model", "base_model_relation"))
    if base:
        tags += [f"base_model:{base}", *([f"base_model:{relation}:{base}"] if relation else [])]
    described: dict[str, Any] = {
        "_id": _object_id(repository.id),
        "id": repository.id,
        "modelId": repository.id,
        "author": repository.id.partition("/")[0],
        "sha": commit.sha,
        "private": repository.private,
        "gated": repository.gated,
        "disabled": repository.disabled,
        "downloads": 0,
        "likes": 0,
        "trendingScore": 0,
        "lastModified": newest_first[0].date,
        "createdAt": newest_first[-1].date,
        "library_name": repository.library_name,
        "pipeline_tag": repository.pipeline_tag,
        "tags": tags,
        "cardData": repository.card,
        "config": _config(commit, blobs),
        "siblings": [
            _sibling(path, blob, files_metadata=files_metadata)
            for path, blob in commit.files.items()
        ],
        "usedStorage": sum(blob.size for blob in commit.files.values()),
    }
    if parameters := _parameters(commit, blobs):
        total = sum(parameters.values())
        described["safetensors"] = {"parameters": parameters, "total": total}
    if base and relation:
        models = [{"_id": _object_id(base), "id": base}]
        described["baseModels"] = {"relation": relation, "models": models}
    if gguf := _gguf(commit, blobs):
        described["gguf"] = gguf
    return described


def expanded(described: dict[str, Any], properties: Collection[str]) -> dict[str, Any]:
    """Keep the properties that are asked for, as ``expand`` does."""
    return {key: value for key, value in described.items() if key in {"_id", "id", *properties}}


def entries(commit: Commit, folder: str, *, recursive: bool, expand: bool) -> list[dict[str, Any]]:
    """List the files and folders of a folder (``""`` for the root), sorted by path."""
    found: dict[str, dict[str, Any]] = {}
    base = PurePosixPath(folder)
    for path, blob in commit.files.items():
        parents = [parent for parent in PurePosixPath(path).parents if parent != PurePosixPath()]
        if folder and base not in parents:
            continue
        inside = [parent for parent in parents if not folder or base in parent.parents]
        if recursive or not inside:
            found[path] = file_entry(path, blob, commit, expand=expand)
        for parent in inside if recursive else inside[-1:]:
            found[str(parent)] = _folder_entry(str(parent))
    return [found[path] for path in sorted(found)]


def file_entry(path: str, blob: Blob, commit: Commit, *, expand: bool = False) -> dict[str, Any]:
    """Describe one file as the tree of a repository lists it."""
    oid, lfs = _in_git(path, blob)
    entry: dict[str, Any] = {"type": "file", "oid": oid, "size": blob.size, "path": path}
    if lfs:
        entry["lfs"] = {"oid": blob.sha256, **lfs}
    if expand:
        entry["lastCommit"] = {"id": commit.sha, "title": commit.title, "date": commit.date}
    return entry


def commit_entry(commit: Commit) -> dict[str, Any]:
    """Describe one commit of the history."""
    return {
        "id": commit.sha,
        "title": commit.title,
        "message": "",
        "authors": [{"user": "local-cloud"}],
        "date": commit.date,
    }


def refs(repository: Repository) -> dict[str, Any]:
    """List branches and tags."""
    return {
        "branches": [
            {"name": name, "ref": f"refs/heads/{name}", "targetCommit": sha}
            for name, sha in repository.branches.items()
        ],
        "tags": [
            {"name": name, "ref": f"refs/tags/{name}", "targetCommit": sha}
            for name, sha in repository.tags.items()
        ],
        "converts": [],
    }


def safetensors_header(path: Path) -> dict[str, Any]:
    """Read the header of a safetensors file: 8 bytes of length, then JSON.

    A file that is none has no tensors.
    """
    with path.open("rb") as file:
        start = file.read(8)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(_LARGEST_HEADER, path.stat().st_size):  # noqa: PLR2004 - the length is in 8 bytes
            return {}
        try:
            header = json.loads(file.read(length))
        except ValueError:
            return {}
    return header if isinstance(header, dict) else {}


def safetensors_metadata(commit: Commit, index_path: str, blobs: Blobs) -> dict[str, Any] | None:
    """Return the headers of all shards that an index names; ``None`` without such an index."""
    if index_path not in commit.files:
        return None
    index = json.loads(blobs.path(commit.files[index_path].sha256).read_bytes())
    shards = sorted(set(index["weight_map"].values()))
    headers = {
        shard: safetensors_header(blobs.path(commit.files[shard].sha256)) for shard in shards
    }
    return {"index": {"metadata": index.get("metadata")}, "headers": headers}


def _sibling(path: str, blob: Blob, *, files_metadata: bool) -> dict[str, Any]:
    sibling: dict[str, Any] = {"rfilename": path}
    if files_metadata:
        oid, lfs = _in_git(path, blob)
        sibling |= {"blobId": oid, "size": blob.size}
        if lfs:
            sibling["lfs"] = {"sha256": blob.sha256, **lfs}
    return sibling


def _in_git(path: str, blob: Blob) -> tuple[str, dict[str, int]]:
    """Return the id of a file in git and, for a large one, its size and that of its pointer."""
    if not is_lfs(path, blob.size):
        return blob.git_sha1, {}
    pointer = _POINTER.format(sha256=blob.sha256, size=blob.size).encode()
    oid = hashlib.sha1(b"blob %d\0" % len(pointer) + pointer, usedforsecurity=False).hexdigest()
    return oid, {"size": blob.size, "pointerSize": len(pointer)}


def _folder_entry(path: str) -> dict[str, Any]:
    oid = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    return {"type": "directory", "oid": oid, "size": 0, "path": path}


def _object_id(repo_id: str) -> str:
    return hashlib.sha256(repo_id.encode()).hexdigest()[:24]


def _gguf(commit: Commit, blobs: Blobs) -> dict[str, Any]:
    """Describe the first GGUF file of a repository; empty where there is none."""
    paths = sorted(path for path in commit.files if path.endswith(".gguf"))
    return gguf_header.read(blobs.path(commit.files[paths[0]].sha256)) if paths else {}


def _config(commit: Commit, blobs: Blobs) -> dict[str, Any]:
    if "config.json" not in commit.files:
        return {}
    try:
        config = json.loads(blobs.path(commit.files["config.json"].sha256).read_bytes())
    except (ValueError, RecursionError):
        return {}
    if not isinstance(config, dict):
        return {}
    return {key: config[key] for key in _CONFIG_KEYS if key in config}


def _parameters(commit: Commit, blobs: Blobs) -> dict[str, int]:
    """Count the parameters of the weights in the root, by dtype."""
    counted: dict[str, int] = {}
    for path, blob in commit.files.items():
        if "/" in path or not path.startswith("model") or not path.endswith(".safetensors"):
            continue
        for name, tensor in safetensors_header(blobs.path(blob.sha256)).items():
            if name != "__metadata__":
                dtype = tensor["dtype"]
                counted[dtype] = counted.get(dtype, 0) + math.prod(tensor["shape"])
    return counted
