"""The General tab: who am I, and in which project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traitlets import Bool, HasTraits, Instance, Tuple, Unicode

from llm_widgets.errors import InvalidInputError, ManagerError, SignInError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.auth.identity import Identity
from llm_widgets.gcp.project import projects
from llm_widgets.manager.projects import allowed, open_project
from llm_widgets.page.background import Debounce, Latest
from llm_widgets.page.general.checklist import ChecklistState
from llm_widgets.page.general.network import NetworkState
from llm_widgets.page.general.quotas import QuotasState
from llm_widgets.page.visits import asked_now

if TYPE_CHECKING:
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.page.session import Session

SEARCH_DELAY = 0.3
"""Seconds without a key before a search is sent."""


class GeneralState(HasTraits):
    """Identity and choice of the project.

    Attributes
    ----------
    editing
        Whether the project is being chosen; false shows the chosen one.
    opening
        Id of the project that is being looked up, or empty.
    manual
        Whether the id is typed in place of being searched for.
    found
        Projects that match ``query``, in the order of the answer.
    searching
        Whether projects are being looked for; from the start, as nothing is known before.
    listing_denied
        Why projects can't be listed: the id is typed then.
    project_error
        Why the last choice was not taken, or why the saved project was given up.
    visitor
        E-mail address of the person, as Identity-Aware Proxy vouches for it; else empty.
    """

    identity: Instance[Identity | None] = Instance(Identity, allow_none=True)
    identity_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    visitor = Unicode()
    editing = Bool(default_value=True)
    opening = Unicode()
    manual = Bool(default_value=False)
    query = Unicode()
    searching = Bool(default_value=True)
    found: Tuple = Tuple()
    more = Unicode(help="token of the next page of projects, or empty")
    listing_denied: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)
    project_error: Instance[ManagerError | None] = Instance(ManagerError, allow_none=True)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.checklist = ChecklistState(session)
        self.network = NetworkState(session)
        self.quotas = QuotasState(session)
        self._latest = Latest()
        self._latest_choice = Latest()
        self._wanted = ""
        self._search_soon = Debounce(SEARCH_DELAY, self.search)
        self.observe(lambda _: self._search_soon(), "query")

    @property
    def locked(self) -> bool:
        """Whether the settings leave no choice of the project."""
        return bool(self._session.settings.project)

    def start(self, saved: str) -> None:
        """Load what the tab shows.

        Parameters
        ----------
        saved
            Project id that the browser remembered, or empty. It is what a person can change
            at will, so it is checked like one typed.
        """
        self._load_identity()
        wanted = self._session.settings.project or saved
        if wanted:
            self._choose(wanted, restoring=True)
        else:
            self.search()

    def change(self) -> None:
        """Go back to choosing."""
        if self.locked:
            return
        self.project_error = None
        self.manual = False
        self.editing = True
        self.search()

    def cancel(self) -> None:
        """Keep the project that was chosen before, also when another is being looked up."""
        self._latest_choice.begin()
        self.opening = ""
        if self._session.project:
            self.project_error = None
            self.editing = False

    @property
    def wanted(self) -> str:
        """Id of the project that was looked up last, also where it can't be opened; or empty."""
        return self._wanted

    @property
    def is_signed_out(self) -> bool:
        """Whether there are no credentials: then nothing else can be asked."""
        return isinstance(self.identity_error, SignInError)

    def sign_in_again(self) -> None:
        """Look for credentials again, and for what needs them."""
        self._load_identity()
        if self._wanted:
            self.try_again()
        else:
            self.search()

    def try_again(self) -> None:
        """Look the project up that could not be opened."""
        if self._wanted:
            self._choose(self._wanted, restoring=True)

    def type_id(self, *, manual: bool) -> None:
        """Change between typing the id and searching for the project."""
        self.project_error = None
        self.manual = manual

    def confirm(self, project_id: str) -> None:
        """Take a project, if it exists and this identity may see it."""
        self._choose(project_id, restoring=False)

    def search(self) -> None:
        """Ask for the first page of the projects that match the query."""
        self._search("")

    def next_page(self) -> None:
        """Ask for more of the same."""
        if self.more and not self.searching:
            self._search(self.more)

    def _search(self, token: str) -> None:
        fresh = self._latest.begin()
        query = self.query
        self.searching = True

        def then(page: projects.Page) -> None:
            if fresh():
                self.found = (*(self.found if token else ()), *page.projects)
                self.more = page.next_token
                self.listing_denied = None
                self.searching = False

        def failed(error: ManagerError) -> None:
            if fresh():
                self.found = ()
                self.more = ""
                self.listing_denied = error
                self.searching = False

        self._session.background.run(
            lambda: projects.search(self._session.clients, query, page_token=token), then, failed
        )

    def _choose(self, project_id: str, *, restoring: bool) -> None:
        try:
            project_id = allowed(self._session.settings, project_id)
        except InvalidInputError as error:
            if not restoring or self.locked:
                self.project_error = error
                return
            # What the browser kept is damaged: as if it had kept nothing.
            self.search()
            return
        fresh = self._latest_choice.begin()
        self._wanted = project_id
        self.project_error = None
        self.opening = project_id

        def then(project: Project) -> None:
            if fresh():
                self._session.project = project
                self.opening = ""
                self.editing = False

        def failed(error: ManagerError) -> None:
            if fresh():
                self.opening = ""
                self.project_error = error
                self.editing = True
                if restoring and not self.locked:
                    self.search()

        self._session.background.run(
            lambda: open_project(self._session.clients, project_id), then, failed
        )

    def _load_identity(self) -> None:
        self.visitor = asked_now(self._session.settings).visitor

        def then(found: Identity) -> None:
            self.identity = found
            self.identity_error = None

        def failed(error: ManagerError) -> None:
            self.identity_error = error

        self._session.background.run(lambda: identity.current(self._session.clients), then, failed)
