"""What is filled in to import a model, what the hub answers to it, and the start of the import."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from traitlets import Bool, Dict, HasTraits, Instance

from llm_widgets import hubs
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.progress import ImportState
from llm_widgets.domain.units import bytes_text
from llm_widgets.errors import ManagerError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.auth import identity
from llm_widgets.hubs import registry
from llm_widgets.imports import plan, start
from llm_widgets.page.background import Latest
from llm_widgets.page.models.import_check import ASSUMED_SPEED, ImportCheck, measured_speed
from llm_widgets.page.models.import_rights import see_rights
from llm_widgets.page.models.import_target import Place, Target, look_at, make_ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.imports import HubModel
    from llm_widgets.hubs.base import Suggestion
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.session import Session


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """An import as a person asks for it.

    Attributes
    ----------
    token
        The hub's token, or empty; it is in no ``repr``.
    """

    source: str
    model_id: str
    target: Target
    revision: str = ""
    token: str = field(default="", repr=False)


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

        self._session.background.run(lambda: self._check(request), then, told)

    def toggle(self, path: str) -> None:
        """Copy a file that was left out, or leave out one that was to be copied."""
        checked = self.checked
        if checked is None or self.starting:
            return
        paths = {file.path for file in checked.model.chosen} ^ {path}
        self.checked = replace(checked, model=checked.found.with_chosen(paths))

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

        token = self._token
        self._session.background.run(lambda: self._start(checked, token), then, failed)

    def _suggest(self, source: str) -> None:
        def then(found: tuple[Suggestion, ...]) -> None:
            self.suggested = {**self.suggested, source: found}

        self._session.background.run(
            lambda: hubs.suggest(source, "", self._session.settings), then, lambda _: None
        )

    def _check(self, request: ImportRequest) -> ImportCheck:
        session, models = self._session, self._models
        model = hubs.inspect(
            request.source,
            request.model_id,
            session.settings,
            token=request.token,
            revision=request.revision,
        )
        names = [bucket.name for bucket in (*models.buckets, *models.others)]
        place = look_at(session.clients, session.project_id, request.target, names)
        has_token = bool(request.token.strip())
        see_rights(session.clients, session.project_id, session.settings, has_token=has_token)
        speed = measured_speed(record for bucket in models.buckets for record in bucket.models)
        there = self._there(model, place)
        bucket = models.bucket(place.target.name)
        return ImportCheck(
            found=model,
            model=model,
            place=place,
            there=there,
            arrived=self._arrived(place, there),
            held=(len(bucket.models), bucket.size) if bucket else (0, 0),
            speed=speed or ASSUMED_SPEED,
            is_measured=speed is not None,
            has_token=has_token,
        )

    def _there(self, model: HubModel, place: Place) -> ModelRecord | None:
        bucket = self._models.bucket(place.target.name)
        key = (model.source, model.id, model.revision)
        return next((r for r in bucket.models if r.key == key), None) if bucket else None

    def _arrived(self, place: Place, there: ModelRecord | None) -> int:
        """Give the bytes that an unfinished import has copied."""
        if there is None or there.status is ModelStatus.READY or not there.import_id:
            return 0
        clients = self._session.clients
        progress = start.read_progress(clients, place.target.name, there.import_id)
        if progress is None or progress.state is ImportState.CANCELLED:
            return 0  # what a cancelled one has copied is thrown away
        return progress.done

    def _start(self, checked: ImportCheck, token: str) -> str:
        session, bucket = self._session, checked.place.target.name
        clients, project = session.clients, session.project_id
        # The token first: where it can't be kept, there is no new bucket either.
        kept = secrets.put_hub_token(clients, project, token) if token else ""
        try:
            make_ready(clients, project, checked.place)
            planned = plan.plan_import(
                checked.model,
                bucket=bucket,
                project=project,
                requested_by=identity.current(clients).email,
                token_secret=kept,
            )
            is_used = start.start_import(clients, session.settings, planned)
        except ManagerError:
            _drop(session, kept)
            raise
        if not is_used:  # it runs already, with the token that it was started with
            _drop(session, kept)
        return planned.id


def _drop(session: Session, secret: str) -> None:
    if secret:
        with suppress(ManagerError):  # Secret Manager deletes it itself after some days
            secrets.delete(session.clients, secret)


def _sentence(model: HubModel) -> str:
    files = len(model.chosen)
    return f"{model.id}: {bytes_text(model.size)} in {files} file{'' if files == 1 else 's'}."
