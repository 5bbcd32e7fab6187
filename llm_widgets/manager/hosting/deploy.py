"""Deploys the manager as a page for colleagues, or removes it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis
from llm_widgets.domain.prices import TABLE
from llm_widgets.domain.services import InstanceSize
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.errors import ApiDisabledError
from llm_widgets.gcp.auth import identity, quota_project
from llm_widgets.gcp.iam import propagation
from llm_widgets.gcp.project import apis, projects
from llm_widgets.gcp.run import users
from llm_widgets.imports import launch
from llm_widgets.manager.audit import recorded
from llm_widgets.manager.hosting import organization, proof, service
from llm_widgets.manager.hosting.accounts import Accounts, Roles
from llm_widgets.manager.hosting.apis import Apis
from llm_widgets.manager.hosting.image import Image
from llm_widgets.manager.hosting.plan import PART, Site
from llm_widgets.manager.hosting.service import Service
from llm_widgets.manager.hosting.visitors import Proxy, SignIn, Visitors
from llm_widgets.manager.interrupting import Work, keeps_running
from llm_widgets.serving import cost

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.manager.hosting.plan import Page
    from llm_widgets.manager.hosting.step import Step

STEPS: tuple[type[Step], ...] = (
    *(Apis, Accounts, Roles, Image),
    *(Service, Proxy, SignIn, Visitors),
)
"""In the order in which they are carried out; they are undone the other way round."""

_HOURS_A_MONTH = 730
_MEBIBYTES = 1024


@dataclass(frozen=True, slots=True)
class Hosted(Shown):
    """A page for colleagues that was deployed and is behind its proxy.

    Attributes
    ----------
    changed
        Titles of the steps that changed anything.
    notes
        What a person should know, in sentences.
    """

    page: Page
    url: str
    image: str
    changed: tuple[str, ...]
    notes: tuple[str, ...]

    def shown(self) -> Values:
        """Return what is told of it."""
        return {
            "url": self.url,
            "service": self.page.service,
            "image": self.image,
            "service_account": self.page.account,
            "visitors": list(self.page.visitors),
            "visitors_at_once": self.page.at_once,
            "memory": f"{self.page.mebibytes} MiB",
            "price": price(self.page),
            "changed": list(self.changed),
            "notes": list(self.notes),
        }


def price(page: Page) -> str:
    """Return what a page costs, in a sentence."""
    size = InstanceSize("", page.cpus, page.mebibytes / _MEBIBYTES)
    hour = cost.of_instance(TABLE, page.region, size)
    if hour is None:
        return f"What an instance costs an hour in {page.region} is not known here."
    month = hour.amount * _HOURS_A_MONTH
    if page.min_instances:
        return (
            f"About ${month:.0f} a month: one instance always runs. With --min-instances 0, only "
            "while somebody visits."
        )
    return (
        f"About ${hour.amount:.2f} an hour while somebody visits, nothing else; the first visitor "
        f"waits for a start. With --min-instances 1, about ${month:.0f} a month."
    )


def own_visitor(clients: Clients) -> tuple[str, ...]:
    """Return who works by these credentials as a visitor; a service account visits no page."""
    member = identity.current(clients).member
    return (member,) if member.startswith("user:") else ()


@recorded("manager.deploy", on="{page.service}")
def deploy_manager(
    clients: Clients,
    page: Page,
    *,
    tell: Callable[[str], None] = lambda _: None,
    patience: float = proof.PATIENCE,
) -> Hosted:
    """Deploy the manager as a page behind Identity-Aware Proxy; what is there already stays.

    Parameters
    ----------
    tell
        Called with a line for each step.
    patience
        Seconds that the proxy may take to stand in front.

    Raises
    ------
    ManagerError
        A step can't be carried out; what was made before stays, and the next run goes on with it.
    """
    project = _opened(clients, page)
    variables = launch.elsewhere(clients.settings)
    site = Site(project.number, page.image, variables)
    organization.refuse_without_client(clients, project, page, site)
    propagation.of(clients).on_wait(tell)
    changed = []
    with keeps_running(Work("What was made stays.", "deploy_manager(…)", _command(page))):
        for each in STEPS:
            is_changed = each(page, site).ensure(clients)
            if is_changed:
                changed.append(each.title)
            tell(f"{each.title}: {'done' if is_changed else 'unchanged'}")
        url = service.url(clients, page)
        proof.prove(page, url, tell, patience)
    tell("Checked from outside: strangers are sent to sign in.")
    return Hosted(page, url, site.image, tuple(changed), tuple(site.notes))


@recorded("manager.delete", on="{page.service}")
def delete_manager(
    clients: Clients, page: Page, *, tell: Callable[[str], None] = lambda _: None
) -> tuple[str, ...]:
    """Remove what :func:`deploy_manager` made; return what was kept, in sentences.

    APIs stay enabled. Buckets of models and deployed models stay.

    Raises
    ------
    ManagerError
        Something may not be removed; the next run goes on with the rest.
    """
    project = _opened(clients, page)
    site = Site(project.number, "")
    for user in users.all_users(clients, page.project, project.number):
        if user.name == page.service:
            continue
        site.used.setdefault(user.account, user.shown)
        if user.labels.get(PART[0]) == PART[1]:
            site.is_shared = True
            site.notes.append(f"Accounts, roles and images were kept: {user.shown} uses them.")
    for each in reversed(STEPS):
        try:
            is_changed = each(page, site).remove(clients)
        except ApiDisabledError as error:
            site.notes.append(f"{each.title}: {error.message}")
            continue
        if is_changed:
            tell(f"{each.title}: removed")
    site.notes.append("The APIs stay enabled. Buckets and deployed models were kept.")
    return tuple(dict.fromkeys(site.notes))


def _command(page: Page) -> str:
    """Return the command that goes on, without what only says how the page is to be."""
    return f"llm-widgets deploy-manager --project {page.project} --region {page.region} …"


def _opened(clients: Clients, page: Page) -> Project:
    """Look up the project: the first call in it, which takes an API of its own."""
    quota_project.adopt(clients, page.project)
    try:
        return projects.get(clients, page.project)
    except ApiDisabledError:
        apis.enable(clients, page.project, google_apis.RESOURCE_MANAGER)
        return projects.get(clients, page.project)
