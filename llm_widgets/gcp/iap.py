"""OAuth clients by which people sign in to services behind Identity-Aware Proxy."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis, names
from llm_widgets.errors import InvalidInputError
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from llm_widgets.gcp.client.clients import Clients

_HOST = google_apis.IAP
_CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_OAUTH = "accessSettings.oauthSettings"
_FIELDS = f"{_OAUTH}.clientId,{_OAUTH}.clientSecret"


def resource(number: str, region: str, service_id: str) -> str:
    """Return what Identity-Aware Proxy calls a service of Cloud Run.

    Parameters
    ----------
    number
        Of the project: its id is not taken here.
    """
    return f"projects/{number}/iap_web/cloud_run-{region}/services/{service_id}"


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """An OAuth client of a project.

    Attributes
    ----------
    secret
        Its secret; in no ``repr``.
    """

    id: str
    secret: str

    def __post_init__(self) -> None:
        """Check the id: it is written into commands and files.

        Raises
        ------
        InvalidInputError
            It can be none.
        """
        if not _CLIENT_ID.fullmatch(self.id):
            raise InvalidInputError(
                f"{names.shown(self.id)} is not an OAuth client ID: these look like "
                "123-abc.apps.googleusercontent.com.",
                field="client-id",
            )

    def __repr__(self) -> str:
        """Return what it is, without its secret."""
        return f"OAuthClient({self.id!r})"

    @property
    def digest(self) -> str:
        """SHA-256 of the secret in hexadecimal digits, as the API tells it of the one it has."""
        return hashlib.sha256(self.secret.encode()).hexdigest()


def client_of(clients: Clients, name: str) -> tuple[str, str]:
    """Return the id and the secret's SHA-256 of the client of a resource; empty where it has none.

    Raises
    ------
    ManagerError
        The settings are not to be seen.
    """
    with _explained(clients, name, "getSettings"):
        found = call(clients, "GET", _HOST, f"/v1/{name}:iapSettings")
    oauth = found.get("accessSettings", {}).get("oauthSettings", {})
    return oauth.get("clientId", ""), oauth.get("clientSecretSha256", "")


def set_client(clients: Clients, name: str, client: OAuthClient) -> bool:
    """Have people sign in by an OAuth client; return whether another one, or none, was set.

    Raises
    ------
    ManagerError
        The settings may not be changed.
    """
    if client_of(clients, name) == (client.id, client.digest):
        return False
    oauth = {"clientId": client.id, "clientSecret": client.secret}
    body: dict[str, Any] = {"name": name, "accessSettings": {"oauthSettings": oauth}}
    with _explained(clients, name, "updateSettings"):
        call(clients, "PATCH", _HOST, f"/v1/{name}:iapSettings?updateMask={_FIELDS}", body)
    return True


def forget_client(clients: Clients, name: str) -> bool:
    """Have people sign in by the client of the project, or Google's; return whether one was set.

    Raises
    ------
    ManagerError
        The settings may not be changed.
    """
    if not client_of(clients, name)[0]:
        return False
    with _explained(clients, name, "updateSettings"):
        path = f"/v1/{name}:iapSettings?updateMask={_OAUTH}"
        call(clients, "PATCH", _HOST, path, {"name": name, "accessSettings": {}})
    return True


def _explained(clients: Clients, name: str, verb: str) -> AbstractContextManager[None]:
    what = "read" if verb == "getSettings" else "change"
    return explained(
        f"{what} how people sign in to {name.rsplit('/', 1)[-1]}",
        clients=clients,
        project=name.split("/")[1],
        permission=f"iap.webServices.{verb}",
    )
