"""Where the page is, and the way to the place of an address."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from traitlets import Bool, HasTraits, Instance

from llm_widgets.page.places import GENERAL, MODELS, SERVICES, Place, View, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session

_LISTS = {
    View.MODEL: MODELS,
    View.IMPORT: MODELS,
    View.DEPLOY: MODELS,
    View.SERVICE: SERVICES,
}


class Show(Protocol):
    """Shows a place, with the model or the service that it is about."""

    def __call__(
        self, place: Place, *, model: ModelRecord | None, service: ServiceSummary | None
    ) -> None:
        """Show it."""


class Navigator(HasTraits):
    """Follows the page, and leads it to the place of an address as soon as it can be shown.

    Attributes
    ----------
    here
        The place that is shown, or waited for.
    replaces
        Whether `here` takes the place of the address that led to it, and is no step of its own.
    """

    here: Instance[Place] = Instance(Place, (View.GENERAL,))
    replaces = Bool(default_value=True)

    def __init__(
        self,
        session: Session,
        models: ModelsState,
        services: ServicesState,
        *,
        show: Show,
        shown: Callable[[], Place],
    ) -> None:
        """Follow nothing yet.

        Parameters
        ----------
        show
            Shows a place that is there.
        shown
            Returns the place that is shown.
        """
        super().__init__()
        self._session = session
        self._models = models
        self._services = services
        self._show = show
        self._shown = shown
        self._wanted: Place | None = None
        self._is_showing = False
        self._lock = threading.RLock()
        session.observe(self._look, "project")
        models.observe(self._look, ["buckets", "waiting", "loaded"])
        services.observe(self._look, ["services", "loaded"])

    def go(self, address: str) -> None:
        """Show the place of an address, at once or as soon as it can be.

        Nothing but what is shown follows from an address.
        """
        with self._lock:
            self._wanted = place = parse(address)
            if place is None:
                if address.strip("#/"):
                    self._session.notify("This address leads to no place of this page.", "error")
                self._stay()
                return
            self._be(place, replaces=True)
            if self._session.project is None and _LISTS.get(place.view):
                self._lead(_LISTS[place.view] if self._session.is_opening else GENERAL)
                if not self._session.is_opening:
                    self._session.notify("Choose a project to open this address.")
                return
            if not self._look():
                self._lead(_LISTS[place.view])

    def refused(self) -> None:
        """Show where a project is chosen, as the one that was to be opened can't be."""
        with self._lock:
            if self._wanted and self._session.project is None:
                self._lead(GENERAL)

    def moved(self, *, by_tab: bool = False) -> None:
        """Take note that another place may be shown.

        Parameters
        ----------
        by_tab
            Whether a person has changed the tab: nothing is waited for any more.
        """
        with self._lock:
            place = self._shown()
            is_list = place in (GENERAL, MODELS, SERVICES)
            if self._is_showing or (self._wanted and is_list and not by_tab):
                return
            self._wanted = None
            if place != self.here:
                self._be(place, replaces=False)

    def _look(self, _: object = None) -> bool:
        """Show the place that is waited for, if it is known now whether it is there."""
        with self._lock:
            place = self._wanted
            if place is None:
                return True
            why = self._missing(place)
            if why is None:
                return False
            self._wanted = None
            if why:
                self._session.notify(why, "error")
            self._lead(_LISTS[place.view] if why else place)
            self._stay()
            return True

    def _lead(self, place: Place) -> None:
        self._is_showing = True
        try:
            self._show(place, model=self._model(place), service=self._service(place))
        finally:
            self._is_showing = False

    def _stay(self) -> None:
        self._be(self._shown(), replaces=True)

    def _be(self, place: Place, *, replaces: bool) -> None:
        with self.hold_trait_notifications():
            self.replaces = replaces
            self.here = place

    def _missing(self, place: Place) -> str | None:
        """Return why a place can't be shown, empty if it can; ``None`` if that is not known yet."""
        view, names = place.view, place.names
        if view not in _LISTS:
            return ""
        project = self._session.project
        if project is None:
            return None
        if view is View.SERVICE:
            return self._missing_service(project.id, place)
        if view is View.IMPORT and not names:
            return ""
        return self._missing_model(project.id, place)

    def _missing_model(self, project: str, place: Place) -> str | None:
        models, bucket = self._models, self._models.bucket(place.names[0])
        if not models.loaded or (models.waiting and not bucket):
            return None
        if bucket and (place.view is View.IMPORT or self._model(place)):
            return ""
        missing = " ".join(["model", *place.names[1:2]]) if place.names[1:] else "bucket of models"
        return f"No {missing} was found in gs://{place.names[0]} of project {project}."

    def _missing_service(self, project: str, place: Place) -> str | None:
        if self._service(place):
            return ""
        if not self._services.loaded:
            return None
        region, name = place.names[:2]
        unseen = {each for each, _ in (*self._services.unreachable, *self._services.denied)}
        if region in unseen or self._services.error:
            return f"Unknown whether {region} has a service {name}: its services can't be listed."
        return f"No service {name} was found in {region} of project {project}."

    def _service(self, place: Place) -> ServiceSummary | None:
        """Return the service that a place is about."""
        if place.view is not View.SERVICE:
            return None
        project, (region, name) = self._session.project_id, place.names[:2]
        return self._services.find(f"projects/{project}/locations/{region}/services/{name}")

    def _model(self, place: Place) -> ModelRecord | None:
        """Return the model that a place is about."""
        if place.view not in (View.MODEL, View.DEPLOY):
            return None
        bucket = self._models.bucket(place.names[0])
        found = [each for each in bucket.models if each.id == place.names[1]] if bucket else []
        revision = place.names[2] if len(place.names) > 2 else ""  # noqa: PLR2004 - see `Place`
        return next((each for each in found if revision in ("", each.revision)), None)
