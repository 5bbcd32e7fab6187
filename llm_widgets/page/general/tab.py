"""The General tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.page.general.checklist_card import checklist_card
from llm_widgets.page.general.identity_card import identity_card
from llm_widgets.page.general.network_card import NetworkCard
from llm_widgets.page.general.project_card import ProjectCard
from llm_widgets.page.general.quota_card import QuotaCard
from llm_widgets.widgets.layout import grid, stack, toolbar

if TYPE_CHECKING:
    from collections.abc import Callable

    import ipywidgets as w

    from llm_widgets.page.general.general import GeneralState
    from llm_widgets.page.session import Session


def general_view(
    session: Session, state: GeneralState, *, to_import: Callable[[], None]
) -> w.Widget:
    """Make the tab: who am I, in which project, and what is missing there.

    Parameters
    ----------
    to_import
        Called when the person goes on to import a model.
    """
    return stack(
        toolbar("General"),
        grid(identity_card(session, state), ProjectCard(session, state, to_import).box),
        checklist_card(state.checklist),
        NetworkCard(session, state.network).box,
        QuotaCard(session, state.quotas).box,
    )
