"""One question to several services, with what each of them answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Tuple

from llm_widgets.domain.comparisons import MOST
from llm_widgets.domain.loading import CHATS
from llm_widgets.domain.services import SERVING
from llm_widgets.engines import registry
from llm_widgets.page.services.service_logs import LogTail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.services.chat import Chats, ChatSettings
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session


class ComparisonState(HasTraits):
    """Conversations with several services, each asked the same at the same time.

    Attributes
    ----------
    chats
        One with each service; none while nothing is compared.
    busy
        Whether an answer is coming.
    """

    chats: Tuple = Tuple()
    busy = Bool(default_value=False)

    def __init__(self, session: Session, services: ServicesState, chats: Chats) -> None:
        super().__init__()
        self._session = session
        self._services = services
        self._chats = chats

    def others(self, service: ServiceSummary) -> tuple[ServiceSummary, ...]:
        """Return the services that one can be compared with."""
        return tuple(
            each for each in self._services.services if each.name != service.name and can_chat(each)
        )

    def begin(self, services: Sequence[ServiceSummary]) -> None:
        """Begin to compare services, the first ones of them where there are too many."""
        self.end()
        made = [
            self._chats.begin(each, LogTail(self._session, each.name)) for each in services[:MOST]
        ]
        for chat in made:
            chat.observe(self._follow, "busy")
        self.chats = tuple(made)

    def end(self) -> None:
        """Compare nothing, and forget what was said."""
        for chat in self.chats:
            chat.unobserve(self._follow, "busy")
            chat.clear()
        self.chats = ()
        self.busy = False

    def ask(self, text: str, settings: ChatSettings) -> None:
        """Ask all of them."""
        for chat in self.chats:
            chat.settings = settings
            chat.ask(text)

    def stop(self) -> None:
        """End the answers where they are."""
        for chat in self.chats:
            chat.stop()

    def clear(self) -> None:
        """Forget what was said."""
        for chat in self.chats:
            chat.clear()

    def _follow(self, _: object) -> None:
        self.busy = any(chat.busy for chat in self.chats)


def can_chat(service: ServiceSummary) -> bool:
    """Return whether a service answers what is said to it now."""
    return (
        service.state in SERVING
        and registry.is_asked(service.framework)
        and bool(service.served_name)
        and (service.task is None or service.task in CHATS)
    )
