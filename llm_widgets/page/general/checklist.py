"""The checklist of the project: asked again and again, and what a click does about a row."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from traitlets import Bool, Dict, Float, HasTraits, Tuple

from llm_widgets.checks import remedies
from llm_widgets.checks.context import Context
from llm_widgets.checks.run import CHECKS, empty_rows, run, wait_until_ok
from llm_widgets.domain import checklist
from llm_widgets.errors import ManagerError
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from llm_widgets.domain.checklist import Row, Work
    from llm_widgets.page.session import Session


class ChecklistState(HasTraits):
    """The rows, filled as the answers come.

    Attributes
    ----------
    rows
        :class:`llm_widgets.domain.checklist.Row` objects in the order of the page.
    checked_at
        When the last round was complete: seconds since 1970; 0 before the first.
    running
        Whether a round is under way.
    acting
        Row keys for which an action runs.
    problems
        Row key to the failure of its last action.
    """

    rows: Tuple = Tuple()
    checked_at = Float(0.0)
    running = Bool(default_value=False)
    acting: Tuple = Tuple()
    problems: Dict = Dict()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._lock = threading.Lock()
        session.observe(self._project_changed, "project")

    def refresh(self) -> None:
        """Ask everything again; what was known stays to be seen until its answer comes."""
        project = self._session.project
        if project is None:
            return
        fresh = self._latest.begin()
        context = Context(self._session.clients, project)
        self.running = True

        def tell(row: Row) -> None:
            if fresh():
                with self._lock:
                    self.rows = checklist.replaced(self.rows, row)

        def work() -> str:
            run(context, tell, CHECKS)
            try:
                return context.runtime_account().email
            except ManagerError:
                return ""

        def then(account: str) -> None:
            if fresh():
                self._session.runtime_account = account
                self.checked_at = time.time()
                self.running = False

        def failed(error: ManagerError) -> None:
            if fresh():
                self.running = False
                self._session.report(error)

        self._session.background.run(work, then, failed)

    def blockers(self, work: Work) -> list[Row]:
        """Give the rows for which a kind of work would fail; see :mod:`domain.checklist`."""
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
            self._session.notify(remedies.carry_out(Context(clients, project), action), "success")
            return wait_until_ok(lambda: Context(clients, project), key, tell)

        def then(is_ok: bool) -> None:  # noqa: FBT001 - a callback
            self.acting = tuple(each for each in self.acting if each != key)
            if not is_ok:
                self._session.notify("It has not taken effect yet: refresh in a few minutes.")
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
