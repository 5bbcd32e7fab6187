"""The self-test of a service: started by a click, its results as they come."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from traitlets import Bool, Float, HasTraits, Instance, Tuple

from llm_widgets.errors import ManagerError
from llm_widgets.manager import self_test

if TYPE_CHECKING:
    from llm_widgets.domain.self_tests import Tested
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session


class SelfTestState(HasTraits):
    """What a service was found to do.

    Attributes
    ----------
    tests
        The results so far, see :class:`.Tested`.
    running
        Whether more of them come.
    ended_at
        When it was last complete: seconds since 1970, 0 for never.
    error
        Why it could not be run.
    """

    tests: Tuple = Tuple()
    running = Bool(default_value=False)
    ended_at = Float(0.0)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, service: ServiceSummary) -> None:
        super().__init__()
        self._session = session
        self._service = service

    def follow(self, service: ServiceSummary) -> None:
        """Take over what is known of the service by now."""
        self._service = service

    def run(self) -> None:
        """Test everything that the service should do."""
        if self.running:
            return
        with self.hold_trait_notifications():
            self.error = None
            self.tests = ()
            self.running = True
        service = self._service

        def work() -> None:
            for each in self_test.run(self._session.clients, service):
                self._add(each)

        def then(_: object) -> None:
            with self.hold_trait_notifications():
                self.running = False
                self.ended_at = time.time()

        def failed(error: ManagerError) -> None:
            with self.hold_trait_notifications():
                self.running = False
                self.error = error

        self._session.background.run(work, then, failed)

    def _add(self, tested: Tested) -> None:
        self.tests = (*self.tests, tested)
