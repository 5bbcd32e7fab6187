"""What llama.cpp's server says when it does not start."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    FEWER_REQUESTS,
    IMPORT_AGAIN,
    LESS_CONTEXT,
    MORE_MEMORY,
    SMALLER_MODEL,
)
from llm_widgets.domain.failures.known_failure import KnownFailure, Rank, anywhere
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_VERSIONS = "https://github.com/ggml-org/llama.cpp/pkgs/container/llama.cpp"
_NEWER = Advice(
    RemedyKind.OPEN_LINK, "Use a newer image of llama.cpp that knows the model.", url=_VERSIONS
)
_PATH = r"(?P<path>/[\w./:@+-]{1,300})"

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="llama-cpp-gpu-memory",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"allocating (?P<size>\d{1,7}(?:\.\d{1,2})?) MiB on device \d{1,2}: "
                r"cudaMalloc failed: out of memory"
            ),
            anywhere(r"unable to allocate CUDA\d{1,2} buffer"),
            anywhere(r"failed to allocate CUDA\d{1,2} buffer"),
        ),
        causes=(
            "The GPU has no room for another {size} MiB of the model or its cache.",
            "The GPU has no room for the model and its cache.",
        ),
        advice=(LESS_CONTEXT, FEWER_REQUESTS, BIGGER_GPU, SMALLER_MODEL),
        source="ggml-org/llama.cpp: ggml/src/ggml-cuda/ggml-cuda.cu",
    ),
    KnownFailure(
        id="llama-cpp-memory",
        rank=Rank.ENGINE,
        signs=(anywhere(r"unable to allocate CPU(?:_\w{1,20})? buffer"),),
        causes=("The container has no room for the model in its memory.",),
        advice=(MORE_MEMORY, SMALLER_MODEL),
        source="ggml-org/llama.cpp: ggml/src/ggml-backend.cpp",
    ),
    KnownFailure(
        id="llama-cpp-architecture",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"unknown model architecture: '(?P<architecture>[\w.-]{1,80})'"),
            anywhere(r"unknown pre-tokenizer type: '(?P<name>[\w.-]{1,80})'"),
        ),
        causes=(
            "This version of llama.cpp does not know the model's architecture {architecture}.",
            "This version of llama.cpp does not know the tokenizer {name}, which the model needs.",
        ),
        advice=(_NEWER,),
        source="ggml-org/llama.cpp: src/llama-model.cpp, src/llama-vocab.cpp",
    ),
    KnownFailure(
        id="llama-cpp-file",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"error while handling (?:argument|environment variable) "
                rf"\"(?P<argument>[\w-]{{2,60}})\": (?:error: )?failed to open file '{_PATH}"
            ),
            anywhere(
                r"error while handling (?:argument|environment variable) "
                rf"\"(?P<argument>[\w-]{{2,60}})\": (?:error: )?file does not exist.{{0,20}}{_PATH}"
            ),
            anywhere(rf"failed to open GGUF file '?{_PATH}"),
            anywhere(rf"invalid argument: .{{0,80}}model.{{0,80}}{_PATH}"),
        ),
        causes=(
            "The file {path}, which {argument} names, is missing or can't be opened.",
            "llama.cpp can't open {path}.",
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Copy the file to the bucket, and give {argument} its path below the mount path; "
                "or leave {argument} out.",
            ),
            Advice(
                RemedyKind.NONE,
                "Check LLAMA_ARG_MODEL and the mount path: the file must lie below it.",
            ),
            IMPORT_AGAIN,
        ),
        source="ggml-org/llama.cpp: ggml/src/gguf.cpp",
    ),
    KnownFailure(
        id="llama-cpp-template",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"chat template parsing error: (?P<detail>\w.{0,200})"),
            anywhere(r"(?P<detail>chat template parsing error:)"),
            anywhere(r"failed to initialize chat template"),
            anywhere(r"Unable to generate parser for this template"),
            anywhere(r"the supplied chat template is not supported"),
        ),
        causes=(
            "llama.cpp can't work out the model's chat template: {detail}",
            "llama.cpp can't work out the model's chat template.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with one of llama.cpp's own templates, as --no-jinja and --chat-template "
                "chatml do; tools don't work with these.",
                {"environment": "LLAMA_ARG_JINJA=0;LLAMA_ARG_CHAT_TEMPLATE=chatml"},
            ),
            _NEWER,
            Advice(
                RemedyKind.NONE,
                "Import a newer GGUF of the model: its template may have been corrected; or name "
                "a corrected template by LLAMA_ARG_CHAT_TEMPLATE_FILE.",
            ),
        ),
        source="ggml-org/llama.cpp: tools/server/server-context.cpp, common/chat.cpp",
    ),
    KnownFailure(
        id="llama-cpp-tensors",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"missing tensor '(?P<name>[\w./-]{1,100})'"),
            anywhere(r"wrong number of tensors; expected \d{1,6}, got \d{1,6}"),
            anywhere(r"tensor '(?P<name>[\w./-]{1,100})' data is not within the file bounds"),
        ),
        causes=(
            "The file does not go with this version of llama.cpp: {name}.",
            "The file does not go with this version of llama.cpp.",
        ),
        advice=(
            IMPORT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "Serve it with the other engine: some models of its library are of a form of its "
                "own.",
            ),
            _NEWER,
        ),
        source="ggml-org/llama.cpp: src/llama-model-loader.cpp",
    ),
)
"""Failures of llama.cpp alone."""
