"""Ollama, as :class:`llm_widgets.engines.base.Engine` asks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import ADDRESS
from llm_widgets.domain.failures.known_failure import logged
from llm_widgets.domain.loading import Task
from llm_widgets.engines import measuring
from llm_widgets.engines.base import Api, Texts
from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.ollama import loadable, measured, memory, recipe, variables
from llm_widgets.engines.ollama.catalogue import FAILURES
from llm_widgets.engines.ollama.features import FEATURES
from llm_widgets.engines.ollama.signs import SIGNS
from llm_widgets.engines.ollama.start_marks import MARKS
from llm_widgets.engines.ollama.template_values import template_values
from llm_widgets.engines.settings import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.loading import Contents, Verdict
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.memory.measured import Measured
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.offers import Wanted
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.engines.settings import Container
    from llm_widgets.errors import InvalidInputError


class Ollama:
    """Serves models of GGUF files, to few people at once."""

    id = recipe.ID
    label = "Ollama"
    hubs = ("ollama",)
    api = Api(paths={Task.EMBED: "/embeddings"})
    ready = recipe.READY
    command_line = CommandLine()
    context = variables.CONTEXT
    parallel = variables.PARALLEL
    port = variables.HOST
    folder = variables.FOLDER
    memory_share = None
    features = FEATURES
    signs = SIGNS
    failures = FAILURES
    start_marks = MARKS
    start_styles = ()
    streaming = None
    issues = "https://github.com/ollama/ollama/issues"
    listening = (logged(rf"Listening on {ADDRESS} \(version"),)
    # From the start-up log of 0.24, and of the API of Ollama in the local cloud.
    loading = re.compile(
        r"llama_model_load|loading model|starting (llama )?runner|/api/generate|/api/tags",
        re.IGNORECASE,
    )
    measured = None
    texts = Texts(
        image="Pinned to a version that runs on the drivers of all these GPUs.",
        command="Loads MODEL before the service takes requests.",
        args="None. Set environment variables instead.",
        probe="Must answer once the model is loaded; the engine's own port answers earlier.",
        tools="Use a model that Ollama's library lists with tools.",
        reasoning="Use a model that Ollama's library lists with thinking.",
        install="Install Ollama on this machine, or llama.cpp with pip install xllamacpp.",
        install_url="https://ollama.com/download",
    )

    def image(self, accelerator: str) -> str:  # noqa: ARG002 - Engine has it
        """Return Ollama's own image, which all drivers run."""
        return recipe.IMAGE

    def recognises(self, image: str) -> bool:
        """Return whether an image is one of Ollama: its own, or one that is named after it."""
        return "ollama" in image

    def judge(self, contents: Contents) -> Verdict:
        """Tell whether it can load a model: see :mod:`.loadable`."""
        return loadable.judge(contents)

    def deployment(self, wanted: Wanted) -> Deployment:
        """Return the deployment that a model is offered first: see :mod:`.recipe`."""
        return recipe.deployment(wanted)

    def proposal(self, model_id: str, manifest: ModelManifest | None) -> Proposal | None:  # noqa: ARG002 - Engine has it
        """Return nothing: a model brings its own template, and Ollama reads it."""
        return None

    def task(self, container: Container, said: Task | None) -> Task | None:  # noqa: ARG002 - Engine has it
        """Return what the model does: nothing that Ollama is told changes that."""
        return said

    def reasons(self, deployment: Deployment, proposal: Proposal | None) -> bool:  # noqa: ARG002 - Engine has it
        """Return ``False``: nothing that it is told says so."""
        return False

    def thinking(self, model_id: str, *, on: bool) -> Mapping[str, Any]:  # noqa: ARG002 - Engine has it
        """Return the effort of reasoning, as its OpenAI endpoint takes it (docs/openai.md)."""
        return {"reasoning_effort": "medium" if on else "none"}

    def default_parallel(self, deployment: Deployment) -> int | None:  # noqa: ARG002 - Engine has it
        """Return 1, the default of ``OLLAMA_NUM_PARALLEL`` (envconfig/config.go of 0.24)."""
        return 1

    def runs_code(self, deployment: Deployment) -> bool | None:  # noqa: ARG002 - Engine has it
        """Return ``None``: GGUF files bring no code."""
        return None

    def with_code(self, deployment: Deployment, *, runs: bool) -> Deployment:  # noqa: ARG002 - Engine has it
        """Return the deployment as it is."""
        return deployment

    def command_text(self, command: Sequence[str]) -> str:
        """Return in words what the script of the recipe does."""
        is_own = recipe.SCRIPT in command
        return "Loads the model before the service takes requests" if is_own else ""

    def context_of(self, deployment: Deployment) -> int:
        """Read ``OLLAMA_CONTEXT_LENGTH``."""
        text = self.context.told(deployment)
        return tokens(text, self.context.field) if text else variables.DEFAULT_CONTEXT

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
        """Estimate whether all of the model fits into the GPU: see :mod:`.memory`."""
        start = measuring.known(self, model, deployment)
        return memory.estimate(
            model,
            gpu,
            context=self.context_of(deployment),
            parallel=self._parallel(deployment),
            kv_cache_type=variables.CACHE_TYPE.told(deployment),
            flash_attention=variables.has_flash_attention(deployment),
            measured=start.measured if start else None,
        )

    def memory_settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the variables that memory depends on."""
        return variables.memory_settings(deployment)

    def measured_start(self, lines: Iterable[str]) -> Measured | None:
        """Read what it tells of its memory: see :mod:`.measured`."""
        return measured.read(lines)

    def told_argument(self, deployment: Deployment, lines: Iterable[str]) -> str:  # noqa: ARG002 - Engine has it
        """Return nothing: it tells none."""
        return ""

    def kept_arguments(self, before: Deployment, after: Deployment) -> Deployment:  # noqa: ARG002 - Engine has it
        """Return the deployment as it is."""
        return after

    def container_bytes(self, model: MemoryModel, deployment: Deployment) -> int:
        """Return what it holds outside the GPU: all of the model where there is none."""
        return memory.container_bytes(
            model,
            context=self.context_of(deployment),
            parallel=self._parallel(deployment),
            in_gpu=bool(deployment.accelerator),
        )

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:  # noqa: ARG002 - Engine has it
        """Return nothing: what concerns any engine is checked for all of them."""
        return iter(())

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        """Return what its catalogue and those of all engines put into sentences."""
        return template_values(context)

    def _parallel(self, deployment: Deployment) -> int:
        told = self.parallel.told(deployment)
        return tokens(told, self.parallel.field) if told else 1
