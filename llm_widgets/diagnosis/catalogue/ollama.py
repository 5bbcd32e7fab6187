"""Models and folders that Ollama does not take."""

from __future__ import annotations

from llm_widgets.diagnosis.failure import Kind, Rank, anywhere, logged
from llm_widgets.diagnosis.remedies import Advice, RemedyKind

_NEWEST = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with {newer_image}, which is newer than {image}.",
    {"image": "{newer_image}"},
)
_NEWER = Advice(
    RemedyKind.OPEN_LINK,
    "Use a newer image of Ollama that knows the model.",
    url="https://hub.docker.com/r/ollama/ollama/tags",
)
_FOLDER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with OLLAMA_MODELS={right_folder}, where the bucket is mounted.",
    {"environment": "OLLAMA_MODELS={right_folder}"},
)
_ELSEWHERE = (
    "Ollama looks for models in {told_folder}, and the bucket is mounted at {right_folder}."
)
_IMPLICIT = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with the mount option implicit-dirs: without it, folders of the bucket can be "
    "invisible.",
    {"add_mount_options": "implicit-dirs"},
    needs=("bucket",),
)
_CHECK = Advice(
    RemedyKind.NONE,
    "Check that the mounted folder has the folders manifests and blobs of the model; if not, "
    "import it again.",
)

KINDS: tuple[Kind, ...] = (
    Kind(
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
        advice=(_FOLDER, _IMPLICIT, _CHECK),
        source="ollama/ollama: manifest/paths.go",
    ),
    Kind(
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
                "Deploy it with OLLAMA_NOPRUNE=1.",
                {"environment": "OLLAMA_NOPRUNE=1"},
            ),
            _CHECK,
        ),
        source="NixOS/nixpkgs#304531",
    ),
    Kind(
        id="ollama-too-old",
        rank=Rank.ENGINE,
        signs=(anywhere(r"requires a newer version of Ollama"),),
        causes=("The model needs a newer version of Ollama.",),
        advice=(_NEWEST, _NEWER),
        source="gpustack/gpustack#1580",
    ),
    Kind(
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
                "Deploy it with {right_model}, the model of the mounted folder.",
                {"environment": "MODEL={right_model}"},
            ),
            _FOLDER,
            _IMPLICIT,
            _CHECK,
        ),
        source="ollama/ollama: server/images.go",
    ),
    Kind(
        id="ollama-architecture",
        rank=Rank.ENGINE,
        signs=(anywhere(r"unknown model architecture: '(?P<architecture>[\w.-]{1,80})'"),),
        causes=("This version of Ollama does not know the model's architecture, {architecture}.",),
        advice=(_NEWEST, _NEWER),
        source="ollama/ollama#16014",
    ),
    Kind(
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
                "Deploy it with OLLAMA_LOAD_TIMEOUT=30m.",
                {"environment": "OLLAMA_LOAD_TIMEOUT=30m"},
            ),
            Advice(
                RemedyKind.NONE,
                "Give it more memory, so that a file cache holds the model.",
            ),
        ),
        source="ollama/ollama: llm/llama_server.go",
    ),
    Kind(
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
            Advice(
                RemedyKind.OPEN_LINK,
                "Look for the first error in the log.",
                url="{logs_url}",
            ),
            _NEWEST,
            _NEWER,
        ),
        source="ollama/ollama#9782",
    ),
)
