"""Llama 3 8B, as tests estimate its memory."""

from __future__ import annotations

from llm_widgets.domain.memory import Tensor, from_config

CONFIG = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
}
BF16 = from_config(
    {**CONFIG, "architectures": ["LlamaForCausalLM"], "torch_dtype": "bfloat16"},
    [Tensor("model.layers.0.mlp.down_proj.weight", "BF16", (4096, 1_000_000), 16_060_000_000)],
)
