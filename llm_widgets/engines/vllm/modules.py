"""Modules of a model of sentence-transformers: which of them vLLM runs.

vLLM 0.33.0 loads the transformer of the top folder, and reads pooling, normalisation and dense
layers from ``modules.json`` (``get_pooling_config`` of ``vllm/transformers_utils/config.py``,
``_load_st_projector`` of ``vllm/model_executor/models/adapters.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents

_PACKAGE = "sentence_transformers"
_RUN = frozenset({"Transformer", "Pooling", "Normalize", "Dense"})
# First modules without a transformer, by the last part of their type.
_OTHERS = {
    "BoW": "a bag of words",
    "CLIPModel": "a CLIP model",
    "Router": "a router between models",
    "Asym": "a router between models",
    "StaticEmbedding": "a table of static embeddings",
    "WordEmbeddings": "a table of word embeddings",
}


def problem(contents: Contents) -> str:
    """Say why vLLM does not load the modules; empty where nothing speaks against it."""
    first = next((kind for kind in _types(contents)), "")
    found = _OTHERS.get(first.rpartition(".")[2])
    return f"Its modules.json begins with {found}, which vLLM does not load." if found else ""


def note(contents: Contents) -> str:
    """Name a module that vLLM leaves out; empty for none."""
    for kind in _types(contents):
        package, _, name = kind.partition(".")
        if name and (package != _PACKAGE or kind.rpartition(".")[2] not in _RUN):
            return (
                f"Its modules.json names {shown(kind)}, which vLLM does not run: its vectors may "
                "be others than the author's. Compare some before you rely on them."
            )
    return ""


def _types(contents: Contents) -> list[str]:
    listed = contents.documents.get("modules.json")
    modules = listed if isinstance(listed, list) else []
    kinds = (module.get("type") for module in modules if isinstance(module, Mapping))
    return [kind for kind in kinds if isinstance(kind, str)]
