"""What vLLM is told, and how it reads its command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.settings import Argument, Operand, Variable
from llm_widgets.engines.vllm.memory import UTILIZATION

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

# Those that people use to deploy a model; all that begin with --no- are switches as well.
COMMAND_LINE = CommandLine(
    switches=frozenset(
        {
            "--async-scheduling",
            "--disable-custom-all-reduce",
            "--disable-log-requests",
            "--disable-log-stats",
            "--disable-sliding-window",
            "--enable-auto-tool-choice",
            "--enable-chunked-prefill",
            "--enable-expert-parallel",
            "--enable-log-requests",
            "--enable-lora",
            "--enable-prefix-caching",
            "--enable-prompt-tokens-details",
            "--enable-sleep-mode",
            "--enforce-eager",
            "--language-model-only",
            "--skip-tokenizer-init",
            "--trust-remote-code",
        }
    )
)
"""Source: vLLM's page on the arguments of ``vllm serve``."""

CONTEXT = Argument("--max-model-len", command_line=COMMAND_LINE)
PARALLEL = Argument("--max-num-seqs", command_line=COMMAND_LINE)
BATCH = Argument("--max-num-batched-tokens", command_line=COMMAND_LINE)
CACHE_TYPE = Argument("--kv-cache-dtype", "auto", command_line=COMMAND_LINE)
MEMORY_SHARE = Argument("--gpu-memory-utilization", f"{UTILIZATION:g}", command_line=COMMAND_LINE)
PORT = Argument("--port", "8000", command_line=COMMAND_LINE)
GPUS = Argument("--tensor-parallel-size", "1", command_line=COMMAND_LINE)
LOAD_FORMAT = Argument("--load-format", "auto", command_line=COMMAND_LINE)
STREAM_BUFFER = Variable("RUNAI_STREAMER_MEMORY_LIMIT", "40000000000")
"""Bytes that the streamer reads ahead into the container's memory; its default is 40 GB
(runai_model_streamer 0.16.1, ``requests_iterator.py``)."""

SPECULATION = Argument("--speculative-config", command_line=COMMAND_LINE)
"""How further tokens are guessed, as JSON."""

RUNNER = Argument("--runner", "auto", command_line=COMMAND_LINE)
CONVERT = Argument("--convert", "auto", command_line=COMMAND_LINE)
TASK = Argument("--task", command_line=COMMAND_LINE)
"""Of versions that others still deploy."""
TEXT_ONLY = "--language-model-only"
"""The switch that leaves out the part of a model that sees."""

FOLDER = Operand("the first argument", command_line=COMMAND_LINE)
EAGER = "--enforce-eager"
TRUST = "--trust-remote-code"
"""The switch that lets a model's own code run."""

_OF_MEMORY = (
    "--compilation-config",
    "--cpu-offload-gb",
    "--dtype",
    "--enable-lora",
    "--enforce-eager",
    "--gpu-memory-utilization",
    "--hf-overrides",
    "--kv-cache-dtype",
    "--kv-cache-memory-bytes",
    "--language-model-only",
    "--limit-mm-per-prompt",
    "--max-lora-rank",
    "--max-loras",
    "--max-num-batched-tokens",
    "--max-num-seqs",
    "--mm-processor-kwargs",
    "--no-enable-prefix-caching",
    "--quantization",
    "--runner",
    "--speculative-config",
    "--tensor-parallel-size",
)
"""Arguments that change what is taken beside the cache of one request, or how that is laid out:
not the context, as the cache takes what is left."""


def memory_settings(deployment: Deployment) -> dict[str, str]:
    """Return those of a deployment's arguments that memory depends on, by name."""
    args = deployment.args
    return {
        name: COMMAND_LINE.value(args, name) for name in _OF_MEMORY if COMMAND_LINE.has(args, name)
    }
