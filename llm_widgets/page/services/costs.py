"""What the services have cost so far, as the page knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, HasTraits, Instance

from llm_widgets.domain.costs import Costs
from llm_widgets.errors import ManagerError
from llm_widgets.manager import costing
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session


class CostsState(HasTraits):
    """Costs of the services, read once all regions have answered.

    Attributes
    ----------
    costs
        ``None`` until they are known.
    error
        Why they are not.
    """

    costs: Instance[Any] = Instance(Costs, allow_none=True)
    loading = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, services: ServicesState) -> None:
        super().__init__()
        self._session = session
        self._services = services
        self._latest = Latest()
        services.observe(self._listed, "loading")
        session.observe(self._forget, "project")

    def refresh(self) -> None:
        """Read them for the services that are listed."""
        session = self._session
        listed = tuple(each for each in self._services.services if each.managed)
        if not session.project or not listed:
            self._forget()
            return
        fresh = self._latest.begin()
        self.loading = True

        def then(found: Costs) -> None:
            if fresh():
                with self.hold_trait_notifications():
                    self.costs, self.error, self.loading = found, None, False

        def failed(error: ManagerError) -> None:
            if fresh():
                with self.hold_trait_notifications():
                    self.costs, self.error, self.loading = None, error, False

        session.background.run(
            lambda: costing.costs(session.clients, session.project_id, listed), then, failed
        )

    def _listed(self, change: dict[str, Any]) -> None:
        if not change["new"]:
            self.refresh()

    def _forget(self, _: object = None) -> None:
        self._latest.begin()
        with self.hold_trait_notifications():
            self.costs, self.error, self.loading = None, None, False
