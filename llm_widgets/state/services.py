"""The Services tab: what the product has deployed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Tuple

from llm_widgets.cloud import rollout, services
from llm_widgets.domain.services import ServiceState, ServiceSummary
from llm_widgets.errors import ManagerError
from llm_widgets.state.background import Latest

if TYPE_CHECKING:
    from llm_widgets.cloud.clients import Clients
    from llm_widgets.state.session import Session

POLL_SECONDS = 2.0
CHANGING = (ServiceState.DEPLOYING, ServiceState.DELETING)


class ServicesState(HasTraits):
    """The services of the project.

    Attributes
    ----------
    unreachable
        ``(region, why)`` of the regions that did not answer.
    error
        Why the last list could not be had at all.
    """

    services: Tuple = Tuple()
    unreachable: Tuple = Tuple()
    loading = Bool(default_value=False)
    loaded = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._polling = False
        session.observe(self._project_changed, "project")

    def find(self, name: str) -> ServiceSummary | None:
        """Give the service with a resource name, or ``None`` when it is not there any more."""
        return next((service for service in self.services if service.name == name), None)

    def refresh(self) -> None:
        """Ask for all services."""
        project = self._session.project_id
        if not project:
            return
        fresh = self._latest.begin()
        self.loading = True

        def then(listing: services.ServiceListing) -> None:
            if fresh():
                self.error = None
                self.services = tuple(listing.services)
                self.unreachable = tuple(listing.unreachable)
                self._loaded()
                self._follow_changes()

        def failed(error: ManagerError) -> None:
            if fresh():
                self.error = error
                self._loaded()

        self._session.background.run(
            lambda: services.list_services(self._session.clients, project), then, failed
        )

    def delete(self, service: ServiceSummary) -> None:
        """Delete a service; its model's files stay."""
        clients = self._session.clients

        def then(_: object) -> None:
            self._session.notify(f"{service.id} was deleted.", "success")
            self.refresh()

        def failed(error: ManagerError) -> None:
            self._session.report(error)
            self.refresh()

        self._replace(service, ServiceState.DELETING)
        self._session.background.run(lambda: _deleted(clients, service.name), then, failed)

    def _replace(self, service: ServiceSummary, state: ServiceState) -> None:
        self.services = tuple(
            replace(each, state=state) if each.name == service.name else each
            for each in self.services
        )

    def _project_changed(self, _: object) -> None:
        self.services = ()
        self.unreachable = ()
        self.error = None
        self.loaded = False
        self.refresh()

    def _loaded(self) -> None:
        self.loading = False
        self.loaded = True

    def _follow_changes(self) -> None:
        """Look again for as long as something changes."""
        if not self._polling and any(each.state in CHANGING for each in self.services):
            self._polling = True
            self._session.background.repeat(POLL_SECONDS, self._poll)

    def _poll(self) -> bool:
        if any(each.state in CHANGING for each in self.services):
            self.refresh()
            return True
        self._polling = False
        return False


def _deleted(clients: Clients, name: str) -> None:
    for _ in rollout.follow(clients, services.delete(clients, name)):
        pass  # until it is gone
