"""Quotas of Cloud Run: what a project may use in a region, what it uses, and asking for more."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis, gpus
from llm_widgets.domain.quotas import UNITS
from llm_widgets.domain.units import GIB, quantity
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from llm_widgets.gcp.client import lazy
    from llm_widgets.gcp.client.clients import Clients

_UNLIMITED = -1
_DIGITS = 8  # of a digest: enough to tell a dozen quotas apart


@dataclass(frozen=True, slots=True)
class Quota:
    """A quota of a project.

    Attributes
    ----------
    regions
        What it allows where, in GPUs, vCPUs or GiB; infinite where there is no limit.
    is_eligible
        Whether more can be asked for; ``ineligible_because`` is Google's reason if not, for
        example ``NOT_ENOUGH_USAGE_HISTORY``.
    """

    id: str
    regions: Mapping[str, float] = field(default_factory=dict)
    is_eligible: bool = True
    ineligible_because: str = ""

    def allowed(self, region: str) -> float | None:
        """Return what it allows in a region; ``None`` where the API does not tell.

        0 GPUs before the first deployment is no refusal: Cloud Run grants some with it.
        """
        return self.regions.get(region)


@dataclass(frozen=True, slots=True)
class Usage:
    """What services may use at most, all their instances together: vCPUs, GiB, GPUs by kind."""

    cpu: float = 0
    memory_gib: float = 0
    gpus: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class QuotaRequest:
    """A request for more: asked for and granted, and whether Google still decides."""

    name: str
    preferred: float
    granted: float
    is_pending: bool
    message: str


def get(clients: Clients, project: str, quota_id: str) -> Quota:
    """Read a quota.

    Raises
    ------
    ManagerError
        It is not to be seen, or does not exist before the first deployment.
    """
    name = f"projects/{project}/locations/global/services/{google_apis.RUN}/quotaInfos/{quota_id}"
    with explained(
        f"read the quota {quota_id}",
        clients=clients,
        project=project,
        permission="cloudquotas.quotas.get",
    ):
        info = clients.quotas.get_quota_info(name=name)
    eligibility = info.quota_increase_eligibility
    reason = eligibility.ineligibility_reason
    return Quota(
        quota_id,
        _values(info, _unit(quota_id)),
        eligibility.is_eligible,
        reason.name if reason and not eligibility.is_eligible else "",
    )


def raw_value(quota_id: str, value: float) -> int:
    """Convert GPUs, vCPUs or GiB into the unit in which the API counts a quota."""
    return round(value * _unit(quota_id))


def preference_id(quota_id: str, region: str) -> str:
    """Name the request of this product for a quota in a region.

    With the quota's id it would be longer than the 63 characters of other ids: https://aip.dev/122.
    """
    digest = hashlib.sha256(quota_id.encode()).hexdigest()[:_DIGITS]
    return f"llm-manager-{region}-{digest}".lower()


def value_of(quota_id: str, raw: float) -> float:
    """Convert the unit in which the API counts a quota into GPUs, vCPUs or GiB."""
    return raw / _unit(quota_id)


def ask_for_more(
    clients: Clients,
    project: str,
    region: str,
    quota_id: str,
    value: float,
    *,
    email: str = "",
) -> QuotaRequest:
    """Ask Google for more of a quota; asking again changes what is asked for, whoever asked.

    Parameters
    ----------
    value
        GPUs, vCPUs or GiB.
    email
        Whom Google writes to; must be able to see the quota.

    Raises
    ------
    ManagerError
        It may not be asked for.
    """
    parent = f"projects/{project}/locations/global"
    unit = _unit(quota_id)
    asked = requests(clients, project).get((quota_id, region))
    preference: dict[str, Any] = {
        "service": google_apis.RUN,
        "quota_id": quota_id,
        "dimensions": {"region": region},
        "quota_config": {"preferred_value": raw_value(quota_id, value)},
        "contact_email": email,
    }
    with explained(
        f"request more of the quota {quota_id} in {region}",
        clients=clients,
        project=project,
        permission="cloudquotas.quotas.update",
    ):
        if asked:
            changed: Any = {"quota_preference": {**preference, "name": asked.name}}
            return _request(clients.quotas.update_quota_preference(request=changed), unit)
        request: Any = {
            "parent": parent,
            "quota_preference": preference,
            "quota_preference_id": preference_id(quota_id, region),
        }
        return _request(clients.quotas.create_quota_preference(request=request), unit)


def requests(clients: Clients, project: str) -> dict[tuple[str, str], QuotaRequest]:
    """Return what was asked for, whoever asked: by quota id and region, the latest of each.

    Raises
    ------
    ManagerError
        Requests are not to be seen.
    """
    with explained(
        f"list the quota requests of {project}",
        clients=clients,
        project=project,
        permission="cloudquotas.quotas.get",
    ):
        parent = f"projects/{project}/locations/global"
        found = [
            each
            for each in clients.quotas.list_quota_preferences(parent=parent)
            if each.service == google_apis.RUN
        ]
    found.sort(key=lambda each: each.update_time.timestamp() if each.update_time else 0)
    return {
        (each.quota_id, each.dimensions.get("region", "")): _request(each, _unit(each.quota_id))
        for each in found
    }


def usage(services: Iterable[lazy.run_v2.Service]) -> Usage:
    """Add up what services may use at most: that is what Cloud Run counts against quotas."""
    cpu = memory = 0.0
    count: dict[str, float] = {}
    for service in services:
        template = service.template
        instances = template.scaling.max_instance_count
        for container in template.containers:
            limits = container.resources.limits
            cpu += instances * quantity(limits.get("cpu", "1"))
            memory += instances * quantity(limits.get("memory", "512Mi")) / GIB
        if template.node_selector.accelerator:
            gpu = template.node_selector.accelerator
            count[gpu] = count.get(gpu, 0) + instances
    return Usage(cpu, memory, count)


def _values(info: lazy.cloudquotas_v1.QuotaInfo, unit: float) -> dict[str, float]:
    """Read the values by region; one that names its region counts more than a general one."""
    general: dict[str, float] = {}
    special: dict[str, float] = {}
    for entry in info.dimensions_infos:
        raw = entry.details.value
        value = float("inf") if raw == _UNLIMITED else raw / unit
        region = entry.dimensions.get("region")
        if region:
            special[region] = value
        else:
            general |= dict.fromkeys(entry.applicable_locations, value)
    return {**general, **special}


def _unit(quota_id: str) -> float:
    gpu = gpus.by_quota(quota_id)
    return gpu.quota_unit if gpu else UNITS.get(quota_id, (1, ""))[0]


def _request(found: lazy.cloudquotas_v1.QuotaPreference, unit: float) -> QuotaRequest:
    config = found.quota_config
    return QuotaRequest(
        found.name,
        config.preferred_value / unit,
        (config.granted_value or 0) / unit,
        found.reconciling,
        config.state_detail,
    )
