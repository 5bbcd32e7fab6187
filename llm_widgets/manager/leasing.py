"""Having a service paused by itself at a time, by a job of Cloud Scheduler."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import leases, members
from llm_widgets.errors import DeniedError, Fix, InvalidInputError, ManagerError, UnavailableError
from llm_widgets.gcp import scheduler
from llm_widgets.gcp.iam import account_roles, acting_as, policy, service_accounts
from llm_widgets.gcp.iam.policy import Grant, Resource
from llm_widgets.gcp.iam.service_accounts import LEASES
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import acting, change, managed
from llm_widgets.manager.audit import recorded
from llm_widgets.serving.codec import scaling

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

Json = dict[str, Any]

_LAST_TRY = timedelta(hours=1)
"""After its time a job has surely been tried for the last time: that takes 16 minutes."""


@recorded("service.lease", on="{name}: {at}")
def lease(clients: Clients, name: str, at: datetime) -> ManagerError | None:
    """Have a service paused at a time, given its resource name; an earlier lease is replaced.

    It is kept with the service first, with what it scales between: whoever resumes it finds it.

    Returns
    -------
    ManagerError or None
        Why Cloud Scheduler does not do it: then the lease is only told. ``None`` where it does.

    Raises
    ------
    InvalidInputError
        The time is over, too near or too far; the service is paused, or is not managed here.
    ManagerError
        It may not be changed, or others keep changing it.
    """
    when = leases.whole(at)
    if why := leases.problem(when, datetime.now(UTC)):
        raise InvalidInputError(
            "The service can't be paused at that time.",
            cause=why,
            field="at",
            fix=Fix(text="Choose a time from two minutes to 90 days from now, or pause it now."),
        )
    by = acting.actor(clients).name
    _keep(clients, name, when, by, is_scheduled=False)
    try:
        _schedule(clients, name, when)
        _keep(clients, name, when, by, is_scheduled=True)
    except ManagerError as error:
        # What the service does not say must not happen: also not by the job of an earlier lease.
        with suppress(ManagerError):  # where it can't be deleted, the reason is the same
            scheduler.delete(clients, name)
        with suppress(ManagerError):
            _take_back(clients, service_json.read(clients, name))
        return error
    return None


@recorded("service.lease", on="{name}: off")
def end(clients: Clients, name: str) -> None:
    """Take the lease of a service off; that there is none is well.

    One that has paused the service leaves what the service is resumed with.

    Raises
    ------
    ManagerError
        Its job may not be deleted, or the service may not be changed.
    """
    document = service_json.read(clients, name)
    managed.refuse_document(document)
    if leases.LEASE_ANNOTATION not in document.get("annotations", {}):
        return
    forget(clients, document)

    def ended(document: Json) -> change.Change | None:
        found = scaling.without_lease(document, datetime.now(UTC))
        return change.Change(*found) if found else None

    change.decided(clients, name, ended)


def forget(clients: Clients, document: Json) -> None:
    """Delete the job of a service's lease, if it has one: its schedule comes again each year.

    What its account was granted is taken back; where that is refused, it ends by itself.

    Raises
    ------
    ManagerError
        There is one, and it may not be deleted.
    """
    found = leases.read(document.get("annotations", {}))
    if found is None:
        return
    try:
        scheduler.delete(clients, str(document["name"]))
    except ManagerError:
        if found.is_scheduled:
            raise
    _take_back(clients, document)


def _keep(clients: Clients, name: str, at: datetime, by: str, *, is_scheduled: bool) -> None:
    def leased(document: Json) -> change.Change | None:
        managed.refuse_document(document)
        if scaling.pause_of(document) is not None:
            raise InvalidInputError(
                f"{name.rsplit('/', 1)[-1]} is paused already.",
                fix=Fix(text="Resume it first."),
            )
        return change.Change(*scaling.leased(document, at, by, is_scheduled=is_scheduled))

    change.decided(clients, name, leased)


def _schedule(clients: Clients, name: str, at: datetime) -> None:
    """Let an account of its own change this one service, and have a job do it as that account.

    It is let until the job has run: next year, when the schedule comes again, it may not.
    """
    _, project, _, region, _, short = name.split("/")
    account = LEASES.email(project)
    service_accounts.ensure(clients, project, LEASES)
    for resource, given in _grants(service_json.read(clients, name)):
        doing = f"let {account} pause {short}"
        if given.role in policy.roles_of(clients, resource, given.member):
            continue  # deploy-manager has granted it for good
        policy.lend(clients, resource, given, at + _LAST_TRY, doing=doing)
    try:
        acting_as.until_allowed(
            clients,
            lambda: scheduler.put(clients, name, leases.schedule(at), account),
            project,
            account,
        )
    except DeniedError as error:
        if _is_elsewhere(clients, project, region):
            raise UnavailableError(
                f"Cloud Scheduler is not in {region}, so it can't pause {short}.",
                cause=error.cause,
                fix=Fix(text="Pause it by hand at that time."),
            ) from error
        raise


def _grants(document: Json) -> list[tuple[Resource, Grant]]:
    """Return what the account of leases is granted, and on what, to pause a service."""
    name = str(document["name"])
    _, project, _, region, _, short = name.split("/")
    member, title = members.service_account(LEASES.email(project)), f"Pause {short} in {region}"
    found = [(policy.of_cloud_run(name), Grant(member, account_roles.PAUSER, title))]
    runs_as = document.get("template", {}).get("serviceAccount", "")
    if runs_as:  # whoever changes a service must be allowed to act as what it runs as
        resource = policy.of_service_account(runs_as, project=project)
        found.append((resource, Grant(member, account_roles.ACT_AS, title)))
    return found


def _take_back(clients: Clients, document: Json) -> None:
    for resource, given in _grants(document):
        with suppress(ManagerError):  # it ends by itself
            policy.revoke(clients, resource, given, doing="take back what a lease was granted")


def _is_elsewhere(clients: Clients, project: str, region: str) -> bool:
    """Return whether a region has no Cloud Scheduler: a refusal does not tell that apart."""
    try:
        return not scheduler.is_in(clients, project, region)
    except ManagerError:
        return False
