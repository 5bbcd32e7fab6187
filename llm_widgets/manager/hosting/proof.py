"""Proves from outside that Identity-Aware Proxy stands in front of a page."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import DeploymentError, Fix
from llm_widgets.gcp.run import front
from llm_widgets.gcp.run.front import Front
from llm_widgets.manager.hosting import organization

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.gcp.run.front import Seen
    from llm_widgets.manager.hosting.plan import Page

PATIENCE = 180.0
"""Seconds until a service that is new, or has changed, is behind its proxy: it took 30 to 75 in
what was reported in 2026."""

_PAUSE = 5.0


def prove(page: Page, url: str, tell: Callable[[str], None], patience: float = PATIENCE) -> None:
    """Ask for the page without credentials until its proxy answers.

    Parameters
    ----------
    tell
        Called once with what is waited for.
    patience
        Seconds for which is asked again.

    Raises
    ------
    DeploymentError
        Somebody else answers: the error says who, and what to do.
    """
    until = time.monotonic() + patience
    seen = front.look(url)
    if seen.front is not Front.IAP and patience:
        tell(f"Waiting for Identity-Aware Proxy. So far: {seen.said}")
    while seen.front is not Front.IAP:
        if time.monotonic() >= until:
            raise refusal(page, url, seen)
        time.sleep(_PAUSE)
        seen = front.look(url)


def refusal(page: Page, url: str, seen: Seen) -> DeploymentError:
    """Word who answers in place of the proxy, and what to do."""
    where = f"--project={page.project} --region={page.region}"
    log = links.service(page.service, "logs")
    worded = {
        Front.NO_CLIENT: (
            "Identity-Aware Proxy answers, but has no OAuth client to sign visitors in with.",
            organization.fix(page),
        ),
        Front.IAM: (
            "Identity-Aware Proxy is off: IAM alone guards the page, and no visitor can open it.",
            Fix(
                text="Turn it on:",
                command=f"gcloud beta run services update {page.name} {where} --iap",
            ),
        ),
        Front.OPEN: (
            f"The page is not protected: {url} answers anyone.",
            Fix(
                text="Remove public access now, then run the command again:",
                command=f"gcloud run services remove-iam-policy-binding {page.name} {where} "
                "--member=allUsers --role=roles/run.invoker",
            ),
        ),
        Front.NOBODY: (
            f"No answer from {url}, so that its protection is unknown.",
            Fix(text="Check that this machine reaches the internet, then run the command again."),
        ),
        Front.OTHER: (
            f"Unknown whether {url} is protected: the answer is not one of Identity-Aware Proxy.",
            Fix(text="See the log of the service, then run the command again.", url=log),
        ),
    }
    message, fix = worded[seen.front]
    return DeploymentError(
        message, cause=f"A request without credentials got: {seen.said}", fix=fix
    )
