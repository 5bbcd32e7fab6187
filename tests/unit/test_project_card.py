"""The card of the project while a person types."""

from __future__ import annotations

from llm_widgets.config import Settings
from llm_widgets.page.general.general import GeneralState
from llm_widgets.page.general.project_card import ProjectCard
from llm_widgets.page.session import Session


def test_an_answer_leaves_the_buttons_where_they_are() -> None:
    """A button whose row is made anew would lose the keyboard's focus."""
    session = Session(Settings())
    state = GeneralState(session)
    card = ProjectCard(session, state, to_import=session.close)
    state.editing = True
    before = card._content.children
    state.searching = not state.searching
    state.searching = not state.searching
    assert card._content.children == before
    session.close()


def test_that_there_is_no_project_is_told_by_an_answer_only() -> None:
    session = Session(Settings())
    state = GeneralState(session)
    card = ProjectCard(session, state, to_import=session.close)
    assert "Searching …" in card._count.value
    state.searching = False
    assert "This identity has access to no project." in card._count.value
    session.close()
