"""Tokens of hubs, kept in Secret Manager for as long as an import runs."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.errors import (
    AlreadyExistsError,
    DeniedError,
    Fix,
    NotFoundError,
)
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.iam import account_roles, policy

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from llm_widgets.gcp.client.clients import Clients

PREFIX = "llm-manager-hub-token-"
LIFETIME = 8 * 24 * 3600
"""Seconds after which Secret Manager deletes a token itself: a job's task takes 7 days at most."""

KEEPING = (
    "secretmanager.secrets.create",
    "secretmanager.secrets.get",
    "secretmanager.versions.add",
)
"""Permissions on the project that :func:`put` takes."""

ACCESS = "secretmanager.versions.access"
"""Permission to read a token: import jobs get it on their one secret, and the page needs none."""

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
    """Ask Secret Manager for a secret that is not there: it answers where it can be used.

    Raises
    ------
    ManagerError
        :class:`ApiDisabledError` where it is not enabled, :class:`DeniedError` where secrets
        may not be looked at.
    """
    with (
        suppress(NotFoundError),
        explained(
            f"look for a secret in {project}",
            clients=clients,
            project=project,
            permission="secretmanager.secrets.get",
        ),
    ):
        clients.secrets.get_secret(name=f"projects/{project}/secrets/{PREFIX}none")


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


def read(clients: Clients, kept: HubToken, *, is_handed: bool = False) -> str:
    """Read a token.

    Parameters
    ----------
    is_handed
        Whether this account was let at the token by :func:`allow`, which has looked at the
        secret's labels; it may not look at them itself.

    Raises
    ------
    NotFoundError
        It is gone.
    ManagerError
        It may not be read, or the secret is not one of the import.
    """
    try:
        with explained(
            "read the token in Secret Manager",
            clients=clients,
            project=kept.project,
            permission=ACCESS,
        ):
            if not is_handed:
                _own(clients, kept)
            version = f"{kept.secret}/versions/latest"
            try:
                found = clients.secrets.access_secret_version(name=version)
            except lazy.api_exceptions.BadRequest as error:  # it is destroyed, its secret is there
                raise gone(error.message) from error
            return found.payload.data.decode()
    except NotFoundError as error:
        raise gone(error.cause) from error


def allow(clients: Clients, kept: HubToken, member: str) -> None:
    """Let the account of an import job read and destroy a token: nothing else of Secret Manager.

    Raises
    ------
    NotFoundError
        It is gone.
    ManagerError
        The secret is not one of the import, its policy may not be changed, or others change it
        all the time.
    """
    doing = f"let {member} read the token in Secret Manager"
    resource = policy.of_secret(kept.secret)
    try:
        with explained(
            doing,
            clients=clients,
            project=kept.project,
            permission="secretmanager.secrets.get",
        ):
            _own(clients, kept)
        policy.grant(clients, resource, account_roles.JOB_ON_TOKEN, member, doing=doing)
    except NotFoundError as error:
        raise gone(error.cause) from error


def disallow(clients: Clients, kept: HubToken) -> None:
    """Take off a token whoever was let at it by :func:`allow`; gone is fine.

    Raises
    ------
    ManagerError
        The secret is not one of the import, or its policy may not be changed.
    """

    def without_jobs(found: dict[str, Any]) -> bool:
        bindings = found.get("bindings", [])
        found["bindings"] = [
            each for each in bindings if each["role"] not in account_roles.JOB_ON_TOKEN
        ]
        return len(found["bindings"]) < len(bindings)

    doing = "let nobody read the token in Secret Manager any more"
    with suppress(NotFoundError):
        with explained(doing, clients=clients, project=kept.project):
            _own(clients, kept)
        policy.change(clients, policy.of_secret(kept.secret), doing, without_jobs)


def destroy(clients: Clients, kept: HubToken) -> None:
    """Destroy a token and leave its secret, empty: all that the account of a job may do.

    Raises
    ------
    ManagerError
        It may not be destroyed.
    """
    with explained(
        "destroy the token in Secret Manager",
        clients=clients,
        project=kept.project,
        permission="secretmanager.versions.destroy",
    ):
        for version in clients.secrets.list_secret_versions(parent=kept.secret):
            if version.state.name != "DESTROYED":
                clients.secrets.destroy_secret_version(name=version.name)


def gone(cause: str) -> NotFoundError:
    """Explain that a token is not kept any more."""
    return NotFoundError(
        "The hub's token is gone from Secret Manager.",
        cause=cause,
        fix=Fix(text="Start the import again, and enter the token."),
    )


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
