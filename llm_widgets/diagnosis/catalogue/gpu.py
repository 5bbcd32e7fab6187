"""Engines that can't use the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.failure import Groups, Kind, Rank, logged
from llm_widgets.diagnosis.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.diagnosis.context import Context

_OTHER_IMAGE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with an image for older drivers: {cuda_image}.",
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


KINDS: tuple[Kind, ...] = (
    Kind(
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
                "Deploy it so that it uses the driver's own libraries.",
                {
                    "environment": "VLLM_ENABLE_CUDA_COMPATIBILITY=0;LD_LIBRARY_PATH="
                    "/usr/local/nvidia/lib64:/usr/local/nvidia/lib:/usr/lib/x86_64-linux-gnu"
                },
                needs=("is_vllm",),
            ),
            _OTHER_IMAGE,
            _CHOOSE_IMAGE,
        ),
        source="gpustack/gpustack#4678",
    ),
    Kind(
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
                "Deploy it with the compatibility libraries of CUDA.",
                {"environment": "VLLM_ENABLE_CUDA_COMPATIBILITY=1"},
                needs=("is_vllm",),
            ),
            _CHOOSE_IMAGE,
        ),
        source="modelscope/FunASR#2973",
        derive=_cuda_version,
    ),
    Kind(
        id="cuda-kernel",
        rank=Rank.HARDWARE,
        signs=(
            logged(r"device kernel image is invalid"),
            logged(r"no kernel image is available for execution on the device"),
        ),
        causes=(
            "The image's GPU programs do not run here: they are for another GPU or a newer driver.",
        ),
        advice=(_OTHER_IMAGE, _CHOOSE_IMAGE),
        source="ollama/ollama#16449",
    ),
    Kind(
        id="no-gpu",
        rank=Rank.HARDWARE,
        signs=(
            logged(r"Failed to infer device type"),
            logged(r"RuntimeError: No CUDA GPUs are available"),
            logged(r"libcuda\.so\.1: cannot open shared object file"),
        ),
        causes=("The engine needs a GPU and finds none.",),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Deploy it with a GPU, or with an image that is built for processors alone.",
            ),
        ),
        source="vllm-project/vllm: vllm/platforms/__init__.py",
    ),
    Kind(
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
            Advice(RemedyKind.NONE, "Import the model with another quantization, or without one."),
        ),
        source="vllm-project/vllm#4327",
    ),
    Kind(
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
                "Deploy it with --tensor-parallel-size=1.",
                {"add_argument": "--tensor-parallel-size=1"},
            ),
        ),
        source="vllm-project/vllm: vllm/config/parallel.py",
    ),
)
