"""What vLLM says of numbers that do not go together, and of a start that takes too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import BIGGER_GPU, MORE_MEMORY, SMALLER_MODEL
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_READY_SECONDS = 1800
"""Seconds; Cloud Run's startup probe waits no longer with a GPU. vLLM itself waits 600."""


def _batch(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Return a batch that the wanted tokens fit into: the next power of two."""
    return {**groups, "batch_needed": str(1 << (int(groups["wanted"]) - 1).bit_length())}


def _fewer(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    values = dict(groups)
    if values.get("blocks") == "0":
        del values["blocks"]
    return values


STREAMER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with --load-format=runai_streamer, which reads faster from a bucket.",
    {"add_argument": "--load-format=runai_streamer"},
    needs=("is_vllm",),
)
_LARGER_BATCH = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with --max-num-batched-tokens={batch_needed}.",
    {"add_argument": "--max-num-batched-tokens={batch_needed}"},
)

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="picture-larger-than-batch",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"max_tokens_per_mm_item \((?P<wanted>\d{1,9})\) is larger than "
                r"max_num_batched_tokens \((?P<have>\d{1,9})\)"
            ),
        ),
        causes=(
            (
                "A picture of this model takes up to {wanted} tokens, and vLLM works on {have} at "
                "once."
            ),
        ),
        advice=(_LARGER_BATCH,),
        source="vllm-project/vllm: vllm/v1/core/encoder_cache_manager.py",
        derive=_batch,
        versions="vLLM 0.8 to 0.33",
    ),
    KnownFailure(
        id="batch-too-small",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"max_num_batched_tokens \((?P<have>\d{1,9})\) is smaller than max_model_len "
                r"\((?P<wanted>\d{1,9})\)"
            ),
            logged(
                r"max_num_batched_tokens \((?P<have>\d{1,9})\) must be greater than or equal to "
                r"max_num_seqs \((?P<wanted>\d{1,9})\)"
            ),
        ),
        causes=("vLLM is to work on {have} tokens at once, and needs {wanted} at least.",),
        advice=(
            _LARGER_BATCH,
            Advice(RemedyKind.NONE, "Leave out --max-num-batched-tokens: vLLM chooses it."),
        ),
        source="vllm-project/vllm: vllm/config/scheduler.py",
        derive=_batch,
        versions="vLLM 0.4 to 0.33",
    ),
    KnownFailure(
        id="state-blocks",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"max_num_seqs \((?P<asked>\d{1,9})\) exceeds available Mamba cache blocks "
                r"\((?P<blocks>\d{1,9})\)"
            ),
        ),
        causes=(
            (
                "The model keeps a state for each request, and the GPU's memory holds {blocks} of "
                "them "
                "beside the model, not {asked}."
            ),
            "The model keeps a state for each request, and the GPU's memory has no room for one.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {blocks} concurrent requests: --max-num-seqs={blocks}.",
                {"parallel": "{blocks}"},
            ),
            BIGGER_GPU,
            Advice(RemedyKind.NONE, "Lower --max-num-seqs."),
        ),
        source="vllm-project/vllm: vllm/config/compilation.py",
        derive=_fewer,
        versions="vLLM 0.18 to 0.33",
    ),
    KnownFailure(
        id="ready-timeout",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Timed out waiting for engine core processes to start"),
            logged(r"Timed out waiting for new engine core processes to start"),
            logged(r"Did not receive response from front-end process within"),
        ),
        causes=(
            (
                "vLLM gave up waiting for its own engine, which was still loading: it waits ten "
                "minutes "
                "unless it is told otherwise."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                f"Deploy with VLLM_ENGINE_READY_TIMEOUT_S={_READY_SECONDS}, as long as the "
                "startup probe may wait.",
                {"environment": f"VLLM_ENGINE_READY_TIMEOUT_S={_READY_SECONDS}"},
                needs=("is_vllm",),
            ),
            STREAMER,
            MORE_MEMORY,
            Advice(
                RemedyKind.NONE, "Set the variable VLLM_ENGINE_READY_TIMEOUT_S to more seconds."
            ),
        ),
        source="vllm-project/vllm: vllm/v1/engine/core_client.py",
        versions="vLLM 0.11 to 0.33",
    ),
    KnownFailure(
        id="memory-profiling",
        rank=Rank.ENGINE,
        signs=(logged(r"Error in memory profiling"),),
        causes=(
            (
                "The GPU's free memory changed while vLLM measured it: another program on it ended "
                "meanwhile."
            ),
        ),
        advice=(Advice(RemedyKind.REDEPLOY, "Deploy again."),),
        source="vllm-project/vllm: vllm/v1/worker/gpu_worker.py",
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="vllm-killed",
        rank=Rank.ENGINE_ENDED,
        signs=(logged(r"Failed core proc\(s\): \{'(?P<process>\w{1,40})': -9"),),
        causes=(
            (
                "vLLM's process {process} was killed from outside, usually because the "
                "container ran out of memory."
            ),
        ),
        advice=(MORE_MEMORY, SMALLER_MODEL),
        source="vllm-project/vllm: vllm/v1/engine/utils.py",
        versions="vLLM 0.9 to 0.33",
    ),
    KnownFailure(
        id="forked-process",
        rank=Rank.ENGINE,
        signs=(logged(r"Cannot re-initialize CUDA in forked subprocess"),),
        causes=("vLLM started its processes in a way that does not go with what uses the GPU.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with VLLM_WORKER_MULTIPROC_METHOD=spawn.",
                {"environment": "VLLM_WORKER_MULTIPROC_METHOD=spawn"},
                needs=("is_vllm",),
            ),
            Advice(RemedyKind.NONE, "Set the variable VLLM_WORKER_MULTIPROC_METHOD to spawn."),
        ),
        source="pytorch/pytorch: torch/cuda/__init__.py",
        versions="vLLM 0.4 to 0.33",
    ),
)
