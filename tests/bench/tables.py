"""Tables of tensors with the names, types and shapes that publishers' files have.

The headers of files of hundreds of gigabytes are not at hand in a test; their tables follow from
the shapes in the configuration and from the form of the weights.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from llm_widgets.domain.memory import MemoryModel, Tensor, from_config, from_gguf
from llm_widgets.domain.memory.config import text_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Config: TypeAlias = dict[str, Any]
Matrix: TypeAlias = "Callable[[str, int, int], Iterator[Tensor]]"

# GGUF's types: elements of a block, bytes of a block.
_BLOCKS = {"Q4_K": (256, 144), "Q6_K": (256, 210), "Q5_0": (32, 22), "Q8_0": (32, 34)}
GGUF = {"q4_k_m", "mxfp4_gguf"}


def model(config: Config, form: str) -> MemoryModel:
    """Make the model as an import would, from its configuration and its table of tensors."""
    tensors = list(table(config, form))
    if form in GGUF:
        return from_gguf(metadata(config), tensors)
    return from_config(config, tensors)


def table(config: Config, form: str) -> Iterator[Tensor]:
    """Yield all tensors of a model."""
    text = text_config(config)
    hidden, vocab = text["hidden_size"], text["vocab_size"]
    wide = {"int4": _four_bits, "q4_k_m": _gguf("Q4_K"), "mxfp4_gguf": _gguf("Q8_0")}.get(
        form, _plain
    )
    embedding, output = (
        ("token_embd.weight", "output.weight")
        if form in GGUF
        else ("model.embed_tokens.weight", "lm_head.weight")
    )
    yield from wide(embedding, vocab, hidden)
    if not text.get("tie_word_embeddings"):
        yield from (_gguf("Q6_K") if form == "q4_k_m" else wide)(output, vocab, hidden)
    for i in range(text["num_hidden_layers"]):
        yield from _layer(text, f"model.layers.{i}", form, i)
    vision = config.get("vision_config", {})
    if "num_hidden_layers" in vision:
        yield from _vision(vision, hidden)


def _layer(text: Config, name: str, form: str, i: int) -> Iterator[Tensor]:
    hidden = text["hidden_size"]
    heads, key_heads = text["num_attention_heads"], text["num_key_value_heads"]
    width = text.get("head_dim") or hidden // heads
    matrix = _matrix(form)
    more = _gguf("Q6_K") if form == "q4_k_m" and _more_bits(i, text["num_hidden_layers"]) else None
    yield from matrix(f"{name}.self_attn.q_proj.weight", heads * width, hidden)
    yield from matrix(f"{name}.self_attn.k_proj.weight", key_heads * width, hidden)
    yield from (more or matrix)(f"{name}.self_attn.v_proj.weight", key_heads * width, hidden)
    yield from matrix(f"{name}.self_attn.o_proj.weight", hidden, heads * width)
    # Norms, and the biases that Qwen2 and gpt-oss have; they are too small to tell them apart.
    yield _tensor(f"{name}.norms", "BF16", (6 * hidden,), 2)
    experts = text.get("num_experts") or text.get("num_local_experts")
    if not experts:
        yield from _network(text["intermediate_size"], hidden, f"{name}.mlp", matrix, more)
        return
    inner = text.get("moe_intermediate_size") or text["intermediate_size"]
    yield from _plain(f"{name}.mlp.gate.weight", experts, hidden)
    expert = _mxfp4 if form.startswith("mxfp4") else matrix
    for number in range(experts):
        yield from _network(inner, hidden, f"{name}.mlp.experts.{number}", expert, None)


def _network(
    inner: int, hidden: int, name: str, matrix: Matrix, more: Matrix | None
) -> Iterator[Tensor]:
    yield from matrix(f"{name}.gate_proj.weight", inner, hidden)
    yield from matrix(f"{name}.up_proj.weight", inner, hidden)
    yield from (more or matrix)(f"{name}.down_proj.weight", hidden, inner)


def _vision(vision: Config, hidden: int) -> Iterator[Tensor]:
    width, inner = vision["hidden_size"], vision["intermediate_size"]
    for i in range(vision["num_hidden_layers"]):
        name = f"vision_tower.encoder.layers.{i}"
        for part in "qkvo":
            yield from _plain(f"{name}.self_attn.{part}_proj.weight", width, width)
        yield from _plain(f"{name}.mlp.fc1.weight", inner, width)
        yield from _plain(f"{name}.mlp.fc2.weight", width, inner)
        yield _tensor(f"{name}.norms_and_biases", "BF16", (9 * width + inner,), 2)
    positions = (vision["image_size"] // vision["patch_size"]) ** 2
    yield from _plain("vision_tower.embeddings.position.weight", positions, width)
    yield from _plain("vision_tower.embeddings.patch.weight", width, 3 * vision["patch_size"] ** 2)
    yield from _plain("multi_modal_projector.weight", width, hidden)


def metadata(config: Config) -> dict[str, Any]:
    """Return the metadata that llama.cpp's converter writes."""
    text = text_config(config)
    kind = {"gpt_oss": "gpt-oss"}.get(text["model_type"], text["model_type"])
    width = text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"]
    own = {
        "block_count": text["num_hidden_layers"],
        "context_length": text["max_position_embeddings"],
        "embedding_length": text["hidden_size"],
        "feed_forward_length": text["intermediate_size"],
        "attention.head_count": text["num_attention_heads"],
        "attention.head_count_kv": text["num_key_value_heads"],
        "attention.key_length": width,
        "attention.value_length": width,
    }
    if text.get("num_experts_per_tok"):
        own["expert_used_count"] = text["num_experts_per_tok"]
    if text.get("sliding_window") and text.get("use_sliding_window") is not False:
        own["attention.sliding_window"] = text["sliding_window"]
    return {
        "general.architecture": kind,
        "tokenizer.ggml.tokens": range(text["vocab_size"]),
        **{f"{kind}.{key}": value for key, value in own.items()},
    }


