"""What is filled in to import a model, what the hub answers to it, and the start of the import."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from traitlets import Bool, Dict, HasTraits, Instance

from llm_widgets import hubs
from llm_widgets.domain.units import bytes_text
from llm_widgets.errors import ManagerError
from llm_widgets.hubs import registry
from llm_widgets.manager import importing
from llm_widgets.manager.import_check import ImportCheck, ImportRequest, check_import
from llm_widgets.page.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubModel
    from llm_widgets.hubs.base import Suggestion
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.session import Session


class ImportFormState(HasTraits):
    """One import on its way from an id to a started worker.

    The token stays in this object until the import is started or given up; it is in no trait,
    and goes to Secret Manager only.

    Attributes
    ----------
    checked
        The answer of the last pre-flight that succeeded.
    suggested
        ``{source: models that exist}``, as far as the hubs have answered.
    starting
        Whether the worker is being started.
    error
        Why it could not be started.
    """

    checked: Instance[ImportCheck | None] = Instance(ImportCheck, allow_none=True)
    suggested: Dict[str, tuple[Suggestion, ...]] = Dict()
    starting = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, models: ModelsState) -> None:
        super().__init__()
        self._session = session
        self._models = models
        self._latest = Latest()
        self._suggesting = threading.Lock()
        self._token = ""

    def suggest(self) -> None:
        """Ask the hubs for models that exist; a hub that is away is asked again next time."""
        for hub in registry.HUBS:
            if not self.suggested.get(hub.id):
                self._suggest(hub.id)

    def look_up(
        self,
        source: str,
        model_id: str,
        revision: str,
        then: Callable[[str, ManagerError | None], None],
    ) -> None:
        """Look an id up while it is being typed; answers that are overtaken are dropped.

        ``then`` gets a sentence on what was found, or the failure.
        """
        fresh = self._latest.begin()
        if not model_id:
            return
        settings = self._session.settings
        self._session.background.run(
            lambda: hubs.inspect(source, model_id, settings, revision=revision, look_inside=False),
            lambda model: then(_sentence(model), None) if fresh() else None,
            lambda error: then("", error) if fresh() else None,
        )

    def check(
        self,
        request: ImportRequest,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Prove that the model can be imported, before a byte moves and anything is created."""
        fresh = self._latest.begin()
        self.forget()

        def then(checked: ImportCheck) -> None:
            if fresh():
                self._token = request.token.strip()
                self.checked = checked
                done()

        def told(error: ManagerError) -> None:
            if fresh():
                failed(error)

        session, models = self._session, self._models
        known, others = models.buckets, [bucket.name for bucket in models.others]
        session.background.run(
            lambda: check_import(
                session.clients,
                session.settings,
                session.project_id,
                request,
                known=known,
                others=others,
            ),
            then,
            told,
        )

    def toggle(self, path: str) -> None:
        """Copy a file that was left out, or leave out one that was to be copied."""
        checked = self.checked
        if checked is None or self.starting:
            return
        paths = {file.path for file in checked.model.chosen} ^ {path}
        self.checked = importing.choose(checked, paths)

    def forget(self) -> None:
        """Forget what was checked, and the token."""
        self._token = ""
        self.checked = None
        self.error = None

    def start(self, started: Callable[[], None]) -> None:
        """Make the bucket ready, write the plan and start its worker; then watch it."""
        checked = self.checked
        if checked is None or self.starting:
            return
        self.starting = True
        self.error = None

        def then(import_id: str) -> None:
            self.starting = False
            self.forget()
            self._models.imports.watch(checked.place.target.name, import_id, checked.model.id)
            self._models.refresh()
            started()

        def failed(error: ManagerError) -> None:
            self.starting = False
            self.error = error
            self._models.refresh()  # a new bucket may be there, and the import that failed in it

        session, token = self._session, self._token
        session.background.run(
            lambda: importing.start_import(
                session.clients, session.settings, session.project_id, checked, token
            ),
            then,
            failed,
        )

    def _suggest(self, source: str) -> None:
        def then(found: tuple[Suggestion, ...]) -> None:
            with self._suggesting:  # hubs answer in threads
                self.suggested = {**self.suggested, source: found}

        self._session.background.run(
            lambda: hubs.suggest(source, "", self._session.settings), then, lambda _: None
        )


def _sentence(model: HubModel) -> str:
    files = len(model.chosen)
    return f"{model.id}: {bytes_text(model.size)} in {files} file{'' if files == 1 else 's'}."
