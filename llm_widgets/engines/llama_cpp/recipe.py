"""The deployment of a model with llama.cpp's server, from a folder of manifests and blobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.loading import LAYERS, Task
from llm_widgets.engines.llama_cpp import variables
from llm_widgets.engines.offers import Readiness

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Verdict
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.offers import Wanted

ID = "llama-cpp"
IMAGE = "ghcr.io/ggml-org/llama.cpp:server-cuda-b11176"
"""What ``server-cuda`` was on 2026-09-26: pinned, as that tag moves several times a day.

Built with CUDA 12.8.1, which the drivers of all these GPUs run; the entry point is the server.
Source: tags of https://github.com/ggml-org/llama.cpp/pkgs/container/llama.cpp, as public
Dockerfiles that build on this one name it with its digest, sha256:1f4b9cf58982….
"""

PORT = 8080
READY = Readiness("/health")
"""It answers 503 while the model is being loaded, and 200 then."""

CONCURRENCY = 4
CONTEXT_LENGTH = 8192
"""Tokens for each of the parallel requests."""

ALL_LAYERS = "999"
"""More layers than any model has: all of them go to the GPU."""

_SETTINGS = {Task.EMBED: variables.EMBEDDINGS, Task.RERANK: variables.RANKING}

MOUNT_OPTIONS = (
    "implicit-dirs",
    "metadata-cache-ttl-secs=-1",
    "enable-buffered-read=true",  # without a map of the file it is read from end to end
)


def mount_path(bucket: str) -> str:
    """Return where the folder of manifests and blobs appears in the container."""
    return f"/gcs/{bucket}/{ID}"


def deployment(wanted: Wanted) -> Deployment:
    """Return the deployment that a model is offered first.

    The folder of the model holds ``manifests`` and ``blobs``.
    """
    folder = mount_path(wanted.bucket)
    verdict = wanted.verdict()
    made = wanted.deployment(
        ID,
        image=IMAGE,
        port=PORT,
        ready=READY,
        mount_path=folder,
        concurrency=CONCURRENCY,
        verdict=verdict,
    )
    environment = {
        **_files(folder, wanted.manifest),
        "LLAMA_ARG_ALIAS": wanted.record.id,
        "LLAMA_ARG_HOST": "0.0.0.0",  # noqa: S104 - a container is asked from outside
        variables.PORT.name: str(PORT),
        variables.CELLS: str((wanted.context_length or CONTEXT_LENGTH) * CONCURRENCY),
        variables.PARALLEL.name: str(CONCURRENCY),
        "LLAMA_ARG_N_GPU_LAYERS": ALL_LAYERS if made.accelerator else "0",
        # The model's own template of chats, which tools need.
        "LLAMA_ARG_JINJA": "1",
        # A map of a file on Cloud Storage FUSE is read in small pieces.
        "LLAMA_ARG_NO_MMAP": "1",
        "LLAMA_ARG_ENDPOINT_METRICS": "1",
        **_told(verdict),
    }
    return replace(made, environment=environment, mount_options=MOUNT_OPTIONS)


def _files(folder: str, manifest: ModelManifest | None) -> dict[str, str]:
    """Return the files of a model by the variable that names them; none where none is known."""
    if manifest is None:
        return {}
    kept = manifest.facts.get(LAYERS)
    layers = kept if isinstance(kept, dict) else {}
    paths = {file.path for file in manifest.files if file.path.startswith("blobs/")}
    largest = max(
        (file for file in manifest.files if file.path in paths),
        key=lambda file: file.size,
        default=None,
    )
    # Models that were imported before their layers were kept: the weights are most of them.
    model = layers.get("model", largest.path if largest else "")
    found = {variables.MODEL: model, variables.PROJECTOR: layers.get("projector", "")}
    return {name: f"{folder}/{path}" for name, path in found.items() if path in paths}


def _told(verdict: Verdict | None) -> dict[str, str]:
    """Return what makes the server embed or rank, where the model does."""
    setting = _SETTINGS.get(verdict.task) if verdict else None
    return {setting.name: "1"} if setting else {}
