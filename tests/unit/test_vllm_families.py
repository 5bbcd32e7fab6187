"""Families of models: what vLLM is told for them, against what the pinned version registers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.loading import QUANTIZED_FROM, Task, Verdict
from llm_widgets.domain.manifest import ModelManifest
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.engines import proposals
from llm_widgets.engines.vllm import architectures, families, parsers, recipe
from llm_widgets.engines.vllm.engine import Vllm
from llm_widgets.engines.vllm.family_table import FAMILIES, Family
from llm_widgets.serving import checks, codec, recipes
from llm_widgets.serving.export import Language, written

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
# Templates of tool calls in vLLM's folder examples, by the Dockerfile and docs of 0.33.0.
TEMPLATES = set(
    """
    apertus deepseekr1 deepseekv3 deepseekv31 functiongemma gemma3_pythonic gemma4 glm4 granite
    granite_20b_fc hermes hunyuan_a13b internlm2_tool llama3.1_json llama3.2_json
    llama3.2_pythonic llama4_json llama4_pythonic mistral mistral3 mistral_parallel muse_glimmer
    phi4_mini qwen3coder toolace xlam_llama xlam_qwen
    """.split()  # noqa: SIM905 - a list of names
)
# A repository of each family that there is, and its tool and reasoning parsers.
MODELS = {
    "Qwen/Qwen3.8-27B": ("Qwen3_5ForConditionalGeneration", "qwen3_coder", "qwen3"),
    "Qwen/Qwen3-Coder-30B-A3B-Instruct": ("Qwen3MoeForCausalLM", "qwen3_coder", ""),
    "Qwen/Qwen3-4B-Instruct-2507": ("Qwen3ForCausalLM", "hermes", ""),
    "Qwen/Qwen3-Next-80B-A3B-Instruct": ("Qwen3NextForCausalLM", "hermes", ""),
    "Qwen/Qwen3-30B-A3B-Thinking-2507": ("Qwen3MoeForCausalLM", "hermes", "qwen3"),
    "Qwen/Qwen3-8B": ("Qwen3ForCausalLM", "hermes", "qwen3"),
    "Qwen/Qwen3-8B-AWQ": ("Qwen3ForCausalLM", "hermes", "qwen3"),
    "Qwen/QwQ-32B": ("Qwen2ForCausalLM", "hermes", "deepseek_r1"),
    "Qwen/Qwen2.5-7B-Instruct": ("Qwen2ForCausalLM", "hermes", ""),
    "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B": ("Qwen2ForCausalLM", "", "deepseek_r1"),
    "deepseek-ai/DeepSeek-R1-0528-Qwen3-8B": ("Qwen3ForCausalLM", "", "deepseek_r1"),
    "deepseek-ai/DeepSeek-R1-0528": ("DeepseekV3ForCausalLM", "deepseek_v3", "deepseek_r1"),
    "deepseek-ai/DeepSeek-V3-0324": ("DeepseekV3ForCausalLM", "deepseek_v3", ""),
    "deepseek-ai/DeepSeek-V3.1": ("DeepseekV3ForCausalLM", "deepseek_v31", "deepseek_v3"),
    "deepseek-ai/DeepSeek-V3.2": ("DeepseekV32ForCausalLM", "deepseek_v32", "deepseek_v3"),
    "deepseek-ai/DeepSeek-V4-Flash": ("DeepseekV4ForCausalLM", "deepseek_v4", "deepseek_v4"),
    "meta-llama/Llama-3.1-8B-Instruct": ("LlamaForCausalLM", "llama3_json", ""),
    "meta-llama/Meta-Llama-3.1-8B-Instruct": ("LlamaForCausalLM", "llama3_json", ""),
    "meta-llama/Llama-3.3-70B-Instruct": ("LlamaForCausalLM", "llama3_json", ""),
    "meta-llama/Llama-3.2-3B-Instruct": ("LlamaForCausalLM", "llama3_json", ""),
    "meta-llama/Llama-4-Scout-17B-16E-Instruct": (
        "Llama4ForConditionalGeneration",
        "llama4_pythonic",
        "",
    ),
    "google/functiongemma-270m-it": ("Gemma3ForCausalLM", "functiongemma", ""),
    "google/gemma-4-12B-it": ("Gemma4UnifiedForConditionalGeneration", "gemma4", "gemma4"),
    "google/gemma-3-27b-it": ("Gemma3ForConditionalGeneration", "pythonic", ""),
    "openai/gpt-oss-20b": ("GptOssForCausalLM", "openai", ""),
    "mistralai/Ministral-3-8B-Reasoning-2512": (
        "Mistral3ForConditionalGeneration",
        "mistral",
        "mistral",
    ),
    "mistralai/Ministral-3-14B-Instruct-2512": ("Mistral3ForConditionalGeneration", "mistral", ""),
    "mistralai/Mistral-7B-Instruct-v0.3": ("MistralForCausalLM", "mistral", ""),
    "mistralai/Mistral-Small-3.2-24B-Instruct-2506": (
        "Mistral3ForConditionalGeneration",
        "mistral",
        "",
    ),
    "mistralai/Mistral-Small-4-119B-2603": ("", "mistral", "mistral"),
    "mistralai/Magistral-Small-2509": ("Mistral3ForConditionalGeneration", "mistral", "mistral"),
    "mistralai/Devstral-Small-2507": ("MistralForCausalLM", "mistral", ""),
    "microsoft/Phi-4-mini-instruct": ("Phi3ForCausalLM", "phi4_mini_json", ""),
    "zai-org/GLM-4.6": ("Glm4MoeForCausalLM", "glm45", "glm45"),
    "zai-org/GLM-4.7-Flash": ("Glm4MoeLiteForCausalLM", "glm47", "glm45"),
    "zai-org/GLM-5.2": ("GlmMoeDsaForCausalLM", "glm47", "glm45"),
    "moonshotai/Kimi-K2-Instruct": ("DeepseekV3ForCausalLM", "kimi_k2", ""),
    "moonshotai/Kimi-K2-Thinking": ("DeepseekV3ForCausalLM", "kimi_k2", "kimi_k2"),
    "moonshotai/Kimi-K3": ("KimiK3ForConditionalGeneration", "kimi_k3", "kimi_k3"),
    "MiniMaxAI/MiniMax-M2.5": ("MiniMaxM2ForCausalLM", "minimax_m2", "minimax_m2"),
    "MiniMaxAI/MiniMax-M3": ("MiniMaxM3SparseForCausalLM", "minimax_m3", "minimax_m3"),
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": (
        "NemotronHForCausalLM",
        "qwen3_coder",
        "nemotron_v3",
    ),
    "ibm-granite/granite-3.0-8b-instruct": ("GraniteForCausalLM", "granite", ""),
    "ibm-granite/granite-3.1-8b-instruct": ("GraniteForCausalLM", "granite", ""),
    "ibm-granite/granite-3.3-8b-instruct": ("GraniteForCausalLM", "granite", "granite"),
    "ibm-granite/granite-4.0-h-small": ("GraniteMoeHybridForCausalLM", "granite4", ""),
    "allenai/Olmo-3-32B-Think": ("Olmo3ForCausalLM", "olmo3", "olmo3"),
    "allenai/Olmo-3-7B-Instruct": ("Olmo3ForCausalLM", "olmo3", ""),
    "LiquidAI/LFM2.5-1.2B-Thinking": ("Lfm2ForCausalLM", "lfm2", "qwen3"),
    "LiquidAI/LFM2.5-1.2B-Instruct": ("Lfm2ForCausalLM", "lfm2", ""),
    "ByteDance-Seed/Seed-OSS-36B-Instruct": ("SeedOssForCausalLM", "seed_oss", "seed_oss"),
    "tencent/Hunyuan-A13B-Instruct": ("HunYuanMoEV1ForCausalLM", "hunyuan_a13b", "hunyuan_a13b"),
    "tencent/Hy3": ("HYV3ForCausalLM", "hy_v3", "hy_v3"),
    "inclusionAI/Ling-3.0-flash": ("BailingMoeV3ForCausalLM", "ling3", "ling3"),
    "XiaomiMiMo/MiMo-V2-Flash": ("MiMoV2FlashForCausalLM", "qwen3_xml", "qwen3"),
    "XiaomiMiMo/MiMo-V2.5": ("MiMoV2ForCausalLM", "mimo", "mimo"),
    "stepfun-ai/Step-3.5-Flash": ("Step3p5ForCausalLM", "step3p5", "step3p5"),
    "poolside/Laguna-XS.2": ("LagunaForCausalLM", "poolside_v1", "poolside_v1"),
    "NousResearch/Hermes-3-Llama-3.1-8B": ("LlamaForCausalLM", "hermes", ""),
    "internlm/internlm2_5-7b-chat": ("InternLM2ForCausalLM", "internlm", ""),
    "internlm/Intern-S1": ("InternS1ForConditionalGeneration", "internlm", "deepseek_r1"),
    "internlm/Intern-S2-Preview": (
        "InternS2PreviewForConditionalGeneration",
        "qwen3_coder",
        "qwen3",
    ),
    "ai21labs/AI21-Jamba-1.5-Mini": ("JambaForCausalLM", "jamba", ""),
    "swiss-ai/Apertus-8B-Instruct-2509": ("ApertusForCausalLM", "apertus", ""),
    "Salesforce/Llama-xLAM-2-8b-fc-r": ("LlamaForCausalLM", "xlam", ""),
    "Salesforce/xLAM-2-3b-fc-r": ("Qwen2ForCausalLM", "xlam", ""),
    "Team-ACE/ToolACE-8B": ("LlamaForCausalLM", "pythonic", ""),
    "ai-sage/GigaChat3-10B-A1.8B": ("DeepseekV3ForCausalLM", "gigachat3", ""),
    "meituan-longcat/LongCat-Flash-Chat": ("LongcatFlashForCausalLM", "longcat", ""),
    "JetBrains/Mellum2-12B-A2.5B-Thinking": ("MellumForCausalLM", "hermes", "qwen3"),
    "JetBrains/Mellum2-12B-A2.5B-Instruct": ("MellumForCausalLM", "hermes", ""),
    "meta-models/Muse-Glimmer-30B": ("MuseGlimmerForCausalLM", "muse_glimmer", "muse_glimmer"),
    "thinkingmachines/Inkling-Small": ("InklingForCausalLM", "inkling", "inkling"),
    "arcee-ai/Trinity-Large-Thinking": ("AfmoeForCausalLM", "qwen3_coder", "deepseek_r1"),
    "HuggingFaceTB/SmolLM3-3B": ("SmolLM3ForCausalLM", "hermes", ""),
    "PaddlePaddle/PaddleOCR-VL-1.5": ("PaddleOCRVLForConditionalGeneration", "", ""),
    "tencent/HunyuanOCR": ("HunYuanVLForConditionalGeneration", "", ""),
    "Qwen/Qwen3-Reranker-0.6B": ("Qwen3ForCausalLM", "", ""),
    "mixedbread-ai/mxbai-rerank-base-v2": ("Qwen2ForCausalLM", "", ""),
    "BAAI/bge-reranker-v2-gemma": ("GemmaForCausalLM", "", ""),
}
# Models that are near to a family, and of none.
OTHERS = {
    "Qwen/Qwen3-8B-Base": "Qwen3ForCausalLM",
    "Qwen/Qwen3-Embedding-8B": "Qwen3ForCausalLM",
    "Qwen/Qwen3-ASR-1.7B": "Qwen3ASRForConditionalGeneration",
    "Qwen/Qwen3-VL-8B-Instruct": "Qwen3VLForConditionalGeneration",
    "Qwen/Qwen2.5-VL-7B-Instruct": "Qwen2_5_VLForConditionalGeneration",
    "Qwen/Qwen2.5-7B": "Qwen2ForCausalLM",
    "acme/Qwen3-8B": "LlamaForCausalLM",
    "meta-llama/Llama-3.1-8B": "LlamaForCausalLM",
    "google/gemma-4-12B": "Gemma4UnifiedForConditionalGeneration",
    "mistralai/Mistral-7B-Instruct-v0.2": "MistralForCausalLM",
    "LiquidAI/LFM2.5-VL-1.6B": "Lfm2VlForConditionalGeneration",
    "acme/tiny": "LlamaForCausalLM",
    "acme/my-Qwen3-8B": "Qwen3ForCausalLM",
}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def manifest(model_id: str, **facts: object) -> ModelManifest:
    return ModelManifest("i", "huggingface", model_id, "r", "p", (), MOMENT, MOMENT, facts=facts)


def offered(model_id: str, **facts: object) -> Deployment:
    record = ModelRecord(model_id, "huggingface", ModelStatus.READY, 10**9, prefix="p")
    kept = manifest(model_id, **facts)
    return recipes.defaults(
        record, project="p-1", region="europe-west4", bucket="b-1", manifest=kept
    )


def test_parsers_and_architectures_are_of_the_version_that_is_deployed() -> None:
    assert parsers.VERSION == architectures.VERSION
    assert f":v{parsers.VERSION}" in recipe.image("")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.label)
def test_a_family_names_what_the_pinned_version_has(family: Family) -> None:
    assert {family.tools} - {""} <= parsers.TOOLS
    assert {family.reasoning} - {""} <= parsers.REASONING
    assert {family.template} - {""} <= TEMPLATES
    assert family.architectures <= architectures.ALL
    assert not family.least or numbers(family.least) <= numbers(parsers.VERSION)
    proposed = families.words(family)
    assert proposed
    assert all(word.startswith("--") for word in proposed)
    kind, _, where = family.source.partition(": ")
    assert kind in {"recipes", "tools", "pooling", "card"}
    assert where


def test_every_family_has_a_model_here() -> None:
    met = {families.family_of(name, architecture=kind) for name, (kind, *_) in MODELS.items()}
    assert met == set(FAMILIES)
    assert len(FAMILIES) >= 35


@pytest.mark.parametrize("model_id", MODELS)
def test_a_model_is_served_as_its_family(model_id: str) -> None:
    architecture, tools, reasoning = MODELS[model_id]
    found = families.proposal(model_id, architecture=architecture)
    assert found
    words = dict(word.partition("=")[::2] for word in found.words)
    assert words.get("--tool-call-parser", "") == tools
    assert words.get("--reasoning-parser", "") == reasoning
    assert ("--enable-auto-tool-choice" in words) == bool(tools)
    assert model_id in found.reason
    assert found.effects
    assert " of 2026-" in found.source or " on 2026-" in found.source


@pytest.mark.parametrize("model_id", OTHERS)
def test_nothing_is_proposed_for_a_model_of_no_family(model_id: str) -> None:
    assert families.proposal(model_id, architecture=OTHERS[model_id]) is None
    assert not any("parser" in arg for arg in offered(model_id, architecture=OTHERS[model_id]).args)


def test_a_quantized_repository_is_of_the_family_of_its_base() -> None:
    told = {"architecture": "Qwen3ForCausalLM", QUANTIZED_FROM: "Qwen/Qwen3-8B"}
    found = Vllm().proposal("acme/eight-in-four-bits", manifest("acme/eight-in-four-bits", **told))
    assert found
    assert found.family == "Qwen3"
    assert "Qwen/Qwen3-8B" in found.reason
    assert Vllm().proposal("acme/eight-in-four-bits", manifest("acme/eight-in-four-bits")) is None


def test_a_model_that_does_not_chat_gets_no_parser() -> None:
    embeds = Verdict(task=Task.EMBED)
    assert families.proposal("Qwen/Qwen3-8B", verdict=embeds) is None
    ranks = Verdict(task=Task.RERANK)
    found = families.proposal("Qwen/Qwen3-Reranker-4B", verdict=ranks)
    assert found
    assert any(word.startswith("--hf-overrides={") for word in found.words)


def test_the_offer_has_the_arguments_and_the_request_and_exports_keep_them() -> None:
    made = offered("Qwen/Qwen3-8B", architecture="Qwen3ForCausalLM")
    assert made.args[-3:] == (
        "--enable-auto-tool-choice",
        "--tool-call-parser=hermes",
        "--reasoning-parser=qwen3",
    )
    again = codec.deployment_of(codec.document(made))
    assert again.args == made.args
    for language in Language:
        text = written(made, language)
        assert "--tool-call-parser=hermes" in text
    assert not [each for each in checks.problems(made) if each.field == "args"]


def test_arguments_can_be_taken_off_and_put_back() -> None:
    made = offered("Qwen/Qwen3-8B", architecture="Qwen3ForCausalLM")
    engine = Vllm()
    found = engine.proposal(made.model_id, None)
    assert found
    assert proposals.is_told(made, found)
    bare = proposals.remove(made, found, engine.command_line)
    assert not any("parser" in arg or "tool" in arg for arg in bare.args)
    assert proposals.add(bare, found, engine.command_line) == made


def test_what_a_person_changed_stays_when_the_rest_is_taken_off() -> None:
    made = offered("Qwen/Qwen3-8B", architecture="Qwen3ForCausalLM")
    engine = Vllm()
    found = engine.proposal(made.model_id, None)
    assert found
    args = engine.command_line.with_word(made.args, "--tool-call-parser=qwen3_xml")
    mine = replace(made, args=args)
    assert not proposals.is_told(mine, found)
    left = proposals.remove(mine, found, engine.command_line).args
    assert "--tool-call-parser=qwen3_xml" in left
    assert "--reasoning-parser=qwen3" not in left


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--enable-auto-tool-choice",), "needs --tool-call-parser"),
        (("--enable-auto-tool-choice", "--tool-call-parser=nano_v3"), "has no parser “nano_v3”"),
        (("--reasoning-parser", "nano_v3"), "has no parser “nano_v3”"),
    ],
)
def test_a_parser_that_keeps_vllm_from_starting_is_refused(
    args: tuple[str, ...], said: str
) -> None:
    made = offered("acme/tiny")
    wrong = list(Vllm().problems(replace(made, args=(*made.args, *args))))
    assert [each.field for each in wrong] == ["args"]
    assert said in wrong[0].message


def test_a_parser_of_a_plug_in_or_of_another_version_is_not_judged() -> None:
    made = offered("acme/tiny")
    args = (*made.args, "--reasoning-parser=mine")
    plugged = replace(made, args=(*args, "--reasoning-parser-plugin=/gcs/mine.py"))
    newer = replace(made, args=args, image="vllm/vllm-openai:v0.40.0")
    assert not list(Vllm().problems(plugged))
    assert not list(Vllm().problems(newer))
