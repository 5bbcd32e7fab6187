"""The size of the cache that vLLM tells at the end of a start, and for how long it holds.

With it the next start of the same configuration leaves memory profiling out. vLLM then measures
nothing: for another model, GPU, length or version the number is wrong, and the start runs out of
memory or wastes it.

Source: ``gpu_worker.py`` of vLLM 0.11 to 0.33. Of its two numbers the second one leaves nothing
free, and is not taken.

``VLLM_ENABLE_STARTUP_PLAN=1``, in the pinned version too, makes vLLM keep the same number below
``VLLM_CACHE_ROOT`` and take it at the next start (vllm-project/vllm#47388, after 0.24). No
deployment sets it: the folder ends with its instance, so no start on Cloud Run would find a plan,
and :mod:`.kept_caches` says why it is not kept elsewhere. The argument says the same, and holds for
no more than the plan's fingerprint does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.memory.estimate import memory_bytes
from llm_widgets.engines.vllm import arguments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.services import Deployment

NAME = "--kv-cache-memory-bytes"
_SHORT = "--kv-cache-memory"  # argparse takes the beginning of a name, and the log tells it so
_WITHOUT_MEMORY = frozenset(
    {
        NAME,
        _SHORT,
        "--api-key",
        "--chat-template",
        "--default-chat-template-kwargs",
        "--disable-log-requests",
        "--disable-log-stats",
        "--enable-auto-tool-choice",
        "--enable-log-requests",
        "--generation-config",
        "--host",
        "--override-generation-config",
        "--port",
        "--reasoning-parser",
        "--served-model-name",
        "--tool-call-parser",
    }
)
"""Arguments of the server alone. With any other one vLLM may measure something else."""

_OF_MEMORY = ("VLLM_", "PYTORCH_")  # beginnings of variables with which it may, too

_TOLD = re.compile(
    r"`--kv-cache-memory(?:-bytes)?=(?P<bytes>\d{6,13})` \(\d{1,4}(?:\.\d{1,4})? GiB\) "
    r"to fit into requested memory"
)


def argument(deployment: Deployment, lines: Iterable[str]) -> str:
    """Return the argument that a start of this deployment told; empty where it told none.

    Anybody's container may have written the log: the number must fit into the GPU.
    """
    gpu = gpus.by_accelerator(deployment.accelerator)
    if gpu is None or _is_told(deployment):
        return ""
    told = [int(found["bytes"]) for line in lines if (found := _TOLD.search(line))]
    return f"{NAME}={told[-1]}" if told and told[-1] < memory_bytes(gpu) else ""


def kept(before: Deployment, after: Deployment) -> Deployment:
    """Return a changed deployment without a size that was told of what it was before.

    A size that is new with the change stays: somebody has chosen it.
    """
    if not _is_told(after) or _told(before) != _told(after) or _subject(before) == _subject(after):
        return after
    args = arguments.COMMAND_LINE.without(after.args, NAME)
    return replace(after, args=arguments.COMMAND_LINE.without(args, _SHORT))


def _is_told(deployment: Deployment) -> bool:
    return any(arguments.COMMAND_LINE.has(deployment.args, name) for name in (NAME, _SHORT))


def _told(deployment: Deployment) -> tuple[str, ...]:
    return tuple(arguments.COMMAND_LINE.value(deployment.args, name) for name in (NAME, _SHORT))


def _subject(deployment: Deployment) -> tuple[object, ...]:
    """Return all that the size depends on, or may."""
    flags = arguments.COMMAND_LINE.flags(deployment.args)
    variables = deployment.environment
    return (
        deployment.image,
        deployment.accelerator,
        (deployment.bucket, deployment.folder, deployment.model_id),
        {name: value for name, value in flags.items() if name not in _WITHOUT_MEMORY},
        {name: value for name, value in variables.items() if name.startswith(_OF_MEMORY)},
    )
