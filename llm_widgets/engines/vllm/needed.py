"""Files that vLLM 0.33.0 does not start without, beside weights and configuration.

Trainings often save neither: the tokenizer, and how pictures and sounds are made into numbers
(``cached_tokenizer_from_config`` of ``vllm/tokenizers``, ``cached_processor_from_config`` of
``vllm/transformers_utils/processor.py``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.engines.vllm import architectures

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents

_TOKENIZERS = re.compile(
    r"tokeniz|tekken|vocab|merges|spiece|sentencepiece"
    r"|\.(?:model|spm|tiktoken|bpe|codes)(?:\.v\d+)?\Z",
    re.IGNORECASE,
)
_PROCESSORS = re.compile(r"process|feature_extract|tekken", re.IGNORECASE)


def note(contents: Contents, known: str) -> str:
    """Say what is missing, and where it is to be had; empty for nothing.

    Parameters
    ----------
    known
        The architecture that vLLM loads it as.
    """
    if not any(map(_TOKENIZERS.search, contents.top)):
        base = contents.base or "ORGANISATION/NAME"
        return (
            "It holds no tokenizer, and vLLM does not start without one: deploy with "
            f"--tokenizer={base} of a model that has it, and with HF_HUB_OFFLINE=0."
        )
    senses = architectures.MULTIMODAL | architectures.SPEECH
    # Code of the model's own, and classes that vLLM has a processor for, need no such file.
    has_own = bool((contents.config or {}).get("auto_map")) or known not in senses
    if has_own or any(map(_PROCESSORS.search, contents.top)):
        return ""
    made_from = f", as {contents.base} has," if contents.base else ""
    return (
        "It lacks preprocessor_config.json or processor_config.json"
        f"{made_from} without which vLLM takes no pictures or sounds and might not start."
    )
