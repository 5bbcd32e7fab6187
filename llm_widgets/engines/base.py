"""What every engine is asked: the protocol that the folders beside this file follow.

An engine is added with a folder that has an object of this form, and a line in
:data:`llm_widgets.engines.registry.ENGINES`. Nothing else knows an engine by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Sequence

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.failures.known_failure import KnownFailure, Sign
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import Estimate, MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.command_line import CommandLine
    from llm_widgets.engines.settings import Setting
    from llm_widgets.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Chat:
    """Where an engine answers OpenAI's chat protocol, with the events of a stream.

    Attributes
    ----------
    base
        Path of the API, without a slash at the end: what clients take as their base URL.
    """

    base: str = "/v1"

    @property
    def path(self) -> str:
        """The path that a conversation is posted to."""
        return f"{self.base}/chat/completions"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What answers once the model is loaded: the startup probe asks it.

    Attributes
    ----------
    path
        Asked for over HTTP.
    port
        Port that is asked; 0 for the one that takes requests.
    """

    path: str
    port: int = 0


@dataclass(frozen=True, slots=True)
class Texts:
    """Sentences about an engine that the page shows.

    Attributes
    ----------
    image, command, args, probe
        Why the fields of these names are as they are offered.
    install, install_url
        What to do where the local cloud has no such program, and the page that tells how.
    """

    image: str
    command: str
    args: str
    probe: str
    install: str
    install_url: str


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
    def image(self) -> str:
        """The image that it is offered with, pinned."""

    @property
    def chat(self) -> Chat:
        """Where it is talked to."""

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
    def failures(self) -> Sequence[KnownFailure]:
        """What it says in its log when it fails."""

    @property
    def listening(self) -> Sequence[Sign]:
        """What it logs when it listens, the port in the group ``listens``."""

    @property
    def loading(self) -> re.Pattern[str]:
        """What it logs when it begins to load a model."""

    def recognises(self, image: str) -> bool:
        """Return whether a container image, written in small letters, is one of this engine."""

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
        """Return the deployment that a model is offered first.

        Parameters
        ----------
        record
            The model; its ``prefix`` is the folder that is mounted.
        accelerator
            Value of ``node_selector.accelerator``, empty for none; chosen when ``None``.
        context_length
            Tokens of a request; what is best by default when ``None``.
        manifest
            What was kept of the model when it was imported.
        """

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
