"""The project that everything happens in: shown, or being chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.errors import SignInError
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.html import note, set_text
from llm_widgets.widgets.layout import button, card, row, stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.page.general.general import GeneralState
    from llm_widgets.page.session import Session

_LOCKED = "This manager is locked to this project (LLM_WIDGETS_PROJECT)."


class ProjectCard:
    """The card in its two states; ``box`` is what goes into the page.

    Parameters
    ----------
    to_import
        Called when the person goes on from here: to the import of a model.
    """

    def __init__(
        self, session: Session, state: GeneralState, to_import: Callable[[], None]
    ) -> None:
        self._session = session
        self._state = state
        self._notice = Notice()
        self._details = DetailList()
        self._opening = note("")
        self._next = button("Import a model", style="primary")
        self._next.on_click(lambda _: to_import())
        self._change = button("Change", style="outlined")
        self._search = w.Text(
            description="Search projects", placeholder="Name or ID", continuous_update=True
        )
        self._list = w.Select(description="Projects", rows=6)
        self._count = note("")
        self._more = button("Show more", style="text")
        # Sent when the field is left: each key alone could come after the click on Confirm.
        self._manual = w.Text(
            description="Project ID", placeholder="my-project-123", continuous_update=False
        )
        self._confirm = button("Confirm", style="primary")
        self._cancel = button("Cancel", style="text")
        self._other_way = button("", style="text")
        self._again = button("Try again", style="outlined")
        # The rows stay the same widgets: one that is made anew takes the focus from its buttons.
        self._below = row()
        self._buttons = row()
        self._content = stack()
        self.box = card(
            "Project",
            self._notice,
            self._content,
            text="Where your buckets and services are created and billed.",
        )
        self._bind()
        self._draw()

    def _bind(self) -> None:
        state = self._state
        self._change.on_click(lambda _: state.change())
        self._cancel.on_click(lambda _: state.cancel())
        self._more.on_click(lambda _: state.next_page())
        self._confirm.on_click(lambda _: self._confirmed())
        self._again.on_click(lambda _: state.try_again())
        self._other_way.on_click(lambda _: self._go_another_way())
        self._list.observe(self._offer_to_confirm, "value")
        self._search.observe(lambda change: state.set_trait("query", change["new"]), "value")
        self._session.observe(self._draw, "project")
        state.observe(
            self._draw,
            [
                *("editing", "opening", "manual", "searching", "found", "more"),
                *("listing_denied", "project_error", "identity_error"),
            ],
        )

    @property
    def _is_typed(self) -> bool:
        return self._state.manual or self._state.listing_denied is not None

    def _go_another_way(self) -> None:
        if self._state.listing_denied:
            self._state.search()
        else:
            self._state.type_id(manual=not self._state.manual)

    def _confirmed(self) -> None:
        self._state.confirm((self._manual.value if self._is_typed else self._list.value) or "")

    def _draw(self, _: object = None) -> None:
        state = self._state
        if not state.editing:
            self._draw_chosen()
        elif state.is_signed_out:
            self._notice.clear()
            set_text(self._opening, "Sign in first, see “Application identity”.")
            self._content.children = (self._opening,)
        elif state.opening and not self._session.project and not state.found:
            self._notice.clear()
            set_text(self._opening, f"Opening {state.opening} …")
            self._content.children = (self._opening,)
        elif state.locked:
            self._draw_locked()
        else:
            self._draw_choice()

    def _offer_to_confirm(self, _: object = None) -> None:
        """Let a project be confirmed once one is marked; one that is typed is checked then."""
        is_there = self._is_typed or bool(self._list.value)
        self._confirm.disabled = bool(self._state.opening) or not is_there

    def _offered(self, kept: str | None, ids: list[str]) -> str | None:
        """Choose what is marked in the list: what was marked, or what is most likely meant."""
        for wanted in (kept, self._session.settings.default_project):
            if wanted in ids:
                return wanted
        return ids[0] if len(ids) == 1 else None

    def _draw_chosen(self) -> None:
        project = self._session.project
        if project is None:
            return
        self._notice.clear()
        self._details.show(
            [
                Detail("Project", project.name or project.id, state="ok"),
                Detail("ID", project.id, code=True, copy=True),
                Detail("Number", project.number, code=True),
            ]
        )
        if self._state.locked:
            set_text(self._opening, _LOCKED)
            self._buttons.children = (self._next,)
            self._content.children = (self._details, self._opening, self._buttons)
        else:
            self._buttons.children = (self._next, self._change)
            self._content.children = (self._details, self._buttons)

    def _draw_locked(self) -> None:
        if self._state.project_error:
            self._notice.show_error(self._state.project_error)
        set_text(self._opening, _LOCKED)
        self._buttons.children = (self._again,)
        self._content.children = (self._opening, self._buttons)

    def _draw_choice(self) -> None:
        state = self._state
        error = state.project_error or state.listing_denied
        if error:
            self._notice.show_error(error)
        else:
            self._notice.clear()
        self._offer_to_confirm()
        self._other_way.description = (
            "List projects again"
            if state.listing_denied
            else "Search projects"
            if state.manual
            else "Enter a project ID"
        )
        self._other_way.disabled = state.searching and state.listing_denied is not None
        cancel = (self._cancel,) if self._session.project else ()
        again = (self._again,) if isinstance(state.project_error, SignInError) else ()
        self._buttons.children = (self._confirm, *cancel, *again, self._other_way)
        if self._is_typed:
            if state.project_error and not self._manual.value:
                self._manual.value = state.wanted
            self._content.children = (self._manual, self._buttons)
            return
        options = [(f"{found.name or found.id}  ·  {found.id}", found.id) for found in state.found]
        if tuple(options) != tuple(self._list.options):
            kept = self._list.value
            self._list.options = options
            self._list.value = self._offered(kept, [project_id for _, project_id in options])
            self._offer_to_confirm()
        set_text(self._count, _count_text(state))
        self._below.children = (self._count, *([self._more] if state.more else []))
        self._content.children = (self._search, self._list, self._below, self._buttons)


def _count_text(state: GeneralState) -> str:
    if state.searching:
        return "Searching …"
    if not state.found and not state.more:
        return "No project matches." if state.query else "This identity has access to no project."
    many = f"{len(state.found)}{' or more' if state.more else ''}"
    return f"{many} project{'s' if len(state.found) != 1 or state.more else ''}"
