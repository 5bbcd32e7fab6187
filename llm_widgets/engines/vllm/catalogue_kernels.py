"""What vLLM says when its programs for the GPU are not there, can't be made, or break."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    DEFAULT_IMAGE,
    NEWER_IMAGE,
    OTHER_GPU,
    OTHER_QUANTIZATION,
    WITHOUT_ARGUMENT,
)
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.engines.vllm.arguments import COMMAND_LINE

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_TRITON = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with --attention-backend=TRITON_ATTN, which runs on every GPU of Cloud Run.",
    {"add_argument": "--attention-backend=TRITON_ATTN"},
    needs=("is_vllm",),
)
_OWN_SAMPLER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy without FlashInfer's sampler: VLLM_USE_FLASHINFER_SAMPLER=0.",
    {"environment": "VLLM_USE_FLASHINFER_SAMPLER=0"},
    needs=("is_vllm",),
)
_EAGER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {eager}: nothing is compiled and no CUDA graph is recorded. It answers more "
    "slowly.",
    {"add_argument": "{eager}"},
)
_NEWER = Advice(
    RemedyKind.OPEN_LINK,
    "Use a newer image of vLLM.",
    url="https://hub.docker.com/r/vllm/vllm-openai/tags",
)
_OFFICIAL = Advice(
    RemedyKind.NONE, "Use the official image vllm/vllm-openai, which brings what this needs."
)
_CHOSEN = ("--attention-backend", "--kv-cache-dtype", "--block-size", "--mm-encoder-attn-backend")


def _chosen(groups: Groups, context: Context) -> Groups:
    """Name the argument of the deployment that asks for a backend or narrows the choice."""
    given = next((name for name in _CHOSEN if COMMAND_LINE.has(context.args, name)), "")
    values = {**groups, "given": given} if given else dict(groups)
    if "VLLM_ATTENTION_BACKEND" in context.environment:
        values["variable"] = "VLLM_ATTENTION_BACKEND"
    return values


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="attention-sinks",
        rank=Rank.ENGINE,
        signs=(logged(r"Sinks are only supported in FlashAttention 3"),),
        causes=(
            (
                "The model needs attention sinks, and the kind of attention that vLLM chose has "
                "them "
                "only for other GPUs."
            ),
        ),
        advice=(NEWER_IMAGE, _TRITON, _NEWER),
        source="vllm-project/vllm#22331",
        versions="vLLM 0.10 to 0.33",
    ),
    KnownFailure(
        id="attention-backend",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"No valid attention backend found for (?P<platform>\w{1,30}) with .{0,600}?"
                r"Reasons: (?P<detail>[^\n]{1,300})"
            ),
            logged(
                r"Selected backend (?P<backend>[\w.]{1,80}) is not valid for this configuration\. "
                r"Reason: (?P<detail>[^\n]{1,300})"
            ),
            logged(
                r"No valid MLA prefill backend found with .{0,600}?Reasons: "
                r"(?P<detail>[^\n]{1,300})"
            ),
            logged(r"Attention backend '(?P<backend>\w{1,40})' has been removed"),
            logged(r"Invalid attention backend for (?P<detail>[^\n]{1,100})"),
        ),
        causes=(
            (
                "The attention backend {backend} does not go with the model, its cache or this "
                "GPU: "
                "{detail}"
            ),
            "vLLM has no attention for this model, its cache and this GPU together: {detail}",
            "This version of vLLM has no attention backend {backend}.",
        ),
        advice=(
            WITHOUT_ARGUMENT,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without the variable {variable}.",
                {"remove_environment": "{variable}"},
            ),
            NEWER_IMAGE,
            OTHER_GPU,
            Advice(
                RemedyKind.NONE,
                "Let vLLM choose: no --attention-backend, and --kv-cache-dtype=auto.",
            ),
        ),
        source="vllm-project/vllm: vllm/platforms/cuda.py",
        derive=_chosen,
        versions="vLLM 0.11 to 0.33",
    ),
    KnownFailure(
        id="flashinfer-gpu",
        rank=Rank.ENGINE,
        signs=(
            logged(r"FlashInfer requires GPUs with sm\d{2} or higher"),
            logged(r"FlashInfer backend is not available"),
            logged(r"Unsupported (?:CUDA|GPU) arch\w{0,12} for FlashInfer"),
        ),
        causes=("FlashInfer, a library of the image, does not know or support this GPU.",),
        advice=(_OWN_SAMPLER, _TRITON, NEWER_IMAGE, DEFAULT_IMAGE, _NEWER),
        source="vllm-project/vllm#26565",
        versions="vLLM 0.11",
    ),
    KnownFailure(
        id="cuda-compiler-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Could not find nvcc"),
            logged(r"No such file or directory: '(?:[\w/.-]{0,60}/)?nvcc'"),
            logged(r"nvcc: (?:command )?not found"),
            logged(r"CUDA_HOME environment variable is not set"),
        ),
        causes=(
            (
                "FlashInfer or another library wants to compile for the GPU, and the image has no "
                "CUDA "
                "compiler (nvcc)."
            ),
        ),
        advice=(_OWN_SAMPLER, DEFAULT_IMAGE, _TRITON, _OFFICIAL),
        source="vllm-project/vllm#49497",
        versions="vLLM 0.10 to 0.33",
    ),
    KnownFailure(
        id="c-compiler-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Failed to find C compiler"),
            logged(r"fatal error: Python\.h: No such file or directory"),
            logged(r"No such file or directory: '(?:gcc|cc|g\+\+)'"),
            logged(r"InvalidCxxCompiler"),
        ),
        causes=(
            (
                "Triton compiles for the GPU at the start, and the image has no C compiler, or "
                "not the "
                "header files of Python."
            ),
        ),
        advice=(DEFAULT_IMAGE, _OFFICIAL, _EAGER),
        source="triton-lang/triton: python/triton/runtime/build.py",
        versions="vLLM 0.8 to 0.33",
    ),
    KnownFailure(
        id="flashinfer-versions",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"flashinfer-(?P<part>cubin|jit-cache) version \((?P<have>[\w.+]{1,30})\) does not "
                r"match flashinfer version \((?P<wanted>[\w.+]{1,30})\)"
            ),
        ),
        causes=(
            (
                "Versions of the image's packages don't go together: FlashInfer is {wanted}, and "
                "its programs for the GPU (flashinfer-{part}) are {have}."
            ),
        ),
        advice=(
            DEFAULT_IMAGE,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without the check: FLASHINFER_DISABLE_VERSION_CHECK=1.",
                {"environment": "FLASHINFER_DISABLE_VERSION_CHECK=1"},
            ),
            NEWER_IMAGE,
            _OFFICIAL,
        ),
        source="flashinfer-ai/flashinfer: flashinfer/jit/env.py",
    ),
    KnownFailure(
        id="deep-gemm",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Assertion error \(\S{0,120}deep-?_?gemm\S{0,120}\): (?P<detail>\w.{0,120})"),
            logged(r"DeepGEMM backend is (?P<detail>(?:not available|unavailable).{0,80})"),
            logged(r"DeepGEMM is not available"),
        ),
        causes=(
            "DeepGEMM, a library of programs for large GPUs, does not run here: {detail}.",
            "DeepGEMM, a library of programs for large GPUs, does not run here.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without DeepGEMM: VLLM_USE_DEEP_GEMM=0.",
                {"environment": "VLLM_USE_DEEP_GEMM=0"},
            ),
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            OTHER_QUANTIZATION,
        ),
        source="vllm-project/vllm#47436",
        versions="vLLM 0.10 to 0.33",
    ),
    KnownFailure(
        id="kernel-shared-memory",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"out of resource: shared memory, Required: (?P<wanted>\d{1,9}), Hardware limit: "
                r"(?P<have>\d{1,9})"
            ),
            logged(r"out of resource: (?:shared memory|threads|tensor memory)"),
        ),
        causes=(
            (
                "A program of vLLM needs {wanted} bytes of the GPU's shared memory, and this GPU "
                "has "
                "{have}: it is made for larger GPUs."
            ),
            "A program of vLLM needs more of the GPU's shared memory than this GPU has.",
        ),
        advice=(NEWER_IMAGE, _TRITON, BIGGER_GPU, OTHER_GPU, OTHER_QUANTIZATION, _NEWER),
        source="triton-lang/triton: python/triton/runtime/errors.py",
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="dtype-gpu",
        rank=Rank.ENGINE,
        signs=(logged(r"Bfloat16 is only supported on GPUs with compute capability"),),
        causes=("The GPU is too old for the model's numbers, bfloat16.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --dtype=half.",
                {"add_argument": "--dtype=half"},
                needs=("is_vllm",),
            ),
            OTHER_GPU,
            Advice(RemedyKind.NONE, "Tell vLLM --dtype=half, or use a newer GPU."),
        ),
        source="vllm-project/vllm: vllm/platforms/cuda.py",
        versions="vLLM 0.2 to 0.33",
    ),
    KnownFailure(
        id="fp8-gpu",
        rank=Rank.ENGINE,
        signs=(
            logged(r"type fp8e4nv not supported in this architecture"),
            logged(r"torch\._scaled_mm is only supported on CUDA devices with compute capability"),
        ),
        causes=("The GPU has no arithmetic for the model's quantization or the cache's type.",),
        advice=(WITHOUT_ARGUMENT, OTHER_GPU, NEWER_IMAGE, OTHER_QUANTIZATION),
        source="triton-lang/triton: lib/Dialect/Triton",
        derive=_chosen,
        versions="vLLM 0.5 to 0.33",
    ),
    KnownFailure(
        id="quantized-layer-shape",
        rank=Rank.ENGINE,
        signs=(
            logged(r"is not divisible by min_thread_[nk]"),
            logged(r"not divisible by weight quantization block_[nk]"),
            logged(r"The input size is not aligned with the quantized weight shape"),
            logged(r"Failed to find a kernel that can implement the \w{1,40} linear layer"),
            logged(r"is not divisible by (?:required )?group_?size"),
        ),
        causes=("The model's quantization does not go with the shapes of its layers in vLLM.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {one_gpu}: splitting the layers makes their shapes unfit.",
                {"add_argument": "{one_gpu}"},
            ),
            NEWER_IMAGE,
            OTHER_QUANTIZATION,
        ),
        source="vllm-project/vllm: vllm/model_executor/layers/quantization",
        versions="vLLM 0.4 to 0.33",
    ),
    KnownFailure(
        id="cuda-graphs",
        rank=Rank.ENGINE,
        signs=(
            logged(r"CUDAGraphMode\.\w{1,40} is not supported with \w{1,60} backend"),
            logged(
                r"operation (?:not permitted|failed).{0,40}? (?:when|due to).{0,80}?"
                r"captur(?:e|ing)"
            ),
            logged(r"cudaErrorStreamCapture\w{1,30}"),
        ),
        causes=("CUDA graphs can't be recorded for this model and this attention.",),
        advice=(_EAGER, NEWER_IMAGE, _NEWER),
        source="vllm-project/vllm: vllm/config/compilation.py",
        versions="vLLM 0.10 to 0.33",
    ),
    KnownFailure(
        id="cache-type",
        rank=Rank.ENGINE,
        signs=(
            logged(r"kv-cache is not supported with (?P<detail>[^\n]{1,100})"),
            logged(r"KV cache is not supported with (?P<detail>[^\n]{1,100})"),
            logged(r"Invalid kv_cache_dtype: (?P<type>\w{2,20})"),
            logged(r"kv_cache_dtype=\"(?P<type>\w{2,20})\" is incompatible with"),
        ),
        causes=(
            "The type of the cache does not go with {detail}",
            "A cache of the type {type} does not go with the model.",
        ),
        advice=(
            WITHOUT_ARGUMENT,
            Advice(RemedyKind.NONE, "Tell vLLM --kv-cache-dtype=auto: the model's own type."),
        ),
        source="vllm-project/vllm: vllm/config/vllm.py",
        derive=_chosen,
        versions="vLLM 0.5 to 0.33",
    ),
    KnownFailure(
        id="kernel-compilation",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Ninja build failed"),
            logged(r"Error building extension '(?P<name>[\w.-]{1,80})'"),
            logged(r"(?:ptxas|nvcc) fatal {1,4}: (?P<detail>[^\n]{1,200})"),
            logged(r"CompilationError: (?P<detail>[^\n]{1,200})"),
            logged(r"NVRTC compilation failed"),
        ),
        causes=(
            "A program for the GPU could not be compiled at the start: {detail}",
            "A program for the GPU could not be compiled at the start.",
        ),
        advice=(_OWN_SAMPLER, _TRITON, NEWER_IMAGE, DEFAULT_IMAGE, _NEWER),
        source="flashinfer-ai/flashinfer: flashinfer/jit/cpp_ext.py",
        versions="vLLM 0.10 to 0.33",
    ),
    KnownFailure(
        id="torch-compile",
        rank=Rank.ENGINE,
        signs=(
            logged(r"InductorError: (?P<detail>[^\n]{1,200})"),
            logged(r"BackendCompilerFailed: (?P<detail>[^\n]{1,200})"),
            logged(r"TorchRuntimeError: (?P<detail>[^\n]{1,200})"),
            logged(r"torch\._dynamo\.exc\.Unsupported: (?P<detail>[^\n]{1,200})"),
        ),
        causes=("PyTorch could not compile the model: {detail}",),
        advice=(_EAGER, NEWER_IMAGE, DEFAULT_IMAGE, _NEWER),
        source="pytorch/pytorch: torch/_dynamo/exc.py",
        versions="vLLM 0.8 to 0.33",
    ),
)
