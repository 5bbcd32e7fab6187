"""Cloud Quotas v1: the quotas of Cloud Run, and wishes for more."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

from google.cloud import cloudquotas_v1

from local_cloud.errors import ApiError
from local_cloud.google.permissions import Need, resource_of
from local_cloud.google.records import Records, copied, page_of
from local_cloud.google.run_conditions import now
from local_cloud.google.run_quotas import QUOTAS, Quota

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.google.run_quotas import Limits
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

API = "cloudquotas.googleapis.com"
SERVICE = "run.googleapis.com"
"""The only service whose quotas are known."""


def rule(name: str, request: Any) -> Need | None:
    """Return what a call needs."""
    reading = name.startswith(("Get", "List"))
    permission = "cloudquotas.quotas.get" if reading else "cloudquotas.quotas.update"
    return Need(permission, resource_of(request), not reading)


class CloudQuotas:
    """Answers CloudQuotasClient.

    Parameters
    ----------
    store
        Holds the wishes (kind ``quota-preference``).
    access
        Knows projects by number.
    limits
        Knows the values, and takes those that are granted.

    """

    def __init__(self, store: Store, access: Access, limits: Limits) -> None:
        self._store = store
        self._preferences = Records(store, "quota-preference", cloudquotas_v1.QuotaPreference)
        self._access = access
        self._limits = limits

    def get_quota_info(self, request: Any, caller: Caller) -> cloudquotas_v1.QuotaInfo:  # noqa: ARG002 - a handler
        """Return one quota with its value in each region."""
        parent, _, quota_id = self._access.canonical(request.name).rpartition("/quotaInfos/")
        if quota_id not in QUOTAS or not parent.endswith(f"/services/{SERVICE}"):
            raise ApiError("NOT_FOUND", f"Quota '{quota_id}' was not found.")
        return self._info(parent, QUOTAS[quota_id])

    def create_quota_preference(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> cloudquotas_v1.QuotaPreference:
        """Ask for a limit; small ones are granted at once."""
        parent = self._access.canonical(request.parent)
        short = request.quota_preference_id or secrets.token_hex(8)
        name = f"{parent}/quotaPreferences/{short}"
        preference = copied(request.quota_preference)
        preference.name, preference.create_time = name, now()
        preference.contact_email = ""  # taken, and never told
        with self._store.transaction():
            if self._preferences.get(name):
                raise ApiError("ALREADY_EXISTS", f"Quota preference '{name}' already exists.")
            return self._decide(preference)

    def update_quota_preference(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> cloudquotas_v1.QuotaPreference:
        """Ask for another limit."""
        asked = request.quota_preference
        name = self._access.canonical(asked.name)
        with self._store.transaction():
            old = self._preferences.get(name)
            if old is None and not request.allow_missing:
                raise _not_found(name)
            if old is not None and asked.etag and asked.etag != old.etag:
                raise ApiError("ABORTED", "The etag does not match the current one.")
            preference = old or copied(asked)
            preference.name, preference.contact_email = name, ""
            preference.quota_config.preferred_value = asked.quota_config.preferred_value
            return preference if request.validate_only else self._decide(preference)

    def get_quota_preference(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> cloudquotas_v1.QuotaPreference:
        """Return one wish."""
        found = self._preferences.get(self._access.canonical(request.name))
        if found is None:
            raise _not_found(request.name)
        return found

    def list_quota_preferences(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> cloudquotas_v1.ListQuotaPreferencesResponse:
        """Return the wishes of a project."""
        found = self._preferences.list(f"{self._access.canonical(request.parent)}/")
        page, token = page_of(found, request)
        return cloudquotas_v1.ListQuotaPreferencesResponse(
            quota_preferences=page, next_page_token=token
        )

    def _decide(self, preference: cloudquotas_v1.QuotaPreference) -> cloudquotas_v1.QuotaPreference:
        quota = QUOTAS.get(preference.quota_id)
        region = dict(preference.dimensions).get("region", "")
        if quota is None or preference.service != SERVICE:
            raise ApiError("NOT_FOUND", f"Quota '{preference.quota_id}' was not found.")
        if region not in quota.regions:
            raise ApiError(
                "INVALID_ARGUMENT", f"Dimension 'region' has an unsupported value '{region}'."
            )
        project = re.split("/", preference.name)[1]
        config = preference.quota_config
        granted = config.preferred_value <= quota.grantable
        if granted:
            self._limits.grant(quota.id, project, region, config.preferred_value)
        config.granted_value = self._limits.value(quota, project, region)
        config.state_detail = "" if granted else "Your request is under review."
        preference.reconciling = not granted
        preference.update_time, preference.etag = now(), secrets.token_hex(8)
        self._preferences.put(preference.name, preference)
        return preference

    def _info(self, parent: str, quota: Quota) -> cloudquotas_v1.QuotaInfo:
        project = parent.split("/")[1]
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", quota.id).lower()
        values = {
            region: self._limits.value(quota, project, region) for region in sorted(quota.regions)
        }
        return cloudquotas_v1.QuotaInfo(
            name=f"{parent}/quotaInfos/{quota.id}",
            quota_id=quota.id,
            metric=f"{SERVICE}/{snake.removesuffix('_per_project_region')}",
            service=SERVICE,
            container_type=cloudquotas_v1.QuotaInfo.ContainerType.PROJECT,
            dimensions=["region"],
            metric_display_name=quota.display_name,
            quota_display_name=f"{quota.display_name}, per project per region",
            metric_unit=quota.unit,
            quota_increase_eligibility=cloudquotas_v1.QuotaIncreaseEligibility(is_eligible=True),
            dimensions_infos=[
                cloudquotas_v1.DimensionsInfo(
                    dimensions={"region": region},
                    details=cloudquotas_v1.QuotaDetails(value=value),
                    applicable_locations=[region],
                )
                for region, value in values.items()
            ],
            is_concurrent=True,
            service_request_quota_uri=(
                f"https://console.cloud.google.com/iam-admin/quotas?service={SERVICE}"
                f"&project={project}"
            ),
        )


def _not_found(name: str) -> ApiError:
    return ApiError("NOT_FOUND", f"Resource '{name}' was not found")
