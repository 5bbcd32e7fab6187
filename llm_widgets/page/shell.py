"""The page: header, three tabs, and what floats above them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.checklist import Work
from llm_widgets.domain.networks import read_choices
from llm_widgets.page.general.blockers_card import Blockers, QuotaBlocker
from llm_widgets.page.general.general import GeneralState
from llm_widgets.page.general.tab import general_view
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.models.tab import ModelsView
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_page import DeployPage
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.tab import ServicesView
from llm_widgets.page.session import NoticeKind, Session
from llm_widgets.widgets.guard import ConnectionGuard
from llm_widgets.widgets.layout import Header, page, stack, tabs
from llm_widgets.widgets.storage import BrowserStorage
from llm_widgets.widgets.toasts import Toasts

if TYPE_CHECKING:
    import ipywidgets as w

    from llm_widgets.config import Settings
    from llm_widgets.domain.models import ModelRecord

MODELS_TAB, SERVICES_TAB = 1, 2


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
    deploy_form = DeployFormState(session, services)

    def go_to(index: int) -> None:
        tab.selected_index = index

    def deploy(bucket: str, record: ModelRecord) -> None:
        deploy_form.start(bucket, models.location(bucket), record)
        go_to(SERVICES_TAB)

    def give_up() -> None:
        deploy_form.close()
        go_to(MODELS_TAB)

    models_view = ModelsView(session, models, deploy=deploy)
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
    )
    tab, shell = tabs(
        [
            ("General", general_view(session, general)),
            ("Models", stack(Blockers(general.checklist, Work.IMPORT).box, models_view.box)),
            ("Services", services_view.box),
        ],
        label="Sections of the manager",
    )

    def notify(text: str, kind: NoticeKind) -> None:
        {"info": toasts.info, "success": toasts.success, "error": toasts.error}[kind](text)

    def project_changed(_: object = None) -> None:
        project = session.project
        header.project = (project.name or project.id) if project else ""
        if project and not general.locked:
            storage.set(project=project.id)

    def networks_changed(_: object = None) -> None:
        kept = {project: choice.saved() for project, choice in session.network_defaults.items()}
        storage.set(networks=kept)

    def restore(saved: dict[str, Any]) -> None:
        session.network_defaults = read_choices(saved.get("networks"))
        general.start(saved.get("project", ""))

    def identity_changed(_: object = None) -> None:
        header.user = general.identity.label if general.identity else ""

    session.on_notice(notify)
    session.observe(project_changed, "project")
    session.observe(networks_changed, "network_defaults")
    general.observe(identity_changed, "identity")
    deploy_form.observe(lambda _: services_view.draw_deploy(deploy_form), "offered")
    services.on_model_removed(models.refresh)
    deploy_form.on_quota_asked(general.quotas.refresh)
    deploy_form.on_deployed(services_view.open_when_listed)
    storage.on_ready(restore)
    return page(
        header,
        shell,
        *models_view.dialogs,
        *services_view.dialogs,
        toasts,
        storage,
        ConnectionGuard(),
    )


def _validated(saved: dict[str, Any]) -> dict[str, Any]:
    """Take what has the type of a project's id, and networks that can be some."""
    project, networks = saved.get("project"), read_choices(saved.get("networks"))
    kept: dict[str, Any] = {"project": project} if isinstance(project, str) else {}
    if networks:
        kept["networks"] = {key: choice.saved() for key, choice in networks.items()}
    return kept
