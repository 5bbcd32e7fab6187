"""What was being done when an API refused, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

SHARED_CONSUMERS = frozenset({"764086051850", "32555940559"})
"""Projects of Google that own the OAuth clients of gcloud.

Calls of persons without a quota project count against them.
"""


@dataclass(frozen=True, slots=True)
class Doing:
    """What was being done when an API refused.

    Attributes
    ----------
    text
        Goes on after "Can't", for example ``"list the buckets of my-project"``.
    clients
        Tell who lacks a permission; ``None`` when that is not to be found out.
    permission
        The permission that this takes, for answers that say nothing.
    number, caller, image
        The project's number, who calls as IAM policies write it, and the container image that
        is deployed, where they are known already.
    """

    text: str
    clients: Clients | None = None
    project: str = ""
    bucket: str = ""
    permission: str = ""
    number: str = ""
    image: str = ""
    caller: str = ""

    def cant(self, why: str) -> str:
        """Write the sentence that says what did not happen, and why."""
        return f"Can't {self.text}: {why}."

    def is_other(self, project: str) -> bool:
        """Return whether a project, by id or number, is known not to be the selected one."""
        if project in SHARED_CONSUMERS:
            return True
        if not project or not self.project or project in {self.project, self._number}:
            return False
        return not project.isdigit() or bool(self._number)

    def shown(self, project: str) -> str:
        """Return a project as a person knows it: the selected one by its id."""
        return self.project if project and project == self._number else project

    def named(self, project: str) -> str:
        """Return the project that a refusal names as it is shown, else the selected one."""
        return self.shown(project) if project else self.project

    @property
    def _number(self) -> str:
        if self.number or not self.clients:
            return self.number
        return self.clients.numbers.get(self.project, "")

    @property
    def set_quota_project(self) -> str:
        """The command by which a person's calls count against the selected project."""
        project = quote(self.project or "PROJECT_ID")
        return f"gcloud auth application-default set-quota-project {project}"

    @property
    def is_service_account(self) -> bool:
        """Whether it is known that no person calls."""
        if self.caller:
            return members.is_service_account(self.caller)
        return self.clients is not None and not identity.is_person(self.clients)

    @property
    def member(self) -> str:
        """Who was refused; finding it out must not fail where something has failed already."""
        if self.caller or self.clients is None:
            return self.caller
        try:
            return identity.current(self.clients).member
        except ManagerError:
            return ""

    @property
    def run_agent(self) -> str:
        """The service agent of Cloud Run in the selected project; empty where it is not known."""
        return members.run_agent(self._number) if self._number else ""

    @property
    def who(self) -> str:
        """Who was refused, as a person reads it."""
        return members.label(self.member) or "this identity"
