"""The deployment of a model with vLLM, from its folder in the bucket."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.loading import POOLING
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.engines.offers import Readiness
from llm_widgets.engines.vllm import arguments, streaming
from llm_widgets.engines.vllm.loadable import MISTRAL
from llm_widgets.engines.vllm.memory import UTILIZATION, batch_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.offers import Wanted


ID = "vllm"
PORT = 8000
CONCURRENCY = 64
READY = Readiness("/health")
"""It listens once the model is loaded."""

_CUDA = 13  # of the plain image: CUDA_VERSION in vLLM's docker/Dockerfile

MOUNT_OPTIONS = (
    "implicit-dirs",  # objects that were uploaded have no objects for their folders
    "enable-buffered-read=true",  # the streamer reads from one end to the other
    "metadata-cache-ttl-secs=-1",  # files of a model never change
)

READY_SECONDS = max(LONGEST_PROBE.values())
"""How long vLLM's server waits for its engine: as long as a startup probe may. By itself it gives
up after 600 seconds (``vllm/envs.py``), which a large model takes to be read."""

PICTURE_TOKENS: Mapping[str, int] = {
    "Gemma4ForConditionalGeneration": 2496,
    "Molmo2ForConditionalGeneration": 8134,
}
"""Tokens of the largest picture or video, by architecture, of models that see all of a picture at
once: vLLM does not start unless a batch holds them (vllm-project/recipes#441;
``v1/core/encoder_cache_manager.py``)."""


def image(accelerator: str) -> str:
    """Return the image for a GPU; its entry point is ``vllm serve``.

    The plain one needs a driver that runs CUDA 13. Where one may be older, it is the same
    release built with CUDA 12.9, which newer drivers run as well.
    """
    gpu = gpus.by_accelerator(accelerator)
    return f"vllm/vllm-openai:v0.33.0{'-cu129' if gpu and gpu.cuda < _CUDA else ''}"


def is_own_image(image: str) -> bool:
    """Return whether an image is vLLM's own, also as a mirror has it, and not one built on it."""
    return image.partition("@")[0].rpartition(":")[0].endswith("vllm/vllm-openai")


def mount_path(bucket: str) -> str:
    """Return where the folder of the model appears in the container."""
    return f"/gcs/{bucket}/{ID}"


def deployment(wanted: Wanted, proposed: Sequence[str] = ()) -> Deployment:
    """Return the deployment that a model is offered first.

    Parameters
    ----------
    proposed
        Arguments of the model's family.
    """
    verdict = wanted.verdict(ID)
    accelerator = wanted.machine.accelerator
    made = wanted.deployment(
        ID,
        image=image(accelerator),
        port=PORT,
        ready=READY,
        mount_path=mount_path(wanted.bucket),
        concurrency=CONCURRENCY,
        verdict=verdict,
    )
    args = [
        made.mount_path,
        f"--served-model-name={wanted.record.id}",
        f"{arguments.PORT.name}={PORT}",
        f"{arguments.GPUS.name}=1",
        f"{arguments.CONTEXT.name}={wanted.context_length or 'auto'}",
        # Its own default, written out to be changed.
        f"{arguments.MEMORY_SHARE.name}={UTILIZATION:g}",
        f"{arguments.PARALLEL.name}={CONCURRENCY}",
    ]
    gpu = gpus.by_accelerator(accelerator)
    picture = PICTURE_TOKENS.get(_architecture(wanted.manifest), 0)
    if gpu and picture > batch_tokens(gpu):
        args.append(f"{arguments.BATCH.name}={_whole_batch(picture)}")
    if verdict and verdict.task in POOLING:
        args.append(f"{arguments.RUNNER.name}=pooling")
    if verdict and verdict.format == MISTRAL:
        # Which files are Mistral's, the streamer needs no word for: no others are copied.
        args += [f"{name}={MISTRAL}" for name in ("--tokenizer-mode", "--config-format")]
    environment = {
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_ENGINE_READY_TIMEOUT_S": str(READY_SECONDS),
    }
    if _is_streamable(wanted.manifest):
        args.append(streaming.STREAMED)
        environment |= streaming.BUFFER
    for word in proposed:
        args = list(arguments.COMMAND_LINE.with_word(args, word))
    return replace(made, args=tuple(args), environment=environment, mount_options=MOUNT_OPTIONS)


def _architecture(manifest: ModelManifest | None) -> str:
    """Return the architecture of the model's configuration; empty where it is not known."""
    return str(manifest.facts.get("architecture", "")) if manifest else ""


def _is_streamable(manifest: ModelManifest | None) -> bool:
    """Return whether the weights are safetensors, or probably are: they can be streamed."""
    files = manifest.files if manifest else ()
    return not files or any(file.path.endswith(".safetensors") for file in files)


def _whole_batch(tokens: int) -> int:
    """Return the next power of two: the sizes that vLLM prepares graphs for."""
    return 1 << (tokens - 1).bit_length()
