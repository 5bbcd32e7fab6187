"""What every engine is asked: the protocol that the folders beside this file follow.

An engine is added with a folder that has an object of this form, and a line in
:data:`llm_widgets.engines.registry.ENGINES`. Nothing else knows an engine by its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from llm_widgets.domain.loading import Task

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Mapping, Sequence

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.failures.known_failure import KnownFailure, Sign
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.loading import Contents, Verdict
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.memory.measured import Measured
    from llm_widgets.domain.services import Deployment
    from llm_widgets.domain.start_styles import StartStyle
    from llm_widgets.domain.starts import Mark
    from llm_widgets.domain.streaming import Streaming
    from llm_widgets.engines.command_line import CommandLine
    from llm_widgets.engines.offers import Readiness, Wanted
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.engines.recognising import Signs
    from llm_widgets.engines.settings import Container, Setting
    from llm_widgets.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Api:
    """Where an engine answers OpenAI's protocol, and what it answers beside conversations.

    Attributes
    ----------
    base
        Path of the API, without a slash at the end: what clients take as their base URL.
    paths
        Below the base, the path of each other task that it has an endpoint for.
    own_paths
        The same of tasks whose path is not below the base.
    """

    base: str = "/v1"
    paths: Mapping[Task, str] = field(default_factory=dict)
    own_paths: Mapping[Task, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The path that a conversation is posted to."""
        return f"{self.base}/chat/completions"

    @property
    def models(self) -> str:
        """The path that lists the models."""
        return f"{self.base}/models"

    def path_of(self, task: Task) -> str:
        """Return the path that a task is asked at; empty where there is no endpoint for it."""
        if task in (Task.CHAT, Task.VISION):
            return self.path
        below = f"{self.base}{self.paths[task]}" if task in self.paths else ""
        return self.own_paths.get(task, below)


PROBE = "Must answer once the model is loaded."
"""What a startup probe of any engine asks for."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences about an engine that the page shows.

    Attributes
    ----------
    image, command, args, probe
        Why the fields of these names are as they are offered.
    tools, reasoning
        What to do where calls of tools, or reasoning, stay in the text of an answer.
    install, install_url
        What to do where the local cloud has no such program, and the page that tells how.
    """

    image: str
    command: str
    args: str
    probe: str
    tools: str
    reasoning: str
    install: str
    install_url: str


@dataclass(frozen=True, slots=True)
class Feature:
    """Something that an engine does only where it is told to.

    Attributes
    ----------
    words
        Searched in an error and in the files that raised it: it is about this feature then.
    arguments
        Arguments that turn it on, ``--name``; where it depends on the value, ``--name=value``.
    variables
        Environment variables that turn it on.
    """

    words: re.Pattern[str]
    arguments: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    def turned_on(self, context: Context, line: CommandLine) -> dict[str, str]:
        """Return what turns it on in a deployment, as a value for the templates of advice."""
        for argument in self.arguments:
            name, _, value = argument.partition("=")
            if line.has(context.args, name) and value in ("", line.value(context.args, name)):
                return {"feature": name}
        given = (name for name in self.variables if name in context.environment)
        first = next(given, "")
        return {"feature_variable": first} if first else {}


