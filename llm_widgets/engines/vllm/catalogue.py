"""What vLLM says when it fails: models, arguments and memory that do not go together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    FIRST_ERROR,
    IMPLICIT_DIRS,
    IMPORT_AGAIN,
    LEAST_CONTEXT,
    LONGER_PROBE,
    NEWER_IMAGE,
    OTHER_QUANTIZATION,
    PATH,
    SMALLER_MODEL,
    UNANSWERED,
    WITHOUT_ARGUMENT,
)
from llm_widgets.domain.failures.known_failure import (
    Confidence,
    Groups,
    KnownFailure,
    Rank,
    logged,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.domain.units import rounded_text
from llm_widgets.engines.vllm import catalogue_kernels, catalogue_limits, catalogue_models
from llm_widgets.engines.vllm.arguments import COMMAND_LINE
from llm_widgets.engines.vllm.cache import BLOCK
from llm_widgets.engines.vllm.template_values import MOST_UTILIZATION, share_of

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_CORRECT = Advice(
    RemedyKind.OPEN_LINK,
    "Correct the arguments; vLLM's are listed in its documentation.",
    url="https://docs.vllm.ai/en/latest/cli/serve.html",
)


_ROOM = 0.01  # of the GPU's memory, left between what is free and what is asked for
_MORE_SHARE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {more_utilization} of the GPU's memory for vLLM instead of {utilization}: "
    "enough if little is missing.",
    {"gpu_memory_utilization": "{more_utilization}"},
    needs=("is_unmeasured",),
)
_ENOUGH_SHARE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {enough_share} of the GPU's memory for vLLM instead of {utilization}.",
    {"gpu_memory_utilization": "{enough_share}"},
)


def _tokens(text: str) -> int:
    return int(text.replace(",", ""))


def _enough_share(groups: Groups, context: Context) -> str:
    """Return the share with which what is missing fits; empty where it is too much."""
    gpu = gpus.by_accelerator(context.accelerator)
    if gpu is None or "needed" not in groups:
        return ""
    missing = float(groups["needed"]) - float(groups["available"])
    share = share_of(context) + missing / gpu.usable_gib + _ROOM / 2
    rounded = math.ceil(share * 100) / 100
    return rounded_text(rounded) if rounded <= MOST_UTILIZATION else ""


def _no_cache(groups: Groups, context: Context) -> Groups:
    """Return a share that suffices, where vLLM has said how much is missing."""
    left = groups.get("cache_left")
    if left is None:
        return {**groups, "is_unmeasured": "yes"}
    share = _enough_share({"needed": "0", "available": left}, context)
    return {**groups, "missing": left.lstrip("-"), **({"enough_share": share} if share else {})}


def _fitting(groups: Groups, context: Context) -> Groups:
    """Return the longest context that fits, if it is of use, and a share that suffices."""
    values = dict(groups)
    if share := _enough_share(groups, context):
        values["enough_share"] = share
    fits = _tokens(values.pop("fits", "0")) // BLOCK * BLOCK
    if fits >= LEAST_CONTEXT:
        values["fits"] = str(fits)
    if "asked" in values:
        values["asked"] = str(_tokens(values["asked"]))
    return values


def _derived(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Return the model's longest context, which may be written as a float."""
    values = dict(groups)
    limit = int(float(values.pop("limit", "0") or 0))
    if limit >= LEAST_CONTEXT:
        values["limit"] = str(limit)
    return values


