"""What llama.cpp's server is told: by variables, as its command line knows no ``--flag=value``.

Source: ``tools/server/README.md`` of llama.cpp, where each argument has its variable.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llm_widgets.domain.loading import POOLING, Task
from llm_widgets.engines.settings import Variable

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.settings import Container

MODEL = "LLAMA_ARG_MODEL"
"""The file with the weights."""

PROJECTOR = "LLAMA_ARG_MMPROJ"
"""The file with the part of a model that reads pictures."""

BLOBS = "/blobs/"
"""What stands between the folder of a model and its files."""

CELLS = "LLAMA_ARG_CTX_SIZE"
"""Tokens of all requests at once: each of them gets an equal share."""

PORT = Variable("LLAMA_ARG_PORT", "8080")
CACHE_TYPE = Variable("LLAMA_ARG_CACHE_TYPE_K", "f16")
FLASH_ATTENTION = Variable("LLAMA_ARG_FLASH_ATTN", "auto")
EMBEDDINGS = Variable("LLAMA_ARG_EMBEDDINGS")
RANKING = Variable("LLAMA_ARG_RERANKING")
_REQUESTS = Variable("LLAMA_ARG_N_PARALLEL", "1")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Context:
    """The tokens of a request: a share of the variable that has those of all."""

    name: str = CELLS
    field: str = field(default="environment", init=False)

    def told(self, container: Container) -> str:
        """Return the tokens of a request; empty where the model's own length is taken."""
        cells = _number(container.environment.get(self.name, ""))
        requests = max(1, _number(_REQUESTS.told(container)))
        return str(cells // requests) if cells else ""

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Set the tokens of all requests, so that each has this many."""
        requests = max(1, _number(_REQUESTS.told(deployment)))
        told = {**deployment.environment, self.name: str(_number(value) * requests)}
        return replace(deployment, environment=told)

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Set the tokens of a request where they were these."""
        return self.tell(deployment, after) if self.told(deployment) == before else deployment


@dataclass(frozen=True, slots=True)
class Parallel:
    """The requests at once; the tokens of each stay what they are."""

    name: str = _REQUESTS.name
    field: str = field(default="environment", init=False)

    def told(self, container: Container) -> str:
        """Return the requests at once."""
        return _REQUESTS.told(container)

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Set the requests at once."""
        context = CONTEXT.told(deployment)
        told = _REQUESTS.tell(deployment, value)
        return CONTEXT.tell(told, context) if context else told

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Set the requests at once where they were these."""
        given = deployment.environment.get(self.name)
        return self.tell(deployment, after) if given == before else deployment


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder that the files of the model are in."""

    name: str = MODEL
    field: str = field(default="environment", init=False)

    def told(self, container: Container) -> str:
        """Return the folder of the file with the weights."""
        return container.environment.get(self.name, "").partition(BLOBS)[0]

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Return the deployment with the files of the model in this folder."""
        return self.follow(deployment, self.told(deployment), value)

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Return the deployment with the files in another folder where they were in this one."""
        start = f"{before}{BLOBS}"
        moved = {
            name: f"{after}{BLOBS}{text.removeprefix(start)}"
            for name, text in deployment.environment.items()
            if name in (MODEL, PROJECTOR) and before and text.startswith(start)
        }
        return replace(deployment, environment={**deployment.environment, **moved})


CONTEXT = Context()
PARALLEL = Parallel()
FOLDER = Folder()

_OF_MEMORY = (
    "LLAMA_ARG_BATCH",
    "LLAMA_ARG_CACHE_TYPE_K",
    "LLAMA_ARG_CACHE_TYPE_V",
    "LLAMA_ARG_CTX_SIZE",
    "LLAMA_ARG_EMBEDDINGS",
    "LLAMA_ARG_FLASH_ATTN",
    "LLAMA_ARG_MMPROJ",
    "LLAMA_ARG_N_GPU_LAYERS",
    "LLAMA_ARG_N_PARALLEL",
    "LLAMA_ARG_RERANKING",
    "LLAMA_ARG_UBATCH",
)


_ON = frozenset({"1", "true", "on", "enabled"})
"""Values that switch something on (``common/arg.cpp``)."""


def task(container: Container, said: Task | None) -> Task | None:
    """Return what a service does, as it is told.

    The server makes vectors, or ranks, only where it is told to; it sees with a projector alone.
    """
    if RANKING.told(container).lower() in _ON:
        return Task.RERANK
    if EMBEDDINGS.told(container).lower() in _ON:
        return Task.EMBED
    if container.environment.get(PROJECTOR):
        return Task.VISION
    return Task.CHAT if said is Task.VISION or said in POOLING else said


def memory_settings(deployment: Deployment) -> dict[str, str]:
    """Return those of a deployment's variables that memory depends on."""
    told = deployment.environment
    return {name: told[name] for name in _OF_MEMORY if name in told}
