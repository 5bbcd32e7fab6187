"""Engines that can't use the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    DEFAULT_IMAGE,
    FEWER_REQUESTS,
    LESS_CONTEXT,
    LESS_SHARE,
    MORE_MEMORY,
    NEWER_IMAGE,
)
from llm_widgets.domain.failures.known_failure import (
    Confidence,
    Groups,
    KnownFailure,
    Rank,
    logged,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_OTHER_VERSION = Advice(RemedyKind.NONE, "If it happens again, use another version of the image.")
_OTHER_IMAGE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with an image for older drivers: {cuda_image}.",
    {"image": "{cuda_image}"},
)
_CHOOSE_IMAGE = Advice(
    RemedyKind.NONE,
    "Use an image with an older CUDA: Cloud Run's drivers can't be chosen.",
    fallback=True,
)


def _cuda_version(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    """Write 12080, as drivers do, as 12.8."""
    if "version" not in groups:
        return groups
    number = int(groups["version"])
    return {**groups, "version": f"{number // 1000}.{number % 1000 // 10}"}


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="driver-mismatch",
        rank=Rank.HARDWARE,
        signs=(
            logged(r"Error 803: system has unsupported display driver"),
            logged(r"system has unsupported display driver / cuda driver combination"),
        ),
        causes=(
            "The image brings CUDA libraries that do not go with the GPU's driver (error 803).",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with the driver's own libraries.",
                {"environment": "{driver_variables}"},
            ),
            _OTHER_IMAGE,
            _CHOOSE_IMAGE,
        ),
        source="gpustack/gpustack#4678",
    ),
    KnownFailure(
        id="driver-too-old",
        rank=Rank.HARDWARE,
        signs=(
            logged(
                r"NVIDIA driver on your system is too old \(found version "
                r"(?P<version>\d{4,6})\b"
            ),
            logged(r"NVIDIA driver on your system is too old"),
            logged(r"CUDA driver version is insufficient for CUDA runtime version"),
            logged(r"provided PTX was compiled with an unsupported toolchain"),
            logged(r"CUDA_ERROR_UNSUPPORTED_PTX_VERSION"),
            logged(r"API call is not supported in the installed CUDA driver"),
            logged(r"cudaErrorInsufficientDriver|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
        ),
        causes=(
            (
                "The image needs a newer GPU driver than Cloud Run has here, which is for CUDA "
                "{version}."
            ),
            "The image needs a newer GPU driver than Cloud Run has here.",
        ),
        advice=(
            _OTHER_IMAGE,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with the compatibility libraries of CUDA.",
                {"environment": "{compatibility_variables}"},
            ),
            _CHOOSE_IMAGE,
        ),
        source="modelscope/FunASR#2973",
        derive=_cuda_version,
    ),
    KnownFailure(
        id="cuda-kernel",
        rank=Rank.HARDWARE,
        signs=(
            logged(r"device kernel image is invalid"),
            logged(r"no kernel image is available for execution on the device"),
            logged(
                r"Runtime compute cap (?P<have>\d{2,3}) is not compatible with compile time "
                r"compute cap (?P<built>\d{2,3})"
            ),
            logged(r"CUDA_ERROR_(?:NO_BINARY_FOR_GPU|INVALID_PTX|INVALID_IMAGE)"),
            logged(r"PTX JIT compil(?:ation failed|er library not found)"),
            logged(r"invalid device function"),
            logged(r"ggml was not compiled with any CUDA arch"),
            logged(r"has CUDA kernel .{0,60}no device code compatible with CUDA arch"),
        ),
        causes=(
            (
                "The image's GPU programs are built for GPUs of compute capability {built}; this "
                "one has {have}."
            ),
            "The image's GPU programs do not run here: they are for another GPU or a newer driver.",
        ),
        advice=(_OTHER_IMAGE, NEWER_IMAGE, DEFAULT_IMAGE, _CHOOSE_IMAGE),
        source="ollama/ollama#16449",
    ),
    KnownFailure(
        id="number-format",
        rank=Rank.ENGINE,
        signs=(
            # PyTorch: "addmm_impl_cpu_" not implemented for 'Half'.
            logged(
                r"Error: \"\w{2,60}\" not implemented for "
                r"'(?P<dtype>Half|BFloat16|Float8_\w{1,12})'"
            ),
            # Text Embeddings Inference, whose backends each have types of their own.
            logged(r"(?i)\bDtype (?P<dtype>float16|bfloat16|float32) is not supported"),
            logged(r"is only supported (?:on Cuda devices )?in (?P<dtype>fp\d{2})\b"),
            logged(r"Flash\w{2,30} requires DType::(?P<dtype>F\d{2})"),
        ),
        causes=(
            (
                "This program can't compute with the data type {dtype}, or only with it, on the "
                "processor or GPU that it was started on."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "On a CPU, tell the program float32, mostly by --dtype=float32 or "
                "torch_dtype=torch.float32; on a GPU, float16.",
            ),
            Advice(
                RemedyKind.NONE,
                "Or use the project's image for NVIDIA GPUs, with a GPU: an image for the CPU has "
                "no 16-bit types.",
            ),
            NEWER_IMAGE,
        ),
        source="huggingface/text-embeddings-inference: backends; pytorch/pytorch: aten/src/ATen",
    ),
    KnownFailure(
        id="no-gpu",
        rank=Rank.HARDWARE,
        signs=(
            logged(r"Failed to infer device type"),
            logged(r"RuntimeError: No CUDA GPUs are available"),
            logged(r"you might not have a CUDA gpu"),
            logged(r"no CUDA-capable device is detected"),
            logged(r"(?:libcuda|libnvidia-[a-z]{1,20})\.so\.1: cannot open shared object file"),
            logged(r"dynamically load the \"cuda\" shared library"),
            logged(r"NVML Shared Library Not Found"),
            logged(r"Found no NVIDIA driver on your system"),
            logged(r"CUDA_ERROR_NO_DEVICE|cudaErrorNoDevice"),
        ),
        causes=("The engine needs a GPU and finds none.",),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Deploy with a GPU, or with an image that is built for processors alone.",
            ),
        ),
        source="vllm-project/vllm: vllm/platforms/__init__.py",
    ),
    KnownFailure(
        id="gpu-not-ready",
        rank=Rank.HARDWARE,
        signs=(
            logged(r"Error 802: system not yet initialized"),
            logged(r"CUDA-capable devices? ?(?:\(s\) )?is/are busy or unavailable"),
            logged(r"all CUDA-capable devices are busy or unavailable"),
            logged(r"CUDA unknown error - this may be due to an incorrectly set up environment"),
            logged(r"GPU has fallen off the bus|GPU is lost"),
            logged(r"Driver/library version mismatch"),
        ),
        causes=("The GPU of this instance or its driver was not ready.",),
        advice=(Advice(RemedyKind.REDEPLOY, "Deploy again: another instance has another GPU."),),
        source="NVIDIA: CUDA_ERROR_SYSTEM_NOT_READY of the driver's API",
    ),
    KnownFailure(
        id="cuda-crash",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"CUDA error: (?P<detail>an illegal (?:memory access|instruction) was encountered)"
            ),
            logged(
                r"CUDA error: (?P<detail>unspecified launch failure|misaligned address|"
                r"device-side assert triggered|an illegal instruction was encountered)"
            ),
            logged(
                r"CUDA error: (?P<detail>(?:uncorrectable ECC|the launch timed out|invalid "
                r"configuration argument|invalid argument|operation not supported|too many "
                r"resources requested|hardware stack error|invalid program counter|invalid address "
                r"space|invalid resource handle|unknown error|an exception occurred on the device|"
                r"OS call failed)[\w ]{0,60})"
            ),
            logged(
                r"CUDA error \d{1,3} at .{1,300}?: (?P<detail>OS call failed or operation not "
                r"supported on this OS)"
            ),
            # Programs in C++ name the place in their source.
            logged(
                r"CUDA error \(\S{1,300}:\d{1,6}\): (?P<detail>invalid (?:argument|configuration "
                r"argument|resource handle)|misaligned address|unspecified launch failure|"
                r"an illegal (?:memory access|instruction) was encountered)"
            ),
        ),
        causes=("A program crashed on the GPU: {detail}.",),
        advice=(
            Advice(RemedyKind.REDEPLOY, "Deploy again: a fault of one GPU is gone then."),
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {eager}: without CUDA graphs, it goes another way.",
                {"add_argument": "{eager}"},
            ),
            _OTHER_VERSION,
        ),
        source="ollama/ollama#9247",
    ),
    KnownFailure(
        id="cublas",
        rank=Rank.ENGINE,
        signs=(
            logged(r"CUDA error: (?P<detail>the resource allocation failed)"),
            logged(r"CUDA error: (?P<detail>the library was not initialized)"),
            logged(r"(?P<detail>CUBLAS_STATUS_NOT_INITIALIZED)"),
            logged(r"(?P<detail>CUBLAS_STATUS_ARCH_MISMATCH)"),
        ),
        causes=(
            (
                "cuBLAS, CUDA's library for matrices, could not be set up on the GPU ({detail}): "
                "its memory is full, or the image does not go with the GPU."
            ),
        ),
        advice=(
            FEWER_REQUESTS,
            LESS_CONTEXT,
            LESS_SHARE,
            NEWER_IMAGE,
            DEFAULT_IMAGE,
            _OTHER_VERSION,
        ),
        source="ollama/ollama#4256",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="nccl",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"NCCL error.{0,300}?(?P<detail>unhandled (?:cuda|system) error|internal error|"
                r"invalid usage|remote process)"
            ),
            logged(r"nccl(?:UnhandledCuda|System|Internal|InvalidUsage|Remote)Error"),
            logged(r"Watchdog caught collective operation timeout"),
        ),
        causes=(
            "NCCL, the library by which GPUs work together, failed: {detail}.",
            "NCCL, the library by which GPUs work together, failed.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {one_gpu}: an instance of Cloud Run has one GPU.",
                {"add_argument": "{one_gpu}"},
            ),
            Advice(RemedyKind.REDEPLOY, "Deploy again: a fault of one instance is gone then."),
            MORE_MEMORY,
            _OTHER_VERSION,
        ),
        source="NVIDIA/nccl: src/init.cc",
    ),
)
