"""What vLLM leaves out to start sooner, and what it does beforehand to answer sooner.

Sources: vLLM's pages on faster startup, optimization levels and ``torch.compile``, 0.33; the
seconds are of public starts, vllm-project/vllm#44881 and modal-labs/modal-examples#1217 among them.
"""

from __future__ import annotations

from llm_widgets.domain.start_styles import BALANCED, FAST_ANSWERS, FAST_START, StartStyle
from llm_widgets.engines.vllm.arguments import EAGER

STYLES = (
    StartStyle(
        FAST_START,
        "Fast start",
        "Nothing is compiled and no CUDA graphs are captured: one to two minutes less in public "
        "reports. Answers are slower, most of all with few concurrent requests.",
        (EAGER,),
    ),
    StartStyle(
        BALANCED,
        "Balanced",
        "vLLM's default: the model is compiled and CUDA graphs are captured at each start.",
    ),
    StartStyle(
        FAST_ANSWERS,
        "Fast answers",
        "The model is also compiled and tuned for batches of 1, 2, 4 and 8. Each start takes "
        "longer: measure it.",
        ('--compilation-config={"compile_sizes":[1,2,4,8]}',),
    ),
)
