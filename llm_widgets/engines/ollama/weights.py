"""Whether the file of the weights is one that Ollama loads, from the header of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.names import shown
from llm_widgets.engines.ollama import architectures
from llm_widgets.engines.ollama.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK = re.compile(r"blk\.(\d+)\.")
_NEEDED = ("context_length", "embedding_length", "block_count")
"""What ``load_hparams`` of ``src/llama-model.cpp`` does not go on without."""

_EMBEDDING = "token_embd.weight"
_TOKENIZERS = frozenset({"bert", "gemma4", "gpt2", "llama", "plamo2", "rwkv", "t5"})
"""Tokenizers that ``src/llama-vocab.cpp`` reads; those of `_MERGING` need their merges."""

_MERGING = frozenset({"gemma4", "gpt2"})
_PLAIN = frozenset(
    "gemma gemma2 gemma3 granite internlm2 llama mistral3 qwen2 qwen3 smollm3".split()  # noqa: SIM905 - a list of names
)
"""Architectures whose layers are all alike, of attention and a feed-forward network."""

_EXACT = _PLAIN - {"gemma3", "mistral3", "qwen3"}
"""Those of which llama.cpp wants as many embeddings as tokens; the rest runs in Ollama's own
engine, which takes more of them (``OllamaEngineRequired`` in ``fs/ggml/ggml.go``)."""

_PLAIN_NEEDED = ("attention.head_count", "attention.layer_norm_rms_epsilon")

_RANK = 4
"""``LLAMA_POOLING_TYPE_RANK`` of ``include/llama.h``."""

_WIDE = {"attn_q": 0, "attn_k": 0, "attn_v": 0, "attn_output": 1, "ffn_up": 0, "ffn_down": 1}
"""Tensors of a layer, and which of their dimensions is as wide as an embedding."""

_PAIRS = (("attn_q", "attn_output"), ("ffn_up", "ffn_down"))
"""What the first one makes, the second one takes."""


def problem(header: Mapping[str, Any], *, has_newer: bool) -> str:
    """Say why Ollama does not load a file; empty where nothing speaks against it.

    Parameters
    ----------
    header
        ``metadata`` of the file, with the number of items in place of lists, and ``shapes`` of
        its tensors by name.
    has_newer
        Whether the model names the Ollama that it needs: that one may know more architectures.
    """
    metadata, shapes = header["metadata"], header["shapes"]
    named = metadata.get("general.architecture")
    if not isinstance(named, str) or not named:
        return "Its weights file does not name its architecture."
    if part := architectures.PARTS.get(named):
        return f"It is {part}, not a complete model."
    if metadata.get("general.type") == "adapter":
        return "It is an adapter, which changes another model."
    if named not in architectures.KNOWN:
        return "" if has_newer else f"Ollama {VERSION} has no architecture {shown(named)}."
    return _split(metadata) or _lacks(named, metadata) or _misfits(named, metadata, shapes)


def makes_vectors(header: Mapping[str, Any]) -> bool:
    """Return whether the file says that it makes embeddings."""
    return any(key.endswith(".pooling_type") for key in header.get("metadata", ()))


def ranks(header: Mapping[str, Any]) -> bool:
    """Return whether the file says that it gives a pair of texts a score."""
    metadata = header.get("metadata", {})
    return any(key.endswith(".pooling_type") and metadata[key] == _RANK for key in metadata)


def _split(metadata: Mapping[str, Any]) -> str:
    count = metadata.get("split.count")
    if not isinstance(count, int) or count <= 1:
        return ""
    return f"Its file of weights is one of {count}; Ollama loads models in one file."


def _lacks(architecture: str, metadata: Mapping[str, Any]) -> str:
    """Name what the metadata lacks that no model is loaded without."""
    needed = _NEEDED + (_PLAIN_NEEDED if architecture in _PLAIN else ())
    for key in (f"{architecture}.{key}" for key in needed):
        if key not in metadata or not isinstance(metadata[key], int | float):
            return f"Its weights file lacks {key}."
    tokenizer = metadata.get("tokenizer.ggml.model")
    if not tokenizer or not metadata.get("tokenizer.ggml.tokens"):
        return "Its file of weights brings no tokenizer."
    if tokenizer not in _TOKENIZERS:
        return f"Ollama {VERSION} has no tokenizer {shown(str(tokenizer))}."
    if tokenizer in _MERGING and not metadata.get("tokenizer.ggml.merges"):
        return "The tokenizer in its file of weights lacks its merges."
    return ""


def _misfits(
    architecture: str, metadata: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]
) -> str:
    """Say where the tensors are not those that the metadata tell of."""
    embedding = shapes.get(_EMBEDDING)
    if embedding is None:
        return f"Its file of weights has no tensor {_EMBEDDING}."
    wanted = (metadata[f"{architecture}.embedding_length"], metadata["tokenizer.ggml.tokens"])
    is_exact = architecture in _EXACT
    if embedding[:1] != wanted[:1] or (is_exact and embedding[1:2] != wanted[1:]):
        size, tokens = wanted
        return (
            f"Its tensor {_EMBEDDING} has the shape {embedding}, and its metadata tell of {tokens} "
            f"tokens of {size} numbers."
        )
    blocks = {int(found[1]) for name in shapes if (found := _BLOCK.match(name))}
    guessing = metadata.get(f"{architecture}.nextn_predict_layers")
    layers = int(metadata[f"{architecture}.block_count"])
    layers -= guessing if isinstance(guessing, int) else 0
    if blocks and sum(number < layers for number in blocks) < layers:
        return f"Its file of weights has {len(blocks)} of {layers} layers."
    return _layers(layers, wanted[0], shapes) if architecture in _PLAIN else ""


def _layers(layers: int, width: int, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Name the first tensor of plain layers that is missing, or has another width."""
    if "output_norm.weight" not in shapes:
        return "Its file of weights has no tensor output_norm.weight."
    for block in (f"blk.{number}" for number in range(layers)):
        for part, dimension in _WIDE.items():
            shape = shapes.get(f"{block}.{part}.weight")
            if shape is None and not any(name.startswith(f"{block}.{part}") for name in shapes):
                return f"Its file of weights has no tensor {block}.{part}.weight."
            if shape and shape[dimension : dimension + 1] != (width,):
                return (
                    f"Its tensor {block}.{part}.weight has the shape {shape}, and its layers are "
                    f"{width} wide."
                )
        for first, second in _PAIRS:
            made, taken = (shapes.get(f"{block}.{part}.weight") for part in (first, second))
            if made and taken and made[1:2] != taken[:1]:
                return f"Its tensors {first} and {second} of {block} don't fit each other."
    return ""
