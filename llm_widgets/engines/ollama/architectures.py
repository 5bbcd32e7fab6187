"""The architectures of GGUF files that Ollama loads, as data.

From ``LLM_ARCH_NAMES`` of llama.cpp's ``src/llama-arch.cpp`` (00395eb, 2026) and the names that
Ollama's own engine registers (``model/models``). What a file of weights says beside it comes from
``src/llama-model.cpp``.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


LLAMA_CPP = _names(
    """
    afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bert bitnet bloom chameleon
    chatglm codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek deepseek2
    deepseek2-ocr deepseek32 deepseek4 dots1 dream ernie4_5 ernie4_5-moe eurobert exaone
    exaone-moe exaone4 falcon falcon-h1 gemma gemma-embedding gemma2 gemma3 gemma3n gemma4 glm-dsa
    glm4 glm4moe gpt-oss gpt2 gptj gptneox granite granitehybrid granitemoe grok grovemoe
    hunyuan-dense hunyuan-moe hunyuan_vl hy_v3 internlm2 jais jais2 jamba jina-bert-v2
    jina-bert-v3 kimi-linear laguna lfm2 lfm2moe llada llada-moe llama llama-embed llama4
    maincoder mamba mamba2 mellum mimo2 minicpm minicpm3 minimax-m2 mistral3 mistral4 modern-bert
    mpt nemotron nemotron_h nemotron_h_moe neo-bert nomic-bert nomic-bert-moe olmo olmo2 olmoe
    openelm orion paddleocr pangu-embedded phi2 phi3 phimoe plamo plamo2 plamo3 plm qwen qwen2
    qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe qwen3next qwen3vl qwen3vlmoe refact rnd1
    rwkv6 rwkv6qwen2 rwkv7 seed_oss smallthinker smollm3 stablelm starcoder starcoder2 step35 t5
    t5encoder talkie xverse
    """
)
OLLAMA = _names("deepseekocr glm4moelite glmocr gptoss mllama olmo3 qwen25vl")
PARTS = {
    "clip": "a projector for pictures and sound",
    "dflash": "a draft model, which guesses tokens for a larger one",
    "eagle3": "a draft model, which guesses tokens for a larger one",
    "gemma4-assistant": "a draft model, which guesses tokens for a larger one",
    "wavtokenizer-dec": "the decoder of a model that speaks",
}
"""What is no model by itself."""

KNOWN = LLAMA_CPP | OLLAMA
