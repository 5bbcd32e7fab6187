"""What vLLM tells in its log of the phases of its start.

Sources: ``gpu_model_runner.py``, ``default_loader.py``, ``weight_utils.py``, ``backends.py``,
``monitor.py``, ``gpu_worker.py``, ``core.py`` and ``api_server.py`` of vLLM 0.8 to 0.33;
``file_streamer.py`` of runai-model-streamer 0.17.
"""

from __future__ import annotations

import re

from llm_widgets.domain.starts import WEIGHTS, Mark

_SECONDS = r"(?P<seconds>\d{1,6}(?:\.\d{1,9})?) ?s(?:ec(?:ond)?s?)?\b"
_SIZE = r"(?P<size>\d{1,6}(?:\.\d{1,6})?) (?P<unit>[KMGT]iB|B)"

_COMPILE = "Compilation"
_PROFILING = "Memory profiling"
_WARM_UP = "Pictures' warm-up"


def _mark(phase: str, pattern: str, *, ready: bool = False) -> Mark:
    return Mark(phase, re.compile(pattern), ready)


MARKS = (
    _mark("Engine start", r"Starting to load model|Loading model from scratch"),
    _mark(WEIGHTS, rf"Overall time to stream {_SIZE}[^:]{{0,80}}: {_SECONDS}"),
    _mark(WEIGHTS, rf"Loading weights took {_SECONDS}"),
    _mark(WEIGHTS, rf"Checkpoint size: {_SIZE}"),
    _mark(WEIGHTS, rf"Model loading took {_SIZE}(?: memory)? and {_SECONDS}"),
    _mark(_COMPILE, rf"torch\.compile (?:takes|took) {_SECONDS} in total"),
    _mark(_COMPILE, rf"Directly load the compiled graph\(s\) .{{0,120}}, took {_SECONDS}"),
    _mark(_PROFILING, rf"Initial profiling/warmup run took {_SECONDS}"),
    _mark(_PROFILING, rf"Memory profiling takes {_SECONDS}"),
    _mark(_PROFILING, r"Available KV cache memory: "),
    _mark(_PROFILING, r"GPU KV cache size: "),
    _mark("CUDA graphs", rf"Graph capturing finished in {_SECONDS}"),
    _mark("Rest of the engine", rf"init engine \(.{{0,80}}\) took {_SECONDS}"),
    _mark(_WARM_UP, rf"[Mm]ulti-modal warmup completed in {_SECONDS}"),
    _mark("API server", r"Starting vLLM (?:API )?server(?: \d{1,3})? on ", ready=True),
)
