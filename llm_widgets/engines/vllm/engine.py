"""vLLM, as :class:`llm_widgets.engines.base.Engine` asks for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import ADDRESS
from llm_widgets.domain.failures.known_failure import logged
from llm_widgets.domain.names import shown
from llm_widgets.engines.base import Chat, Texts
from llm_widgets.engines.settings import tokens
from llm_widgets.engines.vllm import arguments, memory, recipe
from llm_widgets.engines.vllm.catalogue import FAILURES
from llm_widgets.engines.vllm.template_values import template_values
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment

_DEFAULT_CONTEXT = 4096  # for models that do not tell theirs
_DEFAULT_SEQUENCES = 256  # of --max-num-seqs


class Vllm:
    """Serves models of safetensors files with many requests at once."""

    id = recipe.ID
    label = "vLLM"
    hubs = ("huggingface",)
    image = recipe.IMAGE
    chat = Chat()
    ready = recipe.READY
    command_line = arguments.COMMAND_LINE
    context = arguments.CONTEXT
    parallel = arguments.PARALLEL
    port = arguments.PORT
    folder = arguments.FOLDER
    memory_share = arguments.MEMORY_SHARE
    failures = FAILURES
    listening = (logged(rf"Starting vLLM (?:API )?server(?: \d{{1,3}})? on https?://{ADDRESS}\b"),)
    # From the start-up log of 0.33.
    loading = re.compile(
        r"Starting to load model|Loading (safetensors|model|weights)|Model loading took",
        re.IGNORECASE,
    )
    texts = Texts(
        image="Pinned: its entry point and arguments belong to this version.",
        command="Empty: the image's own, “vllm serve”.",
        args="One word in each row, exactly as vLLM gets it: no shell reads it. The first "
        "is the model's folder, which “vllm serve” takes without --model.",
        probe="Answers once the model is loaded.",
        install="Install vLLM on this machine, or deploy an Ollama model.",
        install_url="https://docs.vllm.ai/en/latest/getting_started/installation/",
    )

    def recognises(self, image: str) -> bool:
        """Return whether an image is one of vLLM: its own, or one that is named after it."""
        return "vllm" in image

    def deployment(
        self,
        record: ModelRecord,
        *,
        project: str,
        region: str,
        bucket: str,
        accelerator: str | None,
        context_length: int | None,
        manifest: ModelManifest | None,
    ) -> Deployment:
        """Return the deployment that a model is offered first: see :mod:`.recipe`."""
        files = manifest.files if manifest else ()
        return recipe.deployment(
            record,
            project=project,
            region=region,
            bucket=bucket,
            accelerator=accelerator,
            context_length=context_length,
            safetensors=not files or any(file.path.endswith(".safetensors") for file in files),
        )

    def command_text(self, command: Sequence[str]) -> str:  # noqa: ARG002 - Engine has it
        """Return nothing: its recipe has no command."""
        return ""

    def context_of(self, deployment: Deployment) -> int:
        """Read ``--max-model-len``; with ``auto`` vLLM finds the longest that fits."""
        text = self.context.told(deployment)
        return 0 if text in ("", "auto", "-1") else tokens(text, self.context.field)

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
        """Estimate whether it starts, and what it holds: see :mod:`.memory`."""
        sequences = arguments.PARALLEL.told(deployment)
        batched = arguments.BATCH.told(deployment)
        share = arguments.MEMORY_SHARE.told(deployment)
        try:
            utilization = float(share)
        except ValueError:
            text = f"“{share}” is no share of a GPU's memory."
            raise InvalidInputError(text, field="args") from None

        def with_context(context: int) -> Estimate:
            return memory.estimate(
                model,
                gpu,
                context=context,
                concurrency=tokens(sequences, "args") if sequences else _DEFAULT_SEQUENCES,
                utilization=utilization,
                max_num_batched_tokens=tokens(batched, "args") if batched else None,
                kv_dtype=arguments.CACHE_TYPE.told(deployment),
                eager=self.command_line.has(deployment.args, arguments.EAGER),
            )

        context = self.context_of(deployment)
        found = with_context(context or model.context_length or _DEFAULT_CONTEXT)
        longest = found.longest_context
        if context or found.fits or not longest:
            return found
        # vLLM shortens it itself, to what is really left: close is only what leaves next to
        # nothing.
        shortened = with_context(longest)
        if with_context(min(longest, _DEFAULT_CONTEXT)).is_close:
            return shortened
        return replace(
            shortened, band=(shortened.band[0], min(shortened.band[1], shortened.usable))
        )

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:
        """Say that there is one GPU, where it is told to use more."""
        gpus = arguments.GPUS
        if gpus.told(deployment) != gpus.default:
            yield InvalidInputError(
                f"An instance of Cloud Run has one GPU, so {gpus.name} is 1, not "
                f"{shown(gpus.told(deployment))}.",
                field="args",
            )

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        """Return what its catalogue and those of all engines put into sentences."""
        return template_values(context)
