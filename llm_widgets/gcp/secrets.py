"""Tokens of hubs, kept in Secret Manager for as long as an import runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.errors import AlreadyExistsError, DeniedError, NotFoundError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.iam import policy

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.client.clients import Clients

PREFIX = "llm-manager-hub-token-"
LIFETIME = 8 * 24 * 3600
"""Seconds after which Secret Manager deletes a token itself: a job's task takes 7 days at most."""

NEEDED = (
    "secretmanager.secrets.create",
    "secretmanager.secrets.get",
    "secretmanager.versions.add",
)
"""Permissions on the project that it takes to keep a token."""

_KEEPER = "roles/secretmanager.admin"
"""What a worker gets on its one secret: no smaller role may delete it."""

IMPORT_LABEL = "llm-manager-import"


@dataclass(frozen=True, slots=True)
class HubToken:
    """Where the token of one import is kept: derived, and never read from a bucket."""

    project: str
    bucket: str
    import_id: str

    @property
    def labels(self) -> dict[str, str]:
        """What says that the secret is this import's."""
        return {MANAGED_BY[0]: MANAGED_BY[1], IMPORT_LABEL: self._digest}

    @property
    def id(self) -> str:
        """Id of the secret."""
        return f"{PREFIX}{self._digest}"

    @property
    def secret(self) -> str:
        """Resource name of the secret."""
        return f"projects/{self.project}/secrets/{self.id}"

    @property
    def _digest(self) -> str:
        text = f"{self.bucket}/{self.import_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]


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


def put(clients: Clients, kept: HubToken, token: str) -> bool:
    """Keep a token; where one is kept for the import, this one takes its place.

    Returns
    -------
    bool
        Whether there was none before.

    Raises
    ------
    ManagerError
        Secret Manager refuses; the token is in no message.
    """
    doing = f"keep the token in Secret Manager of {kept.project}"

    def explains(permission: str) -> AbstractContextManager[None]:
        return explained(doing, clients=clients, project=kept.project, permission=permission)

    is_new = True
    try:
        with explains("secretmanager.secrets.create"):
            _create(clients, kept)
    except AlreadyExistsError:
        is_new = False
    with explains("secretmanager.versions.add"):
        _own(clients, kept)
        request: Any = {"parent": kept.secret, "payload": {"data": token.encode()}}
        clients.secrets.add_secret_version(request=request)
    return is_new


def read(clients: Clients, kept: HubToken) -> str:
    """Read a token.

    Raises
    ------
    ManagerError
        It is gone, may not be read, or the secret is not one of the import.
    """
    with explained(
        "read the token in Secret Manager",
        clients=clients,
        project=kept.project,
        permission="secretmanager.versions.access",
    ):
        _own(clients, kept)
        version = f"{kept.secret}/versions/latest"
        return clients.secrets.access_secret_version(name=version).payload.data.decode()


def allow(clients: Clients, kept: HubToken, member: str) -> None:
    """Let a member read and delete a token: nothing else of Secret Manager.

    Raises
    ------
    ManagerError
        The secret's policy may not be changed, or others change it all the time.
    """
    doing = f"let {member} read the token in Secret Manager"
    policy.grant(clients, policy.of_secret(kept.secret), [_KEEPER], member, doing=doing)


def delete(clients: Clients, kept: HubToken) -> None:
    """Delete a token with its secret; gone is fine.

    Raises
    ------
    ManagerError
        It may not be deleted, or the secret is not one of the import.
    """
    try:
        with explained(
            "delete the token in Secret Manager",
            clients=clients,
            project=kept.project,
            permission="secretmanager.secrets.delete",
        ):
            found = _own(clients, kept)
            request: Any = {"name": kept.secret, "etag": found.etag}
            clients.secrets.delete_secret(request=request)
    except NotFoundError:
        return


def _create(clients: Clients, kept: HubToken) -> None:
    request: Any = {
        "parent": f"projects/{kept.project}",
        "secret_id": kept.id,
        "secret": {
            "replication": {"automatic": {}},
            "labels": kept.labels,
            "ttl": f"{LIFETIME}s",
        },
    }
    clients.secrets.create_secret(request=request)


def _own(clients: Clients, kept: HubToken) -> lazy.secretmanager_v1.Secret:
    """Look the secret up, and see that its labels say that it is the import's."""
    found = clients.secrets.get_secret(name=kept.secret)
    if not kept.labels.items() <= dict(found.labels).items():
        raise DeniedError(
            "A secret with the name of the import's token is not this import's.",
            cause=f"{kept.id} lacks the labels that this product gives it.",
        )
    return found
