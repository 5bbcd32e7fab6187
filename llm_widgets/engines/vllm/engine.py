"""vLLM, as :class:`llm_widgets.engines.base.Engine` asks for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.failures.advice import ADDRESS
from llm_widgets.domain.failures.known_failure import logged
from llm_widgets.domain.loading import QUANTIZED_FROM, Task, from_facts
from llm_widgets.domain.names import shown
from llm_widgets.engines import measuring, streaming
from llm_widgets.engines.base import PROBE, Api, Texts
from llm_widgets.engines.settings import tokens
from llm_widgets.engines.vllm import (
    arguments,
    cache_hint,
    families,
    kept_caches,
    loadable,
    measured,
    memory,
    recipe,
    speculation,
    tasks,
    told_parsers,
)
from llm_widgets.engines.vllm.catalogue import FAILURES
from llm_widgets.engines.vllm.features import FEATURES
from llm_widgets.engines.vllm.signs import SIGNS
from llm_widgets.engines.vllm.start_marks import MARKS
from llm_widgets.engines.vllm.start_styles import STYLES
from llm_widgets.engines.vllm.streaming import STREAMING
from llm_widgets.engines.vllm.template_values import template_values
from llm_widgets.errors import Fix, InvalidInputError

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

_DEFAULT_CONTEXT = 4096  # for models that do not tell theirs


class Vllm:
    """Serves models of safetensors files with many requests at once."""

    id = recipe.ID
    label = "vLLM"
    hubs = ("huggingface",)
    api = Api(paths=tasks.PATHS, own_paths=tasks.OWN_PATHS)
    ready = recipe.READY
    command_line = arguments.COMMAND_LINE
    context = arguments.CONTEXT
    parallel = arguments.PARALLEL
    port = arguments.PORT
    folder = arguments.FOLDER
    memory_share = arguments.MEMORY_SHARE
    features = FEATURES
    signs = SIGNS
    failures = FAILURES
    start_marks = MARKS
    start_styles = STYLES
    streaming = STREAMING
    issues = "https://github.com/vllm-project/vllm/issues"
    listening = (logged(rf"Starting vLLM (?:API )?server(?: \d{{1,3}})? on https?://{ADDRESS}\b"),)
    # From the start-up log of 0.33.
    loading = re.compile(
        r"Starting to load model|Loading (safetensors|model|weights)|Model loading took",
        re.IGNORECASE,
    )
    measured = re.compile(r"Available KV cache memory: (?P<cache_left>-?\d{1,4}(?:\.\d{1,4})?) GiB")
    texts = Texts(
        image="Pinned to a version that matches the arguments. On an L4, use a build with CUDA "
        "12.9.",
        command="Default: the image's own, “vllm serve”.",
        args="One argument per row, without shell quoting. The first is the model's folder.",
        probe=PROBE,
        tools="Set --enable-auto-tool-choice and the --tool-call-parser of the model's family.",
        reasoning="Set the --reasoning-parser of the model's family.",
        install="Install vLLM on this machine, or deploy an Ollama model.",
        install_url="https://docs.vllm.ai/en/latest/getting_started/installation/",
    )

    def image(self, accelerator: str) -> str:
        """Return vLLM's own image, built for the drivers of the GPU: see :mod:`.recipe`."""
        return recipe.image(accelerator)

    def recognises(self, image: str) -> bool:
        """Return whether an image is one of vLLM: its own, or one that is named after it."""
        return "vllm" in image

    def judge(self, contents: Contents) -> Verdict:
        """Tell whether it can load a model: see :mod:`.loadable`."""
        return loadable.judge(contents)

    def deployment(self, wanted: Wanted) -> Deployment:
        """Return the deployment that a model is offered first: see :mod:`.recipe`."""
        proposed = self.proposal(wanted.record.id, wanted.manifest)
        made = recipe.deployment(wanted, proposed.words if proposed else ())
        return streaming.proposed(self, made, wanted.record.size)

    def proposal(self, model_id: str, manifest: ModelManifest | None) -> Proposal | None:
        """Return the arguments of the model's family: see :mod:`.families`."""
        if manifest is None:
            return families.proposal(model_id)
        return families.proposal(
            model_id,
            base=str(manifest.facts.get(QUANTIZED_FROM, "")),
            architecture=str(manifest.facts.get("architecture", "")),
            verdict=from_facts(manifest.facts, self.id),
        )

    def task(self, container: Container, said: Task | None) -> Task | None:
        """Return what it does by its runner: see :mod:`.tasks`."""
        return tasks.told(container, said)

    def reasons(self, deployment: Deployment, proposal: Proposal | None) -> bool:
        """Return whether it is told a parser of reasoning, or the model's family has one."""
        words = proposal.words if proposal else ()
        told = (*deployment.args, *words)
        return self.command_line.has(told, families.REASONING_PARSER)

    def thinking(self, model_id: str, *, on: bool) -> Mapping[str, Any]:
        """Return the switch of the model's family: see :mod:`.family_table`."""
        family = families.family_of(model_id)
        switch = family.switch if family else ""
        return {"chat_template_kwargs": {switch: on}} if switch else {}

    def default_parallel(self, deployment: Deployment) -> int | None:
        """Return the default of ``--max-num-seqs``, which depends on the GPU."""
        gpu = gpus.by_accelerator(deployment.accelerator)
        return memory.default_requests(gpu) if gpu else None

    def runs_code(self, deployment: Deployment) -> bool | None:
        """Return whether ``--trust-remote-code`` is among its arguments."""
        return self.command_line.has(deployment.args, arguments.TRUST)

    def with_code(self, deployment: Deployment, *, runs: bool) -> Deployment:
        """Add ``--trust-remote-code``, or take it away."""
        if runs:
            args = self.command_line.with_word(deployment.args, arguments.TRUST)
        else:
            args = self.command_line.without(deployment.args, arguments.TRUST)
        return replace(deployment, args=args)

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
            text = f"“{share}” is not a share of a GPU's memory."
            raise InvalidInputError(text, field="args") from None
        start = measuring.known(self, model, deployment)

        def with_context(context: int) -> Estimate:
            return memory.estimate(
                model,
                gpu,
                context=context,
                concurrency=tokens(sequences, "args")
                if sequences
                else memory.default_requests(gpu),
                utilization=utilization,
                max_num_batched_tokens=tokens(batched, "args") if batched else None,
                kv_dtype=arguments.CACHE_TYPE.told(deployment),
                eager=self.command_line.has(deployment.args, arguments.EAGER),
                speculation=speculation.told(arguments.SPECULATION.told(deployment)),
                measured=start.measured if start else None,
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

    def memory_settings(self, deployment: Deployment) -> dict[str, str]:
        """Return the arguments that memory depends on, but for the context."""
        return arguments.memory_settings(deployment)

    def measured_start(self, lines: Iterable[str]) -> Measured | None:
        """Read what it tells of its memory: see :mod:`.measured`."""
        return measured.read(lines)

    def told_argument(self, deployment: Deployment, lines: Iterable[str]) -> str:
        """Return the size of the cache that it told: see :mod:`.cache_hint`."""
        return cache_hint.argument(deployment, lines)

    def kept_arguments(self, before: Deployment, after: Deployment) -> Deployment:
        """Drop a size of the cache that was told of another configuration."""
        return cache_hint.kept(before, after)

    def container_bytes(self, model: MemoryModel, deployment: Deployment) -> int:
        """Return what its processes take, and what the streamer reads ahead."""
        if arguments.LOAD_FORMAT.told(deployment) != "runai_streamer":
            return memory.container_bytes(model, read_ahead=0)
        told = arguments.STREAM_BUFFER.told(deployment)
        try:
            limit = int(told)
        except ValueError:
            text = f"{arguments.STREAM_BUFFER.name} is a number of bytes, not {shown(told)}."
            raise InvalidInputError(text, field="environment") from None
        return memory.container_bytes(model, read_ahead=limit)

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:
        """Yield what keeps vLLM from starting: see also :mod:`.told_parsers`.

        An instance has one GPU, which vLLM can't be told to exceed.
        """
        yield from told_parsers.problems(deployment)
        yield from kept_caches.problems(deployment)
        yield from _sound(deployment)
        told = arguments.GPUS
        if told.told(deployment) != told.default:
            yield InvalidInputError(
                f"An instance of Cloud Run has one GPU, so {told.name} is 1, not "
                f"{shown(told.told(deployment))}.",
                field="args",
            )

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        """Return what its catalogue and those of all engines put into sentences."""
        return template_values(context)


def _sound(deployment: Deployment) -> Iterator[InvalidInputError]:
    """Yield an error for a model of speech in an image that can't read sound.

    vLLM's own image lacks the extra ``audio`` (docker/Dockerfile of 0.33.0): a service of it is
    healthy, and refuses each recording.
    """
    if deployment.task is Task.TRANSCRIBE and recipe.is_own_image(deployment.image):
        yield InvalidInputError(
            "vLLM's own image can't transcribe: it lacks the libraries that read sound.",
            field="image",
            cause="The service would become ready and refuse each recording.",
            fix=Fix(
                text=f"Build an image FROM {deployment.image} with “pip install vllm[audio]”, push "
                "it to Artifact Registry and enter it here."
            ),
        )
