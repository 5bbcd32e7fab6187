"""The page's views by their places: which one is shown, and how another is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.page import places
from llm_widgets.page.models.status import can_be_deployed
from llm_widgets.page.places import Place, View

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.models.tab import ModelsView
    from llm_widgets.page.services.deploy_form import DeployFormState
    from llm_widgets.page.services.tab import ServicesView
    from llm_widgets.page.session import Session

GENERAL_TAB, MODELS_TAB, SERVICES_TAB = range(3)
_TABS = {
    View.GENERAL: GENERAL_TAB,
    View.MODELS: MODELS_TAB,
    View.MODEL: MODELS_TAB,
    View.IMPORT: MODELS_TAB,
    View.SERVICES: SERVICES_TAB,
    View.SERVICE: SERVICES_TAB,
    View.DEPLOY: SERVICES_TAB,
}


class Views:
    """What is shown below the header.

    Parameters
    ----------
    tab
        The three tabs.
    """

    def __init__(
        self,
        session: Session,
        tab: w.Tab,
        *,
        models: ModelsState,
        models_view: ModelsView,
        services_view: ServicesView,
        deploy_form: DeployFormState,
    ) -> None:
        self._session = session
        self._tab = tab
        self._models = models
        self._models_view = models_view
        self._services_view = services_view
        self._deploy_form = deploy_form

    @property
    def place(self) -> Place:
        """The place that is shown."""
        if self._tab.selected_index == MODELS_TAB:
            return self._models_view.place
        if self._tab.selected_index != SERVICES_TAB:
            return places.GENERAL
        subject = self._deploy_form.subject
        if subject and self._services_view.is_deploying:
            return self._models.place(subject.bucket, subject.record, View.DEPLOY)
        return self._services_view.place

    def show(
        self, place: Place, *, model: ModelRecord | None, service: ServiceSummary | None
    ) -> None:
        """Show a place, with the model or the service that it is about."""
        if service:
            self._show_service(place, service)
        elif model and place.view is View.DEPLOY:
            self._show_form(place, model)
        elif model:
            self._show_model(place, model)
        elif place.view is View.IMPORT:
            self._models_view.open_import(*place.names)
            self._tab.selected_index = MODELS_TAB
        else:
            self.show_list(_TABS[place.view])
            self._tab.selected_index = _TABS[place.view]

    def show_list(self, tab: int) -> None:
        """Have a tab show what it shows at first."""
        if tab == MODELS_TAB:
            self._models_view.show_list()
        elif tab == SERVICES_TAB:
            self._deploy_form.close()
            self._services_view.close_page()

    def _show_service(self, place: Place, service: ServiceSummary) -> None:
        self._deploy_form.close()
        self._services_view.lead(service.name, "".join(place.names[2:]))
        self._tab.selected_index = SERVICES_TAB

    def _show_model(self, place: Place, record: ModelRecord) -> None:
        self._models_view.open_model(place.names[0], record)
        self._tab.selected_index = MODELS_TAB

    def _show_form(self, place: Place, record: ModelRecord) -> None:
        form, bucket = self._deploy_form, place.names[0]
        if not can_be_deployed(record):
            self._session.notify(f"{record.id} can't be deployed as it is.", "error")
            self._show_model(place, record)
            return
        open_for = form.subject and (form.subject.bucket, form.subject.record.key)
        if open_for != (bucket, record.key):
            form.start(bucket, self._models.location(bucket), record)
        self._tab.selected_index = SERVICES_TAB
