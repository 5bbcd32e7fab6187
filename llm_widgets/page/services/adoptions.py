"""Adopting services that others deployed, and releasing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.manager import adopting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.domain.adoption import LabelChange
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session


class Adoptions:
    """Changes the labels of services in the background, and has the list read again."""

    def __init__(self, session: Session, services: ServicesState) -> None:
        self._session = session
        self._services = services
        self._listeners: list[Callable[[], object]] = []

    def on_change(self, listener: Callable[[], object]) -> None:
        """Have ``listener`` called when a service was adopted or released."""
        self._listeners.append(listener)

    def plan(self, service: ServiceSummary, then: Callable[[Sequence[LabelChange]], None]) -> None:
        """Find out which labels would be changed: by adopting, or by releasing where it is."""
        clients = self._session.clients
        look = adopting.undone if service.adopted else adopting.planned
        self._session.background.run(lambda: look(clients, service), then, self._session.report)

    def adopt(
        self,
        service: ServiceSummary,
        framework: str,
        *,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Adopt a service.

        Parameters
        ----------
        framework
            Id of its engine; the one that is recognised where it is empty.
        done, failed
            Called when its labels are changed, or are not.
        """
        clients, name = self._session.clients, service.name
        self._change(
            service,
            lambda: adopting.adopt(clients, name, framework),
            "is managed here now",
            done,
            failed,
        )

    def release(
        self,
        service: ServiceSummary,
        *,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Undo the adoption of a service; see :meth:`adopt`."""
        clients, name = self._session.clients, service.name
        self._change(
            service,
            lambda: adopting.release(clients, name),
            "is not managed here any more",
            done,
            failed,
        )

    def _change(
        self,
        service: ServiceSummary,
        work: Callable[[], Sequence[LabelChange]],
        told: str,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        def then(changed: Sequence[LabelChange]) -> None:
            labels = ", ".join(each.label for each in changed)
            self._session.notify(f"{service.id} {told}. Labels changed: {labels}.", "success")
            self._services.refresh()
            for listener in self._listeners:
                listener()
            done()

        self._session.background.run(work, then, failed)
