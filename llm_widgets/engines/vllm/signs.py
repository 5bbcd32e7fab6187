"""What tells that a service runs vLLM."""

from __future__ import annotations

import re

from llm_widgets.engines.recognising import Signs
from llm_widgets.engines.vllm.arguments import COMMAND_LINE

SIGNS = Signs(
    # Its own, and the one of Vertex AI's Model Garden, also as mirrors have them.
    own=re.compile(r"/vllm/vllm-openai(-[\w.-]+)?(:|$)|/pytorch-vllm-serve(:|$)"),
    named=re.compile(r"vllm"),
    programs=(
        ("vllm", "serve"),
        ("vllm.entrypoints.openai.api_server",),
        ("vllm.entrypoints.api_server",),
    ),
    # Not VLLM_URL and the like, by which others are told where one is.
    variables=(
        "VLLM_ATTENTION",
        "VLLM_CACHE_ROOT",
        "VLLM_ENGINE",
        "VLLM_NO_USAGE_STATS",
        "VLLM_USE_",
        "VLLM_WORKER",
    ),
    model=("--model",),
    model_after=("serve",),
    model_first=True,
    served=("--served-model-name",),
    key_variables=("VLLM_API_KEY",),
    command_line=COMMAND_LINE,
)
