"""How an engine is told from what Cloud Run says of a container, by signs that are data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.recognition import Confidence, Recognition, first_model
from llm_widgets.engines.command_line import CommandLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm_widgets.domain.recognition import SeenContainer

_PLAIN = CommandLine()
_BESIDE = frozenset(("client", "exporter", "frontend", "gateway", "proxy", "router", "ui", "webui"))
"""Words in the name of an image of something that talks to an engine and is none."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What tells that a container runs an engine, and where it says which model.

    Attributes
    ----------
    own
        Searched in ``/image:tag``, in small letters, without the digest: images whose own program
        the engine is.
    named
        Searched in the last part of an image's name: one that people build and call after it.
    programs
        Words that follow one another in what starts it; of a path, the last part counts.
    variables
        Begins of the names of variables that only the engine reads.
    port
        A port that no other program is known for; 0 where there is none.
    model
        Flags with the model.
    model_after
        Words that the model follows.
    model_first
        Whether the image's own program takes the model as its first word that is no flag.
    model_variables
        Variables with the model, of its own and of what is built on its image.
    model_image
        Searched in ``/image:tag``: an image with a model in it, its name in the group ``model``.
    served, served_variables
        Flags and variables with the name by which its API knows the model.
    key, key_variables
        Flags and variables with the key that it asks its callers for.
    """

    own: re.Pattern[str]
    named: re.Pattern[str]
    programs: tuple[tuple[str, ...], ...]
    variables: tuple[str, ...] = ()
    port: int = 0
    model: tuple[str, ...] = ()
    model_after: tuple[str, ...] = ()
    model_first: bool = False
    model_variables: tuple[str, ...] = ("MODEL_ID", "MODEL_NAME", "MODEL")
    model_image: re.Pattern[str] | None = None
    served: tuple[str, ...] = ()
    served_variables: tuple[str, ...] = ()
    key: tuple[str, ...] = ("--api-key",)
    key_variables: tuple[str, ...] = ()
    command_line: CommandLine = _PLAIN


def recognise(
    framework: str, label: str, signs: Signs, container: SeenContainer
) -> Recognition | None:
    """Return what a container is if it runs an engine; ``None`` where too little says so."""
    image = f"/{container.image.lower().partition('@')[0]}"
    program = next(filter(None, (_program(signs, each) for each in container.runs)), None)
    is_own, is_named = bool(signs.own.search(image)), _is_named(signs, image)
    variables = [
        each for each in sorted(container.environment) if each.startswith(signs.variables or ("/",))
    ]
    has_port = bool(signs.port) and container.port == signs.port
    confidence = _confidence(
        container,
        runs=program is not None,
        is_own=is_own,
        is_named=is_named,
        beside=bool(variables) + has_port + container.has_gpu,
        speaks=bool(variables) or has_port,
    )
    if confidence is None:
        return None
    reasons = [
        f"Its command runs “{' '.join(program or ())}”." if program else "",
        f"Its image is one of {label}." if is_own else "",
        f"Its image is named after {label}." if is_named and not is_own else "",
        f"Its environment sets {', '.join(variables[:3])}." if variables else "",
        f"It listens on port {signs.port}." if has_port else "",
        "It has a GPU." if container.has_gpu and confidence is not Confidence.CERTAIN else "",
        f"Its command is not one of {label}'s." if container.command and not program else "",
    ]
    model, served = _model(signs, container)
    inside = signs.model_image.search(image) if signs.model_image and not model else None
    if inside:
        model = inside["model"]
    return Recognition(framework, confidence, model, served, tuple(filter(None, reasons)))


def key_told(signs: Signs, container: SeenContainer) -> str:
    """Return the key that an engine is told to ask its callers for; empty where it is told none."""
    told = (
        *(signs.command_line.value(words, flag) for words in container.runs for flag in signs.key),
        *(container.environment.get(name, "") for name in signs.key_variables),
    )
    # What a header can't hold is none that anybody sends.
    return next((each for each in told if each and each.isascii() and each.isprintable()), "")


def _confidence(
    container: SeenContainer,
    *,
    runs: bool,
    is_own: bool,
    is_named: bool,
    beside: int,
    speaks: bool,
) -> Confidence | None:
    """Return how sure it is.

    Parameters
    ----------
    beside
        How many of variables, port and GPU agree.
    speaks
        Whether variables or port do.
    """
    if runs or (is_own and not container.command):
        return Confidence.CERTAIN
    if is_named and not container.command and beside:
        return Confidence.LIKELY
    if speaks and container.has_gpu and not container.command:
        return Confidence.LIKELY if beside > 2 else Confidence.POSSIBLE  # noqa: PLR2004 - all of them
    if is_own or is_named or (speaks and container.has_gpu):
        return Confidence.POSSIBLE
    return None


def _program(signs: Signs, words: Sequence[str]) -> tuple[str, ...] | None:
    """Return which of an engine's programs is started by some words."""
    plain = [word.rsplit("/", 1)[-1] for word in words]
    for program in signs.programs:
        length = len(program)
        for start in range(len(plain) - length + 1):
            if tuple(plain[start : start + length]) == program:
                return program
    return None


def _is_named(signs: Signs, image: str) -> bool:
    name = image.rsplit("/", 1)[-1].partition(":")[0]
    return bool(signs.named.search(name)) and not _BESIDE & set(re.split(r"[^a-z0-9]+", name))


def _model(signs: Signs, container: SeenContainer) -> tuple[str, str]:
    """Return what is loaded, and the name that its API has for it.

    A variable of a name that people choose says which model it is where the engine itself is told
    a folder.
    """
    told = first_model(_told(signs, container))
    environment = container.environment
    beside = first_model(environment.get(name, "") for name in signs.model_variables)
    is_folder = told.startswith(("/", "gs://", "."))
    served = first_model(
        (
            *(
                signs.command_line.value(words, flag)
                for words in container.runs
                for flag in signs.served
            ),
            *(environment.get(name, "") for name in signs.served_variables),
        )
    )
    model = beside if beside and (is_folder or not told) else told
    return model, served or told or beside


def _told(signs: Signs, container: SeenContainer) -> Iterator[str]:
    """Yield what may be the model in the words of a container, the surest first."""
    line = signs.command_line
    for words in container.runs:
        yield from (line.value(words, flag) for flag in signs.model)
        for word in signs.model_after:
            if word in words:
                yield next(iter(line.operands(words[words.index(word) + 1 :])), "")
        if signs.model_first and not container.command:
            yield next(iter(line.operands(words)), "")
