"""What a diagnosis offers: grants, quotas and APIs a service deployed anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.diagnosis import Remedy, RemedyKind, changed
from llm_widgets.domain import quotas as amounts
from llm_widgets.domain.actors import Deed
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.iam import policy, propagation
from llm_widgets.gcp.project import apis, quotas
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import acting, callers, change, managed
from llm_widgets.manager.audit import recorded
from llm_widgets.serving import codec, recipes

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.change import Json

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
    """Return whether a remedy is for :func:`carry_out`."""
    return remedy.kind in _BESIDE


def with_remedy(deployment: Deployment, remedy: Remedy) -> Deployment:
    """Return a deployment with the changes of a remedy, and what follows them."""
    return recipes.adapted(deployment, changed(deployment, remedy))


def with_context(deployment: Deployment, tokens: int) -> Deployment:
    """Return a deployment with another length of requests, in tokens."""
    told = {"max_model_len": str(tokens)}
    return with_remedy(deployment, Remedy(RemedyKind.REDEPLOY, "", told))


@recorded("remedy", on="{project}: {remedy.kind.value} {remedy.parameters}")
def carry_out(clients: Clients, project: str, remedy: Remedy) -> Done:
    """Do what a remedy says beside the service, and wait for it.

    Raises
    ------
    ManagerError
        It may not be done.
    """
    wanted = remedy.parameters
    if remedy.kind is RemedyKind.GRANT:
        role, resource, member = wanted["role"], wanted["resource"], wanted["member"]
        policy.grant(clients, policy.named(resource, project=project), [role], member)
        return Done(
            f"Granted {role} to {member}; this takes {propagation.HOW_LONG} to take effect."
        )
    if remedy.kind is RemedyKind.ENABLE_API:
        apis.enable(clients, project, wanted["api"])
        return Done(f"{wanted['api']} is enabled; it takes a minute or two to take effect.")
    quota, region = wanted["quota"], wanted["region"]
    value = quotas.value_of(quota, int(wanted["value"]))
    email = identity.current(clients).email
    asked = quotas.ask_for_more(clients, project, region, quota, value, email=email)
    if asked.granted >= value:
        return Done(
            f"{amounts.title(quota)} quota in {region} is now "
            f"{amounts.in_units(quota, asked.granted)}. Deploy again."
        )
    told = (
        f"Requested {amounts.in_units(quota, value)} in {region}. Google replies by e-mail, often "
        "within minutes."
    )
    return Done(told, is_granted=False)


@recorded("service.remedy", on="{document[name]}: {remedy.kind.value}")
def redeploy(
    clients: Clients,
    project: str,
    document: Json,
    remedy: Remedy,
    tell: Callable[[ManagerError], None],
) -> str:
    """Do what a remedy says about a service, and deploy it again where that helps.

    A region of its own means one more service there, callable by whoever does that.

    Parameters
    ----------
    document
        The service as :func:`llm_widgets.gcp.run.service_json.read` gave it.
    tell
        Called with why somebody can't be let call the service in another region.

    Returns
    -------
    str
        What was done, in a sentence.

    Raises
    ------
    ManagerError
        It may not be done, or Cloud Run refuses the change.
    """
    managed.refuse_document(document)
    id_ = str(document["name"]).rsplit("/", 1)[-1]
    told = carry_out(clients, project, remedy).told if is_beside(remedy) else ""
    if remedy.kind is RemedyKind.REQUEST_QUOTA:
        return told
    if region := remedy.parameters.get("region"):
        name = _copied(clients, document, region)
        callers.let_in(clients, name, tell=tell)
        return f"Deployment of {id_} to {region} started."
    before = change.deployment_of(document)
    after = with_remedy(before, remedy) if remedy.kind is RemedyKind.REDEPLOY else before
    noted = codec.with_tried(document, remedy)
    change.send(clients, change.again(change.prepared(noted, before, after)))
    return f"{told} Redeployment of {id_} started.".strip()


@recorded("service.create", on="{document[name]} in {region}")
def _copied(clients: Clients, document: Json, region: str) -> str:
    """Create a service in another region as one is, and return its resource name."""
    signed, _ = codec.sign(codec.without_tried(document), acting.actor(clients), *Deed)
    return service_json.copy(clients, signed, region)
