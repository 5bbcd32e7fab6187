"""Names of models: ``[host/][namespace/]model[:tag]``."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

_HOST = re.compile(r"[A-Za-z0-9_][\w.:-]{0,349}")
_NAMESPACE = re.compile(r"\w[\w-]{0,79}")
_PART = re.compile(r"\w[\w.-]{0,79}")


@dataclass(frozen=True, order=True)
class ModelName:
    """A complete name."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> ModelName:
        """Return the name that a text stands for, with what it leaves out filled in.

        Raises
        ------
        ValueError
            If it is no name.

        """
        path, _, last = text.rpartition("/")
        model, _, tag = last.partition(":")
        parts = [part for part in path.split("/") if part]
        if len(parts) > 2:  # noqa: PLR2004 - host and namespace
            raise ValueError(f"'{text}' is no name of a model")
        host = parts[0] if len(parts) == 2 else DEFAULT_HOST  # noqa: PLR2004 - the same
        namespace = parts[-1] if parts else DEFAULT_NAMESPACE
        name = cls(host, namespace, model, tag or DEFAULT_TAG)
        if not name.valid:
            raise ValueError(f"'{text}' is no name of a model")
        return name

    @property
    def valid(self) -> bool:
        """Whether all parts are made of the letters that are allowed."""
        return bool(
            _HOST.fullmatch(self.host)
            and _NAMESPACE.fullmatch(self.namespace)
            and _PART.fullmatch(self.model)
            and _PART.fullmatch(self.tag)
        )

    def __str__(self) -> str:
        """Return the name without the parts that are Ollama's defaults; the tag is always there."""
        text = f"{self.model}:{self.tag}"
        if self.host != DEFAULT_HOST:
            return f"{self.host}/{self.namespace}/{text}"
        return text if self.namespace == DEFAULT_NAMESPACE else f"{self.namespace}/{text}"
