"""GGUF files of a repository at Hugging Face, laid out as Ollama keeps its models.

hf.co serves public repositories in Ollama's form. A private or gated one is only given with a
token, which that form does not take: its files are fetched as files then, and the manifest that
Ollama reads is written here.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import HubError, UnavailableError
from llm_widgets.hubs import facts, gguf, quantizations
from llm_widgets.hubs.huggingface import addresses, repository
from llm_widgets.hubs.ollama import failures
from llm_widgets.hubs.ollama.documents import CONFIG_TYPE, KINDS, MANIFEST_TYPE, Layer

if TYPE_CHECKING:
    from llm_widgets.hubs.headers import ReadRange
    from llm_widgets.hubs.huggingface.repository import File, Model, Repository
    from llm_widgets.hubs.ollama.names import Name

_PROJECTOR = re.compile(r"mmproj", re.IGNORECASE)
_URL = re.compile(r"/resolve/(?P<revision>[0-9a-f]{40})/(?P<path>[^?#]+)\Z")


class GgufFiles:
    """One quantization of a repository, as a manifest and blobs.

    Parameters
    ----------
    repository
        As the token sees it.
    endpoint
        Base URL of the hub.

    Attributes
    ----------
    license
        Of the repository's card.

    Raises
    ------
    ManagerError
        The token may not read it, or it has no such quantization in one file.
    """

    def __init__(self, repository: Repository, name: Name, endpoint: str) -> None:
        self._repository = repository
        self._endpoint = endpoint
        self._id = f"{name.namespace}/{name.model}"
        self._model, self.license = repository.model(self._id, addresses.MAIN)
        if self._model.gated or self._model.private:
            repository.check_access(self._id)
        found = {"model": chosen(self._model, name)}
        projectors = [path for path in self._model.files if _PROJECTOR.search(path)]
        if projectors:
            found["projector"] = self._model.files[_usual(projectors)]
        self._files = {kind: (file, _layer(file, kind)) for kind, file in found.items()}
        self._config = json.dumps(self._described()).encode()

    def manifest(self) -> bytes:
        """Return the manifest: the same bytes for the same files."""
        return json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": {
                    "mediaType": CONFIG_TYPE,
                    "digest": f"sha256:{hashlib.sha256(self._config).hexdigest()}",
                    "size": len(self._config),
                },
                "layers": [
                    {"mediaType": layer.media_type, "digest": layer.digest, "size": layer.size}
                    for _, layer in self._files.values()
                ],
            }
        ).encode()

    def blob(self, layer: Layer) -> bytes:
        """Return the configuration, which is the only blob that is not a file."""
        del layer
        return self._config

    def blob_url(self, layer: Layer) -> str:
        """Return where the bytes of a layer are: its file at its commit."""
        file = next(file for file, each in self._files.values() if each.digest == layer.digest)
        return repository.file_url(self._endpoint, self._id, self._model.sha, file.rfilename)

    def range_reader(self) -> ReadRange:
        """Return what reads parts of the files."""
        return self._repository.range_reader()

    def _described(self) -> dict[str, Any]:
        """Return what Ollama's configuration tells of a model (``types/model/config.go``).

        Without a template, Ollama takes the chat template of the file itself.
        """
        file, layer = self._files["model"]
        try:
            metadata, _ = gguf.header(
                self.blob_url(layer), layer.size, self.range_reader(), seconds=facts.SECONDS
            )
        except TimeoutError as error:
            raise UnavailableError(f"The header of {file.rfilename} takes too long.") from error
        family = str(metadata.get("general.architecture") or "")
        if not family:
            raise HubError(f"{file.rfilename} does not name its architecture.")
        families = [family, *(["clip"] if "projector" in self._files else [])]
        return {
            "model_format": "gguf",
            "model_family": family,
            "model_families": families,
            "model_type": str(metadata.get("general.size_label") or ""),
            "file_type": quantizations.label(file.rfilename) or "unknown",
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {
                "type": "layers",
                "diff_ids": [each.digest for _, each in self._files.values()],
            },
        }


def chosen(model: Model, name: Name) -> File:
    """Return the one file of a repository that a tag names, however its letters are written.

    Raises
    ------
    ManagerError
        The repository has no such quantization, or has it in several files.
    """
    tags = quantizations.by_tag(model.files)
    others = quantizations.offered(model.files)
    wanted = name.tag.lower()
    if wanted == "latest":
        wanted = (others[0] if quantizations.USUAL in others or len(others) == 1 else "").lower()
    exact = [path for path in model.files if path.lower() == wanted]
    found = exact or [
        path for tag, paths in tags.items() if tag.lower() == wanted for path in paths
    ]
    if not found:
        raise failures.no_such_tag(name, others)
    if any(quantizations.is_shard(path) for path in found):
        raise failures.sharded(name, others, f"They are {', '.join(found)}."[:300])
    if len(found) > 1:
        raise HubError(
            f"{len(found)} files of {model.id} are quantized as {name.tag}.",
            cause=f"They are {', '.join(found)}."[:300],
            fix=failures.whole_names(name, found),
        )
    return model.files[found[0]]


def file_url(name: Name, url: str, endpoint: str) -> str:
    """Return the address of a file of a repository; empty for what is none of it.

    Parameters
    ----------
    url
        What a plan says, which is not believed: repository and hub are those of the model.
    """
    found = _URL.search(url)
    model_id = f"{name.namespace}/{name.model}"
    if name.host != addresses.SHORT_HOST or not found:
        return ""
    made = f"{endpoint}/{model_id}/resolve/{found['revision']}/{found['path']}"
    return made if url == made and ".." not in found["path"].split("/") else ""


def _layer(file: File, kind: str) -> Layer:
    if not file.lfs:
        raise HubError(f"The hub has no checksum for {file.rfilename}.")
    return Layer(f"sha256:{file.lfs.sha256}", file.size or 0, f"{KINDS}{kind}")


def _usual(projectors: list[str]) -> str:
    """Return the projector to take: the one in 16 bits, if there are several."""
    return min(projectors, key=lambda path: (quantizations.label(path) != "F16", path))
