"""Tiny GGUF models as tests need them: whole ones, and such with one fault each."""

from __future__ import annotations

import struct
from math import prod
from typing import Any

EMBEDDING, LAYERS, HEADS, INNER = 256, 2, 4, 256
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581a"]

# Number of each type of tensors, elements and bytes of a block: ggml's ggml-common.h.
TYPES = {
    "F32": (0, 1, 4),
    "F16": (1, 1, 2),
    "Q4_0": (2, 32, 18),
    "Q8_0": (8, 32, 34),
    "Q4_K": (12, 256, 144),
    "Q6_K": (14, 256, 210),
    "BF16": (30, 1, 2),
}


def metadata(architecture: str = "llama", /, **changes: Any) -> dict[str, Any]:
    """Return the metadata of a model; a change to ``None`` leaves an entry out."""
    own = {
        "context_length": 64,
        "embedding_length": EMBEDDING,
        "block_count": LAYERS,
        "feed_forward_length": INNER,
        "attention.head_count": HEADS,
        "attention.head_count_kv": HEADS,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.dimension_count": EMBEDDING // HEADS,
    }
    found = {
        "general.architecture": architecture,
        **{f"{architecture}.{key}": value for key, value in own.items()},
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.scores": [0.0] * len(TOKENS),
        "tokenizer.ggml.token_type": [2, 3, 3, *[6] * 256, 1],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def shapes(architecture: str = "llama", layers: int = LAYERS) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of a model."""
    square, norm = (EMBEDDING, EMBEDDING), (EMBEDDING,)
    block = {
        "attn_norm": norm,
        **dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), square),
        "ffn_norm": norm,
        **dict.fromkeys(("ffn_gate", "ffn_up", "ffn_down"), square),
    }
    if architecture == "qwen3":
        block |= dict.fromkeys(("attn_q_norm", "attn_k_norm"), (EMBEDDING // HEADS,))
    if architecture in {"gemma2", "gemma3"}:
        block |= dict.fromkeys(("post_attention_norm", "post_ffw_norm"), norm)
    if architecture == "gemma3":
        block |= dict.fromkeys(("attn_q_norm", "attn_k_norm"), (EMBEDDING // HEADS,))
    if architecture == "qwen2":
        block |= dict.fromkeys(("attn_q.bias", "attn_k.bias", "attn_v.bias"), norm)
    found: dict[str, tuple[int, ...]] = {
        "token_embd": (EMBEDDING, len(TOKENS)),
        "output_norm": norm,
    }
    if not architecture.startswith("gemma"):  # they use the embeddings once more
        found["output"] = (EMBEDDING, len(TOKENS))
    for number in range(layers):
        found |= {f"blk.{number}.{name}": shape for name, shape in block.items()}
    return {
        name if name.endswith(".bias") else f"{name}.weight": shape for name, shape in found.items()
    }


def written(
    entries: dict[str, Any] | None = None,
    tensors: dict[str, tuple[int, ...]] | None = None,
    *,
    kind: str = "F32",
    version: int = 3,
    order: str = "<",
    gap: int = 0,
) -> bytes:
    """Return a GGUF file.

    Parameters
    ----------
    kind
        Type of the tensors with two dimensions.
    gap
        Bytes that each tensor lies too far behind.
    """
    entries = metadata() if entries is None else entries
    tensors = shapes() if tensors is None else tensors
    head = struct.pack(f"{order}4sIQQ", b"GGUF", version, len(tensors), len(entries))
    head += b"".join(_text(key, order) + _value(value, order) for key, value in entries.items())
    place = 0
    for name, shape in tensors.items():
        number, elements, size = TYPES[kind if len(shape) > 1 else "F32"]
        head += _text(name, order) + struct.pack(f"{order}I", len(shape))
        head += struct.pack(f"{order}{len(shape)}QIQ", *shape, number, place)
        place += _padded(prod(shape) // elements * size) + gap
    return head.ljust(_padded(len(head)), b"\0") + bytes(place)


def _padded(length: int) -> int:
    return -(-length // 32) * 32


def _text(text: str, order: str) -> bytes:
    raw = text.encode()
    return struct.pack(f"{order}Q", len(raw)) + raw


def _value(value: Any, order: str) -> bytes:
    kind, raw = _plain(value, order)
    return struct.pack(f"{order}I", kind) + raw


def _plain(value: Any, order: str) -> tuple[int, bytes]:
    """Return the number of a value's type, and its bytes."""
    if isinstance(value, str):
        return 8, _text(value, order)
    if isinstance(value, float):
        return 6, struct.pack(f"{order}f", value)
    if isinstance(value, int):
        return 4, struct.pack(f"{order}I", value)
    kind = {str: 8, float: 6, int: 5}[type(value[0])]
    items = b"".join(
        struct.pack(f"{order}i", item) if kind == 5 else _plain(item, order)[1] for item in value
    )
    return 9, struct.pack(f"{order}IQ", kind, len(value)) + items
