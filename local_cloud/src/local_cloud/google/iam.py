"""IAM v1: service accounts with their policies and tokens; roles that a project defines itself."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from google.cloud import iam_admin_v1, iam_credentials_v1
from google.protobuf import empty_pb2

from local_cloud.errors import ApiError
from local_cloud.google import custom_roles
from local_cloud.google.custom_roles import CustomRoles
from local_cloud.google.gapic import HttpRule
from local_cloud.google.permissions import Need, by_name, resource_of
from local_cloud.google.policies import Policies
from local_cloud.google.records import page_of
from local_cloud.issuer import LIFETIME, numeric_id

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller, Issuer
    from local_cloud.store import Store

API = "iam.googleapis.com"
CREDENTIALS_API = "iamcredentials.googleapis.com"
_rule = by_name("iam")

_ACCOUNT = "{name=projects/*/serviceAccounts/*}"
_POLICY_OF = "{resource=projects/*/serviceAccounts/*}"
# The client package has no REST transport to read these from; source: IAM API v1 reference.
HTTP = {
    "ListServiceAccounts": (HttpRule("GET", "/v1/{name=projects/*}/serviceAccounts", ""),),
    "CreateServiceAccount": (HttpRule("POST", "/v1/{name=projects/*}/serviceAccounts", "*"),),
    "GetServiceAccount": (HttpRule("GET", f"/v1/{_ACCOUNT}", ""),),
    "DeleteServiceAccount": (HttpRule("DELETE", f"/v1/{_ACCOUNT}", ""),),
    "DisableServiceAccount": (HttpRule("POST", f"/v1/{_ACCOUNT}:disable", "*"),),
    "EnableServiceAccount": (HttpRule("POST", f"/v1/{_ACCOUNT}:enable", "*"),),
    "GetIamPolicy": (HttpRule("POST", f"/v1/{_POLICY_OF}:getIamPolicy", ""),),
    "SetIamPolicy": (HttpRule("POST", f"/v1/{_POLICY_OF}:setIamPolicy", "*"),),
    "TestIamPermissions": (HttpRule("POST", f"/v1/{_POLICY_OF}:testIamPermissions", "*"),),
    **custom_roles.HTTP,
}

_TOKEN_PERMISSIONS = {
    "GenerateAccessToken": "getAccessToken",
    "GenerateIdToken": "getOpenIdToken",
    "SignBlob": "signBlob",
    "SignJwt": "signJwt",
}


def rule(name: str, request: Any) -> Need | None:
    """Return what a call of the IAM API needs; predefined roles are for all to see."""
    if name == "GetRole" and request.name.startswith("roles/"):
        return Need("", request.name)
    return _rule(name, request)


def credentials_rule(name: str, request: Any) -> Need | None:
    """Return what a call of the Service Account Credentials API needs."""
    return Need(f"iam.serviceAccounts.{_TOKEN_PERMISSIONS[name]}", resource_of(request))


class ServiceAccounts(Policies, CustomRoles):
    """Answers IAMClient.

    Parameters
    ----------
    store
        Holds the accounts (kind ``service_account``, by address).
    access
        Keeps their policies.
    issuer
        Keeps their keys.

    """

    def __init__(self, store: Store, access: Access, issuer: Issuer) -> None:
        Policies.__init__(self, access)
        CustomRoles.__init__(self, store, access)
        self._store = store
        self._issuer = issuer

    def list_service_accounts(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> iam_admin_v1.ListServiceAccountsResponse:
        """Return the accounts of a project."""
        project = self._access.canonical(request.name).split("/")[1]
        found = [
            _message(email, record)
            for email, record in self._store.list("service_account")
            if record["project"] == project
        ]
        page, token = page_of(found, request, default=20, most=100)
        return iam_admin_v1.ListServiceAccountsResponse(accounts=page, next_page_token=token)

    def get_service_account(self, request: Any, caller: Caller) -> iam_admin_v1.ServiceAccount:  # noqa: ARG002 - a handler
        """Return one account."""
        email, record = self._find(request.name)
        return _message(email, record)

    def create_service_account(self, request: Any, caller: Caller) -> iam_admin_v1.ServiceAccount:  # noqa: ARG002 - a handler
        """Make an account."""
        if not re.fullmatch(r"[a-z]([-a-z0-9]{4,28}[a-z0-9])", request.account_id):
            raise ApiError(
                "INVALID_ARGUMENT",
                f"Account ID '{request.account_id}' does not match "
                "^[a-z](?:[-a-z0-9]{4,28}[a-z0-9])$.",
            )
        project = self._access.canonical(request.name).split("/")[1]
        self._access.organization.require_accounts(project)
        email = f"{request.account_id}@{project}.iam.gserviceaccount.com"
        record = {
            "project": project,
            "display_name": request.service_account.display_name,
            "description": request.service_account.description,
            "id": numeric_id(email),
            "known_from": self._access.spreading.known_from(),
        }
        with self._store.transaction():
            if self._store.get("service_account", email):
                raise ApiError(
                    "ALREADY_EXISTS",
                    f"Service account {request.account_id} already exists within project "
                    f"projects/{project}.",
                )
            self._store.put("service_account", email, record)
        return _message(email, record)

    def delete_service_account(self, request: Any, caller: Caller) -> empty_pb2.Empty:  # noqa: ARG002 - a handler
        """Delete an account with its policy."""
        email, _ = self._find(request.name)
        self._access.delete_policy(request.name)
        with self._store.transaction():
            self._store.delete("service_account", email)
            self._issuer.forget(email)
        return empty_pb2.Empty()

    def disable_service_account(self, request: Any, caller: Caller) -> empty_pb2.Empty:  # noqa: ARG002 - a handler
        """Switch an account off."""
        return self._switch(request.name, disabled=True)

    def enable_service_account(self, request: Any, caller: Caller) -> empty_pb2.Empty:  # noqa: ARG002 - a handler
        """Switch it on again."""
        return self._switch(request.name, disabled=False)

    def _switch(self, name: str, *, disabled: bool) -> empty_pb2.Empty:
        with self._store.transaction():
            email, record = self._find(name)
            self._store.put("service_account", email, {**record, "disabled": disabled})
        return empty_pb2.Empty()

    def require_existing(self, resource: str) -> None:
        """Raise 404 for an account that is not there."""
        self._find(resource)

    def _find(self, name: str) -> tuple[str, dict[str, Any]]:
        asked = self._access.canonical(name).rsplit("/", 1)[-1]
        for email, record in self._store.list("service_account"):
            if asked in {email, record["id"]} and self._access.spreading.knows(record):
                return email, record
        raise ApiError("NOT_FOUND", "Unknown service account")


class Credentials:
    """Answers IAMCredentialsClient: tokens for other accounts.

    Parameters
    ----------
    store
        Holds the accounts.
    issuer
        Signs.

    """

    def __init__(self, store: Store, issuer: Issuer) -> None:
        self._store = store
        self._issuer = issuer

    def generate_access_token(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> iam_credentials_v1.GenerateAccessTokenResponse:
        """Return an access token of an account."""
        token = self._issuer.access_token(self._email(request.name), " ".join(request.scope))
        return iam_credentials_v1.GenerateAccessTokenResponse(
            access_token=token, expire_time={"seconds": int(time.time()) + LIFETIME}
        )

    def generate_id_token(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> iam_credentials_v1.GenerateIdTokenResponse:
        """Return an ID token of an account."""
        token = self._issuer.id_token(self._email(request.name), request.audience)
        return iam_credentials_v1.GenerateIdTokenResponse(token=token)

    def sign_blob(self, request: Any, caller: Caller) -> iam_credentials_v1.SignBlobResponse:  # noqa: ARG002 - a handler
        """Sign bytes with the account's key."""
        key_id, signature = self._issuer.signature(self._email(request.name), request.payload)
        return iam_credentials_v1.SignBlobResponse(key_id=key_id, signed_blob=signature)

    def _email(self, name: str) -> str:
        email = name.rsplit("/", 1)[-1]
        if self._store.get("service_account", email) is None:
            raise ApiError("NOT_FOUND", f"Not found; Gaia id not found for email {email}")
        return email


def _message(email: str, record: dict[str, Any]) -> iam_admin_v1.ServiceAccount:
    return iam_admin_v1.ServiceAccount(
        name=f"projects/{record['project']}/serviceAccounts/{email}",
        project_id=record["project"],
        unique_id=record["id"],
        email=email,
        display_name=record["display_name"],
        description=record["description"],
        oauth2_client_id=record["id"],
        disabled=record.get("disabled", False),
        etag=b"\x01",
    )
