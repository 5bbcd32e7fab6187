"""What is read out of a model's configuration and headers: the traps, one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.memory import (
    Attention,
    Latent,
    MemoryModel,
    Recurrent,
    Tensor,
    from_config,
    from_facts,
    to_facts,
)
from llm_widgets.engines.vllm import memory as vllm
from llm_widgets.engines.vllm.cache import cache_bytes
from tests.bench import tables
from tests.unit import llama

LLAMA_405B = {
    **llama.CONFIG,
    "hidden_size": 16384,
    "intermediate_size": 53248,
    "num_hidden_layers": 126,
    "num_attention_heads": 128,
}
SOME = (Tensor("model.norm.weight", "BF16", (4096,), 8192),)
"""A table that says nothing of the layers."""


def read(config: dict[str, Any], tensors: tuple[Tensor, ...] = SOME) -> MemoryModel:
    return from_config(config, tensors)


def plain(name: str, *shape: int, dtype: str = "BF16", width: int = 2) -> Tensor:
    size = width
    for length in shape:
        size *= length
    return Tensor(name, dtype, shape, size)


def keys(heads: int, width: int, layers: int, hidden: int) -> tuple[Tensor, ...]:
    return tuple(
        plain(f"model.layers.{i}.self_attn.k_proj.weight", heads * width, hidden)
        for i in range(layers)
    )


def test_grouped_query_attention() -> None:
    model = read(llama.CONFIG)
    assert model.layers == (Attention(32, heads=8, key=128, value=128),)
    assert cache_bytes(model, 16) == 16 * 131072
    assert (model.context_length, model.hidden, model.vocab) == (131072, 4096, 128256)
    assert not model.unknown


def test_without_key_value_heads_every_head_has_its_own() -> None:
    config = {key: value for key, value in llama.CONFIG.items() if key != "num_key_value_heads"}
    assert read(config).layers == (Attention(32, heads=32, key=128, value=128),)


def test_eight_bit_models_keep_some_of_their_weights_in_sixteen() -> None:
    """Llama 3.1 405B FP8: attention and embeddings are left as they were."""
    hidden, inner, layers = 16384, 53248, 126
    tensors = [
        plain("model.embed_tokens.weight", 128256, hidden),
        plain("lm_head.weight", 128256, hidden),
    ]
    for i in range(layers):
        name = f"model.layers.{i}"
        tensors += [
            plain(f"{name}.self_attn.{part}_proj.weight", rows, hidden)
            for part, rows in (("q", hidden), ("k", 1024), ("v", 1024), ("o", hidden))
        ]
        tensors += [
            plain(f"{name}.mlp.{part}_proj.weight", inner, hidden, dtype="F8_E4M3", width=1)
            for part in ("gate", "up", "down")
        ]
    config = {**LLAMA_405B, "quantization_config": {"quant_method": "fbgemm_fp8"}}
    model = read(config, tuple(tensors))
    numbers = sum(tensor.shape[0] * tensor.shape[1] for tensor in tensors)
    assert not model.unknown
    assert model.weights == sum(tensor.size for tensor in tensors)
    assert numbers / model.weights == pytest.approx(0.84, abs=0.01)  # one byte each: 16 % short


@pytest.mark.parametrize("form", ["awq", "gptq8", "fp8"])
def test_embeddings_of_quantised_models_stay_as_they_were(form: str) -> None:
    config = {**llama.CONFIG, "quantization_config": {"quant_method": form}}
    tensors = tuple(tables.table(config, form))
    by_name = {tensor.name: tensor for tensor in tensors}
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        assert by_name[name].size == 128256 * 4096 * 2
    assert read(config, tensors).weights == sum(tensor.size for tensor in tensors)


def test_a_head_may_be_wider_than_its_share() -> None:
    model = read({**llama.CONFIG, "hidden_size": 5120, "num_attention_heads": 64, "head_dim": 128})
    assert model.layers == (Attention(32, heads=8, key=128, value=128),)


def test_values_may_be_narrower_than_keys() -> None:
    model = read({**llama.CONFIG, "head_dim": 192, "v_head_dim": 128})
    assert model.layers == (Attention(32, heads=8, key=192, value=128),)
    assert cache_bytes(model, 16) == 16 * 32 * 8 * (192 + 128) * 2


def test_nested_configurations() -> None:
    outer = {
        "model_type": "llava",
        "text_config": llama.CONFIG,
        "vision_config": {"hidden_size": 1},
    }
    model = read(outer)
    assert model.layers == read(llama.CONFIG).layers
    assert model.hidden == 4096
    assert model.pictures
    assert not read(llama.CONFIG).pictures


@pytest.mark.parametrize("heads", [8, 16])
def test_the_405b_that_changed_its_heads(heads: int) -> None:
    """Its repository had 16 heads of keys and values, then 8: its own numbers are taken."""
    config = {**LLAMA_405B, "num_key_value_heads": heads}
    model = read(config, keys(heads, 128, 126, 16384))
    assert not model.unknown
    assert cache_bytes(model, 16) == 16 * 126 * 2 * heads * 128 * 2


def test_a_configuration_that_its_weights_contradict() -> None:
    model = read({**LLAMA_405B, "num_key_value_heads": 16}, keys(8, 128, 126, 16384))
    assert "k_proj.weight gives 1024 elements a token" in model.unknown
    assert "2048" in model.unknown


def test_eyes_have_other_heads_than_the_model() -> None:
    eye = plain("vision_tower.encoder.layers.0.self_attn.k_proj.weight", 1152, 1152)
    assert not read(llama.CONFIG, (*keys(8, 128, 32, 4096), eye)).unknown


def test_gemma_3_looks_at_everything_in_every_sixth_layer() -> None:
    text = {
        "model_type": "gemma3_text",
        "head_dim": 128,
        "hidden_size": 5376,
        "intermediate_size": 21504,
        "num_attention_heads": 32,
        "num_hidden_layers": 62,
        "num_key_value_heads": 16,
        "sliding_window": 1024,
    }
    model = read({"model_type": "gemma3", "text_config": text})
    assert set(model.layers) == {
        Attention(52, heads=16, key=128, value=128, window=1024),
        Attention(10, heads=16, key=128, value=128),
    }
    # 52 layers with a window are rounded up to six groups of ten; see the source of Cache.
    token = 2 * 16 * 128 * 2
    windows = 60 * (-(-(1023 + 2048) // 16) + 1) * 16 * token
    assert cache_bytes(model, 131072, batch=2048) == windows + 10 * 131072 * token


def test_gemma_3_leaves_out_what_its_class_adds() -> None:
    text = {
        "model_type": "gemma3_text",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "num_hidden_layers": 34,
        "sliding_window": 1024,
    }
    model = read({"model_type": "gemma3", "text_config": text}, keys(4, 256, 34, 2560))
    assert not model.unknown
    assert set(model.layers) == {
        Attention(29, heads=4, key=256, value=256, window=1024),
        Attention(5, heads=4, key=256, value=256),
    }
    assert model.vocab == 262208


def test_gemma_4_has_wider_heads_where_it_looks_at_everything() -> None:
    text = {
        "model_type": "gemma4_text",
        "hidden_size": 5376,
        "intermediate_size": 21504,
        "num_hidden_layers": 60,
        "num_attention_heads": 32,
        "num_key_value_heads": 16,
        "num_global_key_value_heads": 4,
        "attention_k_eq_v": True,
        "head_dim": 256,
        "global_head_dim": 512,
        "sliding_window": 1024,
        "layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 10,
    }
    model = read({"model_type": "gemma4", "text_config": text})
    assert set(model.layers) == {
        Attention(50, heads=16, key=256, value=256, window=1024),
        Attention(10, heads=4, key=512, value=512),
    }


def test_gpt_oss_slides_in_every_other_layer() -> None:
    config = {
        **llama.CONFIG,
        "model_type": "gpt_oss",
        "head_dim": 64,
        "num_hidden_layers": 36,
        "sliding_window": 128,
        "quantization_config": {"quant_method": "mxfp4"},
    }
    for kinds in ({}, {"layer_types": ["sliding_attention", "full_attention"] * 18}):
        model = read({**config, **kinds})
        assert set(model.layers) == {
            Attention(18, heads=8, key=64, value=64, window=128),
            Attention(18, heads=8, key=64, value=64),
        }
    assert vllm.weight_bytes(model) == int(1.07 * model.weights)


QWEN_3_5_9B: dict[str, Any] = {
    "model_type": "qwen3_5",
    "text_config": {
        "model_type": "qwen3_5_text",
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 32,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "full_attention_interval": 4,
        "linear_conv_kernel_dim": 4,
        "linear_key_head_dim": 128,
        "linear_num_key_heads": 16,
        "linear_num_value_heads": 32,
        "linear_value_head_dim": 128,
        "mamba_ssm_dtype": "float32",
        "vocab_size": 248320,
    },
}


def test_qwen_3_5_has_a_state_in_three_of_four_layers() -> None:
    model = read(QWEN_3_5_9B)
    assert set(model.layers) == {
        Attention(8, heads=4, key=256, value=256),
        Recurrent(24, convolution=3 * 8192, state=32 * 128 * 128, state_bytes=4),
    }


def test_states_are_pages_of_the_cache() -> None:
    """vLLM: "Setting attention block size to 528 tokens", and to 784 for the 27B."""
    model = read(QWEN_3_5_9B)
    block = 8 * 528 * 4096  # eight layers to a group; 528 tokens are as large as a state
    assert cache_bytes(model, 24576) == (47 + 3 * 2) * block
    larger = {
        **QWEN_3_5_9B["text_config"],
        "num_hidden_layers": 64,
        "num_attention_heads": 24,
        "linear_num_value_heads": 48,
    }
    assert cache_bytes(read(larger), 784) == (1 + 3 * 2) * 16 * 784 * 4096
    assert cache_bytes(read(larger), 1568, kv_dtype="fp8") == (1 + 3 * 2) * 16 * 1568 * 2048


def test_a_window_that_is_not_used() -> None:
    qwen = {**llama.CONFIG, "model_type": "qwen2", "sliding_window": 32768, "max_window_layers": 28}
    assert read({**qwen, "use_sliding_window": False}).layers == read(llama.CONFIG).layers
    everywhere = {**qwen, "model_type": "mistral", "use_sliding_window": False}
    assert read(everywhere).layers == read(llama.CONFIG).layers
    assert read({**qwen, "use_sliding_window": True}).layers == (
        Attention(28, heads=8, key=128, value=128),
        Attention(4, heads=8, key=128, value=128, window=32768),
    )


def test_a_window_without_a_pattern() -> None:
    windowed = {**llama.CONFIG, "sliding_window": 4096}
    everywhere = (Attention(32, heads=8, key=128, value=128, window=4096),)
    assert read({**windowed, "model_type": "mistral"}).layers == everywhere
    # Of a model that is not known to use it everywhere, the whole text is counted.
    assert read({**windowed, "model_type": "new"}).layers == read(llama.CONFIG).layers


def test_patterns_in_letters_and_numbers() -> None:
    exaone = {**llama.CONFIG, "model_type": "exaone4", "sliding_window": 4096}
    by_letters = read({**exaone, "sliding_window_pattern": "LLLG"})
    assert by_letters.layers == read({**exaone, "sliding_window_pattern": 4}).layers
    assert {layer.layers for layer in by_letters.layers} == {24, 8}


def test_caches_have_sixteen_bits_also_where_weights_have_eight() -> None:
    eight = read({**llama.CONFIG, "quantization_config": {"quant_method": "fp8"}})
    assert cache_bytes(eight, 4096) == cache_bytes(read(llama.CONFIG), 4096)
    assert cache_bytes(eight, 4096, kv_dtype="fp8") * 2 == cache_bytes(eight, 4096)


DEEPSEEK = {
    **llama.CONFIG,
    "model_type": "deepseek_v3",
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}


def test_compressed_keys_and_values_are_kept_once() -> None:
    model = read(DEEPSEEK)
    assert model.layers == (Latent(61, width=576),)
    assert cache_bytes(model, 16) == 16 * 61 * 576 * 2
    sparse = read({**DEEPSEEK, "model_type": "deepseek_v32", "index_head_dim": 128})
    assert cache_bytes(sparse, 16, kv_dtype="fp8") == 16 * 61 * (656 + 132)


def test_compression_that_an_engine_may_not_use() -> None:
    assert "compressed is open" in read({**DEEPSEEK, "model_type": "minicpm3"}).unknown


def test_vocabularies_are_padded() -> None:
    config = {**llama.CONFIG, "vocab_size": 50257, "hidden_size": 64, "num_attention_heads": 2}
    tensors = (
        plain("model.embed_tokens.weight", 50257, 64),
        plain("lm_head.weight", 50257, 64),
    )
    assert read(config, tensors).weights == 2 * 50304 * 64 * 2
    tied = read({**config, "tie_word_embeddings": True}, tensors)
    assert tied.weights == 50304 * 64 * 2


def test_layers_that_use_the_cache_of_others() -> None:
    text = {
        **llama.CONFIG,
        "model_type": "gemma3n_text",
        "num_hidden_layers": 35,
        "num_kv_shared_layers": 15,
        "sliding_window": 512,
        "layer_types": (["sliding_attention"] * 4 + ["full_attention"]) * 7,
    }
    assert sum(layer.layers for layer in read(text).layers) == 20


def test_wide_weights_are_narrowed_unless_they_are_scales() -> None:
    tensors = (plain("model.layers.0.mlp.up_proj.weight", 64, 64, dtype="F32", width=4),)
    assert read(llama.CONFIG, tensors).weights == 64 * 64 * 2
    fp8 = {**llama.CONFIG, "quantization_config": {"quant_method": "fp8"}}
    assert read(fp8, tensors).weights == 64 * 64 * 4


def test_layers_that_only_guess_ahead_are_not_loaded() -> None:
    extra = plain("model.layers.61.mlp.up_proj.weight", 64, 64)
    config = {**DEEPSEEK, "num_nextn_predict_layers": 1}
    assert read(config, (*SOME, extra)).weights == read(config).weights
    assert read(config, (*SOME, plain("mtp.fc.weight", 64, 64))).weights == read(config).weights


def test_heads_that_guess_are_told_apart() -> None:
    head = plain("mtp.fc.weight", 64, 64)
    found = read({**llama.CONFIG, "mtp_num_hidden_layers": 2}, (*SOME, head))
    assert (found.drafts, found.draft_layers) == (head.size, 2)
    assert (read(llama.CONFIG).drafts, read(llama.CONFIG).draft_layers) == (0, 0)


def test_tables_of_positions_are_as_long_as_they_are_stretched() -> None:
    assert read(llama.CONFIG).positions == 131072 * 128
    linear = {**llama.CONFIG, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}
    assert read(linear).positions == 8 * 131072 * 128
    # Layers that slide have a table of their own.
    windows = {**linear, "sliding_window": 1024, "sliding_window_pattern": 6}
    assert read(windows).positions == 9 * 131072 * 128
    yarn = {"type": "yarn", "factor": 4, "original_max_position_embeddings": 32768}
    assert read({**llama.CONFIG, "rope_scaling": yarn}).positions == 131072 * 128
    for strange in ({"rope_type": "linear", "factor": "8"}, {"rope_type": "linear", "factor": 1e9}):
        assert read({**llama.CONFIG, "rope_scaling": strange}).positions == 131072 * 128


def test_experts() -> None:
    mixture = {**llama.CONFIG, "num_experts": 128, "num_experts_per_tok": 8}
    narrow = {**mixture, "moe_intermediate_size": 768, "hidden_size": 1024}
    assert (read(narrow).intermediate, read(narrow).experts) == (6144, 8)
    # The copies of a token for each expert are wider than what the expert makes of it.
    assert read({**narrow, "hidden_size": 2048}).intermediate == 8 * 1024
    assert read(mixture).intermediate == 8 * 14336
    shared = {"moe_intermediate_size": 2048, "n_shared_experts": 1, "first_k_dense_replace": 3}
    assert read({**mixture, **shared, "intermediate_size": 20000}).intermediate == 20000
    assert read({**mixture, **shared}).intermediate == 9 * 2048


def test_mamba() -> None:
    nemotron = {
        **llama.CONFIG,
        "model_type": "nemotron_h",
        "num_hidden_layers": 6,
        "hybrid_override_pattern": "M-M*-E",
        "mamba_num_heads": 128,
        "mamba_head_dim": 64,
        "ssm_state_size": 128,
        "conv_kernel": 4,
        "n_groups": 8,
    }
    assert read(nemotron).layers == (
        Recurrent(2, convolution=3 * (8192 + 2 * 8 * 128), state=8192 * 128),
        Attention(1, heads=8, key=128, value=128),
    )
    jamba = {
        **llama.CONFIG,
        "attn_layer_period": 8,
        "attn_layer_offset": 4,
        "mamba_d_state": 16,
        "mamba_d_conv": 4,
        "mamba_expand": 2,
    }
    assert read(jamba).layers == (
        Recurrent(28, convolution=3 * 8192, state=8192 * 16),
        Attention(4, heads=8, key=128, value=128),
    )


@pytest.mark.parametrize(
    ("strange", "said"),
    [
        ({"layer_types": ["full_attention"] * 31 + ["retention"]}, "“retention”"),
        ({"layer_types": ["full_attention"] * 3}, "3 of its 32 layers"),
        ({"model_type": "rwkv7"}, "rwkv7"),
        ({"compress_ratios": [4] * 32}, "compress_ratios"),
        ({"block_configs": [{}]}, "block_configs"),
        ({"mamba_d_state": 16}, "which layers are recurrent"),
        ({"linear_attn_config": {"kda_layers": [1]}}, "linear_attn_config"),
        ({"attn_type_list": [0, 1] * 16}, "attn_type_list"),
        ({"num_hidden_layers": None}, "num_hidden_layers"),
        ({"num_attention_heads": [8] * 32}, "num_attention_heads"),
        ({"num_hidden_layers": 10**9}, "1,000,000,000 layers"),
        ({"intermediate_size": None}, "intermediate_size"),
        ({"use_cla": True}, "way of their own"),
    ],
)
def test_what_is_not_understood_is_said(strange: dict[str, Any], said: str) -> None:
    assert said in read({**llama.CONFIG, **strange}).unknown


def test_attention_everywhere_under_another_name() -> None:
    assert not read({**llama.CONFIG, "attn_type_list": [1] * 32}).unknown


def test_without_headers_nothing_is_known() -> None:
    assert "weights were not read" in read(llama.CONFIG, ()).unknown


@pytest.mark.parametrize("config", [llama.CONFIG, DEEPSEEK, QWEN_3_5_9B, {"model_type": "rwkv"}])
def test_facts_give_the_model_back(config: dict[str, Any]) -> None:
    model = read(config)
    facts = json.loads(json.dumps({"architecture": "X", **to_facts(model)}))
    assert from_facts(facts) == model
    assert len(json.dumps(facts)) < 1000


SMALL = {
    "version": 1,
    "weights": 1,
    "layers": [],
    "hidden": 1,
    "intermediate": 1,
    "vocab": 1,
    "heads": 1,
}


def test_facts_of_a_small_model() -> None:
    assert from_facts({"memory": SMALL})


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"memory": None},
        {"memory": {"version": 2}},
        {"memory": {"version": 1}},
        {"memory": {"version": 1, "layers": [{"kind": "new"}]}},
        {"memory": {"version": 1, "layers": [{"kind": "latent", "size": 1}]}},
        {"memory": {**SMALL, "weights": "12 GB"}},
        {"memory": {**SMALL, "weights": -1}},
        {"memory": {**SMALL, "hidden": 2**70}},
        {"memory": {**SMALL, "pictures": "yes"}},
        {"memory": {**SMALL, "layers": [{"kind": "latent", "layers": [], "width": 1}]}},
    ],
)
def test_facts_of_other_versions(facts: dict[str, Any]) -> None:
    assert from_facts(facts) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        *llama.CONFIG,
        *DEEPSEEK,
        *QWEN_3_5_9B["text_config"],
        "attn_config",
        "attn_layer_indices",
        "attn_type_list",
        "hybrid_override_pattern",
        "layer_types",
        "quantization_config",
        "sliding_window",
        "sliding_window_pattern",
        "text_config",
        "tie_word_embeddings",
        "use_sliding_window",
    ]
)


@given(st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_whatever_a_configuration_holds_nothing_breaks(found: dict[str, Any]) -> None:
    model = read({**llama.CONFIG, **found})
    json.dumps(to_facts(model))
