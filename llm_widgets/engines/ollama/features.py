"""What Ollama does only where it is told to, by the words of errors about it.

Source: ``envconfig/config.go`` of Ollama.
"""

from __future__ import annotations

import re

from llm_widgets.engines.base import Feature
from llm_widgets.engines.ollama import variables


def _feature(words: str, *told: str) -> Feature:
    return Feature(re.compile(words, re.IGNORECASE), variables=told)


FEATURES = (
    _feature(r"v cache|cache.?type|quantized (?:v|kv) cache", variables.CACHE_TYPE.name),
    _feature(r"flash.?att", variables.FLASH_ATTENTION.name),
    _feature(r"vulkan|\bvk", "OLLAMA_VULKAN"),
    _feature(r"librar", "OLLAMA_LLM_LIBRARY", "OLLAMA_LIBRARY_PATH"),
    _feature(r"remote|cloud", "OLLAMA_REMOTES"),
    _feature(r"overhead", "OLLAMA_GPU_OVERHEAD"),
)
