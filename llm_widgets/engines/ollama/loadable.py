"""Whether Ollama can load a model on Linux, from the manifest and the configuration of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llm_widgets.domain.loading import HEADER, Task, Verdict, Way
from llm_widgets.engines.ollama import weights

if TYPE_CHECKING:
    from typing import Any

    from llm_widgets.domain.loading import Contents

# Names of architectures of models that make vectors: of llama.cpp's ``LLM_ARCH_NAMES``.
_EMBEDDERS = frozenset(
    {
        "bert",
        "eurobert",
        "gemma-embedding",
        "jina-bert-v2",
        "jina-bert-v3",
        "modern-bert",
        "neo-bert",
        "nomic-bert",
        "nomic-bert-moe",
        "xlm-roberta",
    }
)
# Names of families and capabilities of models that draw pictures.
_PAINTERS = frozenset(
    {"flux", "flux2", "qwen-image", "qwen_image", "sd3", "sdxl", "z-image", "z_image"}
)
RANKS = "It ranks texts, which Ollama has no endpoint for; llama.cpp serves it."
EMBEDDINGS = "It makes embeddings and does not chat: ask it at /v1/embeddings, or at /api/embed."


def judge(contents: Contents) -> Verdict:
    """Tell whether Ollama loads a model, and what it does then.

    Parameters
    ----------
    contents
        Its ``paths`` are the kinds of the manifest's layers; its ``config`` has the names of the
        registry, and its ``documents`` the header of the weights where that was read.
    """
    config = contents.config or {}
    families = {contents.architecture, *_words(config, "model_families")}
    families |= {str(config.get("model_family") or "")}
    can = _words(config, "capabilities")
    described = contents.documents.get(HEADER)
    header = described if isinstance(described, Mapping) else {}
    if reason := _problem(contents, can, families, header):
        return Verdict(reason, Way.OTHER)
    if weights.ranks(header):
        return Verdict(task=Task.RERANK, source="its header", notes=(RANKS,))
    if weights.makes_vectors(header):
        return Verdict(task=Task.EMBED, source="its header", notes=(EMBEDDINGS,))
    if "embedding" in can or families & _EMBEDDERS:
        return Verdict(task=Task.EMBED, source="its configuration", notes=(EMBEDDINGS,))
    sees = "vision" in can or "projector" in contents.paths
    return Verdict(task=Task.VISION if sees else Task.CHAT, source="its manifest")


def _problem(
    contents: Contents, can: set[str], families: set[str], header: Mapping[str, Any]
) -> str:
    """Say why Ollama does not load a model; empty where nothing speaks against it."""
    config = contents.config or {}
    if "image" in can or families & _PAINTERS or contents.task == "text-to-image":
        return "It draws pictures; what is deployed here writes text or makes embeddings."
    if "tensor" in contents.paths or config.get("model_format") == "safetensors":
        return (
            "It is an MLX model, which Ollama runs on Apple computers only: its weights are "
            "single tensors instead of a GGUF file."
        )
    if "model" not in contents.paths:
        return "It holds no weights: its manifest names no model layer."
    return weights.problem(header, has_newer=bool(config.get("requires"))) if header else ""


def _words(config: Mapping[str, Any], key: str) -> set[str]:
    found = config.get(key)
    words = found if isinstance(found, list | tuple) else ()
    return {word for word in words if isinstance(word, str)}
