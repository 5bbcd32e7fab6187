"""A program called ``vllm``: short of GPU memory by its arguments, and says so as vLLM does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Words of vLLM 0.33: v1/core/kv_cache_utils.py, and of PyTorch.
NO_ROOM = (
    "ValueError: To serve at least one request with the models's max seq len (40960), (5.62 GiB KV "
    "cache is needed, which is larger than the available KV cache memory (4.50 GiB). Based on the "
    "available memory, the estimated maximum model length is 32768. Try increasing "
    "gpu_memory_utilization or decreasing max_model_len when initializing the engine."
)
OUT_OF_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB. GPU 0 has a total "
    "capacity of 22.05 GiB of which 512.06 MiB is free."
)
_PROGRAM = f"""#!{sys.executable}
import http.server, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

arguments = sys.argv[1:]
if "--max-model-len=40960" in arguments:
    sys.exit({NO_ROOM!r})
if "--max-model-len=24576" in arguments and "--max-num-seqs=64" in arguments:
    sys.exit({OUT_OF_MEMORY!r})
port = next(int(word[7:]) for word in arguments if word.startswith("--port="))
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def put_program(folder: Path) -> None:
    """Write the program into a folder that is on the PATH of the local cloud."""
    folder.mkdir(exist_ok=True)
    program = folder / "vllm"
    program.write_text(_PROGRAM)
    program.chmod(0o755)
