"""Cloud Billing v1: whether a project is billed, and to which account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import billing_v1

from local_cloud.errors import ApiError
from local_cloud.google.permissions import Need

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.enablement import Enablement
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "cloudbilling.googleapis.com"
ACCOUNT = "billingAccounts/000000-10CA1C-100D00"
"""The one billing account."""


def rule(name: str, request: Any) -> Need | None:
    """Return what a call needs."""
    resource = getattr(request, "name", "").removesuffix("/billingInfo")
    if name == "GetProjectBillingInfo":
        return Need("resourcemanager.projects.get", resource)
    if name == "UpdateProjectBillingInfo":
        return Need("resourcemanager.projects.createBillingAssignment", resource)
    return Need("", "")


class Billing:
    """Answers CloudBillingClient.

    Parameters
    ----------
    store
        Holds the projects.
    access, enablement
        Decide who may know, and whether billing is switched off.

    """

    def __init__(self, store: Store, access: Access, enablement: Enablement) -> None:
        self._store = store
        self._access = access
        self._enablement = enablement

    def get_project_billing_info(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> billing_v1.ProjectBillingInfo:
        """Return whether a project is billed."""
        return self._info(self._access.canonical(request.name).split("/")[1])

    def update_project_billing_info(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> billing_v1.ProjectBillingInfo:
        """Link a project to the account, or to none."""
        account = request.project_billing_info.billing_account_name
        if account not in {"", ACCOUNT}:
            raise ApiError("PERMISSION_DENIED", "The caller does not have permission")
        project = self._access.canonical(request.name).split("/")[1]
        with self._store.transaction():
            record = self._store.get("project", project)
            assert record is not None  # permission was granted on it
            self._store.put("project", project, {**record, "billing_account": account})
        return self._info(project)

    def _info(self, project: str) -> billing_v1.ProjectBillingInfo:
        record = self._store.get("project", project) or {}
        return billing_v1.ProjectBillingInfo(
            name=f"projects/{project}/billingInfo",
            project_id=project,
            billing_account_name=record.get("billing_account", ""),
            billing_enabled=self._enablement.billing_enabled(project),
        )
