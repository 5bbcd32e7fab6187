"""Models in memory: each is a server of llama.cpp inside this process, on a port of its own."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import xllamacpp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_cloud.runner.ollama_api.library import Model
    from local_cloud.runner.ollama_api.settings import Settings

_LOOK_SECONDS = 0.5  # between two looks for models whose time is over
_VERBOSITY = 1  # of llama.cpp: errors only


class LoadError(Exception):
    """llama.cpp does not take the model."""


@dataclass
class Loaded:
    """A model in memory.

    Attributes
    ----------
    model
        Which one.
    context
        Tokens of context of one request.
    address
        Base URL of its llama.cpp server.
    load_seconds
        How long loading took.
    keep_alive
        Seconds that it stays when idle.

    """

    model: Model
    context: int
    address: str
    load_seconds: float
    server: Any = field(repr=False)
    keep_alive: float = 0.0
    users: int = 0
    last_used: float = field(default_factory=time.monotonic)

    @property
    def expires_in(self) -> float:
        """Seconds until it is unloaded."""
        if self.users:
            return self.keep_alive
        return max(0.0, self.last_used + self.keep_alive - time.monotonic())


class Engine:
    """Loads models when they are used, and unloads them when they have not been for a while.

    Parameters
    ----------
    settings
        Of the server.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: dict[str, Loaded] = {}
        self._lock = threading.RLock()
        threading.Thread(target=self._unload_in_time, name="unload", daemon=True).start()

    def loaded(self) -> list[Loaded]:
        """Return the models in memory."""
        with self._lock:
            return list(self._loaded.values())

    @contextlib.contextmanager
    def use(
        self, model: Model, *, context: int, keep_alive: float
    ) -> Iterator[tuple[Loaded, float]]:
        """Hold a model in memory; give it, and the seconds that loading it took just now.

        Parameters
        ----------
        model
            Which one.
        context
            Tokens of context; 0 for the server's setting.
        keep_alive
            Seconds that it stays in memory afterwards.

        Raises
        ------
        LoadError
            If it cannot be loaded.

        """
        context = context or self._settings.context
        name = str(model.name)
        with self._lock:
            loaded = self._loaded.get(name)
            seconds = 0.0
            if not loaded or loaded.model.digest != model.digest or loaded.context != context:
                self._drop(name)
                self._make_room()
                loaded = self._loaded[name] = self._load(model, context)
                seconds = loaded.load_seconds
            loaded.users += 1
            loaded.keep_alive = keep_alive
        try:
            yield loaded, seconds
        finally:
            with self._lock:
                loaded.users -= 1
                loaded.last_used = time.monotonic()

    def unload(self, model: Model) -> None:
        """Let go of a model."""
        with self._lock:
            self._drop(str(model.name))

    def _load(self, model: Model, context: int) -> Loaded:
        weights = model.weights
        if not weights.is_file():
            raise LoadError(f"open {weights}: no such file or directory")
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(weights)
        parameters.model_alias = {str(model.name)}
        parameters.hostnames = ["127.0.0.1"]
        parameters.port = 0
        parameters.n_parallel = self._settings.parallel
        parameters.n_ctx = context * self._settings.parallel  # shared out among the requests
        # Its threads wait for each other busily: one core is left to everything else.
        threads = max(1, (os.cpu_count() or 1) - 1)
        parameters.cpuparams.n_threads = threads
        parameters.cpuparams_batch.n_threads = threads
        parameters.embedding = model.makes_embeddings
        parameters.verbosity = _VERBOSITY
        parameters.warmup = False  # the first request does it as well
        begin = time.monotonic()
        try:
            server = xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise LoadError(f"unable to load model: {weights}") from error
        return Loaded(model, context, server.listening_address, time.monotonic() - begin, server)

    def _make_room(self) -> None:
        """Unload the idle models that were used longest ago, until one more may come."""
        idle = sorted(
            (loaded for loaded in self._loaded.values() if not loaded.users),
            key=lambda loaded: loaded.last_used,
        )
        while len(self._loaded) >= self._settings.max_loaded and idle:
            self._drop(str(idle.pop(0).model.name))

    def _drop(self, name: str) -> None:
        """Let go of a model; it leaves the memory when its last request has ended."""
        self._loaded.pop(name, None)

    def _unload_in_time(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                for name, loaded in list(self._loaded.items()):
                    if not loaded.users and loaded.expires_in <= 0:
                        self._drop(name)
