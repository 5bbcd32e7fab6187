"""What tells that a service runs Ollama."""

from __future__ import annotations

import re

from llm_widgets.engines.ollama.recipe import PORT
from llm_widgets.engines.recognising import Signs

SIGNS = Signs(
    # Its own, and those that Google has for Gemma, which are built on it.
    own=re.compile(r"/ollama/ollama(:|$)|/cloudrun/container/gemma/"),
    named=re.compile(r"ollama"),
    programs=(("ollama", "serve"), ("ollama", "run"), ("ollama", "pull")),
    # Not OLLAMA_HOST and OLLAMA_BASE_URL, by which others are told where one is.
    variables=(
        "OLLAMA_CONTEXT_LENGTH",
        "OLLAMA_FLASH_ATTENTION",
        "OLLAMA_KEEP_ALIVE",
        "OLLAMA_KV_CACHE_TYPE",
        "OLLAMA_MAX_LOADED_MODELS",
        "OLLAMA_MODELS",
        "OLLAMA_NUM_PARALLEL",
    ),
    port=PORT,
    model_after=("run", "pull"),
    model_image=re.compile(r"/cloudrun/container/gemma/(?P<model>[\w.-]{1,100})"),
    # Ollama has none; the proxy in Google's images for Gemma does.
    key=(),
    key_variables=("API_KEY",),
    model_variables=("MODEL", "OLLAMA_MODEL", "MODEL_NAME", "MODEL_ID"),
)
