"""What Ollama says when it fails: models and folders that it does not take."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import (
    FIRST_ERROR,
    IMPLICIT_DIRS,
    IMPORT_AGAIN,
    LESS_CONTEXT,
    MORE_MEMORY,
    NEWER_IMAGE,
    SMALLER_MODEL,
)
from llm_widgets.domain.failures.known_failure import KnownFailure, Rank, anywhere, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.engines.ollama import catalogue_runner

_FOLDER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with OLLAMA_MODELS={right_folder}, where the bucket is mounted.",
    {"environment": "OLLAMA_MODELS={right_folder}"},
)
_ELSEWHERE = (
    "Ollama looks for models in {told_folder}, and the bucket is mounted at {right_folder}."
)
_CHECK = Advice(
    RemedyKind.NONE,
    "Check that the mounted folder has the folders manifests and blobs of the model; if not, "
    "import it again.",
)

FAILURES: tuple[KnownFailure, ...] = (
    *catalogue_runner.FAILURES,
    KnownFailure(
        id="ollama-memory",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"model requires more system memory(?: \((?P<wanted>[\d.]{1,10} [KMG]i?B)\) than "
                r"is available \((?P<free>[\d.]{1,10} [KMG]i?B)\))?"
            ),
        ),
        causes=(
            "The model needs {wanted} of memory, and the container has {free} free.",
            "The model needs more memory than the container has free.",
        ),
        advice=(
            MORE_MEMORY,
            LESS_CONTEXT,
            SMALLER_MODEL,
        ),
        source="ollama/ollama: integration/utils_test.go",
    ),
    KnownFailure(
        id="blob-missing",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"open (?P<path>/[^\s'\"]{1,250}/blobs/sha256-[0-9a-f]{6,64}): no such file"),
            anywhere(
                r"no such file or directory.{0,20}?(?P<path>/[^\s'\"]{1,250}/blobs/sha256-\w)"
            ),
        ),
        causes=("A file of the model is not in the bucket: {path}.",),
        advice=(IMPORT_AGAIN,),
        source="ollama/ollama: server/images.go",
    ),
    KnownFailure(
        id="ollama-read-only",
        rank=Rank.ENGINE,
        signs=(anywhere(r"read-only file system: ensure path elements are traversable"),),
        causes=(
            _ELSEWHERE,
            (
                "Ollama finds no folder blobs or manifests in the mounted folder, and can't make "
                "them: the bucket is mounted to be read only."
            ),
        ),
        advice=(_FOLDER, IMPLICIT_DIRS, _CHECK),
        source="ollama/ollama: manifest/paths.go",
    ),
    KnownFailure(
        id="ollama-prune",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"\b(?P<action>remove|rename|unlinkat) (?P<path>/[^\s:]{1,300}"
                r"(?:blobs|manifests)[^\s]{0,300}): read-only file system"
            ),
        ),
        causes=("Ollama wants to tidy up its folder, which is mounted to be read only: {path}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with OLLAMA_NOPRUNE=1.",
                {"environment": "OLLAMA_NOPRUNE=1"},
            ),
            _CHECK,
        ),
        source="NixOS/nixpkgs#304531",
    ),
    KnownFailure(
        id="ollama-too-old",
        rank=Rank.ENGINE,
        signs=(anywhere(r"requires a newer version of Ollama"),),
        causes=("The model needs a newer version of Ollama.",),
        advice=(NEWER_IMAGE, catalogue_runner.NEWER_OLLAMA),
        source="gpustack/gpustack#1580",
    ),
    KnownFailure(
        id="ollama-model-missing",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"(?:Error: |\"error\": ?\")model ['\"\\]{1,2}(?P<name>[\w./:-]{1,200})['\"\\]{1,2}"
                r" not found"
            ),
            anywhere(r"pull model manifest: file does not exist"),
            anywhere(r"pull model manifest: (?P<detail>[^\n]{1,200})"),
        ),
        causes=(
            _ELSEWHERE,
            "The mounted folder has no model {name}.",
            "The mounted folder has no model {model}, and it could not be downloaded either.",
            "The mounted folder does not have the model, and it could not be downloaded either.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {right_model}, the model of the mounted folder.",
                {"environment": "MODEL={right_model}"},
            ),
            _FOLDER,
            IMPLICIT_DIRS,
            _CHECK,
        ),
        source="ollama/ollama: server/images.go",
    ),
    KnownFailure(
        id="ollama-architecture",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"unknown model architecture: '(?P<architecture>[\w.-]{1,80})'"),
            anywhere(r"unsupported model architecture:? \W?(?P<architecture>[\w.-]{1,80})"),
        ),
        causes=("This version of Ollama does not know the model's architecture, {architecture}.",),
        advice=(NEWER_IMAGE, catalogue_runner.NEWER_OLLAMA),
        source="ollama/ollama#16014",
    ),
    KnownFailure(
        id="ollama-file-old",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"is no longer compatible with your version of Ollama"),
            anywhere(r"this model may be incompatible with your version of Ollama"),
        ),
        causes=("The model's file is not of the form that this version of Ollama reads.",),
        advice=(IMPORT_AGAIN, NEWER_IMAGE, catalogue_runner.NEWER_OLLAMA),
        source="ollama/ollama: server/routes.go, server/sched.go",
    ),
    KnownFailure(
        id="ollama-load-timeout",
        rank=Rank.ENGINE,
        signs=(
            anywhere(
                r"timed out waiting for (?:llama[ -]?(?:runner|server)|server)(?: process)? to "
                r"start"
            ),
        ),
        causes=("Ollama gave up loading the model: reading it from the bucket took too long.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with OLLAMA_LOAD_TIMEOUT=30m.",
                {"environment": "OLLAMA_LOAD_TIMEOUT=30m"},
            ),
            Advice(
                RemedyKind.NONE,
                "Give it more memory, so that a file cache holds the model.",
            ),
        ),
        source="ollama/ollama: llm/llama_server.go",
    ),
    KnownFailure(
        id="ollama-load",
        rank=Rank.ENGINE_ENDED,
        signs=(
            anywhere(
                r"llama[ -]?(?:runner|server) process has terminated: (?P<detail>[^\n\"]{1,200})"
            ),
            anywhere(r"(?<!error=\")unable to load model: (?P<path>[^\s\"]{1,300})"),
            logged(r"llama-server process no longer running: (?P<detail>[^\n\"]{1,200})"),
        ),
        causes=(
            "The part of Ollama that runs the model ended: {detail}",
            "Ollama could not load the model's file, {path}.",
        ),
        advice=(
            FIRST_ERROR,
            NEWER_IMAGE,
            catalogue_runner.NEWER_OLLAMA,
        ),
        source="ollama/ollama#9782",
    ),
    KnownFailure(
        id="queue-full",
        rank=Rank.SERVICE,
        signs=(logged(r"server busy, please try again\. {1,2}maximum pending requests exceeded"),),
        causes=("Ollama has as many requests waiting as it takes.",),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Lower the service's concurrency, or allow it more instances.",
            ),
        ),
        source="ollama/ollama: server/sched.go",
    ),
)
