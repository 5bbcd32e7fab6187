"""Models as an Ollama registry keeps them: manifests that name blobs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from local_cloud.hub.blobs import Blob, Blobs

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
LAYER_TYPE = "application/vnd.ollama.image."  # and model, params, license, template, …
DEFAULT_HOST = "registry.ollama.ai"


class OllamaModels:
    """The manifests of a folder: ``<host>/<namespace>/<model>/<tag>``, kept byte for byte."""

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self._folder = folder
        self._blobs = blobs

    def names(self) -> list[str]:
        """List ``namespace/model`` of all models of the registry itself, sorted."""
        found = {path.parent for path in self._folder.glob(f"{DEFAULT_HOST}/*/*/*")}
        return sorted(f"{path.parent.name}/{path.name}" for path in found)

    def tags(self, namespace: str, model: str) -> list[str]:
        """List the tags of a model, sorted."""
        folder = self._folder / DEFAULT_HOST / namespace / model
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def manifest(self, namespace: str, model: str, tag: str) -> bytes | None:
        """Read a manifest, of the registry itself or of ``hf.co``, as it was written."""
        for host in (DEFAULT_HOST, "hf.co"):
            path = self._path(host, namespace, model, tag)
            if path.is_file():
                return path.read_bytes()
        return None

    def add(
        self,
        namespace: str,
        model: str,
        tags: Sequence[str],
        *,
        config: Mapping[str, Any],
        layers: Sequence[tuple[str, Blob]],
        host: str = DEFAULT_HOST,
    ) -> bytes:
        """Write the manifest of a model under each of the tags and give its bytes.

        Parameters
        ----------
        config
            What the config blob tells: ``model_format``, ``model_family``, ``file_type``, …
        layers
            Kind (``model``, ``params``, ``license``, …) and content of each layer.
        """
        written = [_entry(LAYER_TYPE + kind, blob) for kind, blob in layers]
        rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in written]}
        config_blob = self._blobs.add(json.dumps({**config, "rootfs": rootfs}).encode())
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": _entry(CONFIG_TYPE, config_blob),
                "layers": written,
            }
        ).encode()
        for tag in tags:
            path = self._path(host, namespace, model, tag)
            path.parent.mkdir(parents=True, exist_ok=True)
            new = self._folder / f".new-{namespace}-{model}-{tag}"
            new.write_bytes(manifest)
            new.replace(path)
        return manifest

    def _path(self, host: str, namespace: str, model: str, tag: str) -> Path:
        return self._folder / host / namespace / model / tag


def _entry(media_type: str, blob: Blob) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": f"sha256:{blob.sha256}", "size": blob.size}
