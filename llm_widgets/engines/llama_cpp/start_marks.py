"""What llama.cpp's server tells in its log of the phases of its start.

Sources: ``tools/server/server.cpp``, ``common/common.cpp``, ``src/llama-model.cpp`` and
``src/llama-context.cpp`` of llama.cpp, builds b5000 to b11549. How much of it a build tells depends
on its verbosity.
"""

from __future__ import annotations

import re

from llm_widgets.domain.starts import WEIGHTS, Mark

MARKS = (
    Mark("Server start", re.compile(r"load_model: loading model '")),
    Mark(
        WEIGHTS,
        re.compile(r" model buffer size = {1,8}(?P<size>\d{1,7}(?:\.\d{1,2})?) (?P<unit>[KMG]iB)"),
    ),
    Mark(WEIGHTS, re.compile(r"llama_context: (?:constructing llama_context|n_ctx_seq)")),
    Mark("Cache", re.compile(r"warming up the model with an empty run")),
    # Without the lines before it is all of these together.
    Mark("Weights, cache and warm-up", re.compile(r"llama threadpool init")),
    Mark("Warm-up", re.compile(r"initializing(?: slots)?, n_slots")),
    Mark("Slots", re.compile(r"(?:main|init): model loaded")),
    Mark("HTTP server", re.compile(r"(?:server is )?listening on https?://"), ready=True),
)
