"""Prices of Cloud Run, as the page knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, Instance

from llm_widgets.domain.prices import PriceList
from llm_widgets.gcp.project import prices

if TYPE_CHECKING:
    from llm_widgets.page.session import Session


class PricesState(HasTraits):
    """Prices, those of the dated table until the catalogue has been read."""

    listed: Instance[Any] = Instance(PriceList, ())

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def load(self) -> None:
        """Read the catalogue, unless that was done within the last hours."""
        session = self._session
        if not session.project:
            return

        def then(found: PriceList) -> None:
            self.listed = found

        session.background.run(
            lambda: prices.listed(session.clients, session.project_id), then, session.report
        )
