"""Trying a service of another task than chatting: one request at a time, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Any as AnyTrait
from traitlets import Bool, HasTraits, Instance

from llm_widgets.errors import ManagerError
from llm_widgets.manager import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session


class TryState(HasTraits):
    """What is asked of a service, and its answer.

    Attributes
    ----------
    busy
        Whether an answer is waited for.
    answer
        What came last: vectors, a ranking, labels or a transcript; ``None`` for nothing.
    error
        Why there is none.
    """

    busy = Bool(default_value=False)
    answer: AnyTrait = AnyTrait(None, allow_none=True)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, service: ServiceSummary) -> None:
        super().__init__()
        self._session = session
        self._service = service

    def follow(self, service: ServiceSummary) -> None:
        """Take over what is known of the service by now."""
        self._service = service

    def embed(self, texts: Sequence[str]) -> None:
        """Ask for the vectors of texts."""
        self._ask(lambda: asking.embed(self._session.clients, self._service, texts))

    def rank(self, query: str, passages: Sequence[str]) -> None:
        """Ask for a ranking of passages."""
        self._ask(lambda: asking.rank(self._session.clients, self._service, query, passages))

    def classify(self, texts: Sequence[str]) -> None:
        """Ask for the labels of texts."""
        self._ask(lambda: asking.classify(self._session.clients, self._service, texts))

    def transcribe(self, recording: asking.Recording) -> None:
        """Ask what is said in a recording."""
        self._ask(lambda: asking.transcribe(self._session.clients, self._service, recording))

    def _ask(self, work: Callable[[], Any]) -> None:
        if self.busy:
            return
        self.error = None
        self.busy = True

        def then(answer: object) -> None:
            with self.hold_trait_notifications():
                self.answer = answer
                self.busy = False

        def failed(error: ManagerError) -> None:
            with self.hold_trait_notifications():
                self.answer = None
                self.error = error
                self.busy = False

        self._session.background.run(work, then, failed)
