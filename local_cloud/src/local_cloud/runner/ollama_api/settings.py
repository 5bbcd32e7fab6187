"""Settings of the server: the environment variables of Ollama that it obeys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PORT = 11434
DEFAULT_CONTEXT = 4096  # tokens, Ollama's choice without a large GPU
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}  # seconds


@dataclass(frozen=True)
class Settings:
    """What the environment says.

    Attributes
    ----------
    host, port
        Where to listen (OLLAMA_HOST).
    models
        Folder of the models (OLLAMA_MODELS).
    context
        Tokens of context of one request (OLLAMA_CONTEXT_LENGTH).
    parallel
        Requests that a model works at together (OLLAMA_NUM_PARALLEL).
    max_loaded
        Models in memory at a time (OLLAMA_MAX_LOADED_MODELS).
    keep_alive
        Seconds that an idle model stays in memory (OLLAMA_KEEP_ALIVE); infinite for ever.
    prune
        Whether unused blobs are deleted at the start (OLLAMA_NOPRUNE forbids it).

    """

    host: str
    port: int
    models: Path
    context: int
    parallel: int
    max_loaded: int
    keep_alive: float
    prune: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Return the settings in an environment.

        Raises
        ------
        ValueError
            If a number is none.

        """
        host, port = address(environment.get("OLLAMA_HOST", ""))
        models = environment.get("OLLAMA_MODELS", "")
        return cls(
            host=host,
            port=port,
            models=Path(models) if models else Path.home() / ".ollama" / "models",
            context=int(environment.get("OLLAMA_CONTEXT_LENGTH") or 0) or DEFAULT_CONTEXT,
            parallel=int(environment.get("OLLAMA_NUM_PARALLEL") or 0) or 1,
            max_loaded=int(environment.get("OLLAMA_MAX_LOADED_MODELS") or 0) or 3,
            keep_alive=duration(environment.get("OLLAMA_KEEP_ALIVE") or "5m"),
            prune=environment.get("OLLAMA_NOPRUNE", "").lower() in {"", "0", "false", "f"},
        )


def address(text: str) -> tuple[str, int]:
    """Return host and port of a value of OLLAMA_HOST, such as ``0.0.0.0:11434`` or ``:8080``."""
    text = re.sub(r"^https?://", "", text.strip()).partition("/")[0]
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, ""
    return host or "127.0.0.1", int(port) if port else DEFAULT_PORT


def duration(value: str | float) -> float:
    """Return seconds of a Go duration ("5m", "1h30m") or a number; negative means for ever.

    Raises
    ------
    ValueError
        If it is neither.

    """
    try:
        seconds = float(value)
    except ValueError:
        text = str(value)
        parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)", text)
        if "".join(number + unit for number, unit in parts) != text.lstrip("-"):
            raise ValueError(f'time: invalid duration "{text}"') from None
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        seconds = -seconds if text.startswith("-") else seconds
    return float("inf") if seconds < 0 else seconds
