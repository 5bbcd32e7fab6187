"""The parsers of tool calls and of reasoning that vLLM registers, as data.

From ``vllm/tool_parsers/__init__.py`` and ``vllm/reasoning/__init__.py`` of the wheel of vLLM
0.33.0 (2026-11-02), the version that services are deployed with. vLLM does not start with a name
that it did not register, unless a plug-in brings it (``vllm/entrypoints/common/cli_args.py``).
"""

from __future__ import annotations

VERSION = "0.33.0"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


TOOLS = _names(
    """
    apertus beam cohere_command3 cohere_command4 deepseek_v3 deepseek_v31 deepseek_v32
    deepseek_v4 deepseek_v41 dots ernie45 functiongemma gemma4 gigachat3 glm45 glm47 granite
    granite-20b-fc granite4 hermes hf hunyuan_a13b hy_v3 hy_v4 inkling internlm jamba k2_horizon
    kimi_k2 kimi_k3 lfm2 ling3 llama3_json llama4_json llama4_pythonic longcat mimo minicpm5
    minimax_m2 minimax_m3 mistral muse muse_glimmer musespark1x olmo3 openai phi4_mini_json
    plamo3 poolside_v1 pythonic qwen3_coder qwen3_json qwen3_xml seed_oss step3 step3p5 step5
    xlam
    """
)
"""Values of ``--tool-call-parser``."""

REASONING = _names(
    """
    beam cohere_command3 cohere_command4 deepseek_r1 deepseek_v3 deepseek_v4 deepseek_v41
    ernie45 gemma4 glm45 glm47 granite granite_thinking_parser hf holo2 hunyuan_a13b hy_v3 hy_v4
    inkling k2_horizon kimi_k2 kimi_k3 ling3 mimo minicpmv minimax_m2 minimax_m2_append_think
    minimax_m3 mistral muse muse_glimmer musespark1x nemotron_v3 olmo3 openai_gptoss plamo3
    poolside_v1 qwen3 seed_oss step3 step3p5 step5
    """
)
"""Values of ``--reasoning-parser``."""
