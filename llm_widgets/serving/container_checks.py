"""What is wrong with what a deployment's container is told: image, port, words, variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.domain.networks import LARGEST_PORT
from llm_widgets.engines import registry
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
"""Variables that Cloud Run sets itself and refuses to be given."""

_IMAGE = re.compile(
    r"[a-z0-9][\w.-]*(:\d+)?(/[\w.-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_OPTION = re.compile(r"[^\s,;\x00-\x1f\x7f]+")
_TWO_WORDS = re.compile(r"--?[\w-]+\s+\S")
_SYSTEM_ROOTS = ("/dev", "/proc", "/sys")


def problems(deployment: Deployment) -> Iterator[InvalidInputError]:
    """Yield what is wrong, each with the field where it is put right."""
    if not _IMAGE.fullmatch(deployment.image):
        yield InvalidInputError(
            f"{shown(deployment.image)} is not a container image; images look like "
            "docker.io/library/python:3.",
            field="image",
        )
    if not 1 <= deployment.port <= LARGEST_PORT:
        yield InvalidInputError(
            f"A port is 1 to {LARGEST_PORT}, not {deployment.port}.", field="port"
        )
    root = "/" + deployment.mount_path.strip("/").split("/")[0]
    if not deployment.mount_path.startswith("/") or root in ("/", *_SYSTEM_ROOTS):
        yield InvalidInputError(
            f"The bucket can't be mounted at {shown(deployment.mount_path)}: choose a folder such "
            "as /models.",
            field="mount_path",
        )
    for option in deployment.mount_options:
        if not _OPTION.fullmatch(option):
            yield InvalidInputError(
                f"{shown(option)} is not one option: a comma, a semicolon or a line break begins "
                "another one.",
                field="mount_options",
            )
    yield from _words(deployment)
    if engine := registry.of(deployment.framework):
        yield from engine.problems(deployment)
        yield from _ports_agree(deployment, engine)
    yield from _variables(deployment)
    yield from _labels(deployment)


def _words(deployment: Deployment) -> Iterator[InvalidInputError]:
    for word in deployment.args:
        problem = ""
        if not word:
            problem = "An argument is empty."
        elif "\0" in word:
            problem = f"The argument {shown(word)} has a zero byte in it."
        elif word != word.strip():
            problem = f"The argument {shown(word)} begins or ends with a space or a line break."
        elif len(word) > 1 and word[0] in "'\"" and word[-1] == word[0]:
            problem = f"The argument {shown(word)} is in quotes. Remove them: no shell does."
        elif _TWO_WORDS.match(word):
            problem = (
                f"The argument {shown(word)} is two in one row: give the value a row of its own, "
                "or write “=” between them."
            )
        if problem:
            yield InvalidInputError(problem, field="args")


def _ports_agree(deployment: Deployment, engine: Engine) -> Iterator[InvalidInputError]:
    """Check that the engine listens where requests are sent: none reads PORT of Cloud Run."""
    told = engine.port.told(deployment)
    if told != str(deployment.port):
        yield InvalidInputError(
            f"The engine listens on port {told} ({engine.port.name}), and Cloud Run sends requests "
            f"to port {deployment.port}: make them the same.",
            field=engine.port.field,
        )


def _variables(deployment: Deployment) -> Iterator[InvalidInputError]:
    for name in [*deployment.environment, *deployment.secrets]:
        if not _VARIABLE.fullmatch(name):
            yield InvalidInputError(
                f"{shown(name)} can't be the name of a variable: it takes letters, digits and "
                "underscores, no digit first.",
                field="environment",
            )
        elif name in RESERVED:
            yield InvalidInputError(
                f"The variable {name} is set by Cloud Run itself.", field="environment"
            )
    for name in deployment.secrets:
        if name in deployment.environment:
            yield InvalidInputError(
                f"The variable {name} is given twice, with a value and with a secret.",
                field="environment",
            )


def _labels(deployment: Deployment) -> Iterator[InvalidInputError]:
    for name, value in deployment.labels.items():
        if not _LABEL.fullmatch(name) or not _LABEL_VALUE.fullmatch(value):
            yield InvalidInputError(
                f"{shown(f'{name}={value}')} can't be a label: it takes lowercase letters, "
                "digits, hyphens and underscores, at most 63, a letter first.",
                field="labels",
            )
