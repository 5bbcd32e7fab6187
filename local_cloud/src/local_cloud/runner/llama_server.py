"""The ``llama-server`` of containers, by the package ``xllamacpp``: its variables, its API."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import xllamacpp

_VERBOSITY = 3  # its messages without those of each token
_ON = frozenset({"1", "true", "on", "enabled"})


def main() -> int:
    """Serve the model that the variables name, until the process is told to end.

    Returns
    -------
    int
        1 where the model can't be loaded.

    """
    told = os.environ
    model = told.get("LLAMA_ARG_MODEL", "")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = model
    parameters.hostnames = [told.get("LLAMA_ARG_HOST", "127.0.0.1")]
    parameters.port = int(told.get("LLAMA_ARG_PORT", "8080"))
    parameters.n_ctx = int(told.get("LLAMA_ARG_CTX_SIZE", "0"))
    parameters.n_parallel = int(told.get("LLAMA_ARG_N_PARALLEL", "1"))
    if alias := told.get("LLAMA_ARG_ALIAS"):
        parameters.model_alias = {alias}
    if projector := told.get("LLAMA_ARG_MMPROJ"):
        parameters.mmproj.path = projector
    parameters.embedding = _is_on("LLAMA_ARG_EMBEDDINGS")
    parameters.use_jinja = _is_on("LLAMA_ARG_JINJA")
    parameters.endpoint_metrics = _is_on("LLAMA_ARG_ENDPOINT_METRICS")
    if _is_on("LLAMA_ARG_RERANKING"):
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_RANK
    # Its threads wait for each other busily: one core is left to everything else.
    threads = max(1, (os.cpu_count() or 1) - 1)
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.verbosity = _VERBOSITY
    if not Path(model).is_file():
        _say(f"gguf_init_from_file: failed to open GGUF file '{model}'")
        return 1
    _say(f"main: loading model '{model}'")
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        _say(f"main: exiting due to model loading error: {error}")
        return 1
    _say(f"main: server is listening on {server.listening_address}")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended.wait()
    return 0


def _is_on(name: str) -> bool:
    return os.environ.get(name, "").lower() in _ON


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a server speaks


if __name__ == "__main__":
    sys.exit(main())
