"""The product without its page: the same use cases for Python."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from llm_widgets import hubs
from llm_widgets.checks.context import Context
from llm_widgets.config import Settings, settings
from llm_widgets.domain.tables import Listing
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import propagation
from llm_widgets.manager import projects
from llm_widgets.manager.calls.asking import AskCalls
from llm_widgets.manager.calls.deployments import DeployCalls
from llm_widgets.manager.calls.load_tests import LoadTestCalls
from llm_widgets.manager.calls.models import ModelCalls
from llm_widgets.manager.calls.storage import StorageCalls
from llm_widgets.manager.calls.upkeep import UpkeepCalls

if TYPE_CHECKING:
    from llm_widgets.domain.checklist import Row
    from llm_widgets.gcp.project.projects import Project

_log = logging.getLogger(__name__)


class Manager(StorageCalls, ModelCalls, DeployCalls, UpkeepCalls, AskCalls, LoadTestCalls):
    """Imports, deploys and uses models in one project.

    A service, a model and a bucket are named by their names, or by what was listed of them. What
    the page refuses is refused here too, with the same :class:`ManagerError`: message,
    cause, fix, and the field that it is about.

    What takes a grant that was made moments ago is tried again until that has its effect; the log
    says so.

    Parameters
    ----------
    project
        Id of the project; when left out, the one that the environment names.
    chosen
        Settings; those of the process when left out.

    Raises
    ------
    InvalidInputError
        No project is named anywhere, or ``LLM_WIDGETS_PROJECT`` allows another one only.

    Examples
    --------
    >>> manager = Manager("my-project")
    >>> manager.create_bucket("my-project-models", "europe-west1")
    >>> manager.import_model("my-project-models", "ollama", "smollm2:135m")
    >>> service = manager.deploy("my-project-models", "smollm2:135m")
    >>> print(manager.chat(service, "Say hello."))
    """

    def __init__(self, project: str = "", chosen: Settings | None = None) -> None:
        self.settings = chosen or settings()
        hubs.check_endpoints(self.settings)
        self.clients = Clients(self.settings)
        propagation.of(self.clients).on_wait(lambda sentence: _log.warning("%s", sentence))
        self.project = projects.open_project(self.clients, project)

    def __repr__(self) -> str:
        """Return how it was made."""
        return f"Manager({self.project.id!r})"

    def projects(self, text: str = "") -> Listing[Project]:
        """List the projects that you can see, whose ID or name begins with a text."""
        return projects.visible(self.clients, text)

    def doctor(self) -> Listing[Row]:
        """Check what the project lacks, as the General tab does."""
        rows, _ = projects.checklist(Context(self.clients, self.project))
        return Listing(rows, ("check", "state", "found", "fix"))
