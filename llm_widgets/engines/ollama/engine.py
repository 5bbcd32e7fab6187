"""Ollama, as :class:`llm_widgets.engines.base.Engine` asks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import ADDRESS
from llm_widgets.domain.failures.known_failure import logged
from llm_widgets.engines.base import Chat, Texts
from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.ollama import memory, recipe, variables
from llm_widgets.engines.ollama.catalogue import FAILURES
from llm_widgets.engines.ollama.template_values import template_values
from llm_widgets.engines.settings import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import InvalidInputError


class Ollama:
    """Serves models of GGUF files, to few people at once."""

    id = recipe.ID
    label = "Ollama"
    hubs = ("ollama",)
    image = recipe.IMAGE
    chat = Chat()
    ready = recipe.READY
    command_line = CommandLine()
    context = variables.CONTEXT
    parallel = variables.PARALLEL
    port = variables.HOST
    folder = variables.FOLDER
    memory_share = None
    failures = FAILURES
    listening = (logged(rf"Listening on {ADDRESS} \(version"),)
    # From the start-up log of 0.24, and of the API of Ollama in the local cloud.
    loading = re.compile(
        r"llama_model_load|loading model|starting (llama )?runner|/api/generate|/api/tags",
        re.IGNORECASE,
    )
    texts = Texts(
        image="Pinned: the last one whose CUDA runs on the drivers of all these GPUs.",
        command="Loads MODEL before the service takes requests: Ollama itself does not "
        "read MODEL, and would load a model with the first request only.",
        args="None: Ollama is told everything by variables.",
        probe="A second port answers once the model is loaded; the first one answers at once.",
        install="Install Ollama on this machine, or llama.cpp with pip install xllamacpp.",
        install_url="https://ollama.com/download",
    )

    def recognises(self, image: str) -> bool:
        """Return whether an image is one of Ollama: its own, or one that is named after it."""
        return "ollama" in image

    def deployment(
        self,
        record: ModelRecord,
        *,
        project: str,
        region: str,
        bucket: str,
        accelerator: str | None,
        context_length: int | None,
        manifest: ModelManifest | None,  # noqa: ARG002 - Engine has it
    ) -> Deployment:
        """Return the deployment that a model is offered first: see :mod:`.recipe`."""
        return recipe.deployment(
            record,
            project=project,
            region=region,
            bucket=bucket,
            accelerator=accelerator,
            context_length=context_length,
        )

    def command_text(self, command: Sequence[str]) -> str:
        """Say what the script of the recipe does."""
        is_own = recipe.SCRIPT in command
        return "Loads the model before the service takes requests" if is_own else ""

    def context_of(self, deployment: Deployment) -> int:
        """Read ``OLLAMA_CONTEXT_LENGTH``."""
        text = self.context.told(deployment)
        return tokens(text, self.context.field) if text else variables.DEFAULT_CONTEXT

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
        """Estimate whether all of the model fits into the GPU: see :mod:`.memory`."""
        parallel = self.parallel.told(deployment)
        flash = variables.FLASH_ATTENTION.told(deployment).lower()
        return memory.estimate(
            model,
            gpu,
            context=self.context_of(deployment),
            parallel=tokens(parallel, self.parallel.field) if parallel else 1,
            kv_cache_type=variables.CACHE_TYPE.told(deployment),
            flash_attention=flash not in ("0", "false"),
        )

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:  # noqa: ARG002 - Engine has it
        """Return nothing: what concerns any engine is checked for all of them."""
        return iter(())

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        """Return what its catalogue and those of all engines put into sentences."""
        return template_values(context)
