"""What an engine is told beyond its recipe, because of the family that a model is of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.command_line import CommandLine


@dataclass(frozen=True, slots=True)
class Proposal:
    """Arguments that a family of models is served with, and why.

    Attributes
    ----------
    family
        Name of the family.
    words
        The arguments, each in one word: ``--flag=value``, or a switch.
    reason
        What told the family, in a sentence.
    effects
        A sentence on what the arguments do, one for each purpose.
    notes
        What should be known of the family; empty for nothing.
    source
        Where the arguments are from, with version or date.
    """

    family: str
    words: tuple[str, ...]
    reason: str
    effects: tuple[str, ...]
    notes: tuple[str, ...]
    source: str


def is_told(deployment: Deployment, proposal: Proposal) -> bool:
    """Return whether a deployment has all arguments of a proposal."""
    return set(proposal.words) <= set(deployment.args)


def add(deployment: Deployment, proposal: Proposal, command_line: CommandLine) -> Deployment:
    """Return the deployment with the arguments; each replaces what it is told there."""
    args = deployment.args
    for word in proposal.words:
        args = command_line.with_word(args, word)
    return replace(deployment, args=args)


def remove(deployment: Deployment, proposal: Proposal, command_line: CommandLine) -> Deployment:
    """Return the deployment without the arguments; what a person changed of them stays."""
    args = deployment.args
    for word in proposal.words:
        if word in args:
            args = command_line.without(args, word.partition("=")[0])
    return replace(deployment, args=args)
