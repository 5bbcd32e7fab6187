"""vLLM: serves a Hugging Face model from its folder in the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.domain.models import Framework
from llm_widgets.domain.services import Deployment, StartupProbe
from llm_widgets.serving import hardware

if TYPE_CHECKING:
    from llm_widgets.domain.models import ModelRecord

IMAGE = "vllm/vllm-openai:v0.33.0"
"""Its entry point is ``vllm serve``, so the model's path is the first argument."""

PORT = 8000
MOUNT_PATH = "/models"
CONCURRENCY = 64
PARALLEL = "--max-num-seqs"
"""Argument for the requests that are worked on at once."""

GPU_MEMORY = "0.92"
"""Share of the GPU's memory that vLLM takes: its own default, written out to be changed."""

MOUNT_OPTIONS = (
    "implicit-dirs",  # objects that were uploaded have no objects for their folders
    "enable-buffered-read=true",  # the streamer reads from one end to the other
    "metadata-cache-ttl-secs=-1",  # files of a model never change
)


def deployment(
    record: ModelRecord,
    *,
    project: str,
    region: str,
    bucket: str,
    accelerator: str | None = None,
    context_length: int | None = None,
    safetensors: bool = True,
) -> Deployment:
    """Give the deployment that a model is offered first.

    Parameters
    ----------
    record
        The model; its ``prefix`` is the folder that is mounted.
    accelerator
        Value of ``node_selector.accelerator``, empty for none; chosen when left out.
    context_length
        Tokens; the longest that fits into the GPU's memory when left out.
    safetensors
        Whether the weights are safetensors, which can be streamed to the GPU.
    """
    machine = hardware.choose(region, record.size, accelerator)
    args = [
        MOUNT_PATH,
        f"--served-model-name={record.id}",
        f"--port={PORT}",
        "--tensor-parallel-size=1",
        f"--max-model-len={context_length or 'auto'}",
        f"--gpu-memory-utilization={GPU_MEMORY}",
        f"{PARALLEL}={CONCURRENCY}",
    ]
    if safetensors:
        # Mapping the files into memory, the default, reads 2 MB/s through Cloud Storage FUSE.
        args.append("--load-format=runai_streamer")
    return Deployment(
        project=project,
        region=region,
        name=names.service_suggestion(Framework.VLLM, record.id),
        framework=Framework.VLLM,
        model_id=record.id,
        served_name=record.id,
        image=IMAGE,
        port=PORT,
        bucket=bucket,
        folder=record.prefix,
        mount_path=MOUNT_PATH,
        # It listens once the model is loaded.
        probe=StartupProbe("/health", failures=machine.probe_failures),
        args=tuple(args),
        environment={"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
        mount_options=MOUNT_OPTIONS,
        accelerator=machine.accelerator,
        cpu=machine.cpu,
        memory_gib=machine.memory_gib,
        concurrency=CONCURRENCY,
    )
