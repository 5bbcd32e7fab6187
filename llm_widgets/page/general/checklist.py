"""The checklist of the project: asked again and again, and what a click does about a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Dict, Tuple

from llm_widgets.checks.context import Context
from llm_widgets.checks.run import empty_rows, wait_until_ok
from llm_widgets.domain import checklist
from llm_widgets.manager import project_changes, projects
from llm_widgets.page.general.rounds import RoundsState

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.checklist import Row, Work
    from llm_widgets.errors import ManagerError


class ChecklistState(RoundsState):
    """The rows, filled as the answers come.

    Attributes
    ----------
    rows
        :class:`llm_widgets.domain.checklist.Row` objects in the order of the page.
    acting
        Row keys for which an action runs.
    problems
        Row key to the failure of its last action.
    """

    rows: Tuple = Tuple()
    acting: Tuple = Tuple()
    problems: Dict = Dict()

    def refresh(self) -> None:
        """Ask everything again; what was known stays to be seen until its answer comes."""

        def ask(context: Context, is_newest: Callable[[], bool]) -> str:
            def tell(row: Row) -> None:
                if is_newest():
                    with self._lock:
                        self.rows = checklist.replaced(self.rows, row)

            _, account = projects.checklist(context, tell)
            return account

        def then(account: str) -> None:
            self._session.runtime_account = account

        self._begin_round(ask, then)

    def blockers(self, work: Work) -> list[Row]:
        """Return the rows for which a kind of work would fail; see :mod:`.domain.checklist`."""
        return checklist.blockers(self.rows, work)

    def act(self, key: str) -> None:
        """Do what the fix of a row offers, then look until it has taken effect."""
        row = next((row for row in self.rows if row.key == key), None)
        project = self._session.project
        fix = row.answer.fix if row else None
        if project is None or fix is None or not fix.action or key in self.acting:
            return
        clients, action = self._session.clients, fix.action
        self.acting = (*self.acting, key)
        self.problems = {each: error for each, error in self.problems.items() if each != key}

        def tell(row: Row) -> None:
            if self._session.project is project:
                with self._lock:
                    self.rows = checklist.replaced(self.rows, row)

        def work() -> bool:
            self._session.notify(project_changes.carry_out(clients, project, action), "success")
            return wait_until_ok(lambda: Context(clients, project), key, tell)

        def then(is_ok: bool) -> None:  # noqa: FBT001 - a callback
            self.acting = tuple(each for each in self.acting if each != key)
            if not is_ok:
                self._session.notify(
                    "The change has not taken effect yet. Refresh in a few minutes."
                )
            self.refresh()

        def failed(error: ManagerError) -> None:
            self.acting = tuple(each for each in self.acting if each != key)
            self.problems = {**self.problems, key: error}

        self._session.background.run(work, then, failed)

    def _project_changed(self, _: object) -> None:
        self.rows = empty_rows() if self._session.project else ()
        self.checked_at = 0.0
        self._session.runtime_account = ""
        self.problems = {}
        self.refresh()
