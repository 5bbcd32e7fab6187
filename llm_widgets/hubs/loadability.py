"""Which engine loads a model of a hub: asked before an import, of all that serve the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines import registry

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents, Verdict
    from llm_widgets.engines.base import Engine


def judged(hub_id: str, contents: Contents) -> tuple[Engine, Verdict]:
    """Return the first engine that loads a model, and what it makes of it.

    Where none does, it is the preferred one, with the reason in ``refusal``.
    """
    found = [(engine, engine.judge(contents)) for engine in registry.for_source(hub_id)]
    return next((each for each in found if not each[1].refusal), found[0])
