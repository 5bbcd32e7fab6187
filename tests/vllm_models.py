"""Tiny models of Hugging Face's layout: whole ones of several families, and such with a fault."""

from __future__ import annotations

import json
import struct
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKENS, WIDTH, INNER, LAYERS, HEADS = 272, 64, 128, 2, 4
HEAD = WIDTH // HEADS
SIZES = {"I8": 1, "BF16": 2, "F16": 2, "I32": 4, "U32": 4, "F32": 4}
SHARD = "model-0000{}-of-00002.safetensors"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n"

Shapes = dict[str, tuple[int, ...]]
Files = dict[str, bytes]


def config(architecture: str = "LlamaForCausalLM", /, **changes: Any) -> dict[str, Any]:
    """Return the configuration of a model; a change to ``None`` leaves an entry out."""
    kind = architecture.removesuffix("ForCausalLM").removesuffix("Model").lower()
    found = {
        "architectures": [architecture],
        "model_type": kind,
        "hidden_size": WIDTH,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HEAD,
        "vocab_size": TOKENS,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "bos_token_id": 1,
        "eos_token_id": 2,
        **changes,
    }
    return {key: value for key, value in found.items() if value is not None}


def shapes(family: str = "llama", layers: int = LAYERS) -> Shapes:
    """Return the tensors of a family, and their shapes."""
    if family == "bert":
        return _bert()
    found: Shapes = {"model.embed_tokens.weight": (TOKENS, WIDTH), "model.norm.weight": (WIDTH,)}
    if family != "gemma":  # it uses the embeddings once more
        found["lm_head.weight"] = (TOKENS, WIDTH)
    for number in range(layers):
        layer = f"model.layers.{number}."
        for name in ("q", "k", "v", "o"):
            found[f"{layer}self_attn.{name}_proj.weight"] = (WIDTH, WIDTH)
            if family == "qwen2" and name != "o":
                found[f"{layer}self_attn.{name}_proj.bias"] = (WIDTH,)
            if family == "qwen3" and name in "qk":
                found[f"{layer}self_attn.{name}_norm.weight"] = (HEAD,)
        found |= dict.fromkeys(
            (f"{layer}mlp.gate_proj.weight", f"{layer}mlp.up_proj.weight"), (INNER, WIDTH)
        )
        found[f"{layer}mlp.down_proj.weight"] = (WIDTH, INNER)
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"{layer}{name}.weight"] = (WIDTH,)
    return found


def _bert() -> Shapes:
    norms = {"weight": (WIDTH,), "bias": (WIDTH,)}
    found: Shapes = {
        "embeddings.word_embeddings.weight": (TOKENS, WIDTH),
        "embeddings.position_embeddings.weight": (128, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        **{f"embeddings.LayerNorm.{name}": shape for name, shape in norms.items()},
    }
    dense = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (INNER, WIDTH),
        "output.dense": (WIDTH, INNER),
    }
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}."
        for name, shape in dense.items():
            found |= {f"{layer}{name}.weight": shape, f"{layer}{name}.bias": shape[:1]}
        for name in ("attention.output", "output"):
            found |= {f"{layer}{name}.LayerNorm.{each}": shape for each, shape in norms.items()}
    return found


def safetensors(tensors: Mapping[str, tuple[int, ...]], kinds: Mapping[str, str] = {}) -> bytes:
    """Return a file of tensors of zeros.

    Parameters
    ----------
    kinds
        Endings of names to the types of such tensors; others are ``BF16``.
    """
    table, place = {}, 0
    for name, shape in tensors.items():
        kind = next((kinds[end] for end in kinds if name.endswith(end)), "BF16")
        end = place + prod(shape) * SIZES[kind]
        table[name] = {"dtype": kind, "shape": shape, "data_offsets": [place, end]}
        place = end
    head = json.dumps(table).encode()
    return struct.pack("<Q", len(head)) + head + bytes(place)


def model(weights: Mapping[str, bytes] | bytes, settings: Any = None, **others: Any) -> Files:
    """Return the files of a model: weights, configuration and a tokenizer."""
    words = {"<unk>": 0, **{f"t{number}": number for number in range(1, TOKENS)}}
    tokenizer: dict[str, Any] = {
        "version": "1.0",
        **dict.fromkeys(("truncation", "padding", "normalizer", "post_processor", "decoder")),
        "added_tokens": [],
        "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": words, "unk_token": "<unk>"},
    }
    documents = {
        "config.json": config() if settings is None else settings,
        "tokenizer.json": tokenizer,
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast"},
        **others,
    }
    files = {"model.safetensors": weights} if isinstance(weights, bytes) else weights
    return {**{path: json.dumps(body).encode() for path, body in documents.items()}, **files}


def int8() -> bytes:
    """Return the weights of :data:`INT8`: whole numbers, and a factor for each row."""
    found: Shapes = {}
    for name, shape in shapes().items():
        found[name] = shape
        if "_proj." in name:
            found[f"{name}_scale"] = (shape[0], 1)
    return safetensors(found, {"_proj.weight": "I8"})


_INT8_WEIGHTS = {"num_bits": 8, "type": "int", "symmetric": True, "strategy": "channel"}
INT8 = config(
    quantization_config={
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {
            "group_0": {
                "targets": ["Linear"],
                "weights": {**_INT8_WEIGHTS, "dynamic": False},
                "input_activations": {**_INT8_WEIGHTS, "strategy": "token", "dynamic": True},
            }
        },
    }
)


def mlx() -> bytes:
    """Return weights as MLX packs them: eight of 4 bits in a number, factors and offsets."""
    found: Shapes = {}
    for name, shape in shapes().items():
        if len(shape) == 1:
            found[name] = shape
            continue
        stem = name.removesuffix("weight")
        found[name] = (shape[0], shape[1] // 8)
        found |= dict.fromkeys((f"{stem}scales", f"{stem}biases"), (shape[0], shape[1] // WIDTH))
    packed = {
        f"{name.removesuffix('.weight')}.weight": "U32"
        for name, of in shapes().items()
        if len(of) > 1
    }
    return safetensors(found, packed)


def in_shards(*kept: int) -> Files:
    """Return two shards with their index, or those of them that are there."""
    names = list(shapes())
    halves = {1: names[: len(names) // 2], 2: names[len(names) // 2 :]}
    weight_map = {name: SHARD.format(number) for number, of in halves.items() for name in of}
    return {
        "model.safetensors.index.json": json.dumps({"weight_map": weight_map}).encode(),
        **{
            SHARD.format(number): safetensors({name: shapes()[name] for name in halves[number]})
            for number in kept
        },
    }
