"""What Ollama and llama.cpp tell in their logs of the memory that a loaded model takes.

Sources: ``ml/device.go`` of Ollama 0.24 (a line for each kind and device); ``llama-model.cpp``,
``llama-kv-cache.cpp``, ``llama-memory-recurrent.cpp`` and ``llama-context.cpp`` of llama.cpp (a
line for each buffer).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.memory.measured import Measured
from llm_widgets.domain.units import BINARY

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIZE = r"(?P<size>\d{1,5}(?:\.\d{1,2})?) (?P<unit>B|KiB|MiB|GiB)"
_TOLD = re.compile(
    r'msg="(?P<kind>model weights|kv cache|compute graph)" device="?(?P<device>\w{1,16})"? '
    rf'size="{_SIZE}"'
)
_BUFFER = re.compile(
    r"(?P<device>[A-Z]\w{1,15}) {1,4}(?P<kind>model|KV|RS|compute) buffer size = {1,8}" + _SIZE
)
_KINDS = {
    "model": "model weights",
    "KV": "kv cache",
    "RS": "kv cache",
    "compute": "compute graph",
}
_WEIGHTS, _CACHE, _GRAPH = "model weights", "kv cache", "compute graph"
_GPU = re.compile(r"(?:CUDA|ROCm|Vulkan)\d{1,2}")


def read(lines: Iterable[str]) -> Measured | None:
    """Return what the last loading told; ``None`` where a part of the model is not in the GPU.

    Ollama's own lines come before those of llama.cpp, which tell the same in parts.
    """
    told: dict[str, int] = {}
    buffers: dict[str, int] = {}
    for line in lines:
        if found := _TOLD.search(line):
            _add(told, found, found["kind"])
        elif found := _BUFFER.search(line):
            _add(buffers, found, _KINDS[found["kind"]])
    sizes = told or buffers
    # Tensors that look tokens up stay with the CPU; a cache there is one of layers that do.
    if not sizes.get(_WEIGHTS) or not sizes.get(_CACHE) or f"CPU {_CACHE}" in sizes:
        return None
    return Measured(sizes[_WEIGHTS], sizes[_CACHE], sizes.get(_GRAPH, 0))


def _add(sizes: dict[str, int], found: re.Match[str], kind: str) -> None:
    """Add a size to those of its kind; weights after anything else begin another loading."""
    if kind == _WEIGHTS and any(name.endswith((_CACHE, _GRAPH)) for name in sizes):
        sizes.clear()
    key = kind if _GPU.fullmatch(found["device"]) else f"CPU {kind}"
    sizes[key] = sizes.get(key, 0) + int(float(found["size"]) * BINARY[found["unit"]])
