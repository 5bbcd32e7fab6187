"""Whether the account of a service may read its model, and the grant where it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import HasTraits, Instance

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.iam.effective_access import Verdict
from llm_widgets.manager import bucket_access
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.session import Session


class BucketAccessState(HasTraits):
    """What the bucket's policy and the project's let the runtime account do.

    Attributes
    ----------
    verdict
        ``None`` while that is looked for.
    error
        Why that can't be told, or could not be granted.
    """

    verdict: Instance[Verdict | None] = Instance(Verdict, allow_none=True)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()

    def check(self, wanted: Deployment) -> None:
        """Look whether the account of a deployment may read its bucket."""
        fresh = self._latest.begin()
        self.verdict = None
        self.error = None

        def then(found: Verdict) -> None:
            if fresh():
                self.verdict = found

        def failed(error: ManagerError) -> None:
            if fresh():
                self.error = error

        clients = self._session.clients
        self._session.background.run(lambda: bucket_access.reading(clients, wanted), then, failed)

    def grant(self, wanted: Deployment) -> None:
        """Let the account read the bucket."""

        def failed(error: ManagerError) -> None:
            self.error = error

        clients = self._session.clients
        self._session.background.run(
            lambda: bucket_access.grant(clients, wanted), lambda _: self.check(wanted), failed
        )
