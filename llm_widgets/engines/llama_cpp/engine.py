"""llama.cpp's server, as :class:`llm_widgets.engines.base.Engine` asks for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import ADDRESS
from llm_widgets.domain.failures.known_failure import logged
from llm_widgets.domain.loading import Task
from llm_widgets.engines import measuring
from llm_widgets.engines.base import PROBE, Api, Texts
from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.llama_cpp import recipe, variables
from llm_widgets.engines.llama_cpp.catalogue import FAILURES
from llm_widgets.engines.llama_cpp.features import FEATURES
from llm_widgets.engines.llama_cpp.signs import SIGNS
from llm_widgets.engines.llama_cpp.start_marks import MARKS
from llm_widgets.engines.ollama import loadable, measured, memory
from llm_widgets.engines.settings import tokens
from llm_widgets.errors import InvalidInputError

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

_PAGE = "https://github.com/ggml-org/llama.cpp"


class LlamaCpp:
    """Serves the GGUF files of models directly, to few people at once."""

    id = recipe.ID
    label = "llama.cpp"
    hubs = ("ollama",)
    api = Api(paths={Task.EMBED: "/embeddings", Task.RERANK: "/rerank"})
    ready = recipe.READY
    command_line = CommandLine()
    context = variables.CONTEXT
    parallel = variables.PARALLEL
    port = variables.PORT
    folder = variables.FOLDER
    memory_share = None
    features = FEATURES
    signs = SIGNS
    failures = FAILURES
    start_marks = MARKS
    start_styles = ()
    streaming = None
    issues = f"{_PAGE}/issues"
    listening = (logged(rf"server is listening on https?://{ADDRESS}"),)
    # From tools/server/server.cpp and src/llama-model-loader.cpp.
    loading = re.compile(r"loading model|llama_model_load", re.IGNORECASE)
    measured = None
    texts = Texts(
        image="Pulled from GitHub's registry. If Cloud Run refuses it, use a mirror in Artifact "
        "Registry.",
        command="Default: the image's own, llama-server.",
        args="None: every setting is an environment variable, LLAMA_ARG_….",
        probe=PROBE,
        tools="Set LLAMA_ARG_JINJA to 1, so that the model's own template is used.",
        reasoning="Set LLAMA_ARG_JINJA to 1 and LLAMA_ARG_THINK to auto.",
        install="Install llama.cpp on this machine with pip install xllamacpp.",
        install_url=f"{_PAGE}/blob/master/docs/install.md",
    )

    def image(self, accelerator: str) -> str:  # noqa: ARG002 - Engine has it
        """Return llama.cpp's own image, which all drivers run."""
        return recipe.IMAGE

    def recognises(self, image: str) -> bool:
        """Return whether an image is one of llama.cpp, its own or a mirror of it."""
        return "llama.cpp" in image or "llama-cpp" in image

    def judge(self, contents: Contents) -> Verdict:
        """Tell whether it can load a model: the rules are those of the files of its hub."""
        return loadable.judge(contents)

    def deployment(self, wanted: Wanted) -> Deployment:
        """Return the deployment that a model is offered first: see :mod:`.recipe`."""
        return recipe.deployment(wanted)

    def proposal(self, model_id: str, manifest: ModelManifest | None) -> Proposal | None:  # noqa: ARG002 - Engine has it
        """Return nothing: it finds the formats of tools and reasoning in the model's template."""
        return None

    def task(self, container: Container, said: Task | None) -> Task | None:
        """Return what it does by its variables: see :mod:`.variables`."""
        return variables.task(container, said)

    def reasons(self, deployment: Deployment, proposal: Proposal | None) -> bool:  # noqa: ARG002 - Engine has it
        """Return ``False``: nothing that it is told says so."""
        return False

    def thinking(self, model_id: str, *, on: bool) -> Mapping[str, Any]:  # noqa: ARG002 - Engine has it
        """Return the variable that templates of reasoning models read (tools/server/README.md)."""
        return {"chat_template_kwargs": {"enable_thinking": on}}

    def default_parallel(self, deployment: Deployment) -> int | None:  # noqa: ARG002 - Engine has it
        """Return ``None``: it chooses by itself, and versions differ (tools/server/README.md)."""
        return None

    def runs_code(self, deployment: Deployment) -> bool | None:  # noqa: ARG002 - Engine has it
        """Return ``None``: GGUF files bring no code."""
        return None

    def with_code(self, deployment: Deployment, *, runs: bool) -> Deployment:  # noqa: ARG002 - Engine has it
        """Return the deployment as it is."""
        return deployment

    def command_text(self, command: Sequence[str]) -> str:  # noqa: ARG002 - Engine has it
        """Return nothing: its recipe has no command."""
        return ""

    def context_of(self, deployment: Deployment) -> int:
        """Read the share of ``LLAMA_ARG_CTX_SIZE`` that a request has; 0 for the model's own."""
        text = self.context.told(deployment)
        return tokens(text, self.context.field) if text else 0

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
        """Estimate whether all of the model fits into the GPU.

        The arithmetic is that of the engine that is built on llama.cpp. Its advice names variables
        of that engine, and is left out.
        """
        start = measuring.known(self, model, deployment)
        found = memory.estimate(
            model,
            gpu,
            context=self.context_of(deployment) or model.context_length or recipe.CONTEXT_LENGTH,
            parallel=self._parallel(deployment),
            kv_cache_type=variables.CACHE_TYPE.told(deployment),
            flash_attention=variables.FLASH_ATTENTION.told(deployment) not in ("off", "0"),
            measured=start.measured if start else None,
        )
        return replace(found, advice=())

    def memory_settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the variables that memory depends on."""
        return variables.memory_settings(deployment)

    def measured_start(self, lines: Iterable[str]) -> Measured | None:
        """Read what it tells of its buffers."""
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
            context=self.context_of(deployment) or model.context_length or recipe.CONTEXT_LENGTH,
            parallel=self._parallel(deployment),
            in_gpu=bool(deployment.accelerator),
        )

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:
        """Yield an error where it is not told which file to load."""
        if variables.MODEL not in deployment.environment:
            yield InvalidInputError(
                f"{variables.MODEL} must name the file with the weights.",
                field="environment",
                cause="The bucket lacks a manifest of the model that says which file it is.",
            )

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        """Return the requests at once, and half as many."""
        told = self.parallel.told(context)
        if context.accelerator:
            yield "context_takes_memory", "yes"
        if told.isdecimal() and int(told) > 1:
            half = str(int(told) // 2)
            yield "requests", told
            yield "fewer_requests", half
            yield "requests_name", f"{self.parallel.name}={half}"
            yield "may_free", "yes"

    def _parallel(self, deployment: Deployment) -> int:
        return tokens(self.parallel.told(deployment), self.parallel.field)
