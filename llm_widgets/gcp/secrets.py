"""Tokens of hubs, kept in Secret Manager for as long as an import runs."""

from __future__ import annotations

import secrets as random
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.iam import policy

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients

PREFIX = "llm-manager-hub-token-"
LIFETIME = 8 * 24 * 3600
"""Seconds after which Secret Manager deletes a token itself: a job's task takes 7 days at most."""

NEEDED = ("secretmanager.secrets.create", "secretmanager.versions.add")
"""Permissions on the project that it takes to keep a token."""

_ACCESSOR = "roles/secretmanager.secretAccessor"


def reach(clients: Clients, project: str) -> None:
    """Ask Secret Manager for one secret: it answers where it can be used.

    Raises
    ------
    ManagerError
        :class:`ApiDisabledError` where it is not enabled, :class:`DeniedError` where secrets
        may not be listed.
    """
    with explained(
        f"list the secrets of {project}",
        clients=clients,
        project=project,
        permission="secretmanager.secrets.list",
    ):
        request: Any = {"parent": f"projects/{project}", "page_size": 1}
        clients.secrets.list_secrets(request=request)


def put_hub_token(clients: Clients, project: str, token: str) -> str:
    """Keep a token and give the resource name of its version.

    Raises
    ------
    ManagerError
        Secret Manager refuses; the token is in no message.
    """
    with explained(
        f"keep the token in Secret Manager of {project}",
        clients=clients,
        project=project,
        permission="secretmanager.secrets.create",
    ):
        request: Any = {
            "parent": f"projects/{project}",
            "secret_id": PREFIX + random.token_hex(8),
            "secret": {
                "replication": {"automatic": {}},
                "labels": {MANAGED_BY[0]: MANAGED_BY[1]},
                "ttl": f"{LIFETIME}s",
            },
        }
        secret = clients.secrets.create_secret(request=request)
        version: Any = {"parent": secret.name, "payload": {"data": token.encode()}}
        return clients.secrets.add_secret_version(request=version).name


def read(clients: Clients, version: str) -> str:
    """Read a token, given the resource name of its version.

    Raises
    ------
    ManagerError
        It is gone, or may not be read.
    """
    with explained(
        "read the token in Secret Manager",
        clients=clients,
        project=_project(version),
        permission="secretmanager.versions.access",
    ):
        return clients.secrets.access_secret_version(name=version).payload.data.decode()


def allow(clients: Clients, version: str, member: str) -> None:
    """Let a member read a token, given the resource name of its version.

    Raises
    ------
    ManagerError
        The secret's policy may not be changed, or others change it all the time.
    """
    doing = f"let {member} read the token in Secret Manager"
    policy.grant(clients, policy.of_secret(_secret(version)), [_ACCESSOR], member, doing=doing)


def delete(clients: Clients, version: str) -> None:
    """Delete a token with its secret, given the resource name of its version; gone is fine.

    Raises
    ------
    ManagerError
        It may not be deleted.
    """
    try:
        with explained(
            "delete the token in Secret Manager",
            clients=clients,
            project=_project(version),
            permission="secretmanager.secrets.delete",
        ):
            clients.secrets.delete_secret(name=_secret(version))
    except NotFoundError:
        return


def _secret(version: str) -> str:
    return version.partition("/versions/")[0]


def _project(version: str) -> str:
    return version.split("/")[1]