def _matrix(form: str) -> Matrix:
    return {
        "bf16": _plain,
        "fp8": _fp8,
        "awq": _awq,
        "gptq8": _gptq8,
        "int4": _four_bits,
        "mxfp4": _plain,
        "mxfp4_gguf": _gguf("Q8_0"),
        "q4_k_m": _gguf("Q4_K"),
    }[form]


def _tensor(name: str, dtype: str, shape: tuple[int, ...], width: int) -> Tensor:
    return Tensor(name, dtype, shape, prod(shape) * width)


def _plain(name: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield _tensor(name, "BF16", (rows, columns), 2)


def _fp8(name: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield _tensor(name, "F8_E4M3", (rows, columns), 1)
    yield _tensor(f"{name}_scale_inv", "F32", (-(-rows // 128), -(-columns // 128)), 4)


def _awq(name: str, rows: int, columns: int) -> Iterator[Tensor]:
    """Four bits, groups of 128: AutoAWQ."""
    stem = name.removesuffix(".weight")
    yield _tensor(f"{stem}.qweight", "I32", (columns, rows // 8), 4)
    yield _tensor(f"{stem}.qzeros", "I32", (columns // 128, rows // 8), 4)
    yield _tensor(f"{stem}.scales", "F16", (columns // 128, rows), 2)


def _gptq8(name: str, rows: int, columns: int) -> Iterator[Tensor]:
    """Eight bits, groups of 128: AutoGPTQ."""
    stem = name.removesuffix(".weight")
    yield _tensor(f"{stem}.qweight", "I32", (columns // 4, rows), 4)
    yield _tensor(f"{stem}.qzeros", "I32", (columns // 128, rows // 4), 4)
    yield _tensor(f"{stem}.scales", "F16", (columns // 128, rows), 2)
    yield _tensor(f"{stem}.g_idx", "I32", (columns,), 4)


def _four_bits(name: str, rows: int, columns: int) -> Iterator[Tensor]:
    """Four bits with a scale for each row."""
    yield Tensor(name, "I4", (rows, columns), rows * columns // 2)
    yield _tensor(f"{name}_scale", "BF16", (rows,), 2)


def _mxfp4(name: str, rows: int, columns: int) -> Iterator[Tensor]:
    yield Tensor(f"{name}_blocks", "U8", (rows, columns // 2), rows * columns // 2)
    yield Tensor(f"{name}_scales", "U8", (rows, columns // 32), rows * columns // 32)
    yield _tensor(f"{name}_bias", "BF16", (rows,), 2)


def _gguf(dtype: str) -> Matrix:
    def matrix(name: str, rows: int, columns: int) -> Iterator[Tensor]:
        # llama.cpp takes smaller blocks where a row is not made of whole large ones.
        fallback = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}.get(dtype, dtype)
        chosen = dtype if columns % _BLOCKS[dtype][0] == 0 else fallback
        elements, size = _BLOCKS[chosen]
        yield Tensor(name, chosen, (columns, rows), rows * columns // elements * size)

    return matrix


def _more_bits(i: int, count: int) -> bool:
    """Tell the layers to which Q4_K_M gives six bits (``use_more_bits`` of llama.cpp)."""
    return i < count // 8 or i >= 7 * count // 8 or (i - count // 8) % 3 == 2
