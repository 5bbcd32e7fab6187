"""Pausing services and resuming them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.manager import leasing, pausing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session


class Pauses:
    """Pauses and resumes in the background, and has the list read again."""

    def __init__(self, session: Session, services: ServicesState) -> None:
        self._session = session
        self._services = services
        self._listeners: list[Callable[[], object]] = []

    def on_change(self, listener: Callable[[], object]) -> None:
        """Have ``listener`` called when Cloud Run has taken a pause or its end."""
        self._listeners.append(listener)

    def pause(self, name: str) -> None:
        """Have a service run no instances, given its resource name."""
        self._change(name, pausing.pause, "is paused: it runs no instances.")

    def resume(self, name: str) -> None:
        """Have a paused service scale by itself again."""
        self._change(name, pausing.resume, "is resumed.")

    def lease(
        self,
        name: str,
        at: datetime | None,
        *,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Have a service paused at a time; ``None`` takes that off.

        Parameters
        ----------
        done, failed
            Called when it is kept with the service, or is not.
        """
        clients, short = self._session.clients, name.rsplit("/", 1)[-1]

        def work() -> ManagerError | None:
            if at is None:
                leasing.end(clients, name)
                return None
            return leasing.lease(clients, name, at)

        def then(untold: ManagerError | None) -> None:
            if untold:
                self._session.report(untold)
            elif at is None:
                self._session.notify(f"{short} is not paused automatically.", "success")
            else:
                self._session.notify(f"{short} pauses at {at:%H:%M} UTC.", "success")
            self._again()
            done()

        self._session.background.run(work, then, failed)

    def _change(self, name: str, do: Callable[..., None], told: str) -> None:
        clients = self._session.clients

        def work() -> None:
            do(clients, name)
            pausing.settle(clients, name)

        def then(_: object) -> None:
            self._session.notify(f"{name.rsplit('/', 1)[-1]} {told}", "success")
            self._again()

        def failed(error: ManagerError) -> None:
            self._session.report(error)
            self._again()

        self._session.background.run(work, then, failed)

    def _again(self) -> None:
        self._services.refresh()
        for listener in self._listeners:
            listener()
