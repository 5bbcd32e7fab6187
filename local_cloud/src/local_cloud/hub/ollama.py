"""The Ollama registry: manifests as they were written, and their blobs."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from werkzeug import Response

from local_cloud.hub.registry import MANIFEST_TYPE

if TYPE_CHECKING:
    from werkzeug import Request

    from local_cloud.hub.blobs import Blobs
    from local_cloud.hub.downloads import Downloads
    from local_cloud.hub.registry import OllamaModels
    from local_cloud.hub.repositories import Repositories

_NAME = r"(?P<namespace>[\w-]+)/(?P<model>\w[\w.-]*)"
_MANIFEST = re.compile(rf"/v2/{_NAME}/manifests/(?P<tag>\w[\w.-]*)", re.ASCII)
_TAGS = re.compile(rf"/v2/{_NAME}/tags/list", re.ASCII)
_BLOB = re.compile(r"/v2/[\w.-]+/[\w.-]+/blobs/sha256[:-](?P<sha256>[0-9a-f]{64})", re.ASCII)
_SHARD = re.compile(r"-\d{5}-of-\d{5}\.gguf\Z")
_CLIENT = re.compile(r"\bollama/(\d+(?:\.\d+)*)")


class OllamaApi:
    """The route that answers the registry's part of the hub."""

    def __init__(
        self,
        models: OllamaModels,
        repositories: Repositories,
        blobs: Blobs,
        downloads: Downloads,
    ) -> None:
        self._models = models
        self._repositories = repositories
        self._blobs = blobs
        self._downloads = downloads

    def route(self, request: Request) -> Response | None:
        """Answer requests for what this registry holds."""
        if request.path == "/v2/":  # registry.ollama.ai has no such page
            return Response("404 page not found\n", 404, content_type="text/plain")
        if request.path == "/v2/_catalog":
            return _json({"repositories": self._models.names()})
        if match := _TAGS.fullmatch(request.path):
            name = f"{match['namespace']}/{match['model']}"
            tags = self._models.tags(match["namespace"], match["model"])
            return _json({"name": name, "tags": tags}) if tags else None
        if match := _MANIFEST.fullmatch(request.path):
            return self._named(request, match["namespace"], match["model"], match["tag"])
        if match := _BLOB.fullmatch(request.path):
            return self._blob(request, match["sha256"])
        return None

    def _named(self, request: Request, namespace: str, model: str, tag: str) -> Response | None:
        manifest = self._models.manifest(namespace, model, tag)
        if manifest is None:
            return self._of_repository(f"{namespace}/{model}")
        return self._manifest(request, manifest)

    def _of_repository(self, repo_id: str) -> Response | None:
        """Refuse as hf.co does: it takes no token, and knows the GGUF files of a repository."""
        repository = self._repositories.get(repo_id)
        if repository is None:
            return None
        if repository.private or repository.gated:
            return _json({"error": "Invalid username or password."}, 401)
        paths = repository.commits[repository.branches["main"]].files
        if any(_SHARD.search(path) for path in paths):
            return _json({"error": "Tag is a sharded GGUF, which is not supported"}, 400)
        if any(path.endswith(".gguf") for path in paths):
            return _json({"error": "Tag is no valid quantization scheme"}, 400)
        return _json({"error": "Repository is not GGUF or is not compatible with llama.cpp"}, 400)

    def _manifest(self, request: Request, manifest: bytes) -> Response:
        if refusal := self._too_old(request, manifest):
            return refusal
        if request.method == "HEAD":  # only here does the real registry tell the digest
            headers = {
                "Content-Length": str(len(manifest)),
                "ollama-content-digest": hashlib.sha256(manifest).hexdigest(),
            }
            return Response(status=200, headers=headers, content_type=MANIFEST_TYPE)
        return Response(manifest, content_type=MANIFEST_TYPE)

    def _too_old(self, request: Request, manifest: bytes) -> Response | None:
        config = json.loads(manifest)["config"]["digest"].removeprefix("sha256:")
        needed = json.loads(self._blobs.path(config).read_bytes()).get("requires")
        client = _CLIENT.search(request.headers.get("User-Agent", ""))
        if not needed or not client or _version(client[1]) >= _version(needed):
            return None
        return Response(
            "\nThe model you are attempting to pull requires a newer version of Ollama.\n\n"
            "Please download the latest version at:\n\n\thttps://ollama.com/download\n\n",
            412,
            content_type="text/plain",
        )

    def _blob(self, request: Request, sha256: str) -> Response | None:
        path = self._blobs.path(sha256)
        if not path.is_file():
            return None
        if request.method == "HEAD":
            headers = {"Content-Length": str(path.stat().st_size), "Accept-Ranges": "bytes"}
            return Response(status=200, headers=headers, content_type="application/octet-stream")
        # `ollama pull` fails without this redirect.
        url = self._downloads.signed_url(request, sha256)
        return Response(status=307, headers={"Location": url, "Content-Length": "0"})


def unknown(request: Request, reason: str) -> Response:
    """Answer for what neither this registry nor the real one can give."""
    code = "BLOB_UNKNOWN" if "/blobs/" in request.path else "MANIFEST_UNKNOWN"
    return _json({"errors": [{"code": code, "message": reason}]}, 404)


def _json(data: object, status: int = 200) -> Response:
    return Response(json.dumps(data), status, content_type="application/json")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])
