"""What vLLM is told, and how it reads its command line."""

from __future__ import annotations

from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.settings import Argument, Operand
from llm_widgets.engines.vllm.memory import UTILIZATION

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
FOLDER = Operand("the first argument", command_line=COMMAND_LINE)
EAGER = "--enforce-eager"
