"""What Ollama is told, all of it by variables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llm_widgets.engines.settings import Variable

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.settings import Container

DEFAULT_CONTEXT = 4096  # tokens


@dataclass(frozen=True, slots=True)
class Address:
    """A variable with the address where Ollama listens, of which the port is what counts."""

    name: str
    default: str
    field: str = field(default="environment", init=False)

    def written(self, port: int | str) -> str:
        """Write the address of a port, for all who can reach the container."""
        return f"0.0.0.0:{port}"

    def told(self, container: Container) -> str:
        """Return the port; the host before it may be written in any way."""
        address = container.environment.get(self.name) or self.written(self.default)
        return address.rpartition(":")[2]

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Set its port to another one."""
        told = {**deployment.environment, self.name: self.written(value)}
        return replace(deployment, environment=told)

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Set its port to another one where it had this one."""
        is_so = deployment.environment.get(self.name) == self.written(before)
        return self.tell(deployment, after) if is_so else deployment


CONTEXT = Variable("OLLAMA_CONTEXT_LENGTH")
PARALLEL = Variable("OLLAMA_NUM_PARALLEL")
FOLDER = Variable("OLLAMA_MODELS")
HOST = Address("OLLAMA_HOST", "11434")
CACHE_TYPE = Variable("OLLAMA_KV_CACHE_TYPE", "f16")
FLASH_ATTENTION = Variable("OLLAMA_FLASH_ATTENTION", "1")
MODEL = Variable("MODEL")
"""Read by the command of the recipe, not by Ollama."""

_OTHERS_OF_MEMORY = ("OLLAMA_NEW_ENGINE", "OLLAMA_GPU_OVERHEAD", "OLLAMA_LLM_LIBRARY")


def has_flash_attention(deployment: Deployment) -> bool:
    """Return whether attention is computed piece by piece."""
    return FLASH_ATTENTION.told(deployment).lower() not in ("0", "false")


def memory_settings(deployment: Deployment) -> dict[str, str]:
    """Return the variables that memory depends on, by name, and their defaults."""
    given = deployment.environment
    return {
        CONTEXT.name: CONTEXT.told(deployment) or str(DEFAULT_CONTEXT),
        PARALLEL.name: PARALLEL.told(deployment) or "1",
        CACHE_TYPE.name: CACHE_TYPE.told(deployment),
        FLASH_ATTENTION.name: "1" if has_flash_attention(deployment) else "0",
        **{name: given[name] for name in _OTHERS_OF_MEMORY if given.get(name)},
    }
