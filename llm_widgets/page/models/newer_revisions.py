"""Whether a hub has a newer revision of an imported model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from traitlets import Dict, HasTraits

from llm_widgets import hubs
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.hubs import registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.manager.bucket_models import BucketModels
    from llm_widgets.page.session import Session

KEPT = 600.0
"""Seconds for which a hub's answer is good: hubs limit how often they may be asked."""


class NewerRevisionsState(HasTraits):
    """The newest revisions at the hubs.

    Attributes
    ----------
    newest
        ``{(source, id): revision}`` of models that the hubs answered for. A model that may not
        be read without a token is not among them.
    """

    newest: Dict[tuple[str, str], str] = Dict()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._asked: dict[tuple[str, str], float] = {}

    def look(self, buckets: Iterable[BucketModels]) -> None:
        """Ask the hubs for the models that are ready and were not asked for lately."""
        now = time.monotonic()
        wanted = {
            (record.source, record.id)
            for bucket in buckets
            for record in bucket.models
            if record.status is ModelStatus.READY and record.revision and registry.of(record.source)
        }
        due = [key for key in wanted if now - self._asked.get(key, -KEPT) >= KEPT]
        if not due:
            return
        self._asked.update(dict.fromkeys(due, now))
        settings = self._session.settings

        def ask(key: tuple[str, str]) -> str:
            return hubs.newest_revision(*key, settings)

        def then(found: dict[tuple[str, str], str]) -> None:
            self.newest = {**self.newest, **found}

        self._session.background.run(
            lambda: {each.key: each.value for each in outcomes(ask, due) if each.value},
            then,
            lambda _: None,  # nobody asked for it: a hub that is away is no matter here
        )

    def newer(self, record: ModelRecord, beside: Iterable[ModelRecord]) -> str:
        """Return the newer revision of a model that is ready; empty when there is none.

        Parameters
        ----------
        beside
            The models of its bucket: one of them may be the newer revision already.
        """
        newest = self.newest.get((record.source, record.id), "")
        if record.status is not ModelStatus.READY or not record.revision:
            return ""
        if any((r.source, r.id, r.revision) == (record.source, record.id, newest) for r in beside):
            return ""
        return newest if newest != record.revision else ""
