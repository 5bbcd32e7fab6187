"""What Ollama and the part of it that runs models (llama.cpp) say when a model does not load."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    DEFAULT_IMAGE,
    FEWER_REQUESTS,
    IMPORT_AGAIN,
    LESS_CONTEXT,
    MORE_MEMORY,
    NEWER_IMAGE,
    RETRY,
    SMALLER_MODEL,
    UNANSWERED,
)
from llm_widgets.domain.failures.known_failure import (
    KnownFailure,
    Rank,
    anywhere,
    logged,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_TAGS = "https://hub.docker.com/r/ollama/ollama/tags"
NEWER_OLLAMA = Advice(
    RemedyKind.OPEN_LINK, "Use a newer image of Ollama that knows the model.", url=_TAGS
)
_OTHER = Advice(RemedyKind.OPEN_LINK, "Use another version of Ollama's image.", url=_TAGS)

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="ollama-pre-tokenizer",
        rank=Rank.ENGINE,
        signs=(anywhere(r"unknown pre-tokenizer type: '(?P<name>[\w.-]{1,80})'"),),
        causes=("This version of Ollama does not know how the model splits text, {name}.",),
        advice=(NEWER_IMAGE, NEWER_OLLAMA),
        source="ggml-org/llama.cpp: src/llama-vocab.cpp",
        versions="Ollama 0.1.30 to 0.30",
    ),
    KnownFailure(
        id="ollama-tensors",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"wrong number of tensors; expected (?P<wanted>\d{1,6}), got (?P<have>\d{1,6})"
            ),
            anywhere(r"missing tensor '(?P<name>[\w./-]{1,100})'"),
            anywhere(
                r"check_tensor_dims: tensor '(?P<name>[\w./-]{1,100})' (?:has wrong shape|not "
                r"found)"
            ),
            anywhere(r"key not found in model: (?P<name>[\w.-]{1,100})"),
            anywhere(r"key '?(?P<name>[\w.-]{1,100})'? has wrong type"),
            anywhere(r"tensor '(?P<name>[\w./-]{1,100})' has invalid ggml type"),
            anywhere(r"invalid ggml type|unsupported tensor type"),
        ),
        causes=(
            "The model's file has {have} parts where this version of Ollama expects {wanted}.",
            "The model's file does not go with this version of Ollama: {name}.",
            "The model's file does not go with this version of Ollama.",
        ),
        advice=(
            NEWER_IMAGE,
            NEWER_OLLAMA,
            Advice(
                RemedyKind.NONE,
                "Or import the model from Ollama's own library: files of others can be made for "
                "llama.cpp only.",
            ),
        ),
        source="ggml-org/llama.cpp: src/llama-model-loader.cpp",
        versions="Ollama 0.1.30 to 0.30",
    ),
    KnownFailure(
        id="ollama-cache-type",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"V cache quantization requires flash_?attn"),
            anywhere(
                r"(?:unsupported|invalid|unknown) (?:kv )?cache type:? ?\W?(?P<name>\w{0,20})"
            ),
            anywhere(r"quantized KV cache requested but "),
        ),
        causes=("The type of the cache, OLLAMA_KV_CACHE_TYPE, does not go with this model.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with OLLAMA_KV_CACHE_TYPE=f16, the default.",
                {"environment": "OLLAMA_KV_CACHE_TYPE=f16"},
            ),
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with OLLAMA_FLASH_ATTENTION=1, which quantized caches need.",
                {"environment": "OLLAMA_FLASH_ATTENTION=1"},
            ),
        ),
        source="ggml-org/llama.cpp: src/llama-context.cpp",
        versions="Ollama 0.5 to 0.30",
    ),
    KnownFailure(
        id="ollama-embedding",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"embedding models require input text"),
            anywhere(r"does not support (?:generate|chat)\b"),
        ),
        causes=(
            (
                "It is an embedding model: the container's command loads models by a conversation, "
                "which this one does not take."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Take the container's command from a new deployment of the model: the one that is "
                "offered now loads embedding models too.",
            ),
        ),
        source="ollama/ollama: cmd/cmd.go",
        versions="Ollama 0.9 to 0.30",
    ),
    KnownFailure(
        id="ollama-stopped",
        rank=Rank.ENGINE_ENDED,
        signs=(
            anywhere(r"model runner has unexpectedly stopped"),
            anywhere(r"process has terminated: signal: killed"),
            anywhere(r"no longer running: -1|signal: killed"),
        ),
        causes=(
            (
                "The part of Ollama that runs the model was killed from outside, usually out "
                "of memory."
            ),
        ),
        advice=(MORE_MEMORY, LESS_CONTEXT, FEWER_REQUESTS, BIGGER_GPU, SMALLER_MODEL),
        source="ollama/ollama: llm/server.go",
        versions="Ollama 0.5 to 0.30",
    ),
    KnownFailure(
        id="ollama-crash",
        rank=Rank.ENGINE_ENDED,
        signs=(
            anywhere(r"process has terminated: (?P<detail>error:fault)"),
            anywhere(
                r"do load request: Post .{0,60}?: (?P<detail>EOF|[\w: >.-]{0,80}reset by peer)"
            ),
            anywhere(r"process has terminated: (?P<detail>exit status (?:0x)?\w{1,12})"),
            anywhere(r"process has terminated: (?P<detail>signal: [\w ()]{1,60})"),
            anywhere(r"process has terminated: (?P<detail>GGML_ASSERT[^\n\"]{1,200})"),
        ),
        causes=(
            (
                "The part of Ollama that runs the model, its runner, crashed while it loaded it: "
                "{detail}."
            ),
        ),
        advice=(NEWER_IMAGE, RETRY, DEFAULT_IMAGE, _OTHER),
        source="ollama/ollama#11710",
        versions="Ollama 0.1.30 to 0.30",
    ),
    KnownFailure(
        id="ollama-not-loaded",
        rank=Rank.LATE,
        signs=(anywhere(r"model failed to load, this may be due to resource limitations"),),
        causes=(
            (
                "Ollama's runner did not load the model. This line does not say why: memory that "
                "does not suffice is usual, and the lines before it may tell more."
            ),
        ),
        advice=(
            MORE_MEMORY,
            LESS_CONTEXT,
            Advice(
                RemedyKind.NONE,
                "Read the log before this line; with the variable OLLAMA_DEBUG=1 it tells more.",
            ),
            SMALLER_MODEL,
            NEWER_IMAGE,
        ),
        source="ollama/ollama: server/sched.go",
        versions="Ollama 0.5 to 0.30",
    ),
    KnownFailure(
        id="ollama-driver",
        rank=Rank.LATE,
        signs=(
            logged(r"cuda driver library (?P<detail>failed to get device context \d{1,4})"),
            logged(r"cuda driver library (?P<detail>init failure: \d{1,4})"),
            logged(r"(?P<detail>error looking up nvidia GPU memory)"),
        ),
        causes=(
            (
                "Ollama could not use the GPU, and computes with the processor: its driver did not "
                "answer ({detail})."
            ),
        ),
        advice=(
            RETRY,
            NEWER_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Or use another version of Ollama's image, one that goes with the driver.",
            ),
        ),
        source="ollama/ollama#6364",
        versions="Ollama 0.1.30 to 0.13",
    ),
    KnownFailure(
        id="ollama-no-gpu",
        rank=Rank.LATE,
        signs=(
            logged(r"no compatible GPUs were discovered"),
            logged(r"offloaded 0/(?P<layers>\d{1,4}) layers to GPU"),
            logged(r"inference compute.{0,40}? library=cpu\b"),
            logged(r"no nvidia devices detected"),
            logged(r"unable to load (?:cuda|nvidia)[\w ]{1,40}library"),
        ),
        causes=(
            (
                "Ollama put none of the model's {layers} layers on the GPU and computes with the "
                "processor, too slowly to be ready in time."
            ),
            "Ollama found no GPU and computes with the processor, too slowly to be ready in time.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {cuda_image}, which runs with the older drivers of GPUs.",
                {"image": "{cuda_image}"},
                needs=("gpu",),
            ),
            NEWER_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Deploy with a GPU, if it has none; if it has one, use another version of "
                "Ollama's image: this one can't use its driver.",
            ),
        ),
        source="ollama/ollama#12303",
        given=UNANSWERED,
        versions="Ollama 0.1.30 to 0.30",
    ),
    KnownFailure(
        id="ollama-digest",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"digest mismatch, file must be downloaded again"),
            anywhere(r"invalid digest format"),
            anywhere(r"manifest.{0,80}?(?:invalid character|unexpected end of JSON)"),
        ),
        causes=("A file of the model is not what its manifest says.",),
        advice=(IMPORT_AGAIN,),
        source="ollama/ollama: server/images.go",
        versions="Ollama 0.1 to 0.30",
    ),
)