def _share(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Return the share of the GPU's memory that is free, with a little room."""
    values = dict(groups)
    share = float(values["free"]) / max(float(values["total"]), 0.1) - _ROOM
    if share >= 0.5:  # noqa: PLR2004 - with less, something else occupies the GPU
        values["free_share"] = rounded_text(int(share * 100) / 100)
    return values


def _loading(groups: Groups, context: Context) -> Groups | None:  # noqa: ARG001 - all take both
    return None if groups["percent"] == "100" else groups


def _unknown_arguments(groups: Groups, context: Context) -> Groups:
    """Return the first unknown argument only as the deployment has it."""
    name = groups["arguments"].split()[0].partition("=")[0]
    values = {**groups, "argument": name}
    if COMMAND_LINE.has(context.args, name):
        values["given"] = name
    return values


def _wrong_value(groups: Groups, context: Context) -> Groups:
    """Of ``--dtype/-d``, give the long name."""
    name = groups["argument"].partition("/")[0]
    values = {**groups, "argument": name}
    if COMMAND_LINE.has(context.args, name):
        values["given"] = name
    return values


def _quantization(groups: Groups, context: Context) -> Groups:
    asked = COMMAND_LINE.value(context.args, "--quantization")
    return {**groups, "asked": asked} if asked else groups


FAILURES: tuple[KnownFailure, ...] = (
    *catalogue_kernels.FAILURES,
    *catalogue_models.FAILURES,
    *catalogue_limits.FAILURES,
    KnownFailure(
        id="quantization-gpu",
        rank=Rank.HARDWARE,
        signs=(
            logged(
                r"quantization method (?P<method>[\w-]{1,40}) is not supported for the current "
                r"GPU\. Minimum capability: (?P<least>\d{1,3})\. Current capability: "
                r"(?P<have>\d{1,3})"
            ),
            logged(
                r"Quantization scheme is not supported for.{0,20}?the current GPU\. "
                r"Min capability: (?P<least>\d{1,3}).{0,20}?Current capability: (?P<have>\d{1,3})"
            ),
            logged(r"Quantization scheme is not supported for"),
        ),
        causes=(
            (
                "The model is quantized with {method}, which needs a GPU of compute capability "
                "{least}; this one has {have}."
            ),
            (
                "The model's quantization needs a GPU of compute capability {least}; this one has "
                "{have}."
            ),
            "This GPU is too old for the model's quantization.",
        ),
        advice=(
            Advice(
                RemedyKind.CHOOSE,
                "Use another GPU: {other_gpus_text}.",
                {"accelerators": "{other_gpus}"},
            ),
            OTHER_QUANTIZATION,
        ),
        source="vllm-project/vllm#4327",
    ),
    KnownFailure(
        id="too-many-gpus",
        rank=Rank.HARDWARE,
        signs=(
            logged(
                r"World size \((?P<wanted>\d{1,4})\) is larger than the number of available GPUs "
                r"\((?P<have>\d{1,4})\)"
            ),
            logged(r"must be divisible by tensor parallel size \((?P<wanted>\d{1,4})\)"),
        ),
        causes=("vLLM is told to use {wanted} GPUs; an instance of Cloud Run has one.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --tensor-parallel-size=1.",
                {"add_argument": "--tensor-parallel-size=1"},
            ),
        ),
        source="vllm-project/vllm: vllm/config/parallel.py",
    ),
    KnownFailure(
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
                "Deploy with a context of {fits} tokens, the longest that fits.",
                {"max_model_len": "{fits}"},
            ),
            _ENOUGH_SHARE,
            BIGGER_GPU,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with the longest context that fits, as vLLM finds it.",
                {"max_model_len": "auto"},
            ),
            SMALLER_MODEL,
        ),
        source="vllm-project/vllm#2418",
        derive=_fitting,
    ),
    KnownFailure(
        id="no-cache-blocks",
        rank=Rank.ENGINE,
        signs=(
            logged(r"No available memory for the cache blocks"),
            logged(r"Cannot auto-fit max_model_len: not enough GPU memory"),
        ),
        causes=(
            (
                "The model and what is computed take {missing} GiB more than the share of the "
                "GPU's memory that vLLM may take, {utilization}: nothing is left for a context."
            ),
            (
                "The model fills the share of the GPU's memory that vLLM may take, {utilization}: "
                "nothing is left for a context."
            ),
            "The model fills the GPU's memory: nothing is left for a context.",
        ),
        advice=(_MORE_SHARE, _ENOUGH_SHARE, BIGGER_GPU, SMALLER_MODEL),
        source="vllm-project/vllm: vllm/v1/core/kv_cache_utils.py",
        derive=_no_cache,
    ),
    KnownFailure(
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
                "Deploy with a context of {limit} tokens.",
                {"max_model_len": "{limit}"},
            ),
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with the longest context that the model and the GPU allow.",
                {"max_model_len": "auto"},
            ),
        ),
        source="vllm-project/vllm: vllm/config/model.py",
        derive=_derived,
    ),
    KnownFailure(
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
                "Deploy with {free_share} of the GPU's memory for vLLM.",
                {"gpu_memory_utilization": "{free_share}"},
            ),
            Advice(RemedyKind.REDEPLOY, "Deploy again: a new instance has all of its memory free."),
        ),
        source="vllm-project/vllm: vllm/v1/worker/utils.py",
        derive=_share,
    ),
    KnownFailure(
        id="model-folder",
        rank=Rank.ENGINE,
        signs=(
            # vLLM also asks the hub for a list of files of a local folder, which does no harm.
            logged(
                r"(?<!file list: )Repo id must be in the form 'repo_name' or "
                rf"'namespace/repo_name': '{PATH}'"
            ),
            logged(rf"Invalid repository ID or local directory specified: '{PATH}'"),
            logged(rf"Incorrect path_or_model_id: '{PATH}'"),
            logged(r"does not appear to have a file named config\.json"),
        ),
        causes=(
            (
                "There is no model at {path}: the folder is empty or not there, so vLLM took it "
                "for a name at Hugging Face."
            ),
            "The model's folder has no config.json.",
        ),
        advice=(
            IMPLICIT_DIRS,
            Advice(
                RemedyKind.NONE,
                "Check that the bucket has the model in the folder {folder}; if not, import it.",
            ),
            IMPORT_AGAIN,
        ),
        source="vllm-project/vllm#12867",
    ),
    KnownFailure(
        id="weights-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(rf"Cannot find any (?:safetensors )?model weights with [`'\"]?{PATH}"),
            logged(r"Following weights were not initialized from checkpoint"),
        ),
        causes=(
            "The folder {path} has no weights that vLLM can load.",
            "Weights of the model are missing.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --load-format=auto: the streamer loads safetensors files only.",
                {"add_argument": "--load-format=auto"},
                needs=("is_vllm",),
            ),
            IMPORT_AGAIN,
        ),
        source="vllm-project/vllm: vllm/model_executor/model_loader/default_loader.py",
    ),
    KnownFailure(
        id="vllm-arguments",
        rank=Rank.ENGINE,
        signs=(logged(r"error: unrecognized arguments: (?P<arguments>[^\n]{1,300})"),),
        causes=("vLLM does not know the argument {argument}.",),
        advice=(
            WITHOUT_ARGUMENT,
            _CORRECT,
        ),
        source="vllm-project/vllm: vllm/entrypoints/cli/serve.py",
        derive=_unknown_arguments,
    ),
    KnownFailure(
        id="vllm-argument-value",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"error: argument (?P<argument>--[\w-]{1,60}(?:/[\w/-]{1,60})?): "
                r"(?P<detail>[^\n]{1,200})"
            ),
        ),
        causes=("vLLM does not take the value of {argument}: {detail}",),
        advice=(
            WITHOUT_ARGUMENT,
            _CORRECT,
        ),
        source="vllm-project/vllm: vllm/entrypoints/cli/serve.py",
        derive=_wrong_value,
    ),
    KnownFailure(
        id="vllm-architecture",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Model architectures \['?(?P<architecture>[\w.-]{1,80}).{0,200}? are not "
                r"supported for now"
            ),
        ),
        causes=("This version of vLLM does not know the model's architecture, {architecture}.",),
        advice=(NEWER_IMAGE, catalogue_models.NEWER_VLLM),
        source="vllm-project/vllm#27314",
    ),
    KnownFailure(
        id="transformers-architecture",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"has model type [`'\"]?(?P<architecture>[\w.-]{1,80})[`'\"]? but Transformers "
                r"does not recognize this architecture"
            ),
        ),
        causes=(
            "The Transformers library in the image does not know the model's type, {architecture}.",
        ),
        advice=(NEWER_IMAGE, catalogue_models.NEWER_VLLM),
        source="vllm-project/vllm#36217",
    ),
    KnownFailure(
        id="custom-code",
        rank=Rank.ENGINE,
        signs=(
            logged(r"contains custom code which must be executed to correctly load the model"),
            logged(r"Please pass the argument [`'\"]?trust_remote_code=True"),
            logged(r"set the option [`'\"]?trust_remote_code=True"),
        ),
        causes=(
            "The model comes with program code of its own, which vLLM runs only if it is told to.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "If you trust its author, deploy with --trust-remote-code: the code runs in "
                "the container with the rights of its service account.",
                {"add_argument": "--trust-remote-code"},
            ),
            Advice(RemedyKind.NONE, "Else use a model that vLLM knows without code of its own."),
        ),
        source="runpod-workers/worker-vllm#43",
    ),
    KnownFailure(
        id="quantization-unknown",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Unknown quantization method: (?P<method>[\w.-]{1,60})"),
            logged(
                r"Quantization method specified in the model config \((?P<method>[\w.-]{1,60})\) "
                r"does not match"
            ),
            logged(r"Cannot find the config file for (?P<method>[\w.-]{1,60})"),
        ),
        causes=("vLLM can't load the model's quantization, {method}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without --quantization={asked}: vLLM reads it from the model.",
                {"remove_argument": "--quantization"},
            ),
            OTHER_QUANTIZATION,
        ),
        source="vllm-project/vllm: vllm/config/model.py",
        derive=_quantization,
    ),
    KnownFailure(
        id="chat-template",
        rank=Rank.ENGINE,
        signs=(logged(r"default chat template is no longer allowed"),),
        causes=(
            "The model has no chat template: it is not a chat model, or the template is missing.",
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Use the model's instruct or chat variant, name a template with --chat-template, "
                "or ask it by /v1/completions.",
            ),
        ),
        source="vllm-project/vllm#39279",
    ),
    KnownFailure(
        id="vllm-engine",
        rank=Rank.ENGINE_ENDED,
        signs=(
            logged(r"Engine core initialization failed"),
            logged(r"EngineDeadError"),
        ),
        causes=("vLLM's engine ended; lines before this one in the log tell why.",),
        advice=(FIRST_ERROR,),
        source="vllm-project/vllm: vllm/v1/engine/core_client.py",
    ),
    KnownFailure(
        id="loading-too-slow",
        rank=Rank.LATE,
        signs=(
            logged(r"Loading \w{1,20} checkpoint shards: {1,3}(?P<percent>\d{1,3})% Completed"),
        ),
        causes=(
            (
                "The engine was still loading the weights, {percent}% of them, when the "
                "startup probe gave up after {probe_time}."
            ),
            (
                "The engine was still loading the weights, {percent}% of them, when the "
                "startup probe gave up."
            ),
        ),
        advice=(
            LONGER_PROBE,
            catalogue_limits.STREAMER,
            Advice(
                RemedyKind.NONE,
                "Let the startup probe wait longer, up to half an hour.",
                fallback=True,
            ),
        ),
        source="vllm-project/vllm#17386",
        confidence=Confidence.LIKELY,
        derive=_loading,
        given=UNANSWERED,
    ),
)
