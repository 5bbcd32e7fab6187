"""What tells that a service runs llama.cpp's server."""

from __future__ import annotations

import re

from llm_widgets.engines.llama_cpp.variables import MODEL
from llm_widgets.engines.recognising import Signs

SIGNS = Signs(
    # Of the images of its authors, those whose tag begins with "server" have the server alone.
    own=re.compile(r"/(ggml-org|ggerganov)/llama\.cpp:server"),
    named=re.compile(r"llama[.-]?cpp|llama-server"),
    programs=(("llama-server",), ("llama_cpp.server",)),
    variables=("LLAMA_ARG_",),
    model=("--model", "-m", "-hf", "--hf-repo"),
    model_variables=(MODEL, "LLAMA_ARG_HF_REPO", "MODEL_ID", "MODEL"),
    served=("--alias", "-a", "--model_alias"),
    served_variables=("LLAMA_ARG_ALIAS",),
    key_variables=("LLAMA_API_KEY",),
)
