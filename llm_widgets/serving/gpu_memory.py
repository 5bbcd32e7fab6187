"""Whether a deployment fits into its GPU: what the engine is told, put to the estimates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.memory import estimate_ollama, estimate_vllm
from llm_widgets.domain.models import Framework
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.services import Deployment

_DEFAULT_CONTEXT = 4096  # Ollama's own, and for models that do not tell theirs
_DEFAULT_SEQUENCES = 256  # --max-num-seqs of vLLM
# As vLLM reads numbers of tokens: small letters count thousands, capitals powers of two.
_UNITS = {"k": 1000, "K": 1024, "m": 1000**2, "M": 1024**2, "g": 1000**3, "G": 1024**3}


def estimate(model: MemoryModel, deployment: Deployment) -> Estimate | None:
    """Estimate the GPU memory of a deployment; ``None`` where it has no GPU.

    Raises
    ------
    InvalidInputError
        The engine is told a number that is none.
    """
    gpu = gpus.by_accelerator(deployment.accelerator)
    if gpu is None:
        return None
    if deployment.framework is Framework.OLLAMA:
        return _ollama(model, gpu, deployment)
    return _vllm(model, gpu, deployment)


def context_of(deployment: Deployment) -> int:
    """Give the tokens of a request that an engine is told; 0 where it finds them itself.

    Raises
    ------
    InvalidInputError
        It is told something that is no number.
    """
    if deployment.framework is Framework.OLLAMA:
        text = deployment.environment.get("OLLAMA_CONTEXT_LENGTH", "")
        return tokens(text, "environment") if text else _DEFAULT_CONTEXT
    text = argument(deployment, "--max-model-len")
    return 0 if text in ("", "auto", "-1") else tokens(text, "args")


def tokens(text: str, field: str) -> int:
    """Read a number of tokens, also with a unit: ``8192``, ``32k``, ``32K``.

    Raises
    ------
    InvalidInputError
        It is none; ``field`` is where it was typed.
    """
    factor = _UNITS.get(text[-1:], 1)
    try:
        found = int(float(text[:-1] if factor > 1 else text) * factor)
    except (ValueError, OverflowError):
        found = 0
    if found < 1:
        raise InvalidInputError(f"“{text}” is no number of tokens.", field=field)
    return found


def argument(deployment: Deployment, name: str) -> str:
    """Give the value of an argument, written in one word or two; empty when it has none."""
    words = [*deployment.args, ""]
    for index, word in enumerate(deployment.args):
        if word == name:
            return words[index + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return ""


def _ollama(model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
    told = deployment.environment
    parallel = told.get("OLLAMA_NUM_PARALLEL", "")
    return estimate_ollama(
        model,
        gpu,
        context=context_of(deployment),
        parallel=tokens(parallel, "environment") if parallel else 1,
        kv_cache_type=told.get("OLLAMA_KV_CACHE_TYPE") or "f16",
        flash_attention=told.get("OLLAMA_FLASH_ATTENTION", "1").lower() not in ("0", "false"),
    )


def _vllm(model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
    sequences = argument(deployment, "--max-num-seqs")
    batched = argument(deployment, "--max-num-batched-tokens")
    share = argument(deployment, "--gpu-memory-utilization") or "0.92"
    try:
        utilization = float(share)
    except ValueError:
        raise InvalidInputError(f"“{share}” is no share of a GPU's memory.", field="args") from None

    def with_context(context: int) -> Estimate:
        return estimate_vllm(
            model,
            gpu,
            context=context,
            concurrency=tokens(sequences, "args") if sequences else _DEFAULT_SEQUENCES,
            utilization=utilization,
            max_num_batched_tokens=tokens(batched, "args") if batched else None,
            kv_dtype=argument(deployment, "--kv-cache-dtype") or "auto",
            eager="--enforce-eager" in deployment.args,
        )

    context = context_of(deployment)
    found = with_context(context or model.context_length or _DEFAULT_CONTEXT)
    longest = found.longest_context
    if context or found.fits or not longest:
        return found
    # vLLM shortens it itself, to what is really left: close is only what leaves next to nothing.
    shortened = with_context(longest)
    if with_context(min(longest, _DEFAULT_CONTEXT)).is_close:
        return shortened
    return replace(shortened, band=(shortened.band[0], min(shortened.band[1], shortened.usable)))
