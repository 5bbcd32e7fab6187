"""Families of models and the arguments that vLLM serves them with, as data.

Sources, by the word in ``source``:

``recipes``
    vllm-project/recipes at commit 8959cf6 of 2026-08-21 (Apache-2.0), the recipe of the
    repository that stands after it.
``tools``
    vLLM's page on tool calling, ``docs/features/tool_calling.md``, read on 2026-12-01.
``pooling``
    vLLM's ``examples/pooling/score/convert_model_to_seq_cls.py``, read on 2026-12-02.
``card``
    The model's own card, read on 2026-12-02.

Names of parsers are those that vLLM 0.33.0 registers (wheel of 2026-11-02): see :mod:`.parsers`.
Not in the table: families whose parser needs what the image lacks (Cohere Command needs
cohere_melody), or is registered by no file of the image (Nemotron Nano 2).
"""

from __future__ import annotations

from dataclasses import dataclass

from llm_widgets.domain.loading import CHATS, Task


@dataclass(frozen=True, slots=True)
class Family:
    """Models that are served with the same arguments.

    Attributes
    ----------
    label
        The name as people write it.
    names
        Regular expression that fits the beginning of a repository's name, in any case.
    architectures
        Those of its models; any where empty. One that is not known is no obstacle.
    tools, reasoning
        Names of the parsers of tool calls and of reasoning; empty for none.
    template
        File of a chat template that the image brings, without the folder.
    words
        Further arguments.
    purpose
        What the further arguments do, in a sentence.
    least
        The first version of vLLM that serves it, where the recipe names one.
    thinks
        Whether it reasons unless a request says otherwise; ``None`` where no source says.
    switch
        The key of ``chat_template_kwargs`` that a request switches reasoning with.
    note
        What should be known of it.
    tasks
        What its models do.
    """

    label: str
    names: str
    source: str
    architectures: frozenset[str] = frozenset()
    tools: str = ""
    reasoning: str = ""
    template: str = ""
    words: tuple[str, ...] = ()
    purpose: str = ""
    least: str = ""
    thinks: bool | None = None
    switch: str = ""
    note: str = ""
    tasks: frozenset[Task] = CHATS


def _of(names: str) -> frozenset[str]:
    return frozenset(names.split())


_LLAMA = _of("LlamaForCausalLM")
_QWEN2 = _of("Qwen2ForCausalLM")
_QWEN3 = _of("Qwen3ForCausalLM Qwen3MoeForCausalLM Qwen3NextForCausalLM")
_MISTRAL = _of(
    "MistralForCausalLM Ministral3ForCausalLM Mistral3ForConditionalGeneration MixtralForCausalLM "
    "MistralLarge3ForCausalLM PixtralForConditionalGeneration"
)
_GRANITE = _of("GraniteForCausalLM GraniteMoeForCausalLM")
_LFM = _of("Lfm2ForCausalLM Lfm2MoeForCausalLM")
_THINKING = "enable_thinking"
_WEAK = "Models of this size often miss the format of tool calls."
_OCR = ("--no-enable-prefix-caching", "--mm-processor-cache-gb=0")
_TOKENIZER = "Its requests are written by a tokenizer of its own."
_ONCE = "Caches are off: every page is read once."

