"""GGUF files that a program does not take: of another program, form or version, or in parts."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import DEFAULT_IMAGE, IMPORT_AGAIN, NEWER_IMAGE
from llm_widgets.domain.failures.known_failure import KnownFailure, Rank, anywhere
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_KEY = r"(?P<name>[\w.-]{1,100})"
_OTHER_FILE = Advice(
    RemedyKind.NONE,
    "Import another GGUF of the model, for example from another repository: files of Ollama's "
    "library can be of a form of its own, which Ollama alone reads.",
)
_NEWEST = Advice(RemedyKind.NONE, "Use the newest version of the program's image.")

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="gguf-setting",
        rank=Rank.ENGINE,
        signs=(
            anywhere(rf"key not found in model: {_KEY}"),
            anywhere(rf"key '?{_KEY}'? has wrong (?:type|array length)"),
            anywhere(r"has wrong array element type"),
            anywhere(rf"expected scalar, found array for key: {_KEY}"),
            anywhere(rf"array length \d{{1,9}} for key {_KEY} exceeds max"),
            anywhere(rf"cannot find {_KEY} (?:vocab|scores|merges) in model file"),
        ),
        causes=(
            (
                "The GGUF file lacks {name}, or has it in another form: it was made for another "
                "program, or another version of this one."
            ),
            "The GGUF file was made for another program, or another version of this one.",
        ),
        advice=(NEWER_IMAGE, _OTHER_FILE, _NEWEST),
        source="ggml-org/llama.cpp: src/llama-model-loader.cpp, src/llama-vocab.cpp",
    ),
    KnownFailure(
        id="gguf-form",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"unknown \(magic, version\) combination"),
            anywhere(r"GGUFv1 is no longer supported"),
            anywhere(r"this GGUF file is version \d{1,9} but this software only supports"),
            anywhere(r"this GGUF file version \d{1,12} is extremely large"),
            anywhere(r"bad GGUF version"),
        ),
        causes=("The form of the model's file and the version of the program don't go together.",),
        advice=(
            NEWER_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Import the model as a GGUF file of today: the older forms of ggml can't be read "
                "any more.",
            ),
            _NEWEST,
        ),
        source="ggml-org/llama.cpp: ggml/src/gguf.cpp",
    ),
    KnownFailure(
        id="gguf-type",
        rank=Rank.ENGINE,
        signs=(
            anywhere(rf"tensor '{_KEY}' has invalid ggml type (?P<type>\d{{1,6}})"),
            anywhere(rf"tensor '{_KEY}' of type \d{{1,6}} .{{0,40}}not a multiple of block size"),
        ),
        causes=(
            (
                "This version of the program does not know the type {type} of the file's tensors: "
                "a newer kind of quantization, or one of another program."
            ),
            "The file's tensor {name} does not go with its quantization.",
        ),
        advice=(
            NEWER_IMAGE,
            Advice(RemedyKind.NONE, "Import another quantization of the model, such as Q4_K_M."),
            _NEWEST,
        ),
        source="ggml-org/llama.cpp: ggml/src/gguf.cpp",
    ),
    KnownFailure(
        id="gguf-parts",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"(?:illegal|invalid) split (?:file|count)"),
            anywhere(r"failed to load GGUF split from"),
            anywhere(r"missing key \S{1,40} in GGUF split"),
            anywhere(r"corrupted model: \d{1,9} tensors expected but \d{1,9} found"),
        ),
        causes=(
            (
                "The model's file is in several parts, and the first one is not named, or not all "
                "are there."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Keep all parts in one folder under the names that they have at the hub, and name "
                "the first one: …-00001-of-….gguf.",
            ),
            IMPORT_AGAIN,
            DEFAULT_IMAGE,
        ),
        source="ggml-org/llama.cpp: src/llama-model-loader.cpp",
    ),
)
