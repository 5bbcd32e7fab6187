"""What is filled in to import a model, and what the hub answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Unicode

from llm_widgets import hubs
from llm_widgets.cloud import secrets
from llm_widgets.domain.imports import HubModel
from llm_widgets.domain.units import bytes_text
from llm_widgets.errors import ManagerError
from llm_widgets.jobs import plan, start
from llm_widgets.state.background import Latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import Source
    from llm_widgets.state.models import ModelsState
    from llm_widgets.state.session import Session


class ImportFormState(HasTraits):
    """One import on its way from an id to a started worker.

    Attributes
    ----------
    model
        The answer of the last pre-flight that succeeded.
    bucket
        Where it will go.
    starting
        Whether the worker is being started.
    """

    model: Instance[HubModel | None] = Instance(HubModel, allow_none=True)
    bucket = Unicode()
    starting = Bool(default_value=False)
    error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session, models: ModelsState) -> None:
        super().__init__()
        self._session = session
        self._models = models
        self._latest = Latest()
        self._token = ""

    def suggestions(
        self, source: Source, then: Callable[[tuple[hubs.Suggestion, ...]], None]
    ) -> None:
        """Ask for ids that exist at the hub; no answer is given when the hub can't tell."""
        self._session.background.run(
            lambda: hubs.suggest(source, "", self._session.settings), then, lambda _: None
        )

    def look_up(
        self, source: Source, model_id: str, then: Callable[[str, ManagerError | None], None]
    ) -> None:
        """Look an id up while it is being typed; answers that are overtaken are dropped.

        ``then`` gets a sentence on what was found, or the failure.
        """
        fresh = self._latest.begin()
        if not model_id:
            return
        self._session.background.run(
            lambda: hubs.inspect(source, model_id, self._session.settings),
            lambda model: then(_sentence(model), None) if fresh() else None,
            lambda error: then("", error) if fresh() else None,
        )

    def check(
        self,
        bucket: str,
        source: Source,
        model_id: str,
        *,
        token: str,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Prove that the model can be imported, before a byte moves.

        The token stays in this object until the import is started or given up; it is in no
        trait, and goes to Secret Manager only.
        """
        self._latest.begin()

        def then(model: HubModel) -> None:
            self._token = token.strip()
            self.error = None
            self.bucket = bucket
            self.model = model
            done()

        self._session.background.run(
            lambda: hubs.inspect(source, model_id, self._session.settings, token=token),
            then,
            failed,
        )

    def give_up(self) -> None:
        """Forget what was checked."""
        self._token = ""
        self.model = None
        self.error = None

    def start(self) -> None:
        """Write the plan and start its worker; then watch it."""
        model, bucket = self.model, self.bucket
        if model is None or self.starting:
            return
        self.starting = True

        def then(import_id: str) -> None:
            self.starting = False
            self.give_up()
            self._models.imports.watch(bucket, import_id, model.id)
            self._models.refresh()

        def failed(error: ManagerError) -> None:
            self.starting = False
            self.error = error

        self._session.background.run(lambda: self._start(model, bucket), then, failed)

    def _start(self, model: HubModel, bucket: str) -> str:
        clients, project = self._session.clients, self._session.project_id
        kept = secrets.put_hub_token(clients, project, self._token) if self._token else ""
        planned = plan.plan_import(
            model, bucket=bucket, project=project, requested_by="", token_secret=kept
        )
        start.start_import(clients, self._session.settings, planned)
        return planned.id


def _sentence(model: HubModel) -> str:
    files = len(model.chosen)
    return f"{model.id}: {bytes_text(model.size)} in {files} file{'' if files == 1 else 's'}."
