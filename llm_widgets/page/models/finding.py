"""A search for models on the page: what was typed, what the hubs answered, and what fits."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Unicode

from llm_widgets.domain.found_models import LIMIT, MOST, Search
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.client.parallel import as_they_come
from llm_widgets.manager import model_search
from llm_widgets.manager.model_search import FoundFit
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.found_models import FoundModel
    from llm_widgets.manager.model_search import Answer
    from llm_widgets.page.session import Session

SHORTEST = 3
"""Characters that are searched for while they are typed: a hub counts requests."""


class FindingState(HasTraits):
    """A search and its answers; those that are overtaken by another search are dropped.

    Attributes
    ----------
    text
        What is searched for; empty for nothing.
    base
        Id of the model whose quantized versions are searched for instead; empty for none.
    found
        The models, each with the GPUs that it fits into as far as that is known.
    searching
        Whether the hubs are being asked.
    looking
        Rows that are being looked into.
    is_more
        Whether the hubs have more of them.
    failed
        Why hubs did not answer while others did.
    error
        Why none did.
    """

    text = Unicode()
    base = Unicode()
    found: Instance[tuple[FoundFit, ...]] = Instance(tuple, ())
    searching = Bool(default_value=False)
    looking: Instance[frozenset[str]] = Instance(frozenset, ())
    is_more = Bool(default_value=False)
    failed: Instance[tuple[ManagerError, ...]] = Instance(tuple, ())
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._known: dict[str, FoundFit] = {}
        self._lock = threading.RLock()
        self._limit = LIMIT

    def typed(self, text: str) -> None:
        """Search for what is being typed, once it is long enough to name something."""
        text = text.strip()
        if text == self.text and not self.base:
            return
        if len(text) < SHORTEST:
            self.forget()
        else:
            self.search(text)

    def search(self, text: str) -> None:
        """Search for models whose ids hold a text."""
        text = text.strip()
        if not text:
            self.forget()
            return
        self._limit = LIMIT
        self._ask(text)

    def more(self) -> None:
        """Ask for a further page of the same search."""
        if self.is_more and not self.searching:
            self._limit = min(self._limit + LIMIT, MOST)
            self._ask(self.text)

    def find_siblings(self, row_id: str) -> None:
        """Search for quantized versions of a model that fit into a GPU, in its place."""
        row = self._row(row_id)
        if row is None:
            return
        fresh = self._latest.begin()
        with self._lock, self.hold_trait_notifications():
            self.base, self.searching, self.is_more = row.model.id, True, False

        def then(answer: tuple[tuple[FoundFit, ...], tuple[ManagerError, ...]]) -> None:
            if fresh():
                with self._lock, self.hold_trait_notifications():
                    self.found, self.failed = answer
                    self._known |= {row_of(each.model): each for each in self.found}
                    self.searching, self.error = False, None

        settings = self._session.settings
        self._session.background.run(
            lambda: model_search.siblings(row.model.source, row.model.id, settings),
            then,
            lambda error: self._fail(error) if fresh() else None,
        )

    def look(self, row_id: str) -> None:
        """Read the headers of a model's files, to tell which GPUs it fits into."""
        row = self._row(row_id)
        if row is None or row_id in self.looking:
            return
        with self._lock:
            self.looking |= {row_id}

        settings = self._session.settings
        self._session.background.run(
            lambda: model_search.fit(row.model, settings, inspect=True),
            lambda answer: self._take([answer]),
            lambda error: self._take([FoundFit(row.model, reason=error.message)]),
        )

    def forget(self) -> None:
        """Forget the search and its answers; what is still on its way is dropped."""
        self._latest.begin()
        with self._lock, self.hold_trait_notifications():
            self._known = {}
            self.text, self.base, self.found, self.failed = "", "", (), ()
            self.searching, self.is_more, self.error = False, False, None
            self.looking = frozenset()

    def _ask(self, text: str) -> None:
        fresh = self._latest.begin()
        with self.hold_trait_notifications():
            self.text, self.base, self.searching = text, "", True
        wanted, settings = Search(text, limit=self._limit), self._session.settings

        def then(answer: Answer) -> None:
            if fresh():
                self._look_all(self._show(answer), fresh)

        self._session.background.run(
            lambda: model_search.search(wanted, settings),
            then,
            lambda error: self._fail(error) if fresh() else None,
        )

    def _fail(self, error: ManagerError) -> None:
        with self._lock, self.hold_trait_notifications():
            self.searching, self.is_more = False, False
            self.found, self.failed, self.error = (), (), error

    def _row(self, row_id: str) -> FoundFit | None:
        return next((each for each in self.found if row_of(each.model) == row_id), None)

    def _show(self, answer: Answer) -> list[FoundModel]:
        """Show what was found, and return those of which is not known yet what they fit into."""
        todo = [each for each in answer.models if row_of(each) not in self._known]
        with self._lock, self.hold_trait_notifications():
            self.looking |= {row_of(each) for each in todo}
            self.found = tuple(
                self._known.get(row_of(each), FoundFit(each)) for each in answer.models
            )
            self.searching, self.error = False, None
            self.failed = answer.failed
            self.is_more = answer.is_more and self._limit < MOST
        return todo

    def _look_all(self, todo: list[FoundModel], fresh: Callable[[], bool]) -> None:
        """Look at each model by one request; those of a search that is overtaken are left."""
        settings = self._session.settings

        def look(model: FoundModel) -> FoundFit | None:
            return model_search.fit(model, settings) if fresh() else None

        def work() -> None:
            for some in as_they_come(look, todo):
                if not fresh():
                    return
                self._take([each.value for each in some if each.value])

        def failed(error: ManagerError) -> None:
            self._take([FoundFit(each, reason=error.message) for each in todo])

        self._session.background.run(work, lambda _: None, failed)

    def _take(self, answers: list[FoundFit]) -> None:
        """Keep what was told of models, and show it where they are still shown."""
        with self._lock, self.hold_trait_notifications():
            for each in answers:
                row = row_of(each.model)
                if not each.can_look or row not in self._known:
                    self._known[row] = each
            self.looking -= {row_of(each.model) for each in answers}
            self.found = tuple(self._known.get(row_of(each.model), each) for each in self.found)


def row_of(model: FoundModel) -> str:
    """Return the id of a model's row: ids are of a hub."""
    return f"{model.source} {model.id}"
