"""What is asked of the project in rounds: all of it again when the project or a person wants it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from traitlets import Bool, Float, HasTraits

from llm_widgets.checks.context import Context
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.errors import ManagerError
    from llm_widgets.page.session import Session

T = TypeVar("T")


class RoundsState(HasTraits):
    """The rounds; only the newest one changes anything.

    Attributes
    ----------
    checked_at
        When the last round was complete: seconds since 1970; 0 before the first.
    running
        Whether a round is under way.
    """

    checked_at = Float(0.0)
    running = Bool(default_value=False)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._lock = threading.Lock()
        session.observe(self._project_changed, "project")

    def _begin_round(
        self, ask: Callable[[Context, Callable[[], bool]], T], then: Callable[[T], None]
    ) -> None:
        """Begin a round, unless no project is chosen.

        Parameters
        ----------
        ask
            Called in the background with what it asks, and with a function that answers whether
            this is still the newest round.
        then
            Called with what ``ask`` returned, if it still is.
        """
        project = self._session.project
        if project is None:
            return
        is_newest = self._latest.begin()
        context = Context(self._session.clients, project)
        self.running = True

        def done(found: T) -> None:
            if is_newest():
                then(found)
                self.checked_at = time.time()
                self.running = False

        def failed(error: ManagerError) -> None:
            if is_newest():
                self.running = False
                self._session.report(error)

        self._session.background.run(lambda: ask(context, is_newest), done, failed)

    def _project_changed(self, _: object) -> None:
        """Forget what is known of another project, and begin a round."""
        raise NotImplementedError
