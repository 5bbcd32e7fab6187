"""Ten failures that no other journey has: what an engine logs, what is said, what puts it right.

Each is a program that logs its text and ends, unless it is told what the fix tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import Deployment, StartupProbe
from tests.contract.product import PROJECT, REGION
from tests.contract.served_model import BUCKET, RECORD

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAM = """
import os, sys
from http.server import HTTPServer, SimpleHTTPRequestHandler
told = [*sys.argv[1:], *(f"{{name}}={{value}}" for name, value in os.environ.items())]
if not ({mended}):
    sys.exit({log!r})
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), SimpleHTTPRequestHandler).serve_forever()
"""
_FRONT = "(EngineCore_DP0 pid=68) ERROR 06-12 10:01:02 [core.py:1108] "
_WRAPPER = (
    "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above."
)


def _core(*lines: str) -> str:
    """Return a traceback of vLLM's engine, and what its other process says of it."""
    frames = ("Traceback (most recent call last):", '  File "/opt/core.py", line 7, in run_engine')
    return "\n".join([*(f"{_FRONT}{line}" for line in (*frames, *lines)), _WRAPPER])


@dataclass(frozen=True)
class Unforeseen:
    """A failure: what is logged, the headline, its fix, and how the program knows of that.

    Attributes
    ----------
    mended
        Of what it is told (``told``), or of a file that it finds, in Python.
    fix
        A part of the remedy's text; its button is pressed, where it has one.
    """

    log: str
    cause: str
    fix: str
    mended: str
    args: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    framework: str = "vllm"
    button: str = "Redeploy with this fix"

    def deployment(self, name: str, folder: Path) -> Deployment:
        """Return the deployment that fails so."""
        mended = self.mended.format(folder=folder)
        made = Deployment(
            project=PROJECT,
            region=REGION,
            name=name,
            framework=self.framework,
            model_id=RECORD.id,
            served_name=RECORD.id,
            image="local/python:3",
            port=8000,
            bucket=BUCKET,
            folder=RECORD.prefix,
            mount_path="/gcs/models",
            probe=StartupProbe("/", period=1, timeout=1, failures=60),
            command=("-c", _PROGRAM.format(mended=mended, log=self.log)),
        )
        changes: dict[str, Any] = {"args": self.args, "environment": self.environment}
        return replace(made, cpu=8, memory_gib=16, max_instances=1, **changes)


UNFORESEEN = {
    "compiler": Unforeseen(
        _core(
            '  File "/opt/triton/backends/nvidia/compiler.py", line 319, in make_ttgir',
            "    pm.run(mod)",
            "RuntimeError: PassManager::run failed",
        ),
        "RuntimeError: PassManager::run failed",
        "Deploy without compiling: --enforce-eager.",
        "'--enforce-eager' in told",
    ),
    "backend": Unforeseen(
        _core(
            "ValueError: Selected backend AttentionBackendEnum.FLASHINFER is not valid for this "
            "configuration. Reason: ['attention sinks not supported']"
        ),
        "The attention backend AttentionBackendEnum.FLASHINFER does not go with the model",
        "Deploy without --attention-backend.",
        "not any('attention-backend' in word for word in told)",
        args=("--attention-backend=FLASHINFER",),
    ),
    "adapter": Unforeseen(
        _core("ValueError: LoRA rank 64 is greater than max_lora_rank 16."),
        "The LoRA adapter has the rank 64, and vLLM is to take up to 16.",
        "Deploy with --max-lora-rank=64.",
        "'--max-lora-rank=64' in told",
        args=("--enable-lora",),
    ),
    "states": Unforeseen(
        _core(
            "ValueError: max_num_seqs (64) exceeds available Mamba cache blocks (39). Each decode "
            "sequence requires one Mamba cache block, so CUDA graph capture cannot proceed."
        ),
        "The model keeps a state for each request, and the GPU's memory holds 39 of them",
        "Deploy with 39 concurrent requests: --max-num-seqs=39.",
        "'--max-num-seqs=39' in told",
        args=("--max-num-seqs=64",),
    ),
    "gpus": Unforeseen(
        _core("RuntimeError: NCCL error: unhandled cuda error (run with NCCL_DEBUG=INFO)"),
        "NCCL, the library by which GPUs work together, failed",
        "Deploy with --tensor-parallel-size=1",
        "'--tensor-parallel-size=1' in told",
        args=("--tensor-parallel-size=2",),
    ),
    "caches": Unforeseen(
        _core("PermissionError: [Errno 13] Permission denied: '/app/.cache/vllm'"),
        "The engine can't write its cache to /app/.cache/vllm: the folder is read-only.",
        "Deploy with its caches under /tmp.",
        "'VLLM_CACHE_ROOT=/tmp/vllm' in told",
    ),
    "argument": Unforeseen(
        "vllm serve: error: argument --limit-mm-per-prompt: Value image:4 cannot be converted to "
        "<function loads at 0x7fee956b3100>.",
        "vLLM does not take the value of --limit-mm-per-prompt",
        "Deploy without --limit-mm-per-prompt.",
        "not any('limit-mm' in word for word in told)",
        args=("--limit-mm-per-prompt=image:4",),
    ),
    "ollama-memory": Unforeseen(
        "ggml-cuda.cu:104: CUDA error\nCUDA error: out of memory\n"
        "  current device: 0, in function alloc at /build/ggml-cuda.cu:529",
        "The GPU's memory is full.",
        "Deploy with a context of 4096 tokens instead of 8192.",
        "'OLLAMA_CONTEXT_LENGTH=4096' in told",
        environment={"OLLAMA_CONTEXT_LENGTH": "8192"},
        framework="ollama",
    ),
    "package": Unforeseen(
        "exec: uvx: not found\nuvx: line 3: zorp: command not found",
        "zorp: command not found",
        "Use the engine's official image unchanged",
        "False",
        button="",
    ),
    "unknown": Unforeseen(
        _core("ZorpError: flux 7 is out of phase"),
        "ZorpError: flux 7 is out of phase",
        "Deploy again: a passing fault is gone then.",
        "os.path.exists('{folder}/was') or open('{folder}/was', 'w').close()",
        button="Deploy again",
    ),
}
"""The last one is in no catalogue: it is told in its own words."""
