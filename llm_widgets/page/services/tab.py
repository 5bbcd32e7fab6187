"""The Services tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.comparisons import FEWEST, MOST
from llm_widgets.domain.regions import REGIONS, offered
from llm_widgets.page import places
from llm_widgets.page.places import EDIT, SECTIONS, SERVICES, Place
from llm_widgets.page.services.adopt_dialog import AdoptDialog
from llm_widgets.page.services.adoptions import Adoptions
from llm_widgets.page.services.chat import Chats
from llm_widgets.page.services.comparison import ComparisonState
from llm_widgets.page.services.costs import CostsState
from llm_widgets.page.services.costs_card import CostsCard
from llm_widgets.page.services.delete_dialog import DeleteDialog
from llm_widgets.page.services.edit_page import EditPage
from llm_widgets.page.services.pauses import Pauses
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.service_metrics import ServiceMetricsState
from llm_widgets.page.services.service_page import ServicePage
from llm_widgets.page.services.services_table import (
    ACTIONS,
    BULK,
    COLUMNS,
    COMPARE,
    service_row,
)
from llm_widgets.widgets.layout import button, column, stack, toolbar
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import DataTable, keep_hidden_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import ipywidgets as w

    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.deploy_form import DeployFormState
    from llm_widgets.page.services.deploy_page import DeployPage
    from llm_widgets.page.services.services import ServicesState
    from llm_widgets.page.session import Session
    from llm_widgets.widgets.storage import BrowserStorage

COLUMNS_KEPT = "service_columns_hidden"
"""Where the browser keeps which columns of the list are hidden."""
_MOST_NAMED = 8


class ServicesView:
    """The dashboard, or the page of one service; ``box`` is what goes into the page."""

    def __init__(
        self,
        session: Session,
        state: ServicesState,
        deploy: DeployPage,
        *,
        to_models: Callable[[], None],
        moved: Callable[[], None],
    ) -> None:
        self._moved = moved
        self._is_leaving = False
        self._session = session
        self._state = state
        self._deploy = deploy
        self._awaited = ""
        self._page: ServicePage | None = None
        self._chats = Chats(session)
        self._comparison = ComparisonState(session, state, self._chats)
        self._notice = Notice()
        self._unreachable = Notice()
        self._denied = Notice()
        self._not_deleted = stack()
        self._table = DataTable(
            caption="Services",
            columns=COLUMNS,
            actions=ACTIONS,
            bulk=BULK,
            filterable=True,
        )
        self._delete = DeleteDialog(state, begun=self._goes)
        self._pauses = Pauses(session, state)
        self._pauses.on_change(self._follow_change)
        adoptions = Adoptions(session, state)
        adoptions.on_change(self._follow_change)
        self._adopt = AdoptDialog(adoptions)
        self._costs = CostsCard(CostsState(session, state), self.open_page, self._pauses.pause)
        self._refresh = button("Refresh", style="outlined", icon="refresh")
        self._refresh.on_click(lambda _: state.refresh())
        self._to_deploy = button("Deploy", style="primary", icon="plus")
        self._to_deploy.tooltip = "Choose a model on the Models tab"
        self._to_deploy.on_click(lambda _: to_models())
        self._dashboard = stack(
            toolbar("Services", self._to_deploy, self._refresh),
            self._notice,
            self._unreachable,
            self._denied,
            self._not_deleted,
            self._table,
            self._costs.box,
        )
        self.box = column(self._dashboard)
        self._edit = ServiceEditState(session, state)
        self._edit_page = EditPage(self._edit, back=self._edit.close)
        self._page_dialogs = column()
        self.dialogs: tuple[w.Widget, ...] = (
            self._delete.dialog,
            self._adopt.dialog,
            self._edit_page.dialog,
            self._page_dialogs,
        )

        self._table.on_action(self._act)
        self._table.on_bulk(self._act_on_several)
        self._table.on_empty_action(to_models)
        state.observe(
            self._draw, ["services", "unreachable", "denied", "loading", "loaded", "error"]
        )
        state.observe(self._draw_not_deleted, "not_deleted")
        session.observe(lambda _: self._leave(), "project")
        session.observe(self._draw, "is_opening")
        self._edit.observe(self._draw_edit, "is_open")
        self._edit.on_sent(self._follow_change)
        self._draw()

    def _follow_change(self) -> None:
        if self._page:
            self._page.follow_change()

    def keep_choices(self, storage: BrowserStorage) -> None:
        """Keep in the browser which columns of the list are hidden."""
        keep_hidden_columns(self._table, storage, COLUMNS_KEPT)

    def draw_deploy(self, form: DeployFormState) -> None:
        """Show the page of a deployment while there is one."""
        if form.offered is not None:
            self._close()
            self._show(self._deploy.box)
        elif self.box.children == (self._deploy.box,):
            self.close_page()

    def open_when_listed(self, name: str) -> None:
        """Show a service as soon as it is in the list."""
        self._awaited = name
        self._open_awaited()

    @property
    def is_deploying(self) -> bool:
        """Whether the form that deploys a model is shown."""
        return bool(self.box.children == (self._deploy.box,))

    @property
    def place(self) -> Place:
        """The place that is shown, where it is not that of a deployment."""
        page = self._page
        if page is None:
            return SERVICES
        is_edited = self.box.children == (self._edit_page.box,)
        return places.service(page.region, page.id, EDIT if is_edited else page.section)

    def lead(self, name: str, section: str) -> None:
        """Show a section of a service, named as in its address, or the form that changes it."""
        if self._page is None or self._page.name != name:
            self.open_page(name, "" if section == EDIT else section)
        elif section != EDIT:
            self._edit.close()
            self._page.to(section)
        if section == EDIT and not self._edit.is_open:
            self._edit.start(name)

    def _show(self, box: w.Widget) -> None:
        if self.box.children != (box,):
            self.box.children = (box,)
        self._moved()

    def open_page(self, name: str, section: str = "") -> None:
        """Show a section of the page of one service."""
        service = self._state.find(name)
        if service:
            self._close()
            looked_at = ServicePageState(self._session, service)
            looked_at.on_gone(lambda: self._went(name))
            self._page = ServicePage(
                looked_at,
                self._chats.of(service, looked_at.log),
                self._edit,
                ServiceMetricsState(self._session, name),
                self._comparison,
                back=self.close_page,
                delete=lambda: self._ask_to_delete(name),
                pauses=self._pauses,
                adopt=self._adopt.ask,
                moved=self._moved,
                is_local=self._session.settings.is_local_cloud,
            )
            self._page.to(section)
            self._show(self._page.box)
            self._page_dialogs.children = self._page.dialogs
            looked_at.start()

    def close_page(self) -> None:
        """Show the dashboard."""
        self._close()
        self._show(self._dashboard)

    def _leave(self) -> None:
        """Go away from a project."""
        self._chats.forget_all()
        self.close_page()

    def _close(self) -> None:
        """Leave the page of a service, and what was being changed there."""
        self._is_leaving = True
        self._edit.close()
        self._is_leaving = False
        if self._page:
            self._page.close()
        self._page = None
        self._comparison.end()

    def _goes(self, names: Sequence[str]) -> None:
        """Leave services that are being deleted, and what was said to them."""
        for name in names:
            self._chats.forget(name)
        self.close_page()

    def _went(self, name: str) -> None:
        self._chats.forget(name)
        if self._page and self._page.name == name:
            self.close_page()
            self._session.notify(f"{name.rsplit('/', 1)[-1]} is deleted.")
            self._state.refresh()

    def _draw_edit(self, _: object) -> None:
        if self._is_leaving:
            return  # for what is shown next
        if self._edit.is_open:
            self._show(self._edit_page.box)
        else:
            self._show(self._page.box if self._page else self._dashboard)

    def _open_awaited(self) -> None:
        if self._awaited and self._state.find(self._awaited):
            name, self._awaited = self._awaited, ""
            self.open_page(name)

    def _act(self, action: str, name: str) -> None:
        if action == "delete":
            self._ask_to_delete(name)
        elif action == "pause":
            self._pauses.pause(name)
        elif action == "resume":
            self._pauses.resume(name)
        elif action == "edit":
            self.open_page(name)
            self._edit.start(name)
        else:
            self.open_page(name, action if action in SECTIONS else "")
            if action == "try" and self._page:
                self._page.try_it()

    def _act_on_several(self, action: str, names: list[str]) -> None:
        if action == COMPARE:
            self._compare(names)
        else:
            self._ask_to_delete(*names)

    def _compare(self, names: list[str]) -> None:
        """Show the answers of several services beside each other, on the page of the first one."""
        found = [service for service in map(self._state.find, names) if service]
        if not FEWEST <= len(found) <= MOST:
            self._session.notify(f"Select {FEWEST} to {MOST} services to compare.", "error")
            return
        self.open_page(found[0].name, "try")
        self._comparison.begin(found)

    def _ask_to_delete(self, *names: str) -> None:
        found = [service for service in map(self._state.find, names) if service]
        if found:
            self._delete.show(found)

    def _draw_not_deleted(self, _: object) -> None:
        self._not_deleted.children = [
            self._tell_not_deleted(name, error)
            for name, error in sorted(self._state.not_deleted.items())
        ]

    def _tell_not_deleted(self, name: str, error: ManagerError) -> Notice:
        shown = Notice()
        shown.show_error(
            error, text=f"Deleting {name.rsplit('/', 1)[-1]} failed.", action_label="Dismiss"
        )
        shown.on_action(lambda: self._state.dismiss(name))
        return shown

    def _draw(self, _: object = None) -> None:
        state, project = self._state, self._session.project
        is_local = self._session.settings.is_local_cloud
        is_known = bool(project) and not (state.unreachable or state.denied or state.error)
        with self._table.hold_sync():
            self._table.empty = _empty_text(is_chosen=bool(project), is_known=is_known)
            self._table.empty_action = "Go to Models" if is_known else ""
            self._table.loading = self._session.is_opening or (bool(project) and not state.loaded)
            self._table.rows = [service_row(each, is_local=is_local) for each in state.services]
        self._refresh.disabled = state.loading or not project
        self._to_deploy.disabled = not project
        if not project:
            self._notice.show("info", self._session.no_project)
        elif state.error:
            self._notice.show_error(state.error)
        else:
            self._notice.clear()
        first = self._session.settings.region
        _tell(
            self._unreachable,
            "No answer from {}: services there may be missing here.",
            state.unreachable,
            first=first,
        )
        _tell(
            self._denied,
            "You don't have permission to list services in {}.",
            state.denied,
            first=first,
        )
        self._open_awaited()


def _empty_text(*, is_chosen: bool, is_known: bool) -> str:
    """Return what stands in an empty table: that there is no service only where that is known."""
    if is_known:
        return "No services yet. Deploy a model from the Models tab."
    if is_chosen:
        return "No services in the regions that answered."
    return "Services of the project will appear here."


def _tell(
    notice: Notice, text: str, failed: tuple[tuple[str, ManagerError], ...], *, first: str
) -> None:
    """Show which regions are missing from the list, and why one of them is.

    Those come first where services are most likely: the region ``first``, then those with GPUs.
    """
    if not failed:
        notice.clear()
        return
    errors = dict(failed)
    named = [region for region in dict.fromkeys((*offered(first), *errors)) if region in errors]
    rest = len(named) - _MOST_NAMED
    shown = ", ".join(named[:_MOST_NAMED]) + (f" and {rest} more regions" if rest > 0 else "")
    if len(named) >= len(REGIONS):
        shown = "any region"
    notice.show_error(errors[named[0]], kind="warning", text=text.format(shown))
