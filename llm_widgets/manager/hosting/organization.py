"""Projects without an organization: Google has no OAuth client for the visitors of their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import ApiDisabledError, Fix, ManagerError, NotFoundError
from llm_widgets.gcp import iap

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.manager.hosting.plan import Page, Site

# The IAP OAuth Admin API, by which clients could be made, has ended: see
# https://docs.cloud.google.com/iap/docs/deprecations/migrate-oauth-client, December 2026.
_STEPS = (
    "In the console, Google Auth Platform: 1. Branding: enter a name and a support e-mail, "
    "audience External. 2. Audience: add each visitor as a test user, or publish the app; while it "
    "is in testing, a sign-in ends after about 7 days. 3. Clients: create one of the type Web "
    "application, then add to it the redirect URI "
    "https://iap.googleapis.com/v1/oauth/clientIds/CLIENT_ID:handleRedirect with its own ID. "
    "4. Save its secret in a file and run the command."
)


def refuse_without_client(clients: Clients, project: Project, page: Page, site: Site) -> None:
    """Refuse to deploy where nobody could sign in, before anything is made.

    Raises
    ------
    ManagerError
        The project belongs to no organization, and no OAuth client is named or set.
    """
    if project.parent or page.client or _has_client(clients, page, site):
        return
    raise ManagerError(
        f"Nobody could sign in to the page: {page.project} belongs to no organization.",
        cause="Google's own OAuth client lets in members of the project's organization only. "
        "Without another client, Identity-Aware Proxy answers every request with 502.",
        fix=fix(page),
    )


def fix(page: Page) -> Fix:
    """Return how to make an OAuth client, and the command that takes it."""
    return Fix(
        text=_STEPS,
        command=f"llm-widgets deploy-manager --project {page.project} --region {page.region} "
        "--client-id CLIENT_ID --client-secret FILE",
        url=links.auth_platform(page.project),
    )


def _has_client(clients: Clients, page: Page, site: Site) -> bool:
    places = (site.visited(page), f"projects/{site.number}")
    try:
        return any(iap.client_of(clients, place)[0] for place in places)
    except (ApiDisabledError, NotFoundError):
        return False  # before the first deployment
