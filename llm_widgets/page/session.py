"""What all views of one page share: the settings, the clients, the project, the notices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from traitlets import Bool, Dict, HasTraits, Instance, Unicode

from llm_widgets import hubs
from llm_widgets.config import Settings, settings
from llm_widgets.domain.networks import NetworkChoice
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import propagation
from llm_widgets.gcp.project.projects import Project
from llm_widgets.page.background import Background
from llm_widgets.page.visits import asked_now

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.errors import ManagerError

NoticeKind = Literal["info", "success", "error"]


class Session(HasTraits):
    """One open page.

    Attributes
    ----------
    project
        The project that everything happens in; ``None`` until one is chosen.
    networks_kept
        Project id to the :class:`NetworkChoice` that its labels keep for its deployments.
    network_defaults
        Project id to the choice that this browser alone keeps, because the labels may not be
        changed; it goes before the other. See `network_default`.
    networks_found
        Region to the choices that it has, once they are known.
    runtime_account
        E-mail address of the account that services of the project run as; empty until known.
    is_opening
        Whether a project is being looked up, so that there may be one soon.
    is_seen
        Whether the browser shows the page; what is hidden need not be kept up to date.
    """

    project: Instance[Project | None] = Instance(Project, allow_none=True)
    networks_kept: Dict = Dict()
    network_defaults: Dict = Dict()
    networks_found: Dict = Dict()
    runtime_account = Unicode()
    is_opening = Bool(default_value=False)
    is_seen = Bool(default_value=True)

    def __init__(self, chosen: Settings | None = None) -> None:
        super().__init__()
        self.settings = chosen or settings()
        hubs.check_endpoints(self.settings)
        self.clients = Clients(self.settings)
        self.background = Background(lambda: asked_now(self.settings))
        self._listeners: list[Callable[[str, NoticeKind], None]] = []
        propagation.of(self.clients).on_wait(self.notify)

    @property
    def project_id(self) -> str:
        """Id of the chosen project, or empty."""
        return self.project.id if self.project else ""

    @property
    def no_project(self) -> str:
        """What is told in the place of what a project holds, while there is none."""
        if self.is_opening:
            return "Opening the project …"
        return "Choose a project on the General tab first."

    def network_default(self, project: str) -> NetworkChoice:
        """Return the network that deployments of a project use unless told otherwise."""
        kept: NetworkChoice = self.networks_kept.get(project, NetworkChoice())
        found: NetworkChoice = self.network_defaults.get(project, kept)
        return found

    def network_for(self, region: str) -> NetworkChoice:
        """Return the default of the project, or none where the region is known not to have it."""
        default = self.network_default(self.project_id)
        return default if default in self.networks_found.get(region, [default]) else NetworkChoice()

    def keep_network(self, project: str, choice: NetworkChoice, *, here_only: bool) -> None:
        """Set the network that deployments of a project use unless told otherwise.

        Parameters
        ----------
        here_only
            Whether this browser alone keeps it, in place of the project.
        """
        others = {key: each for key, each in self.network_defaults.items() if key != project}
        if not here_only:
            self.networks_kept = {**self.networks_kept, project: choice}
        self.network_defaults = {**others, project: choice} if here_only else others

    def on_notice(self, listener: Callable[[str, NoticeKind], None]) -> None:
        """Have ``listener`` told of every notice: its text and its kind."""
        self._listeners.append(listener)

    def notify(self, text: str, kind: NoticeKind = "info") -> None:
        """Tell the person something that happened."""
        for listener in self._listeners:
            listener(text, kind)

    def report(self, error: ManagerError) -> None:
        """Tell the person of a failure that no view shows by itself."""
        self.notify(str(error), "error")

    def close(self) -> None:
        """Stop what runs for this page."""
        self.background.close()
