"""The load test of a service: its price first, then its results as they come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, HasTraits, Instance, Tuple, Unicode

from llm_widgets.domain.load_tests.result import LoadTest
from llm_widgets.domain.pausing import Pause
from llm_widgets.errors import ManagerError
from llm_widgets.manager import change, load_test, load_test_advice, load_test_offer, managed
from llm_widgets.manager.closed_loop import ClosedLoop
from llm_widgets.manager.load_test_offer import Offer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.manager.load_test import Ended, Progress
    from llm_widgets.page.session import Session


class LoadTestState(HasTraits):
    """What is known of a service under load.

    Attributes
    ----------
    test
        The last test that came to its end; ``None`` where there is none.
    offer
        What a test would do and cost; ``None`` until that is asked for, and once it was taken.
    asking, running
        Whether it is being asked for; whether a test goes on.
    stopping
        Whether the one that goes on is being ended.
    doing
        What is being done, in words.
    curves
        What the test that goes on has measured so far.
    limit
        Since when, and by whom, the service is limited to one instance for a load test of somebody
        else, or one that was broken off.
    advised
        What applying the advice of the test does, in words; empty where it changes nothing.
    error
        What went wrong last.
    """

    test: Instance[LoadTest | None] = Instance(LoadTest, allow_none=True)
    offer: Instance[Offer | None] = Instance(Offer, allow_none=True)
    asking = Bool(default_value=False)
    running = Bool(default_value=False)
    stopping = Bool(default_value=False)
    doing = Unicode()
    curves: Tuple = Tuple()
    limit: Instance[Pause | None] = Instance(Pause, allow_none=True)
    advised = Unicode()
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, service: ServiceSummary) -> None:
        super().__init__()
        self._session = session
        self._service = service
        self._loop: ClosedLoop | None = None
        self._deployment: Deployment | None = None

    def follow(self, service: ServiceSummary, document: Mapping[str, Any]) -> None:
        """Take over what is known of the service by now."""
        self._service = service
        if self.running:
            return
        with self.hold_trait_notifications():
            self.test = load_test.kept_with(document) or self.test
            self.limit = load_test.limit_of(document)
            self._deployment = change.deployment_of(document)
            self._advise()

    def applied(self, deployment: Deployment) -> Deployment:
        """Return the deployment with what the test advises."""
        return load_test_advice.applied(self.test, deployment)

    def ask(self) -> None:
        """Ask what a test would do and cost."""
        if self.asking or self.running:
            return
        with self.hold_trait_notifications():
            self.asking, self.error, self.offer = True, None, None

        def then(offer: Offer) -> None:
            with self.hold_trait_notifications():
                self.asking, self.offer = False, offer

        def failed(error: ManagerError) -> None:
            with self.hold_trait_notifications():
                self.asking, self.error = False, error

        service, clients = self._service, self._session.clients
        self._session.background.run(
            lambda: load_test_offer.offered(clients, service), then, failed
        )

    def run(self, seconds: float) -> None:
        """Carry out what was offered, within a time."""
        if self.offer is None or self.running:
            return
        offer = self.offer.lasting(seconds)
        clients = self._session.clients
        loop = self._loop = ClosedLoop(clients, offer.service)
        with self.hold_trait_notifications():
            self.offer, self.error, self.curves, self.doing = None, None, (), ""
            self.running, self.stopping = True, False
        self._session.background.run_apart(
            lambda: load_test.run(clients, offer, loop, self._note),
            self._ended,
            self._failed,
        )

    def stop(self) -> None:
        """End the test that goes on, and all of its requests."""
        if self._loop and self.running:
            self.stopping = True
            self._loop.stop()

    def restore(self) -> None:
        """Give the service the limit of its instances back that a test has left behind."""
        clients, name = self._session.clients, self._service.name
        self.error = None

        def then(_: object) -> None:
            self.limit = None

        self._session.background.run(lambda: load_test.restore(clients, name), then, self._failed)

    def _note(self, progress: Progress) -> None:
        with self.hold_trait_notifications():
            self.doing = progress.text
            self.curves = progress.curves

    def _ended(self, ended: Ended) -> None:
        with self.hold_trait_notifications():
            self.running, self.stopping = False, False
            self.test = ended.test or self.test
            self.error = ended.problem
            self._advise()

    def _advise(self) -> None:
        now, is_edited = self._deployment, not managed.why_not_edited(self._service)
        self.advised = load_test_advice.label(self.test, now) if now and is_edited else ""

    def _failed(self, error: ManagerError) -> None:
        with self.hold_trait_notifications():
            self.running, self.stopping = False, False
            self.error = error
