"""What the checks of one run share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import links
from llm_widgets.errors import Fix, ManagerError, NotFoundError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client.parallel import outcomes
from llm_widgets.gcp.iam import service_accounts
from llm_widgets.gcp.iam.effective_access import Known
from llm_widgets.gcp.storage import buckets

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.iam.service_accounts import ServiceAccount
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.gcp.storage.buckets import BucketListing


class Context:
    """A project, who asks, and what several checks need: asked for once, by the first.

    Parameters
    ----------
    clients
        Clients of the Google APIs.
    project
        The project that is checked.
    """

    def __init__(self, clients: Clients, project: Project) -> None:
        self.clients = clients
        self.project = project
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Any] = {}

    @property
    def project_id(self) -> str:
        """Id of the project."""
        return self.project.id

    @property
    def member(self) -> str:
        """Who asks, as IAM policies write it; empty where nothing tells."""
        try:
            return identity.current(self.clients).member
        except ManagerError:
            return ""

    @property
    def member_form(self) -> str:
        """What commands say for who asks, see :class:`llm_widgets.gcp.auth.identity.Identity`."""
        try:
            return identity.current(self.clients).form
        except ManagerError:
            return ""

    def runtime_account(self) -> ServiceAccount:
        """Find the account that services run as: the product's own, else the project's default.

        Raises
        ------
        ManagerError
            :class:`NotFoundError` when there is neither; others when they are not to be seen.
        """
        found: ServiceAccount = self._once("runtime account", self._runtime_account)
        return found

    def model_buckets(self) -> list[BucketListing]:
        """List the buckets of models.

        Raises
        ------
        ManagerError
            They can't be listed.
        """
        found: list[BucketListing] = self._once(
            "buckets", lambda: buckets.list_model_buckets(self.clients, self.project_id)
        )
        return found

    @property
    def known(self) -> Known:
        """Policies of projects, and what roles hold."""
        found: Known = self._once("known", lambda: Known(self.clients, self.project_id))
        return found

    def fix(self, text: str = "", *, command: str = "", url: str = "", action: str = "") -> Fix:
        """Make a fix; a local cloud has no console that a link could lead to."""
        return self.localized(Fix(text=text, command=command, url=url, action=action))

    def localized(self, fix: Fix) -> Fix:
        """Return a fix without its link to Google's console where the cloud is a local one."""
        return links.without_console(fix) if self.clients.settings.is_local_cloud else fix

    def _runtime_account(self) -> ServiceAccount:
        emails = [
            service_accounts.RUNTIME.email(self.project_id),
            self.project.default_service_account,
        ]
        own, default = outcomes(
            lambda email: service_accounts.get(self.clients, self.project_id, email), emails
        )
        found = default if isinstance(own.error, NotFoundError) else own
        if found.error:
            raise found.error
        assert found.value is not None, "an outcome has a value or an error"
        return found.value

    def _once(self, key: str, ask: Callable[[], Any]) -> Any:
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._known:
                self._known[key] = ask()
            return self._known[key]
