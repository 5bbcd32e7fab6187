"""Whether the account of a service may read its model, and the grant where it may not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import HasTraits, Instance, Unicode

from llm_widgets.domain import members
from llm_widgets.errors import DeniedError, InvalidInputError, ManagerError
from llm_widgets.gcp.iam import bucket_readers, policy
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.session import Session

UNKNOWN, GRANTED, MISSING = "unknown", "granted", "missing"


class ReadingState(HasTraits):
    """What the bucket's policy and the project's let the runtime account do.

    Attributes
    ----------
    access
        ``UNKNOWN``, ``GRANTED`` or ``MISSING``.
    error
        Why that can't be told, or could not be granted.
    """

    access = Unicode(UNKNOWN)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._checked = ("", "")

    def check(self, wanted: Deployment) -> None:
        """Look whether the account of a deployment may read its bucket."""
        fresh = self._latest.begin()
        self._checked = (wanted.bucket, wanted.service_account)
        self.access = UNKNOWN
        self.error = None

        def then(granted: bool) -> None:  # noqa: FBT001 - the result of the work
            if fresh():
                self.access = GRANTED if granted else MISSING

        def failed(error: ManagerError) -> None:
            if fresh():
                self.error = error

        self._session.background.run(lambda: self._may_read(wanted), then, failed)

    def grant(self, wanted: Deployment) -> None:
        """Let the account read the bucket."""

        def failed(error: ManagerError) -> None:
            self.error = error

        self._session.background.run(
            lambda: self._grant(wanted), lambda _: self.check(wanted), failed
        )

    def ensure(self, wanted: Deployment) -> None:
        """Let the account read, unless it may already; to be called in the background.

        Raises
        ------
        InvalidInputError
            Who deploys may not grant that; the field is the one that asks for it.
        ManagerError
            The grant failed.
        """
        asked = (wanted.bucket, wanted.service_account)
        if not wanted.service_account or (self.access == GRANTED and self._checked == asked):
            return
        try:
            self._grant(wanted)
        except DeniedError as error:
            raise InvalidInputError(
                f"{error.message} Untick this if it reads by another way.",
                field="grant_access",
                cause=error.cause,
                fix=error.fix,
            ) from error

    def _grant(self, wanted: Deployment) -> None:
        bucket_readers.grant_reader(
            self._session.clients, wanted.bucket, _member(wanted), project=wanted.project
        )

    def _may_read(self, wanted: Deployment) -> bool:
        clients, member = self._session.clients, _member(wanted)
        denied: ManagerError | None = None
        try:
            if bucket_readers.may_read(clients, wanted.bucket, member, project=wanted.project):
                return True
        except DeniedError as error:
            denied = error
        if self._reads_by_the_project(wanted):
            return True
        if denied:
            raise denied
        return False

    def _reads_by_the_project(self, wanted: Deployment) -> bool:
        clients = self._session.clients
        try:
            found = policy.roles_of(clients, policy.of_project(wanted.project), _member(wanted))
        except ManagerError:
            return False  # nobody must be allowed to look there
        return bool(found & bucket_readers.READING_ROLES)


def _member(wanted: Deployment) -> str:
    return members.service_account(wanted.service_account)