FAMILIES: tuple[Family, ...] = (
    Family(
        "Qwen3.5, Qwen3.6 and Qwen3.8",
        r"Qwen3\.[568]-(?!.*(Embedding|Reranker|Guard))",
        "recipes: Qwen/Qwen3.8-27B",
        _of(
            "Qwen3_5ForCausalLM Qwen3_5MoeForCausalLM Qwen3_5ForConditionalGeneration "
            "Qwen3_5MoeForConditionalGeneration"
        ),
        tools="qwen3_coder",
        reasoning="qwen3",
        least="0.17.0",
        switch=_THINKING,
    ),
    Family(
        "Qwen3-Coder",
        r"Qwen3-Coder-",
        "recipes: Qwen/Qwen3-Coder-480B-A35B-Instruct",
        _QWEN3,
        tools="qwen3_coder",
        least="0.10.0",
        thinks=False,
    ),
    Family(
        "Qwen3 Instruct",
        r"Qwen3-(Next-)?\d\S*?-Instruct",
        "recipes: Qwen/Qwen3-235B-A22B-Instruct-2507",
        _QWEN3,
        tools="hermes",
        least="0.10.0",
        thinks=False,
    ),
    Family(
        "Qwen3",
        r"Qwen3-(Next-)?\d",
        "recipes: Qwen/Qwen3-8B",
        _QWEN3,
        tools="hermes",
        reasoning="qwen3",
        least="0.8.5",
        thinks=True,
        switch=_THINKING,
    ),
    Family(
        "QwQ",
        r"QwQ-32B",
        "tools: Qwen Models",
        _QWEN2,
        tools="hermes",
        reasoning="deepseek_r1",
        thinks=True,
    ),
    Family(
        "Qwen2.5 Instruct",
        r"Qwen2\.5-(?!VL|Omni|Math|Coder)\S*Instruct",
        "tools: Qwen Models",
        _QWEN2,
        tools="hermes",
        thinks=False,
    ),
    Family(
        "DeepSeek-R1 distilled",
        r"DeepSeek-R1-(Distill-|0528-Qwen3)",
        "recipes: deepseek-ai/DeepSeek-R1",
        _of("LlamaForCausalLM Qwen2ForCausalLM Qwen3ForCausalLM"),
        reasoning="deepseek_r1",
        thinks=True,
        note="It was not trained to call tools.",
    ),
    Family(
        "DeepSeek-R1",
        r"DeepSeek-R1(-0528)?(?!-(Distill|Zero|0528-Qwen))",
        "recipes: deepseek-ai/DeepSeek-R1",
        _of("DeepseekV3ForCausalLM"),
        tools="deepseek_v3",
        reasoning="deepseek_r1",
        template="deepseekr1",
        least="0.12.0",
        thinks=True,
    ),
    Family(
        "DeepSeek-V4",
        r"DeepSeek-V4-",
        "recipes: deepseek-ai/DeepSeek-V4-Pro",
        _of("DeepseekV4ForCausalLM"),
        tools="deepseek_v4",
        reasoning="deepseek_v4",
        words=("--tokenizer-mode=deepseek_v4",),
        purpose=_TOKENIZER,
        least="0.20.0",
    ),
    Family(
        "DeepSeek-V3.2",
        r"DeepSeek-V3\.2",
        "recipes: deepseek-ai/DeepSeek-V3.2",
        _of("DeepseekV32ForCausalLM"),
        tools="deepseek_v32",
        reasoning="deepseek_v3",
        words=("--tokenizer-mode=deepseek_v32",),
        purpose=_TOKENIZER,
        least="0.18.0",
    ),
    Family(
        "DeepSeek-V3.1",
        r"DeepSeek-V3\.1",
        "recipes: deepseek-ai/DeepSeek-V3.1",
        _of("DeepseekV3ForCausalLM"),
        tools="deepseek_v31",
        reasoning="deepseek_v3",
        template="deepseekv31",
        least="0.12.0",
        switch="thinking",
    ),
    Family(
        "DeepSeek-V3",
        r"DeepSeek-V3(-0324)?(?![.\d])",
        "recipes: deepseek-ai/DeepSeek-V3",
        _of("DeepseekV3ForCausalLM"),
        tools="deepseek_v3",
        template="deepseekv3",
        least="0.12.0",
        thinks=False,
    ),
    Family(
        "Llama 3.1 and 3.3 Instruct",
        r"(Meta-)?Llama-3\.[13]-\S*Instruct",
        "tools: Llama Models",
        _LLAMA,
        tools="llama3_json",
        template="llama3.1_json",
        thinks=False,
        note="It makes one tool call at a time.",
    ),
    Family(
        "Llama 3.2 Instruct",
        r"(Meta-)?Llama-3\.2-[13]B-Instruct",
        "tools: Llama Models",
        _LLAMA,
        tools="llama3_json",
        template="llama3.2_json",
        thinks=False,
        note=_WEAK,
    ),
    Family(
        "Llama 4 Instruct",
        r"Llama-4-\S*Instruct",
        "tools: Llama Models",
        _of("Llama4ForConditionalGeneration Llama4ForCausalLM"),
        tools="llama4_pythonic",
        template="llama4_pythonic",
        thinks=False,
    ),
    Family(
        "FunctionGemma",
        r"functiongemma-",
        "tools: FunctionGemma Models",
        _of("Gemma3ForCausalLM"),
        tools="functiongemma",
        template="functiongemma",
        thinks=False,
        note="It is meant to be fine-tuned for the tools that it calls.",
    ),
    Family(
        "Gemma 4",
        r"gemma-4-\S*-it",
        "recipes: Google/gemma-4-31B-it",
        _of(
            "Gemma4ForCausalLM Gemma4ForConditionalGeneration Gemma4UnifiedForConditionalGeneration"
        ),
        tools="gemma4",
        reasoning="gemma4",
        template="gemma4",
        least="0.19.1",
        thinks=False,
        switch=_THINKING,
    ),
    Family(
        "Gemma 3",
        r"gemma-3-\S*-it",
        "tools: Models with Pythonic Tool Calls",
        _of("Gemma3ForCausalLM Gemma3ForConditionalGeneration"),
        tools="pythonic",
        template="gemma3_pythonic",
        thinks=False,
        note="It was not trained on a format of tool calls, and often misses it.",
    ),
    Family(
        "gpt-oss",
        r"gpt-oss-(20|120)b",
        "recipes: openai/gpt-oss-20b",
        _of("GptOssForCausalLM"),
        tools="openai",
        least="0.10.0",
        thinks=True,
        note="vLLM separates its reasoning without a parser.",
    ),
    Family(
        "Ministral 3 Reasoning",
        r"Ministral-3-\S*Reasoning",
        "recipes: mistralai/Ministral-3-8B-Reasoning-2512",
        _MISTRAL,
        tools="mistral",
        reasoning="mistral",
        least="0.11.0",
    ),
    Family(
        "Mistral Small 4 and Medium 3.5",
        r"Mistral-(Small-4|Medium-3\.5)-",
        "recipes: mistralai/Mistral-Small-4-119B-2603",
        _MISTRAL,
        tools="mistral",
        reasoning="mistral",
        least="0.20.0",
    ),
    Family(
        "Magistral",
        r"Magistral-",
        "recipes: mistralai/Ministral-3-8B-Reasoning-2512",
        _MISTRAL,
        tools="mistral",
        reasoning="mistral",
    ),
    Family(
        "Mistral Instruct",
        r"(Ministral-3-|Ministral-8B-|Mistral-(Small|Large|Nemo)-|Mistral-7B-)\S*Instruct"
        r"(?!-v0\.[12])",
        "tools: Mistral Models",
        _MISTRAL,
        tools="mistral",
        thinks=False,
    ),
    Family(
        "Devstral",
        r"Devstral-",
        "tools: Mistral Models",
        _MISTRAL,
        tools="mistral",
        thinks=False,
    ),
    Family(
        "Phi-4-mini",
        r"Phi-4-mini-instruct",
        "recipes: microsoft/Phi-4-mini-instruct",
        _of("Phi3ForCausalLM"),
        tools="phi4_mini_json",
        template="phi4_mini",
        least="0.7.0",
        thinks=False,
        note=_WEAK,
    ),
    Family(
        "GLM-4.5 and GLM-4.6",
        r"GLM-4\.[56]",
        "recipes: zai-org/GLM-4.6",
        _of("Glm4MoeForCausalLM Glm4vMoeForConditionalGeneration Glm4vForConditionalGeneration"),
        tools="glm45",
        reasoning="glm45",
        least="0.11.0",
        switch=_THINKING,
    ),
    Family(
        "GLM-4.7",
        r"GLM-4\.7",
        "recipes: zai-org/GLM-4.7",
        _of("Glm4MoeForCausalLM Glm4MoeLiteForCausalLM"),
        tools="glm47",
        reasoning="glm45",
        least="0.11.0",
        switch=_THINKING,
    ),
    Family(
        "GLM-5",
        r"GLM-5",
        "recipes: zai-org/GLM-5.2",
        _of("GlmMoeDsaForCausalLM"),
        tools="glm47",
        reasoning="glm45",
        least="0.16.0",
        switch=_THINKING,
    ),
    Family(
        "Kimi K2 Instruct",
        r"Kimi-K2-Instruct",
        "recipes: moonshotai/Kimi-K2-Instruct",
        _of("DeepseekV3ForCausalLM"),
        tools="kimi_k2",
        least="0.12.0",
        thinks=False,
    ),
    Family(
        "Kimi K2",
        r"Kimi-K2(-Thinking|\.[567])",
        "recipes: moonshotai/Kimi-K2-Thinking",
        _of("DeepseekV3ForCausalLM KimiK25ForConditionalGeneration"),
        tools="kimi_k2",
        reasoning="kimi_k2",
        least="0.12.0",
    ),
    Family(
        "Kimi K3",
        r"Kimi-K3",
        "recipes: moonshotai/Kimi-K3",
        _of("KimiK3ForConditionalGeneration"),
        tools="kimi_k3",
        reasoning="kimi_k3",
        least="0.27.1",
    ),
    Family(
        "MiniMax-M2",
        r"MiniMax-M2",
        "recipes: MiniMaxAI/MiniMax-M2.5",
        _of("MiniMaxM2ForCausalLM"),
        tools="minimax_m2",
        reasoning="minimax_m2",
        least="0.11.0",
        thinks=True,
    ),
    Family(
        "MiniMax-M3",
        r"MiniMax-M3",
        "recipes: MiniMaxAI/MiniMax-M3",
        _of("MiniMaxM3SparseForCausalLM MiniMaxM3SparseForConditionalGeneration"),
        tools="minimax_m3",
        reasoning="minimax_m3",
        least="0.24.0",
        switch="thinking_mode",
    ),
    Family(
        "Nemotron 3",
        r"(NVIDIA-)?Nemotron-3(\.5)?-",
        "recipes: nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-BF16",
        _of("NemotronHForCausalLM NemotronHPuzzleForCausalLM NemotronH_Nano_Omni_Reasoning_V3"),
        tools="qwen3_coder",
        reasoning="nemotron_v3",
        least="0.17.1",
        switch=_THINKING,
    ),
    Family(
        "Granite 3.0",
        r"granite-3\.0-\S*instruct",
        "tools: IBM Granite",
        _GRANITE,
        tools="granite",
        template="granite",
        thinks=False,
    ),
    Family(
        "Granite 3.1",
        r"granite-3\.1-\S*instruct",
        "tools: IBM Granite",
        _GRANITE,
        tools="granite",
        thinks=False,
    ),
    Family(
        "Granite 3.2 and 3.3",
        r"granite-3\.[23]-\S*instruct",
        "tools: IBM Granite",
        _GRANITE,
        tools="granite",
        reasoning="granite",
        thinks=False,
        switch="thinking",
    ),
    Family(
        "Granite 4",
        r"granite-4\.[01]-",
        "tools: IBM Granite",
        _of("GraniteForCausalLM GraniteMoeHybridForCausalLM"),
        tools="granite4",
        thinks=False,
    ),
    Family(
        "Olmo 3 Think",
        r"Olmo-3(\.\d)?-\S*Think",
        "tools: Olmo 3 Models",
        _of("Olmo3ForCausalLM"),
        tools="olmo3",
        reasoning="olmo3",
        thinks=True,
    ),
    Family(
        "Olmo 3 Instruct",
        r"Olmo-3(\.\d)?-\S*Instruct",
        "tools: Olmo 3 Models",
        _of("Olmo3ForCausalLM"),
        tools="olmo3",
        thinks=False,
    ),
    Family(
        "LFM2.5 that reasons",
        r"LFM2(\.5)?-(\S*Thinking|8B-A1B)",
        "recipes: LiquidAI/LFM2.5-1.2B-Thinking",
        _LFM,
        tools="lfm2",
        reasoning="qwen3",
        least="0.23.0",
        thinks=True,
    ),
    Family(
        "LFM2 and LFM2.5",
        r"LFM2(\.5)?-(?!VL|Audio|ColBERT|Embed)\d",
        "recipes: LiquidAI/LFM2.5-1.2B-Instruct",
        _LFM,
        tools="lfm2",
        least="0.23.0",
        thinks=False,
    ),
    Family(
        "Seed-OSS",
        r"Seed-OSS-\S*Instruct",
        "recipes: ByteDance-Seed/Seed-OSS-36B-Instruct",
        _of("SeedOssForCausalLM"),
        tools="seed_oss",
        reasoning="seed_oss",
        least="0.11.0",
    ),
    Family(
        "Hunyuan-A13B",
        r"Hunyuan-A13B-Instruct",
        "tools: Hunyuan Models",
        _of("HunYuanMoEV1ForCausalLM"),
        tools="hunyuan_a13b",
        reasoning="hunyuan_a13b",
        least="0.11.0",
    ),
    Family(
        "Hy3",
        r"Hy3",
        "recipes: tencent/Hy3",
        _of("HYV3ForCausalLM"),
        tools="hy_v3",
        reasoning="hy_v3",
        least="0.20.0",
    ),
    Family(
        "Ling 3",
        r"Ling-3\.",
        "recipes: inclusionAI/Ling-3.0-flash",
        _of("BailingMoeV3ForCausalLM"),
        tools="ling3",
        reasoning="ling3",
        least="0.25.0",
    ),
    Family(
        "MiMo-V2-Flash",
        r"MiMo-V2-Flash",
        "recipes: XiaomiMiMo/MiMo-V2-Flash",
        _of("MiMoV2FlashForCausalLM"),
        tools="qwen3_xml",
        reasoning="qwen3",
        least="0.11.0",
    ),
    Family(
        "MiMo-V2.5",
        r"MiMo-V2\.5",
        "recipes: XiaomiMiMo/MiMo-V2.5",
        _of("MiMoV2ForCausalLM MiMoV2OmniForCausalLM"),
        tools="mimo",
        reasoning="mimo",
        least="0.21.0",
    ),
    Family(
        "Step 3.5 and 3.7",
        r"Step-3\.[57]-",
        "recipes: stepfun-ai/Step-3.5-Flash",
        _of("Step3p5ForCausalLM Step3p7ForConditionalGeneration"),
        tools="step3p5",
        reasoning="step3p5",
        least="0.11.0",
    ),
    Family(
        "Laguna",
        r"Laguna-",
        "recipes: poolside/Laguna-XS.2",
        _of("LagunaForCausalLM"),
        tools="poolside_v1",
        reasoning="poolside_v1",
        least="0.21.0",
        switch=_THINKING,
    ),
    Family(
        "Hermes 2 Pro and Hermes 3",
        r"Hermes-(2-Pro|2-Theta|3)-",
        "tools: Hermes Models",
        _of("LlamaForCausalLM MistralForCausalLM"),
        tools="hermes",
        thinks=False,
    ),
    Family(
        "InternLM 2.5 Chat",
        r"internlm2_5-\S*chat",
        "tools: InternLM Models",
        _of("InternLM2ForCausalLM"),
        tools="internlm",
        template="internlm2_tool",
        thinks=False,
    ),
    Family(
        "Intern-S1",
        r"Intern-S1",
        "recipes: internlm/Intern-S1",
        _of("InternS1ForConditionalGeneration InternS1ProForConditionalGeneration"),
        tools="internlm",
        reasoning="deepseek_r1",
        least="0.10.0",
    ),
    Family(
        "Intern-S2",
        r"Intern-S2-Preview",
        "recipes: internlm/Intern-S2-Preview",
        _of("InternS2PreviewForConditionalGeneration"),
        tools="qwen3_coder",
        reasoning="qwen3",
        least="0.22.0",
    ),
    Family(
        "Jamba 1.5",
        r"(AI21-)?Jamba-1\.5-",
        "tools: Jamba Models",
        _of("JambaForCausalLM"),
        tools="jamba",
        thinks=False,
    ),
    Family(
        "Apertus",
        r"Apertus-\S*Instruct",
        "tools: Apertus Models",
        _of("ApertusForCausalLM"),
        tools="apertus",
        template="apertus",
        thinks=False,
    ),
    Family(
        "xLAM of Llama",
        r"Llama-xLAM-",
        "tools: xLAM Models",
        _LLAMA,
        tools="xlam",
        template="xlam_llama",
        thinks=False,
    ),
    Family(
        "xLAM of Qwen",
        r"(Qwen-)?xLAM-",
        "tools: xLAM Models",
        _QWEN2,
        tools="xlam",
        template="xlam_qwen",
        thinks=False,
    ),
    Family(
        "ToolACE",
        r"ToolACE-8B",
        "tools: Models with Pythonic Tool Calls",
        _LLAMA,
        tools="pythonic",
        template="toolace",
        thinks=False,
    ),
    Family(
        "GigaChat 3",
        r"GigaChat3-",
        "tools: Gigachat 3 Models",
        _of("DeepseekV3ForCausalLM"),
        tools="gigachat3",
        thinks=False,
    ),
    Family(
        "LongCat-Flash-Chat",
        r"LongCat-Flash-Chat",
        "tools: LongCat-Flash-Chat Models",
        _of("LongcatFlashForCausalLM"),
        tools="longcat",
        thinks=False,
    ),
    Family(
        "Mellum 2 Thinking",
        r"Mellum2-\S*Thinking",
        "recipes: JetBrains/Mellum2-12B-A2.5B-Thinking",
        _of("MellumForCausalLM"),
        tools="hermes",
        reasoning="qwen3",
        least="0.23.0",
        thinks=True,
    ),
    Family(
        "Mellum 2 Instruct",
        r"Mellum2-\S*Instruct",
        "recipes: JetBrains/Mellum2-12B-A2.5B-Instruct",
        _of("MellumForCausalLM"),
        tools="hermes",
        least="0.23.0",
        thinks=False,
    ),
    Family(
        "Muse Glimmer",
        r"Muse-Glimmer-",
        "recipes: meta-models/Muse-Glimmer-30B",
        _of("MuseGlimmerForCausalLM MuseGlimmerForConditionalGeneration"),
        tools="muse_glimmer",
        reasoning="muse_glimmer",
        least="0.27.0",
    ),
    Family(
        "Inkling",
        r"Inkling",
        "recipes: thinkingmachines/Inkling-Small",
        _of("InklingForCausalLM InklingForConditionalGeneration"),
        tools="inkling",
        reasoning="inkling",
        words=("--tokenizer-mode=inkling",),
        purpose=_TOKENIZER,
        least="0.26.0",
    ),
    Family(
        "Trinity Thinking",
        r"Trinity-\S*Thinking",
        "recipes: arcee-ai/Trinity-Large-Thinking",
        _of("AfmoeForCausalLM"),
        tools="qwen3_coder",
        reasoning="deepseek_r1",
        least="0.11.1",
        thinks=True,
    ),
    Family(
        "SmolLM3",
        r"SmolLM3-3B",
        "card: HuggingFaceTB/SmolLM3-3B",
        _of("SmolLM3ForCausalLM"),
        tools="hermes",
        switch=_THINKING,
    ),
    Family(
        "PaddleOCR-VL",
        r"PaddleOCR-VL",
        "recipes: PaddlePaddle/PaddleOCR-VL",
        _of("PaddleOCRVLForConditionalGeneration"),
        words=_OCR,
        purpose=_ONCE,
        least="0.11.1",
    ),
    Family(
        "HunyuanOCR",
        r"HunyuanOCR",
        "recipes: tencent/HunyuanOCR",
        _of("HunYuanVLForConditionalGeneration"),
        words=_OCR,
        purpose=_ONCE,
        least="0.11.0",
    ),
    Family(
        "Qwen3-Reranker",
        r"Qwen3-Reranker-\d",
        "pooling: Qwen/Qwen3-Reranker-8B",
        _of("Qwen3ForCausalLM"),
        words=(
            '--hf-overrides={"architectures":["Qwen3ForSequenceClassification"],"classifier_from_token":["no","yes"],"is_original_qwen3_reranker":true}',
        ),
        purpose="The model writes yes or no; vLLM makes scores of these two tokens.",
        tasks=frozenset({Task.RERANK}),
    ),
    Family(
        "mxbai-rerank-v2",
        r"mxbai-rerank-\S*-v2",
        "pooling: mixedbread-ai/mxbai-rerank-base-v2",
        _QWEN2,
        words=(
            '--hf-overrides={"architectures":["Qwen2ForSequenceClassification"],"classifier_from_token":["0","1"],"method":"from_2_way_softmax"}',
        ),
        purpose="The model writes 0 or 1; vLLM makes scores of these two tokens.",
        tasks=frozenset({Task.RERANK}),
    ),
    Family(
        "bge-reranker-v2-gemma",
        r"bge-reranker-v2-gemma",
        "pooling: BAAI/bge-reranker-v2-gemma",
        _of("GemmaForCausalLM"),
        words=(
            '--hf-overrides={"architectures":["GemmaForSequenceClassification"],"classifier_from_token":["Yes"],"method":"no_post_processing"}',
        ),
        purpose="The model writes Yes; vLLM makes scores of this token.",
        tasks=frozenset({Task.RERANK}),
    ),
)
"""All families; of several that fit a name the first one counts."""
