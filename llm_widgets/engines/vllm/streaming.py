"""When vLLM reads weights from ``gs://``, past the mount.

The streamer reads either way. From ``gs://`` it does so over many connections; through the mount it
depends on the buffers of Cloud Storage FUSE, which serve one reader from one end to the other.

Sources: vLLM's page on the Run:ai Model Streamer, and its image, which has had the client of Cloud
Storage since 0.11.1. With ``HF_HUB_OFFLINE`` it takes such an address since
vllm-project/vllm#39155, after 0.19. It copies all but the weights into the container itself
(``ModelConfig.maybe_pull_model_tokenizer_for_runai``). Google's guide to Gemma 4 on Cloud Run
deploys so. Public figures: 58.3 GiB in 73 seconds on an RTX PRO 6000 (August 2026).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.loading import POOLING
from llm_widgets.domain.streaming import Streaming
from llm_widgets.domain.units import GIB
from llm_widgets.engines.vllm import arguments
from llm_widgets.engines.vllm.loadable import MISTRAL
from llm_widgets.engines.vllm.memory import STREAM_BUFFER

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

STREAMED = "--load-format=runai_streamer"
"""Mapping the files into memory, the default, reads 2 MB/s through Cloud Storage FUSE."""

BUFFER = {arguments.STREAM_BUFFER.name: str(STREAM_BUFFER)}
"""What the streamer is let read ahead."""

_LEAST = 16 * GIB  # below it other phases take most of a start
_CPUS = 20  # of the machine that the figures are of: each connection is decrypted


def is_faster(size: int, deployment: Deployment) -> bool:
    """Return whether weights in safetensors are known to load faster from ``gs://``.

    Not of what is read in folders of its own, or in Mistral's format: nobody tells that it works.

    Parameters
    ----------
    size
        Bytes of the model's files.
    """
    is_mistral = arguments.COMMAND_LINE.value(deployment.args, "--config-format") == MISTRAL
    is_plain = deployment.task not in POOLING and not is_mistral
    return is_plain and size >= _LEAST and deployment.cpu >= _CPUS


STREAMING = Streaming(
    f"Proposed for models of {_LEAST // GIB} GiB or more on {_CPUS} vCPUs or more: 58 GiB took "
    "73 s in a public start on an RTX PRO 6000 with Direct VPC (August 2026). Of smaller machines "
    "no figures are known: they read through the mount. The mount stays either way.",
    (STREAMED,),
    is_faster,
)
