"""Engines that can't use the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

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
                "Deploy it so that it uses the driver's own libraries.",
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
        ),
        causes=(
            "The image's GPU programs do not run here: they are for another GPU or a newer driver.",
        ),
        advice=(_OTHER_IMAGE, _CHOOSE_IMAGE),
        source="ollama/ollama#16449",
    ),
    KnownFailure(
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
)
