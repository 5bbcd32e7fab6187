"""How a service is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, HasTraits, Instance, Int

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.observe import metrics
from llm_widgets.gcp.observe.metrics import Usage
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from llm_widgets.page.session import Session


class ServiceMetricsState(HasTraits):
    """The measures of a service, read when they are asked for.

    Attributes
    ----------
    minutes
        How far back; those of another time are read when it is set.
    """

    minutes = Int(60)
    usage: Instance[Any] = Instance(Usage, allow_none=True)
    loading = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, name: str) -> None:
        super().__init__()
        self._session = session
        self._name = name
        self._latest = Latest()
        self.observe(lambda _: self.refresh(), "minutes")

    def refresh(self) -> None:
        """Read them."""
        self.loading = True
        fresh, minutes = self._latest.begin(), self.minutes

        def then(usage: Usage) -> None:
            if fresh():
                self.loading = False
                self.error = None
                self.usage = usage

        def failed(error: ManagerError) -> None:
            if fresh():
                self.loading = False
                self.error = error

        self._session.background.run(
            lambda: metrics.usage(self._session.clients, self._name, minutes=minutes), then, failed
        )
