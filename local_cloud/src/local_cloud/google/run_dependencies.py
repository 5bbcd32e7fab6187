"""What a template needs besides its image: an account, secrets, a network, a free GPU."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2

from local_cloud.errors import ApiError
from local_cloud.google.records import Records
from local_cloud.google.run_scaling import is_stopped
from local_cloud.issuer import caller_for
from local_cloud.runner.failures import RevisionFailed

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.google.run_quotas import Limits
    from local_cloud.issuer import Caller
    from local_cloud.store import Store


class Dependencies:
    """Checks them, before and during a deployment.

    Parameters
    ----------
    store
        Holds service accounts, secrets, networks and services.
    access
        Decides what the runtime account may.
    limits
        How many GPUs there are.

    """

    def __init__(self, store: Store, access: Access, limits: Limits) -> None:
        self._store = store
        self._services = Records(store, "run-service", run_v2.Service)
        self._access = access
        self._limits = limits

    def default_account(self, project: str) -> str:
        """Return the address of a project's default runtime account."""
        record = self._store.get("project", project) or {"number": project}
        return f"{record['number']}-compute@developer.gserviceaccount.com"

    def require_act_as(self, caller: Caller, account: str, project: str) -> None:
        """Refuse a caller who may not act as the runtime account, or an account that is not."""
        known = self._access.account(account) is not None
        resource = f"projects/{project}/serviceAccounts/{account}"
        if not known or not self._access.granted(caller, ["iam.serviceAccounts.actAs"], resource):
            raise ApiError(
                "PERMISSION_DENIED",
                f"Permission 'iam.serviceaccounts.actAs' denied on service account {account} "
                "(or it may not exist).",
            )

    def check(self, template: Any, project: str, region: str) -> None:
        """Raise `RevisionFailed` for what the template refers to and is not there."""
        for container in template.containers:
            for variable in container.env:
                reference = variable.value_source.secret_key_ref
                if reference.secret:
                    self._check_secret(template, project, reference.secret, reference.version)
        for volume in template.volumes:
            if volume.secret.secret:
                for item in volume.secret.items or [run_v2.VersionToPath(version="latest")]:
                    self._check_secret(template, project, volume.secret.secret, item.version)
        self._check_network(template.vpc_access, project, region)

    def check_free_gpu(self, service: run_v2.Service, project: str, region: str) -> None:
        """Raise `RevisionFailed` if all GPUs of the region are taken by other services."""
        quota = self._limits.gpu_quota(service.template)
        if quota is None:
            return
        others = [
            other
            for other in self._services.list(f"projects/{project}/locations/{region}/services/")
            if other.name != service.name
            and self._limits.gpu_quota(other.template) == quota
            and (other.latest_ready_revision or other.reconciling)
            and not is_stopped(other)
        ]
        if len(others) >= self._limits.value(quota, project, region) // quota.per_whole:
            raise RevisionFailed(
                "RESERVE",
                "Quota exceeded for total allowable count of GPUs per project per region.",
            )

    def _check_secret(self, template: Any, project: str, secret: str, version: str) -> None:
        match = re.fullmatch(r"projects/([^/]+)/secrets/([^/]+)", secret)
        owner, short = (match[1], match[2]) if match else (project, secret)
        name = self._access.canonical(f"projects/{owner}/secrets/{short}")
        record = self._store.get("project", name.split("/")[1]) or {"number": owner}
        shown = f"projects/{record['number']}/secrets/{short}/versions/{version or 'latest'}"
        account = template.service_account
        allowed = self._access.granted(caller_for(account), ["secretmanager.versions.access"], name)
        if not allowed:
            raise RevisionFailed(
                "SECRETS_ACCESS_CHECK_FAILED",
                f"Permission denied on secret: {shown} for Revision service account {account}. "
                "The service account used must be granted the 'Secret Manager Secret Accessor' "
                "role (roles/secretmanager.secretAccessor) at the secret, project or higher level.",
            )
        if self._store.get("secret", name) is None:
            raise RevisionFailed("SECRETS_ACCESS_CHECK_FAILED", f"Secret {shown} was not found.")

    def _check_network(self, access: Any, project: str, region: str) -> None:
        if access.connector:
            name = self._access.canonical(access.connector)
            if "/" not in name:
                name = f"projects/{project}/locations/{region}/connectors/{name}"
            if self._store.get("connector", name) is None:
                raise RevisionFailed(
                    "VPC_NETWORK_NOT_FOUND",
                    f"VPC connector {name} does not exist, or Cloud Run does not have permission "
                    "to use it.",
                )
        for interface in access.network_interfaces:
            if interface.network and not self._has("network", interface.network, project, ""):
                raise _no_network("network", interface.network)
            if interface.subnetwork and not self._has(
                "subnetwork", interface.subnetwork, project, region
            ):
                raise _no_network("subnetwork", interface.subnetwork)

    def _has(self, kind: str, asked: str, project: str, region: str) -> bool:
        """Return whether a network or subnetwork exists; named shortly or by its path."""
        match = re.search(r"projects/([^/]+)/", asked)
        owner = (self._access.project_id(match[1]) or match[1]) if match else project
        name = f"{owner}/{region}/{asked.rsplit('/', 1)[-1]}".replace("//", "/")
        return self._store.get(kind, name) is not None


def _no_network(kind: str, name: str) -> RevisionFailed:
    return RevisionFailed(
        "VPC_NETWORK_NOT_FOUND",
        f"VPC {kind} '{name}' does not exist, or Cloud Run does not have permission to use it.",
    )
