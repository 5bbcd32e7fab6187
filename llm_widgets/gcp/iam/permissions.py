"""Which permissions the identity has, asked on the resource that carries them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from llm_widgets.domain import google_apis
from llm_widgets.errors import InvalidInputError, NotFoundError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.gcp.client.clients import Clients

ACT_AS = "iam.serviceAccounts.actAs"
"""Permission to start services and jobs in the name of a service account."""

MOST = 100
"""Permissions that Google tests in one call."""


@dataclass(frozen=True, slots=True)
class Tested:
    """The answer of a test.

    Attributes
    ----------
    untestable
        Permissions that mean nothing on this resource: nobody can tell whether they are there.
    """

    granted: frozenset[str]
    missing: frozenset[str]
    untestable: frozenset[str]


def on_project(clients: Clients, project: str, permissions: Iterable[str]) -> Tested:
    """Test permissions on a project: what is granted on single resources does not count.

    Raises
    ------
    ManagerError
        The project can't be asked.
    """

    def ask(some: list[str]) -> Iterable[str]:
        request = {"resource": f"projects/{project}", "permissions": some}
        with explained(f"test permissions on {project}", clients=clients, project=project):
            found: list[str] = clients.projects.test_iam_permissions(request=request).permissions
            return found

    return _tested(ask, permissions)


def on_bucket(
    clients: Clients, bucket: str, permissions: Iterable[str], *, project: str = ""
) -> Tested:
    """Test permissions on a bucket.

    Raises
    ------
    ManagerError
        The bucket can't be asked.
    """

    def ask(some: list[str]) -> Iterable[str]:
        with explained(
            f"test permissions on the bucket {bucket}",
            clients=clients,
            project=project,
            bucket=bucket,
        ):
            found: list[str] = clients.storage(project).bucket(bucket).test_iam_permissions(some)
            return found

    return _tested(ask, permissions)


def on_service_account(
    clients: Clients, email: str, permissions: Iterable[str], *, project: str = ""
) -> Tested:
    """Test permissions on a service account, for example ``iam.serviceAccounts.actAs``.

    Raises
    ------
    ManagerError
        The account can't be asked, or does not exist.
    """
    path = f"/v1/projects/-/serviceAccounts/{quote(email)}:testIamPermissions"

    def ask(some: list[str]) -> Iterable[str]:
        with explained(f"test permissions on {email}", clients=clients, project=project):
            answer = call(clients, "POST", google_apis.IAM, path, {"permissions": some})
            found: list[str] = answer.get("permissions", [])
            return found

    return _tested(ask, permissions)


def on_account_or_project(
    clients: Clients, email: str, permissions: Iterable[str], *, project: str
) -> tuple[Tested, bool]:
    """Test permissions on a service account, and on its project while there is no such account.

    Returns
    -------
    tuple
        The answer, and whether the account is there.

    Raises
    ------
    ManagerError
        Neither can be asked.
    """
    wanted = tuple(permissions)
    try:
        return on_service_account(clients, email, wanted, project=project), True
    except NotFoundError:
        return on_project(clients, project, wanted), False


def _tested(ask: Callable[[list[str]], Iterable[str]], permissions: Iterable[str]) -> Tested:
    wanted = list(dict.fromkeys(permissions))
    granted: set[str] = set()
    untestable: set[str] = set()
    todo = [wanted[start : start + MOST] for start in range(0, len(wanted), MOST)]
    while todo:
        some = todo.pop()
        try:
            granted.update(ask(some))
        except InvalidInputError:
            # One that is not valid here spoils the call: halve until it is alone.
            if len(some) == 1:
                untestable.update(some)
            else:
                half = len(some) // 2
                todo += [some[:half], some[half:]]
    granted &= set(wanted)
    return Tested(
        frozenset(granted),
        frozenset(set(wanted) - granted - untestable),
        frozenset(untestable),
    )
