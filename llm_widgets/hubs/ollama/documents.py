"""What an Ollama registry answers, as checked values."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from llm_widgets.hubs.documents import LARGEST_FILE, Text

KINDS = "application/vnd.ollama.image."
"""Begins the media type of a layer; its kind follows."""

PARTS = {
    "model": "Weights",
    "projector": "Projector",
    "adapter": "Adapter",
    "template": "Prompt template",
    "system": "System prompt",
    "params": "Parameters",
    "messages": "Messages",
    "license": "Licence",
}
"""What the kinds of layers are, in words (Ollama's ``docs/modelfile.md``)."""

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"


class Layer(Struct, frozen=True, rename="camel"):
    """A blob of a model as the manifest names it; its size in bytes."""

    digest: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
    size: Annotated[int, Meta(ge=0, le=LARGEST_FILE)]
    media_type: str | None = None

    @property
    def sha256(self) -> str:
        """The digest in hexadecimal."""
        return self.digest.removeprefix("sha256:")

    @property
    def kind(self) -> str:
        """What it holds, for example ``model``, ``license`` or ``params``."""
        return (self.media_type or "").removeprefix(KINDS)


class Manifest(Struct, frozen=True):
    """The manifest of a model: Docker's schema 2."""

    config: Layer
    layers: tuple[Layer, ...] | None = None


class ModelConfig(Struct, frozen=True):
    """The configuration of a model: Ollama's ``types/model/config.go``.

    Attributes
    ----------
    capabilities
        What it can do, for example ``vision`` or ``embedding``.
    model_type
        Number of parameters, for example ``4.3B``.
    file_type
        Name of the quantisation.
    requires
        The oldest Ollama that runs it.
    remote_host, remote_model
        Where a model runs that has no weights.
    """

    model_format: Text | None = None
    model_family: Text | None = None
    model_families: tuple[Text, ...] | None = None
    capabilities: tuple[Text, ...] | None = None
    model_type: Text | None = None
    file_type: Text | None = None
    context_length: int | None = None
    requires: Text | None = None
    remote_host: Text | None = None
    remote_model: Text | None = None
