"""Where an engine is told something: by an argument, a variable, or a word without a flag."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from llm_widgets.engines.command_line import CommandLine
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment

# Small letters count thousands, capitals powers of two, as vLLM reads numbers of tokens.
_UNITS = {"k": 1000, "K": 1024, "m": 1000**2, "M": 1024**2, "g": 1000**3, "G": 1024**3}

_PLAIN = CommandLine()


class Container(Protocol):
    """What an engine is told; a deployment is one, and what is known of one that failed."""

    @property
    def args(self) -> tuple[str, ...]:
        """The words of the command line after the program."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with plain values."""


class Setting(Protocol):
    """One thing that an engine is told."""

    @property
    def name(self) -> str:
        """How people find it among what the engine is told."""

    @property
    def field(self) -> str:
        """The field of the form that has it: ``args`` or ``environment``."""

    def told(self, container: Container) -> str:
        """Return what the engine is told, its default where it is told nothing."""

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Return the deployment with the engine told this."""

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Return the deployment with ``after`` told where ``before`` was; else as it is."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A flag of the command line with a value."""

    name: str
    default: str = ""
    command_line: CommandLine = _PLAIN
    field: str = field(default="args", init=False)

    def told(self, container: Container) -> str:
        """Return the value of the flag."""
        return self.command_line.value(container.args, self.name) or self.default

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Set the flag to this value."""
        args = self.command_line.with_word(deployment.args, f"{self.name}={value}")
        return replace(deployment, args=args)

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Set the flag to another value where it had this one."""
        given = self.command_line.value(deployment.args, self.name)
        return self.tell(deployment, after) if given == before else deployment


@dataclass(frozen=True, slots=True)
class Operand:
    """The first word of the command line that is no flag and no value of one."""

    name: str
    command_line: CommandLine = _PLAIN
    field: str = field(default="args", init=False)

    def told(self, container: Container) -> str:
        """Return the word; empty where there is none."""
        return next(iter(self.command_line.operands(container.args)), "")

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Return the deployment with another word in its place, or at the beginning."""
        before = self.told(deployment)
        if not before:
            return replace(deployment, args=(value, *deployment.args))
        return self.follow(deployment, before, value)

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Return the deployment with another word wherever this one stands."""
        args = tuple(after if word == before else word for word in deployment.args)
        return replace(deployment, args=args)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of the environment."""

    name: str
    default: str = ""
    field: str = field(default="environment", init=False)

    def told(self, container: Container) -> str:
        """Return the value of the variable."""
        return container.environment.get(self.name) or self.default

    def tell(self, deployment: Deployment, value: str) -> Deployment:
        """Set the variable to this value."""
        return replace(deployment, environment={**deployment.environment, self.name: value})

    def follow(self, deployment: Deployment, before: str, after: str) -> Deployment:
        """Set the variable to another value where it had this one."""
        given = deployment.environment.get(self.name)
        return self.tell(deployment, after) if given == before else deployment


def tokens(text: str, field: str) -> int:
    """Read a number of tokens, also with a unit: ``8192``, ``32k``, ``32K``.

    Raises
    ------
    InvalidInputError
        It is none; ``field`` is where it was typed.
    """
    factor = _UNITS.get(text[-1:], 1)
    try:
        found = int(float(text[:-1] if factor > 1 else text) * factor)
    except (ValueError, OverflowError):
        found = 0
    if found < 1:
        raise InvalidInputError(f"“{text}” is not a number of tokens.", field=field)
    return found
