"""From the container of a revision or a task to a program with arguments and an environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_cloud.runner.failures import RevisionFailed
from local_cloud.runner.images import Setup, command_line
from local_cloud.runner.mounts import VolumeSource, check_volumes
from local_cloud.runner.ports import PortMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from google.cloud import run_v2

    from local_cloud.runner.machine import Machine

DEFAULT_PORT = 8080
RESERVED_NAMES = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
DEFAULT_MEMORY = 512 << 20  # bytes


@dataclass(frozen=True)
class Program:
    """What a process is started with.

    Attributes
    ----------
    command
        Program and arguments.
    environment
        All of its environment.
    folder
        Its working directory.
    scratch
        Its own folder, which goes when it ends: home, temporary files, volumes.
    ports
        Local ports that stand for those of the container.
    port
        The local port that it listens on for requests.
    memory
        Limit in bytes.
    notes
        What is done otherwise than in the cloud: lines for the log.

    """

    command: list[str]
    environment: dict[str, str]
    folder: Path
    scratch: Path
    ports: PortMap
    port: int
    memory: int
    notes: list[str]


@dataclass(frozen=True)
class Builder:
    """Builds programs.

    Attributes
    ----------
    machine
        What there is to run them with.
    volumes
        What their volumes are made from.
    folder
        Folder of this instance.
    wrappers
        Folder of scripts that stand for programs which this machine lacks.

    """

    machine: Machine
    volumes: VolumeSource
    folder: Path
    wrappers: Path

    def build(
        self,
        template: run_v2.RevisionTemplate | run_v2.TaskTemplate,
        platform: Mapping[str, str],
        identity: Mapping[str, str],
        *,
        listens: bool,
    ) -> Program:
        """Return the program of a template's container.

        Parameters
        ----------
        template
            Of a revision or of a task.
        platform
            Variables that Cloud Run sets.
        identity
            Variables that stand for the metadata server.
        listens
            Whether requests come to it, so that its ports have to be ports of this machine.

        Raises
        ------
        RevisionFailed
            If it cannot be built.

        """
        container = check(template)
        mounts = self.volumes.mounts(template.volumes, container)
        ports = PortMap(identity.values())
        port = ports.local(container_port(container)) if listens else 0

        def localize(text: str) -> str:
            return mounts.translate(ports.translate(text) if listens else text)

        def localize_all(words: Iterable[str]) -> list[str]:
            words = ports.translate_all(list(words)) if listens else words
            return [mounts.translate(word) for word in words]

        home, temporary = self.folder / "home", self.folder / "tmp"
        for folder in (home, temporary):
            folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **self.machine.environment(),
            "PATH": f"{self.wrappers}:{self.machine.environment()['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(temporary),
            **mounts.environment(),
            **identity,
            **platform,
            **({"PORT": str(port)} if listens else {}),
        }
        for name, value in self._variables(container, environment).items():
            environment[name] = localize(value)
        setup = Setup(
            image=container.image,
            command=localize_all(container.command),
            args=localize_all(container.args),
            environment=environment,
            ports=ports,
            port=port,
            machine=self.machine,
            wrappers=self.wrappers,
        )
        command = command_line(setup)
        folder = home
        if container.working_dir:
            folder = self.folder / "root" / localize(container.working_dir).lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
        return Program(
            command=command,
            environment=environment,
            folder=folder,
            scratch=self.folder,
            ports=ports,
            port=port,
            memory=memory_limit(container),
            notes=setup.notes,
        )

    def _variables(self, container: run_v2.Container, known: Mapping[str, str]) -> dict[str, str]:
        """Return the container's own variables, with secrets and ``$(NAME)`` filled in."""
        values: dict[str, str] = {}
        for variable in container.env:
            if "value_source" in variable:
                reference = variable.value_source.secret_key_ref
                version = reference.version or "latest"
                values[variable.name] = self.volumes.secret(reference.secret, version)
            else:
                values[variable.name] = _expand(variable.value, {**known, **values})
        return values


def check(template: run_v2.RevisionTemplate | run_v2.TaskTemplate) -> run_v2.Container:
    """Return the container of a template.

    Raises
    ------
    RevisionFailed
        If the template contradicts itself, or needs what is not simulated.

    """
    if not template.containers:
        raise RevisionFailed("UNKNOWN", "template.containers: at least one container is required.")
    if len(template.containers) > 1:
        raise RevisionFailed(
            "UNKNOWN",
            "template.containers: the local cloud runs one container of a service or job, without "
            "sidecars. Remove the others.",
        )
    container = template.containers[0]
    if not container.image:
        raise RevisionFailed("UNKNOWN", "template.containers.image: the image is required.")
    for variable in container.env:
        if variable.name in RESERVED_NAMES:
            raise RevisionFailed(
                "UNKNOWN",
                f"template.containers.env: The following reserved env names were provided: "
                f"{variable.name}. These values are automatically set by the system.",
            )
    memory_limit(container)
    check_volumes(template.volumes, container)
    return container


def container_port(container: run_v2.Container) -> int:
    """Return the port that a container is to listen on."""
    return (container.ports[0].container_port if container.ports else 0) or DEFAULT_PORT


def cpu_limit(container: run_v2.Container) -> float:
    """Return the limit of processors, which nothing enforces here: 1 where it can't be read."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(m?)", container.resources.limits.get("cpu", "1"))
    return (float(found[1]) / (1000 if found[2] else 1) if found else 0) or 1.0


def memory_limit(container: run_v2.Container) -> int:
    """Return the limit of memory in bytes.

    Raises
    ------
    RevisionFailed
        If it is no quantity.

    """
    text = container.resources.limits.get("memory", "")
    if not text:
        return DEFAULT_MEMORY
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kMG]i?|Ki)?", text)
    if not found or (found[2] or "") not in _UNITS:
        raise RevisionFailed(
            "UNKNOWN",
            "template.containers.resources.limits.memory: Invalid value specified for memory: "
            f"'{text}'. Use a quantity such as 512Mi or 16Gi.",
        )
    return int(float(found[1]) * _UNITS[found[2] or ""])


def _expand(value: str, known: Mapping[str, str]) -> str:
    """Fill in ``$(NAME)``; ``$$(NAME)`` stands for itself, unknown names are left."""

    def fill(found: re.Match[str]) -> str:
        if found[1]:
            return found[0][1:]
        return known.get(found[2], found[0])

    return re.sub(r"(\$)?\$\((\w+)\)", fill, value)
