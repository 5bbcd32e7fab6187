"""How a service is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import Bool, HasTraits, Instance

from llm_widgets.errors import ManagerError
from llm_widgets.gcp.observe import metrics
from llm_widgets.gcp.observe.metrics import Usage

if TYPE_CHECKING:
    from llm_widgets.page.session import Session


class ServiceMetricsState(HasTraits):
    """The measures of a service's last hour, read when they are asked for."""

    usage: Instance[Any] = Instance(Usage, allow_none=True)
    loading = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, name: str) -> None:
        super().__init__()
        self._session = session
        self._name = name

    def refresh(self) -> None:
        """Read them."""
        self.loading = True

        def then(usage: Usage) -> None:
            self.loading = False
            self.error = None
            self.usage = usage

        def failed(error: ManagerError) -> None:
            self.loading = False
            self.error = error

        self._session.background.run(
            lambda: metrics.usage(self._session.clients, self._name), then, failed
        )
