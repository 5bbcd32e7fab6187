"""The deployment of a model with vLLM, from its folder in the bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.domain.services import Deployment, StartupProbe
from llm_widgets.engines import hardware
from llm_widgets.engines.base import Readiness
from llm_widgets.engines.vllm import arguments
from llm_widgets.engines.vllm.memory import UTILIZATION

if TYPE_CHECKING:
    from llm_widgets.domain.models import ModelRecord

ID = "vllm"
IMAGE = "vllm/vllm-openai:v0.33.0"
"""Its entry point is ``vllm serve``, so the model's path is the first argument."""

PORT = 8000
MOUNT_PATH = "/models"
CONCURRENCY = 64
READY = Readiness("/health")
"""It listens once the model is loaded."""

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
    """Return the deployment that a model is offered first.

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
        f"{arguments.PORT.name}={PORT}",
        f"{arguments.GPUS.name}=1",
        f"{arguments.CONTEXT.name}={context_length or 'auto'}",
        # Its own default, written out to be changed.
        f"{arguments.MEMORY_SHARE.name}={UTILIZATION:g}",
        f"{arguments.PARALLEL.name}={CONCURRENCY}",
    ]
    if safetensors:
        # Mapping the files into memory, the default, reads 2 MB/s through Cloud Storage FUSE.
        args.append("--load-format=runai_streamer")
    return Deployment(
        project=project,
        region=region,
        name=names.service_suggestion(ID, record.id),
        framework=ID,
        model_id=record.id,
        served_name=record.id,
        image=IMAGE,
        port=PORT,
        bucket=bucket,
        folder=record.prefix,
        mount_path=MOUNT_PATH,
        probe=StartupProbe(READY.path, failures=machine.probe_failures, port=READY.port),
        args=tuple(args),
        environment={"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"},
        mount_options=MOUNT_OPTIONS,
        accelerator=machine.accelerator,
        cpu=machine.cpu,
        memory_gib=machine.memory_gib,
        concurrency=CONCURRENCY,
    )
