"""Advice of a catalogue as remedies for one deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.apply_remedy import changed
from llm_widgets.domain import gpus
from llm_widgets.domain.failures.remedies import Remedy, RemedyKind
from llm_widgets.engines import registry
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.failures.remedies import Advice

_MEMORY = {"accelerator", "add_argument", "gpu_memory_utilization", "max_model_len", "parallel"}
"""Parameters of a redeployment that the GPU's memory depends on."""

_LOOK = Remedy(RemedyKind.NONE, "What the catalogue advises is done already: look into the log.")


def offers(
    advised: Iterable[Advice],
    told: Mapping[str, str],
    trusted: Mapping[str, str],
    context: Context,
) -> tuple[Remedy, ...]:
    """Fill advice, without what would change nothing; there is always something to do.

    Parameters
    ----------
    told, trusted
        See :meth:`.Advice.remedy`.
    """
    found: list[Remedy] = []
    for advice in advised:
        remedy = None if advice.fallback and found else advice.remedy(told, trusted)
        if remedy is None or _is_done(remedy, context) or _is_same(remedy, found):
            continue
        if _may_fit(remedy, context):
            found.append(remedy)
    return tuple(found) or (_LOOK,)


def _may_fit(remedy: Remedy, context: Context) -> bool:
    """Return whether the deployment may fit into the GPU's memory with what a remedy changes.

    Where nobody can tell, it may.
    """
    before, model = context.deployment, context.model
    if not before or not model or not _MEMORY & remedy.parameters.keys():
        return True
    try:
        after = changed(before, remedy)
        engine, gpu = registry.of(after.framework), gpus.by_accelerator(after.accelerator)
        return not (engine and gpu) or not engine.estimate(model, gpu, after).is_refused
    except InvalidInputError:
        return True  # the engine is told something odd: nothing can be told of its memory


def _is_same(remedy: Remedy, found: Iterable[Remedy]) -> bool:
    """Return whether a remedy does what another one does, in other words."""
    return any(
        remedy == other
        or (remedy.kind is other.kind and remedy.parameters == other.parameters != {})
        for other in found
    )


def _is_done(remedy: Remedy, context: Context) -> bool:
    """Return whether the deployment is as a remedy would make it."""
    wanted = remedy.parameters
    engine = registry.of(context.framework)
    if remedy.kind is not RemedyKind.REDEPLOY or not wanted:
        return False
    is_so: dict[str, Callable[[str], bool]] = {
        "add_argument": lambda word: word in context.args,
        "add_mount_options": lambda text: set(text.split(",")) <= set(context.mount_options),
        "environment": lambda text: all(
            context.environment.get(pair.partition("=")[0]) == pair.partition("=")[2]
            for pair in text.split(";")
        ),
        "max_model_len": lambda value: bool(engine and engine.context.told(context) == value),
    }
    return all(name in is_so and is_so[name](value) for name, value in wanted.items())
