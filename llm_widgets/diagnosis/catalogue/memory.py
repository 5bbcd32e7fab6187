"""Memory that does not suffice: of the GPU and of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.failure import Groups, Kind, Rank, anywhere, logged
from llm_widgets.diagnosis.remedies import Advice, RemedyKind
from llm_widgets.diagnosis.template_values import number

if TYPE_CHECKING:
    from llm_widgets.diagnosis.context import Context

_LEAST_TOKENS = 512  # a shorter context serves nobody
_BLOCK = 16  # tokens; vLLM keeps them in blocks of this size
_ROOM = 0.01  # of the GPU's memory, left between what is free and what is asked for

_BIGGER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with a larger GPU: {bigger_gpu}.",
    {
        "accelerator": "{bigger_accelerator}",
        "cpu": "{bigger_gpu_cpu}",
        "memory_gib": "{bigger_gpu_memory}",
    },
)
_SMALLER_MODEL = Advice(
    RemedyKind.NONE, "Use a smaller model, or one that is quantized to fewer bits."
)
_MORE_SHARE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with {more_utilization} of the GPU's memory for vLLM instead of {utilization}.",
    {"gpu_memory_utilization": "{more_utilization}"},
)
_LESS_CONTEXT = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with a context of {less_context} tokens instead of {tokens}.",
    {"max_model_len": "{less_context}"},
)


def _tokens(text: str) -> int:
    return int(text.replace(",", ""))


def _fitting(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Give the longest context that fits, if it is of use."""
    values = dict(groups)
    fits = _tokens(values.pop("fits", "0")) // _BLOCK * _BLOCK
    if fits >= _LEAST_TOKENS:
        values["fits"] = str(fits)
    if "asked" in values:
        values["asked"] = str(_tokens(values["asked"]))
    return values