class Engine(Protocol):
    """An engine.

    The properties are data; what the methods return depends on a deployment. None of them does
    any I/O.
    """

    @property
    def id(self) -> str:
        """The value of the label ``llm-engine``, the container's name, the front of names."""

    @property
    def label(self) -> str:
        """The name as people write it."""

    @property
    def hubs(self) -> tuple[str, ...]:
        """Ids of the hubs whose models it serves."""

    @property
    def api(self) -> Api:
        """Where it is asked."""

    @property
    def ready(self) -> Readiness:
        """What answers once the model is loaded."""

    @property
    def texts(self) -> Texts:
        """What the page says about it."""

    @property
    def command_line(self) -> CommandLine:
        """How it reads its arguments."""

    @property
    def context(self) -> Setting:
        """Where it is told how many tokens a request may have."""

    @property
    def parallel(self) -> Setting:
        """Where it is told how many requests it works on at once."""

    @property
    def port(self) -> Setting:
        """Where it is told which port it listens on."""

    @property
    def folder(self) -> Setting:
        """Where it is told in which folder the model is."""

    @property
    def memory_share(self) -> Setting | None:
        """Where it is told the share of the GPU's memory to take; ``None`` where it takes all."""

    @property
    def features(self) -> Sequence[Feature]:
        """What it does only where it is told to, beside what every model needs."""

    @property
    def failures(self) -> Sequence[KnownFailure]:
        """What it says in its log when it fails."""

    @property
    def issues(self) -> str:
        """The page where its authors take reports, which searches with ``?q=``."""

    @property
    def listening(self) -> Sequence[Sign]:
        """What it logs when it listens, the port in the group ``listens``."""

    @property
    def loading(self) -> re.Pattern[str]:
        """What it logs when it begins to load a model."""

    @property
    def start_styles(self) -> Sequence[StartStyle]:
        """How it can start: faster, or for faster answers; empty where there is no choice."""

    @property
    def streaming(self) -> Streaming | None:
        """How it reads weights past the mount; ``None`` where it can't."""

    @property
    def start_marks(self) -> Sequence[Mark]:
        """What it logs when a phase of its start has ended."""

    @property
    def measured(self) -> re.Pattern[str] | None:
        """What it logs of the memory that it measured: groups are values for the templates."""

    @property
    def signs(self) -> Signs:
        """What tells that a service that others deployed runs it, and which model."""

    def image(self, accelerator: str) -> str:
        """Return the image that it is offered with beside a GPU, pinned.

        Parameters
        ----------
        accelerator
            Value of ``node_selector.accelerator``, empty for none.
        """

    def recognises(self, image: str) -> bool:
        """Return whether a container image, written in small letters, is one of this engine."""

    def judge(self, contents: Contents) -> Verdict:
        """Tell whether it can load a model of one of its hubs, and what the model does then."""

    def deployment(self, wanted: Wanted) -> Deployment:
        """Return the deployment that a model is offered first."""

    def proposal(self, model_id: str, manifest: ModelManifest | None) -> Proposal | None:
        """Return what the recipe tells it because of the model's family; ``None`` for nothing.

        Parameters
        ----------
        manifest
            What was kept of the model when it was imported, where that is known.
        """

    def task(self, container: Container, said: Task | None) -> Task | None:
        """Return what a service does, as the engine is told; ``None`` where nothing tells.

        Parameters
        ----------
        said
            What its model does, as was found when it was imported; ``None`` where it was not.
        """

    def reasons(self, deployment: Deployment, proposal: Proposal | None) -> bool:
        """Return whether the model is known to reason, by what the engine is told of it."""

    def thinking(self, model_id: str, *, on: bool) -> Mapping[str, Any]:
        """Return the fields of a request that turn a model's reasoning on or off.

        Empty where it is not known how that is done.
        """

    def default_parallel(self, deployment: Deployment) -> int | None:
        """Return how many requests it works on at once where it is told nothing.

        ``None`` where that is not known, or follows from what it finds.
        """

    def runs_code(self, deployment: Deployment) -> bool | None:
        """Return whether it is told to run a model's own code; ``None`` where none ever runs."""

    def with_code(self, deployment: Deployment, *, runs: bool) -> Deployment:
        """Return the deployment with the engine told whether to run a model's own code."""

    def command_text(self, command: Sequence[str]) -> str:
        """Return what the command of the recipe does, in words; empty for any other command."""

    def context_of(self, deployment: Deployment) -> int:
        """Return the tokens of a request that it is told; 0 where it finds them itself.

        Raises
        ------
        InvalidInputError
            It is told something that is no number.
        """

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
        """Estimate what a model takes of a GPU's memory, as the engine is told to serve it.

        What it measured when it started with the same (:mod:`.measuring`) goes before what is
        reckoned.

        Raises
        ------
        InvalidInputError
            It is told a number that is none.
        """

    def memory_settings(self, deployment: Deployment) -> Mapping[str, str]:
        """Return what it is told that changes the memory it takes, by name; no secret of it."""

    def measured_start(self, lines: Iterable[str]) -> Measured | None:
        """Read out of its log what its last start told of the GPU's memory, if it did."""

    def told_argument(self, deployment: Deployment, lines: Iterable[str]) -> str:
        """Return an argument with which the same deployment starts sooner, as its start told.

        Empty where the log of the start told none.
        """

    def kept_arguments(self, before: Deployment, after: Deployment) -> Deployment:
        """Return a changed deployment without arguments that were told of what it was before."""

    def container_bytes(self, model: MemoryModel, deployment: Deployment) -> int:
        """Return the bytes of the container's own memory that it needs at most to start.

        The memory of a file cache is not among them.

        Raises
        ------
        InvalidInputError
            It is told a number that is none.
        """

    def problems(self, deployment: Deployment) -> Iterable[InvalidInputError]:
        """Return what is wrong with what it is told, beyond what concerns any engine."""

    def template_values(self, context: Context) -> Iterable[tuple[str, str]]:
        """Return values for the templates of the catalogues that follow from what it is told.

        ``cuda_image`` is an image for older drivers, ``driver_variables`` and
        ``compatibility_variables`` are variables (see ``environment`` of a remedy) with which it
        uses the driver's own libraries of CUDA, and those that make up for an old driver.
        """
