"""Engines that this product recognises and asks, and does not deploy."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_widgets.domain.loading import Task
from llm_widgets.engines.base import Api
from llm_widgets.engines.recognising import Signs


@dataclass(frozen=True, slots=True)
class Other:
    """One of them.

    Attributes
    ----------
    id, label
        As those of an engine.
    api
        Where it answers OpenAI's protocol.
    task
        What all its models do; ``None`` where they differ.
    """

    id: str
    label: str
    api: Api
    signs: Signs
    task: Task | None = None


OTHERS = (
    Other(
        "sglang",
        "SGLang",
        Api(paths={Task.EMBED: "/embeddings", Task.RERANK: "/rerank"}),
        Signs(
            own=re.compile(r"/lmsysorg/sglang(:|$)"),
            named=re.compile(r"sglang"),
            programs=(("sglang.launch_server",), ("sglang", "serve")),
            variables=("SGLANG_",),
            port=30000,
            model=("--model-path", "--model"),
            served=("--served-model-name",),
        ),
    ),
    Other(
        "tgi",
        "Text Generation Inference",
        Api(),
        Signs(
            own=re.compile(r"text-generation-inference"),
            named=re.compile(r"^tgi(-|$)"),
            programs=(("text-generation-launcher",),),
            variables=("MAX_TOTAL_TOKENS", "MAX_BATCH_PREFILL_TOKENS"),
            model=("--model-id",),
        ),
    ),
    Other(
        "tei",
        "Text Embeddings Inference",
        Api(paths={Task.EMBED: "/embeddings"}),
        Signs(
            own=re.compile(r"text-embeddings-inference"),
            named=re.compile(r"^tei(-|$)"),
            programs=(("text-embeddings-router",),),
            model=("--model-id",),
        ),
        Task.EMBED,
    ),
    Other(
        "nim",
        "NVIDIA NIM",
        Api(),
        Signs(
            own=re.compile(r"/nvcr\.io/nim/"),
            named=re.compile(r"^nim(-|$)"),
            programs=(),
            variables=("NIM_",),
            model_image=re.compile(r"/nvcr\.io/nim/(?P<model>[\w.-]{1,60}/[\w.-]{1,100})"),
            model_variables=("NIM_MODEL_NAME",),
            served_variables=("NIM_SERVED_MODEL_NAME",),
        ),
    ),
)
