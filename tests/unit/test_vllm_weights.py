"""Weights that are not those that their configuration speaks of."""

from __future__ import annotations

from typing import Any

import pytest

from llm_widgets.domain.loading import HEADER, Contents
from llm_widgets.domain.memory import Tensor
from llm_widgets.engines.vllm import loadable
from llm_widgets.hubs import headers

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 32000,
    "hidden_size": 64,
    "num_hidden_layers": 2,
}
PLAIN = {
    "model.embed_tokens.weight": ("BF16", (32000, 64)),
    "model.layers.0.self_attn.q_proj.weight": ("BF16", (64, 64)),
    "model.layers.1.self_attn.q_proj.weight": ("BF16", (64, 64)),
    "model.norm.weight": ("BF16", (64,)),
    "lm_head.weight": ("BF16", (32000, 64)),
}
GPTQ = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
AWQ = {"quantization_config": {"quant_method": "awq", "bits": 4}}
FP8 = {"quantization_config": {"quant_method": "fp8"}}
Q = "model.layers.0.self_attn.q_proj"


def without(*names: str) -> dict[str, Any]:
    return {name: each for name, each in PLAIN.items() if name not in names}


def refusal(config: dict[str, Any], tensors: dict[str, Any]) -> str:
    table = [Tensor(name, dtype, shape, 0) for name, (dtype, shape) in tensors.items()]
    found = Contents(
        frozenset({"config.json", "model.safetensors"}),
        {**CONFIG, **config},
        documents={HEADER: headers.described(table)},
    )
    return loadable.judge(found).refusal


@pytest.mark.parametrize(
    ("config", "tensors"),
    [
        ({}, PLAIN),
        ({}, without("lm_head.weight")),
        ({}, {**PLAIN, "fc.weight": ("BF16", (2, 64))}),
        ({}, {name.removeprefix("model."): each for name, each in PLAIN.items()}),
        ({}, {**PLAIN, "model.layers.2.eh_proj.weight": ("BF16", (64, 128))}),
        ({"num_hidden_layers": 1, "num_nextn_predict_layers": 1}, PLAIN),
        ({}, {**PLAIN, "model.rotary.inv_freq": ("F32", (0,))}),
        (GPTQ, {**PLAIN, f"{Q}.qweight": ("I32", (8, 64)), f"{Q}.g_idx": ("I32", (0,))}),
        (FP8, {**PLAIN, f"{Q}.weight": ("F8_E4M3", (64, 64))}),
        ({"architectures": ["Qwen3VLForConditionalGeneration"]}, {"x": ("BF16", (1,))}),
        ({"vocab_size": None, "hidden_size": "64", "num_hidden_layers": -1}, PLAIN),
        ({"architectures": ["MambaForCausalLM"]}, without(f"{Q}.weight")),
    ],
)
def test_weights_as_the_configuration_says(config: dict[str, Any], tensors: dict[str, Any]) -> None:
    assert refusal(config, tensors) == ""


@pytest.mark.parametrize(
    ("config", "tensors", "said"),
    [
        ({"vocab_size": 32002}, PLAIN, "32000 tokens, and config.json says 32002"),
        ({"hidden_size": 128}, PLAIN, "64 wide, and config.json says 128"),
        ({"num_hidden_layers": 4}, PLAIN, "lack 2 of 4 layers"),
        ({}, without("model.layers.1.self_attn.q_proj.weight"), "lack 1 of 2 layers"),
        ({"num_hidden_layers": 1}, PLAIN, "have 2 layers, and config.json says 1"),
        ({}, {**PLAIN, "model.embed_tokens.weight": ("BF16", (0,))}, "DeepSpeed ZeRO-3"),
        ({}, {**PLAIN, "fc.weight": ("BF16", (64, 128))}, "a draft model (fc.weight)"),
        ({}, {**PLAIN, "model.fc.weight": ("BF16", (64, 192))}, "a draft model"),
        ({}, {"0.0.linear.weight": ("F16", (64, 64)), "0.1.weight": ("F16", (9, 64))}, "a draft"),
        ({}, dict.fromkeys(PLAIN, ("BF16", (0,))), "5 of its 5 tensors hold no values"),
        ({}, {**PLAIN, f"{Q}.qweight": ("I32", (8, 64))}, "has no quantization_config"),
        ({}, {**PLAIN, f"{Q}.weight_packed": ("I32", (8, 64))}, "has no quantization_config"),
        ({}, {**PLAIN, f"{Q}.weight.absmax": ("U8", (64,))}, "has no quantization_config"),
        (
            {},
            {
                **PLAIN,
                f"{Q}.weight": ("U32", (64, 8)),
                f"{Q}.scales": ("BF16", (64, 1)),
                f"{Q}.biases": ("BF16", (64, 1)),
            },
            "as MLX does it",
        ),
        (GPTQ, PLAIN, "quantized with gptq; they are not"),
        (AWQ, PLAIN, "quantized with awq; they are not"),
        (FP8, PLAIN, "quantized with fp8; they are not"),
    ],
)
def test_weights_that_contradict_the_configuration(
    config: dict[str, Any], tensors: dict[str, Any], said: str
) -> None:
    assert said in refusal(config, tensors)


def test_what_could_not_be_read_is_not_judged() -> None:
    found = Contents(frozenset({"config.json", "model.safetensors"}), {**CONFIG, **GPTQ})
    assert loadable.judge(found).refusal == ""
