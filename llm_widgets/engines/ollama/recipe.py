"""The deployment of a model with Ollama, from its folder of manifests and blobs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.engines import hardware
from llm_widgets.engines.offers import Readiness
from llm_widgets.engines.ollama import variables
from llm_widgets.engines.ollama.version import VERSION

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.offers import Wanted

ID = "ollama"
IMAGE = f"ollama/ollama:{VERSION}"

PORT = 11434
READY = Readiness("/", 11435)
"""Where something listens once the model is loaded."""

CONCURRENCY = 4
CONTEXT_LENGTH = 8192
"""Tokens for each of the parallel requests; Ollama's own default depends on the GPU."""

MOUNT_OPTIONS = ("implicit-dirs", "metadata-cache-ttl-secs=-1")
BUFFERED = ("enable-buffered-read=true",)

# Ollama reads no variable MODEL, listens before a model is loaded, and loads one with the first
# request. So the model is loaded here, and only then does a second, idle Ollama listen where the
# startup probe asks: the service takes no request before it can answer one. An empty prompt loads
# a model; one for embeddings refuses it (cmd/cmd.go of 0.24), and is loaded by any text.
SCRIPT = """\
ollama serve &
server=$!
trap 'kill -TERM $server' TERM INT
until ollama list >/dev/null 2>&1; do
  kill -0 $server || exit 1
  sleep 1
done
prompt=
if ollama show "$MODEL" | grep -qw embedding; then
  prompt=ready
fi
if ! ollama run "$MODEL" "$prompt" </dev/null >/dev/null; then
  echo "The model $MODEL was not loaded." >&2
  exit 1
fi
OLLAMA_HOST="$READY_HOST" ollama serve >/dev/null 2>&1 &
wait $server
"""


def mount_path(bucket: str) -> str:
    """Return where the folder of manifests and blobs appears in the container."""
    return f"/gcs/{bucket}/{ID}"


def deployment(wanted: Wanted) -> Deployment:
    """Return the deployment that a model is offered first.

    The folder of the model holds ``manifests`` and ``blobs``.
    """
    folder = mount_path(wanted.bucket)
    made = wanted.deployment(
        ID,
        image=IMAGE,
        port=PORT,
        ready=READY,
        mount_path=folder,
        concurrency=CONCURRENCY,
        verdict=wanted.verdict(),
    )
    cache = hardware.cache_gib(wanted.record.size, made.memory_gib)
    context_length = wanted.context_length or CONTEXT_LENGTH
    return replace(
        made,
        command=("/bin/sh", "-c", SCRIPT),
        environment=environment(folder, wanted.record.id, context_length, CONCURRENCY),
        mount_options=MOUNT_OPTIONS if cache else (*MOUNT_OPTIONS, *BUFFERED),
        cache_gib=cache,
    )


def environment(folder: str, model: str, context_length: int, parallel: int) -> dict[str, str]:
    """Return the variables of a service; ``parallel`` is its concurrency."""
    return {
        variables.FOLDER.name: folder,
        variables.MODEL.name: model,
        "OLLAMA_DEBUG": "false",
        "OLLAMA_KEEP_ALIVE": "-1",
        # Tidying up fails on a read-only mount, and would delete imports in progress on another.
        "OLLAMA_NOPRUNE": "1",
        variables.HOST.name: variables.HOST.written(PORT),
        "READY_HOST": variables.HOST.written(READY.port),
        variables.CONTEXT.name: str(context_length),
        variables.PARALLEL.name: str(parallel),
        "OLLAMA_MAX_LOADED_MODELS": "1",
        # Without it the compute graph alone may take more than a GPU has (ollama#10615).
        variables.FLASH_ATTENTION.name: "1",
        "OLLAMA_LOAD_TIMEOUT": "30m",
        "OLLAMA_NO_CLOUD": "1",
    }
