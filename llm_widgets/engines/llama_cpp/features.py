"""What llama.cpp's server does only where it is told to, by the words of errors about it.

Source: ``tools/server/README.md`` of llama.cpp.
"""

from __future__ import annotations

import re

from llm_widgets.engines.base import Feature
from llm_widgets.engines.llama_cpp import variables


def _feature(words: str, *arguments: str, told: tuple[str, ...]) -> Feature:
    return Feature(re.compile(words, re.IGNORECASE), arguments, told)


FEATURES = (
    _feature(
        r"draft|speculat|\bmtp\b",
        "--model-draft",
        "--spec-draft-model",
        "-md",
        told=("LLAMA_ARG_MODEL_DRAFT", "LLAMA_ARG_SPEC_DRAFT_MODEL"),
    ),
    _feature(r"mmproj|clip|mtmd|multimodal|projector", "--mmproj", told=(variables.PROJECTOR,)),
    _feature(
        r"v cache|cache.?type|kv cache type",
        "--cache-type-v",
        "--cache-type-k",
        told=("LLAMA_ARG_CACHE_TYPE_V", variables.CACHE_TYPE.name),
    ),
    _feature(r"flash.?att", "--flash-attn", "-fa", told=(variables.FLASH_ATTENTION.name,)),
    _feature(
        r"chat.?template|jinja",
        "--chat-template-file",
        "--chat-template",
        told=("LLAMA_ARG_CHAT_TEMPLATE_FILE", "LLAMA_ARG_CHAT_TEMPLATE"),
    ),
    _feature(r"\blora", "--lora", told=("LLAMA_ARG_LORA",)),
    _feature(r"\bssl|certificate", "--ssl-key-file", told=("LLAMA_ARG_SSL_KEY_FILE",)),
    _feature(r"tensor.?split|split.?mode", "--tensor-split", told=("LLAMA_ARG_TENSOR_SPLIT",)),
    _feature(r"mlock", "--mlock", told=("LLAMA_ARG_MLOCK",)),
    _feature(r"embedding|pooling", "--pooling", told=("LLAMA_ARG_POOLING",)),
)
