"""A tiny Llama in safetensors, made on this machine: the files of its repository.

Its weights are random and its answers are noise; but every engine that loads a Llama loads it.
"""

from __future__ import annotations

import ctypes
import json
import random
import sys
from array import array
from functools import cache
from typing import Any

from safetensors import TensorSpec, serialize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

_HIDDEN = 128
_HEAD = 64  # vLLM on CPUs refuses smaller heads
_HEADS = 2
_KV_HEADS = 1
_INTERMEDIATE = 256
_LAYERS = 2
_CONTEXT = 512
_VOCABULARY = 384
_SPREAD = 0.02  # standard deviation of the weights, as Llama's own initialisation has it
_SPECIAL = ("<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>")
_CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] + eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)
# What the tokenizer learns its few merges from.
_CORPUS = (
    "A model is a file of numbers and a program that reads them. The program turns words into "
    "tokens, the numbers turn tokens into other numbers, and the program turns those into words "
    "again. A small model answers fast and knows little; a large one knows more and needs a "
    "graphics card. This one is so small that it knows nothing at all: it is here to be moved, "
    "stored, loaded and asked, so that everything around it can be tried."
)
Shapes = dict[str, list[int]]


def repository_files() -> dict[str, bytes]:
    """Make all files of the repository, the same bytes each time.

    Beside the two shards that an engine loads stands the same model once more in one file
    under ``original/``, as some publishers do it: an import leaves that out.
    """
    shapes = _shapes()
    weights = _weights()
    shards = _shards(shapes)
    index = {
        "metadata": {"total_size": sum(len(data) for data in weights.values())},
        "weight_map": {name: shard for shard, names in shards.items() for name in names},
    }
    return {
        **{shard: _safetensors(names, shapes, weights) for shard, names in shards.items()},
        "model.safetensors.index.json": _json(index),
        "original/consolidated.safetensors": _safetensors(list(shapes), shapes, weights),
        "config.json": _json(_config()),
        "generation_config.json": _json({"bos_token_id": 0, "eos_token_id": 1, "max_length": 64}),
        "tokenizer.json": _tokenizer().to_str(pretty=True).encode(),
        "tokenizer_config.json": _json(_tokenizer_config()),
        "special_tokens_map.json": _json({"bos_token": "<s>", "eos_token": "</s>"}),
    }


def readme(title: str, licence: str) -> bytes:
    """Write the model card."""
    return (
        f"---\nlicense: {licence}\nlibrary_name: transformers\n"
        f"pipeline_tag: text-generation\n---\n\n# {title}\n\n"
        "A Llama of 0.4 million random weights, made on this machine for trying things out. "
        "Its answers are noise.\n"
    ).encode()


def _shapes() -> Shapes:
    shapes: Shapes = {"model.embed_tokens.weight": [_VOCABULARY, _HIDDEN]}
    for number in range(_LAYERS):
        layer = f"model.layers.{number}"
        shapes |= {
            f"{layer}.input_layernorm.weight": [_HIDDEN],
            f"{layer}.self_attn.q_proj.weight": [_HEADS * _HEAD, _HIDDEN],
            f"{layer}.self_attn.k_proj.weight": [_KV_HEADS * _HEAD, _HIDDEN],
            f"{layer}.self_attn.v_proj.weight": [_KV_HEADS * _HEAD, _HIDDEN],
            f"{layer}.self_attn.o_proj.weight": [_HIDDEN, _HEADS * _HEAD],
            f"{layer}.post_attention_layernorm.weight": [_HIDDEN],
            f"{layer}.mlp.gate_proj.weight": [_INTERMEDIATE, _HIDDEN],
            f"{layer}.mlp.up_proj.weight": [_INTERMEDIATE, _HIDDEN],
            f"{layer}.mlp.down_proj.weight": [_HIDDEN, _INTERMEDIATE],
        }
    return shapes | {"model.norm.weight": [_HIDDEN], "lm_head.weight": [_VOCABULARY, _HIDDEN]}


def _shards(shapes: Shapes) -> dict[str, list[str]]:
    names = list(shapes)
    middle = names.index("model.layers.1.input_layernorm.weight")
    return {
        "model-00001-of-00002.safetensors": names[:middle],
        "model-00002-of-00002.safetensors": names[middle:],
    }


@cache
def _weights() -> dict[str, bytes]:
    """Make the values of all tensors, which takes long, once in a process."""
    return {name: _values(name, shape) for name, shape in _shapes().items()}


def _values(name: str, shape: list[int]) -> bytes:
    """Make the bfloat16 values of a tensor: the upper halves of float32 values."""
    count = shape[0] * (shape[1] if len(shape) > 1 else 1)
    if name.endswith("norm.weight"):
        values = array("f", [1.0]) * count
    else:
        draw = random.Random(name)  # noqa: S311 - weights, not secrets
        values = array("f", (draw.gauss(0.0, _SPREAD) for _ in range(count)))
    if sys.byteorder == "big":
        values.byteswap()
    whole = values.tobytes()
    halves = bytearray(2 * count)
    halves[0::2], halves[1::2] = whole[2::4], whole[3::4]
    return bytes(halves)


def _safetensors(names: list[str], shapes: Shapes, weights: dict[str, bytes]) -> bytes:
    # The library reads the tensors from memory by address: the buffers must live until it has.
    buffers = {
        name: ctypes.create_string_buffer(weights[name], len(weights[name])) for name in names
    }
    tensors = {
        name: TensorSpec(
            dtype="bfloat16",
            shape=shapes[name],
            data_ptr=ctypes.addressof(buffer),
            data_len=len(weights[name]),
        )
        for name, buffer in buffers.items()
    }
    return serialize(tensors, {"format": "pt"})


def _tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=list(_SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_CORPUS], trainer)
    return tokenizer


def _config() -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "dtype": "bfloat16",
        "eos_token_id": 1,
        "head_dim": _HEAD,
        "hidden_act": "silu",
        "hidden_size": _HIDDEN,
        "initializer_range": _SPREAD,
        "intermediate_size": _INTERMEDIATE,
        "max_position_embeddings": _CONTEXT,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": _HEADS,
        "num_hidden_layers": _LAYERS,
        "num_key_value_heads": _KV_HEADS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": _VOCABULARY,
    }


def _tokenizer_config() -> dict[str, Any]:
    return {
        "bos_token": "<s>",
        "chat_template": _CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "model_max_length": _CONTEXT,
        "pad_token": "</s>",
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
