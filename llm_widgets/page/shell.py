"""The page: header, three tabs, and what floats above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from llm_widgets.domain.checklist import Work
from llm_widgets.domain.networks import read_choices
from llm_widgets.page.general.blockers_card import Blockers, QuotaBlocker
from llm_widgets.page.general.general import GeneralState
from llm_widgets.page.general.tab import general_view
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.models.tab import ModelsView
from llm_widgets.page.navigation import Navigator
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_page import DeployPage
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.tab import COLUMNS_KEPT, ServicesView
from llm_widgets.page.session import NoticeKind, Session
from llm_widgets.page.views_page import GENERAL_TAB, MODELS_TAB, SERVICES_TAB, Views
from llm_widgets.widgets.address import Address
from llm_widgets.widgets.guard import ConnectionGuard
from llm_widgets.widgets.layout import Header, page, stack, tabs
from llm_widgets.widgets.storage import BrowserStorage
from llm_widgets.widgets.toasts import Toasts

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.config import Settings
    from llm_widgets.domain.models import ModelRecord


NO_BROWSER_AFTER = 10.0
"""Seconds after which a notebook's cell says that no browser has shown the page."""
NO_BROWSER = (
    "The page is not shown: no browser answered within 10 seconds. If a cell stands here with an "
    "empty result or a text such as VBox(…), JupyterLab lacks what draws widgets; it may run in "
    "another environment than this kernel, as in Vertex AI Workbench. In a terminal: "
    "pip install --user ipywidgets anywidget. Then reload the browser's tab and run the cell again."
)


def build(settings: Settings | None = None) -> w.Widget:
    """Make the page. Nothing is loaded before a browser is there.

    Parameters
    ----------
    settings
        Those of the process when left out.
    """
    session = Session(settings)
    general, models, services = (
        GeneralState(session),
        ModelsState(session),
        ServicesState(session),
    )
    header = Header(mark="Local cloud" if session.settings.is_local_cloud else "")
    toasts = Toasts()
    storage = BrowserStorage(validate=_validated)
    guard, address = ConnectionGuard(), Address()
    guard.tell_if_missed(
        lambda: print(NO_BROWSER),  # noqa: T201 - it stands below the cell
        after=NO_BROWSER_AFTER,
    )
    traitlets.dlink((guard, "is_seen"), (session, "is_seen"))
    traitlets.dlink((general, "opening"), (session, "is_opening"), bool)
    deploy_form = DeployFormState(session, services)

    def go_to(index: int) -> None:
        tab.selected_index = index

    def deploy(bucket: str, record: ModelRecord) -> None:
        deploy_form.start(bucket, models.location(bucket), record)
        go_to(SERVICES_TAB)

    def give_up() -> None:
        go_to(MODELS_TAB)  # before the list of services is shown, which is no step of its own
        deploy_form.close()

    def to_import() -> None:
        models_view.open_import()  # before its tab is shown: the list there is no step of its own
        go_to(MODELS_TAB)

    def moved() -> None:
        navigator.moved()

    models_view = ModelsView(session, models, deploy=deploy, moved=moved)
    services_view = ServicesView(
        session,
        services,
        DeployPage(
            deploy_form,
            back=give_up,
            is_local=session.settings.is_local_cloud,
            blockers=[
                Blockers(general.checklist, Work.DEPLOY).box,
                QuotaBlocker(session, general.quotas, deploy_form).box,
            ],
        ),
        to_models=lambda: go_to(MODELS_TAB),
        moved=moved,
    )
    tab, shell = tabs(
        [
            ("General", general_view(session, general, to_import=to_import)),
            ("Models", stack(Blockers(general.checklist, Work.IMPORT).box, models_view.box)),
            ("Services", services_view.box),
        ],
        label="Sections of the manager",
        again=lambda index: views.show_list(index),  # noqa: PLW0108 - they are made of these tabs
    )

    views = Views(
        session,
        tab,
        models=models,
        models_view=models_view,
        services_view=services_view,
        deploy_form=deploy_form,
    )
    navigator = Navigator(session, models, services, show=views.show, shown=lambda: views.place)
    tab.observe(lambda _: navigator.moved(by_tab=True), "selected_index")

    def notify(text: str, kind: NoticeKind) -> None:
        {"info": toasts.info, "success": toasts.success, "error": toasts.error}[kind](text)

    session.on_notice(notify)
    _bind_header(header, session, general)
    header.on_project(lambda: go_to(GENERAL_TAB))
    deploy_form.observe(lambda _: services_view.draw_deploy(deploy_form), "offered")
    services.on_model_removed(models.refresh)
    deploy_form.on_quota_asked(general.quotas.refresh)
    deploy_form.on_deployed(services_view.open_when_listed)
    general.observe(lambda _: navigator.refused(), "project_error")
    _bind_storage(storage, session, general)
    _bind_address(address, storage, navigator)
    services_view.keep_choices(storage)
    return page(
        header,
        shell,
        *models_view.dialogs,
        *services_view.dialogs,
        toasts,
        storage,
        address,
        guard,
    )


def _bind_header(header: Header, session: Session, general: GeneralState) -> None:
    """Show the project and who is signed in; where the project is pressed it can be changed."""

    def project_changed(_: object) -> None:
        project = session.project
        header.project = (project.name or project.id) if project else ""

    def identity_changed(_: object) -> None:
        account = general.identity.label if general.identity else ""
        header.user = general.visitor or account

    session.observe(project_changed, "project")
    general.observe(identity_changed, ["identity", "visitor"])
    header.on_project(general.change)


def _bind_storage(storage: BrowserStorage, session: Session, general: GeneralState) -> None:
    """Keep the project and the networks in the browser, and begin with what it kept."""

    def project_changed(_: object) -> None:
        if session.project and not general.locked:
            storage.set(project=session.project.id)

    def networks_changed(_: object) -> None:
        kept = {project: choice.saved() for project, choice in session.network_defaults.items()}
        storage.set(networks=kept)

    def restore(saved: dict[str, Any]) -> None:
        session.network_defaults = read_choices(saved.get("networks"))
        general.start(saved.get("project", ""))
        if not general.opening:
            session.is_opening = False

    session.is_opening = True  # there may be a project, until the browser has told what it kept
    session.observe(project_changed, "project")
    session.observe(networks_changed, "network_defaults")
    storage.on_ready(restore)


def _bind_address(address: Address, storage: BrowserStorage, navigator: Navigator) -> None:
    """Have the address follow the page, and the page the address."""
    first: list[str] = []

    def draw(_: object = None) -> None:
        here = navigator.here
        address.show(here.address, here.title, replaces=navigator.replaces)

    def went(where: str) -> None:
        if not storage.ready:  # whether there is a project that it could be shown in comes first
            first[:] = [where]
            return
        navigator.go(where)
        draw()

    def begin(_: object) -> None:
        navigator.observe(draw, ["here", "replaces"])
        if first:
            went(first.pop())

    address.on_went(went)
    storage.on_ready(begin)


def _validated(saved: dict[str, Any]) -> dict[str, Any]:
    """Return what has the type of a project's id, networks that can be some, keys of columns."""
    project, networks = saved.get("project"), read_choices(saved.get("networks"))
    kept: dict[str, Any] = {"project": project} if isinstance(project, str) else {}
    hidden = saved.get(COLUMNS_KEPT)
    if isinstance(hidden, list) and all(isinstance(key, str) for key in hidden):
        kept[COLUMNS_KEPT] = hidden
    if networks:
        kept["networks"] = {key: choice.saved() for key, choice in networks.items()}
    return kept
