"""What a diagnosis offers that is done beside the service: grants, quotas, APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.diagnosis import RemedyKind
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import policy
from llm_widgets.gcp.project import apis, quotas

if TYPE_CHECKING:
    from llm_widgets.diagnosis import Remedy
    from llm_widgets.page.session import Session

_BESIDE = (RemedyKind.GRANT, RemedyKind.REQUEST_QUOTA, RemedyKind.ENABLE_API)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a remedy.

    Attributes
    ----------
    told
        A sentence that says what was done.
    is_granted
        Whether it stands against the deployment no longer; a quota may only have been asked for.
    """

    told: str
    is_granted: bool = True


def is_beside(remedy: Remedy) -> bool:
    """Whether a remedy is for :func:`carry_out`."""
    return remedy.kind in _BESIDE


def carry_out(session: Session, remedy: Remedy) -> Done:
    """Do what a remedy says, and wait for it.

    Raises
    ------
    ManagerError
        It may not be done.
    """
    clients, project, wanted = session.clients, session.project_id, remedy.parameters
    if remedy.kind is RemedyKind.GRANT:
        role, resource, member = wanted["role"], wanted["resource"], wanted["member"]
        policy.grant(clients, policy.named(resource, project=project), [role], member)
        return Done(f"{role} was granted to {member}.")
    if remedy.kind is RemedyKind.ENABLE_API:
        apis.enable(clients, project, wanted["api"])
        return Done(f"{wanted['api']} is enabled; it takes a minute or two to take effect.")
    quota, region = wanted["quota"], wanted["region"]
    value = quotas.value_of(quota, int(wanted["value"]))
    email = identity.current(clients).email
    asked = quotas.ask_for_more(clients, project, region, quota, value, email=email)
    if asked.granted >= value:
        return Done(f"The quota in {region} is {asked.granted:g} now: deploy again.")
    told = f"{value:g} were asked for in {region}; Google answers by e-mail, often within minutes."
    return Done(told, is_granted=False)