def _derived(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Give the model's longest context, which may be written as a float."""
    values = dict(groups)
    limit = int(float(values.pop("limit", "0") or 0))
    if limit >= _LEAST_TOKENS:
        values["limit"] = str(limit)
    return values


def _share(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Give the share of the GPU's memory that is free, with a little room."""
    values = dict(groups)
    share = float(values["free"]) / max(float(values["total"]), 0.1) - _ROOM
    if share >= 0.5:  # noqa: PLR2004 - with less, something else occupies the GPU
        values["free_share"] = number(int(share * 100) / 100)
    return values


def _limit(groups: Groups, context: Context) -> Groups:
    values = dict(groups)
    if "limit" in values:
        values["limit"] = number(int(values["limit"]) / 1024)
    elif context.memory_gib:
        values["limit"] = number(context.memory_gib)
    return values


KINDS: tuple[Kind, ...] = (
    Kind(
        id="kv-cache-too-small",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"max seq len \((?P<asked>[\d,]{1,12})\), \(?(?P<needed>[\d.]{1,10}) GiB KV cache "
                r"is needed, which is larger than the available KV cache memory "
                r"\((?P<available>-?[\d.]{1,10}) GiB\)(?:.{0,80}?estimated maximum model length "
                r"is (?P<fits>[\d,]{1,12}))?"
            ),
            logged(r"estimated maximum model length is (?P<fits>[\d,]{1,12})"),
            logged(
                r"max seq len \((?P<asked>[\d,]{1,12})\) is larger than the maximum number of "
                r"tokens that can be stored in KV cache \((?P<fits>[\d,]{1,12})\)"
            ),
        ),
        causes=(
            (
                "A context of {asked} tokens needs {needed} GiB of GPU memory beside the model, "
                "and {available} GiB are left."
            ),
            "The GPU's memory has no room beside the model for a context of {asked} tokens.",
            "The GPU's memory has no room beside the model for the context.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with a context of {fits} tokens, the longest that fits.",
                {"max_model_len": "{fits}"},
            ),
            _MORE_SHARE,
            _BIGGER,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with the longest context that fits, as vLLM finds it.",
                {"max_model_len": "auto"},
            ),
            _SMALLER_MODEL,
        ),
        source="vllm-project/vllm#2418",
        derive=_fitting,
    ),
    Kind(
        id="no-cache-blocks",
        rank=Rank.ENGINE,
        signs=(logged(r"No available memory for the cache blocks"),),
        causes=(
            (
                "The model fills the share of the GPU's memory that vLLM may take, {utilization}: "
                "nothing is left for a context."
            ),
            "The model fills the GPU's memory: nothing is left for a context.",
        ),
        advice=(_MORE_SHARE, _BIGGER, _SMALLER_MODEL),
        source="vllm-project/vllm: vllm/v1/core/kv_cache_utils.py",
    ),
    Kind(
        id="context-beyond-model",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"User-specified max_model_len \((?P<asked>\d{1,12})\) is greater than the derived "
                r"max_model_len(?: \(\w{1,60}=(?P<limit>\d{1,12}(?:\.\d)?))?"
            ),
        ),
        causes=(
            "The context of {asked} tokens is longer than the model was made for, {limit}.",
            "The context of {asked} tokens is longer than the model was made for.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with a context of {limit} tokens.",
                {"max_model_len": "{limit}"},
            ),
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with the longest context that the model and the GPU allow.",
                {"max_model_len": "auto"},
            ),
        ),
        source="vllm-project/vllm: vllm/config/model.py",
        derive=_derived,
    ),
    Kind(
        id="gpu-memory-taken",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Free memory on device (?:\S{1,20} )?\((?P<free>\d{1,4}(?:\.\d{1,3})?)/"
                r"(?P<total>\d{1,4}(?:\.\d{1,3})?) GiB\) on startup is less than desired GPU "
                r"memory utilization(?: \((?P<share>[\d.]{1,6}), (?P<wanted>[\d.]{1,8}) GiB\))?"
            ),
        ),
        causes=(
            "vLLM is to take {wanted} GiB of the GPU's memory, and {free} of {total} GiB are free.",
            "vLLM is to take more of the GPU's memory than is free: {free} of {total} GiB.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with {free_share} of the GPU's memory for vLLM.",
                {"gpu_memory_utilization": "{free_share}"},
            ),
            Advice(RemedyKind.REDEPLOY, "Deploy it again: an instance of its own has all of it."),
        ),
        source="vllm-project/vllm: vllm/v1/worker/utils.py",
        derive=_share,
    ),
    Kind(
        id="gpu-out-of-memory",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"CUDA out of memory\. Tried to allocate (?P<wanted>[\d.]{1,10} [KMG]iB)"
                r"(?:.{0,200}?of which (?P<free>[\d.]{1,10} [KMG]iB) is free)?"
            ),
            logged(r"CUDA out of memory"),
            logged(r"OutOfMemoryError: .{0,40}?out of memory"),
            logged(r"cudaMalloc failed: out of memory"),
            logged(r"CUDA error: out of memory"),
        ),
        causes=(
            "The GPU's memory is full: {wanted} more were needed, {free} were free.",
            "The GPU's memory is full: {wanted} more were needed.",
            "The GPU's memory is full.",
        ),
        advice=(
            _LESS_CONTEXT,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with {less_utilization} of the GPU's memory for vLLM instead of "
                "{utilization}: the rest is for computing.",
                {"gpu_memory_utilization": "{less_utilization}"},
            ),
            _BIGGER,
            _SMALLER_MODEL,
        ),
        source="vllm-project/aibrix#1054",
    ),
    Kind(
        id="ollama-memory",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"model requires more system memory(?: \((?P<wanted>[\d.]{1,10} [KMG]i?B)\) than "
                r"is available \((?P<free>[\d.]{1,10} [KMG]i?B)\))?"
            ),
        ),
        causes=(
            "The model needs {wanted} of memory, and the container has {free} free.",
            "The model needs more memory than the container has free.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with {more_memory} GiB of memory.",
                {"memory_gib": "{more_memory}", "cpu": "{more_memory_cpu}"},
            ),
            _LESS_CONTEXT,
            _SMALLER_MODEL,
        ),
        source="ollama/ollama: integration/utils_test.go",
    ),
    Kind(
        id="container-memory",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"Memory limit of (?P<limit>\d{1,9}) ?M(?:iB)? exceeded with (?P<used>\d{1,9}) ?"
                r"M(?:iB)? used"
            ),
            anywhere(r"container exceeded its memory limit"),
        ),
        causes=(
            (
                "The container took more memory than its {limit} GiB and was ended; its file cache "
                "of {cache} GiB counts too."
            ),
            "The container took more memory than its {limit} GiB and was ended.",
            "The container took more memory than its limit and was ended.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with {more_memory} GiB of memory.",
                {"memory_gib": "{more_memory}", "cpu": "{more_memory_cpu}"},
            ),
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without the file cache.",
                {"cache_gib": "0"},
                needs=("cache",),
            ),
            _SMALLER_MODEL,
        ),
        source="dart-lang/pub-dev#9554",
        derive=_limit,
    ),
)
