"""Identity-Aware Proxy v1: who may visit a service of Cloud Run, and how people sign in to it."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from google.cloud import iap_v1

from local_cloud.errors import ApiError
from local_cloud.google.permissions import Need, resource_of
from local_cloud.google.policies import Policies
from local_cloud.google.records import Records, copied

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "iap.googleapis.com"
VISIT = "iap.webServiceVersions.accessViaIAP"
"""The permission of a visitor."""

# A project, all that IAP guards in it, the services of a region, one of them. By its number: says
# https://docs.cloud.google.com/iap/docs/reference/rest/v1/IapSettings, December 2026.
_PLACE = re.compile(
    r"projects/\d+(?P<web>/iap_web(?P<region>/cloud_run-[a-z0-9-]+(?P<service>/services/[a-z0-9-]+)?)?)?"
)
_COLLECTIONS = {"service": "webServices", "region": "webTypes", "web": "web", None: "projects"}
_VERBS = {
    "GetIamPolicy": "getIamPolicy",
    "SetIamPolicy": "setIamPolicy",
    "GetIapSettings": "getSettings",
    "UpdateIapSettings": "updateSettings",
}


def rule(name: str, request: Any) -> Need | None:
    """Return what a call needs, by what it is about."""
    resource = resource_of(request)
    place = _PLACE.fullmatch(resource)
    if place is None:
        raise ApiError("INVALID_ARGUMENT", f"Request contains an invalid argument: {resource}.")
    if name not in _VERBS:
        return Need("", resource)
    level = next((key for key in ("service", "region", "web") if place[key]), None)
    return Need(f"iap.{_COLLECTIONS[level]}.{_VERBS[name]}", resource)


def resource_name(service: str) -> str:
    """Return what IAP calls a service of Cloud Run, given its resource name."""
    _, project, _, region, _, service_id = service.split("/")
    return f"projects/{project}/iap_web/cloud_run-{region}/services/{service_id}"


class IdentityAwareProxy(Policies):
    """Answers IdentityAwareProxyAdminServiceClient.

    Parameters
    ----------
    store
        Holds the settings (kind ``iap-settings``), by names with the project's id.
    access
        Keeps the policies.

    """

    def __init__(self, store: Store, access: Access) -> None:
        super().__init__(access)
        self._settings = Records(store, "iap-settings", iap_v1.IapSettings)

    def require_existing(self, resource: str) -> None:
        """Let everything pass: a policy can be set before there is a service."""

    def get_iap_settings(self, request: Any, caller: Caller) -> iap_v1.IapSettings:  # noqa: ARG002 - a handler
        """Return the settings of one place, without those that it inherits and without secrets."""
        found = self._find(request.name)
        found.name = request.name
        found.access_settings.oauth_settings.client_secret = None
        return found

    def update_iap_settings(self, request: Any, caller: Caller) -> iap_v1.IapSettings:
        """Change the settings of one place, those that the mask names; without one, all."""
        asked = request.iap_settings
        name = self._access.canonical(asked.name)
        merged = copied(self._find(asked.name))
        if request.update_mask.paths:
            request.update_mask.MergeMessage(
                iap_v1.IapSettings.pb(asked),
                iap_v1.IapSettings.pb(merged),
                replace_message_field=True,
                replace_repeated_field=True,
            )
        else:
            merged = copied(asked)
        oauth = merged.access_settings.oauth_settings
        if oauth.client_secret:
            oauth.client_secret_sha256 = hashlib.sha256(oauth.client_secret.encode()).hexdigest()
            oauth.client_secret = None
        merged.name = name
        self._settings.put(name, merged)
        return self.get_iap_settings(iap_v1.GetIapSettingsRequest(name=asked.name), caller)

    def has_client(self, service: str) -> bool:
        """Return whether a service, or its project, has an OAuth client of its own.

        Parameters
        ----------
        service
            Its resource name at Cloud Run.

        """
        parts = resource_name(service).split("/")
        found = (self._find("/".join(parts[:count])) for count in (6, 4, 3, 2))
        return any(each.access_settings.oauth_settings.client_secret_sha256 for each in found)

    def _find(self, name: str) -> iap_v1.IapSettings:
        return self._settings.get(self._access.canonical(name)) or iap_v1.IapSettings()
