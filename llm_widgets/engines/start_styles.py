"""Which style of start a deployment has by its arguments, and giving it another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine


def of(engine: Engine, deployment: Deployment) -> str:
    """Return the id of the style that a deployment has; empty where its arguments are of none."""
    line, args = engine.command_line, deployment.args
    told = [style for style in engine.start_styles if style.words and set(style.words) <= set(args)]
    if len(told) == 1:
        return told[0].id
    flags = {_name(word) for style in engine.start_styles for word in style.words}
    is_plain = not any(line.has(args, flag) for flag in flags)
    return next((s.id for s in engine.start_styles if is_plain and not s.words), "")


def with_style(engine: Engine, deployment: Deployment, wanted: str) -> Deployment:
    """Return the deployment with another style; what a person told the same flags goes.

    An engine without that style leaves it as it is.
    """
    styles = {style.id: style for style in engine.start_styles}
    if wanted not in styles or of(engine, deployment) == wanted:
        return deployment
    args: Sequence[str] = deployment.args
    for style in styles.values():
        for word in style.words:
            args = engine.command_line.without(args, _name(word))
    for word in styles[wanted].words:
        args = engine.command_line.with_word(args, word)
    return replace(deployment, args=tuple(args))


def _name(word: str) -> str:
    return word.partition("=")[0]
