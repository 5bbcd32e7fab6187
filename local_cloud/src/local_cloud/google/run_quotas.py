"""Cloud Run's quotas: the limits of a project and region, and what a template asks of them.

Source of ids and units: Cloud Run's quota page and the texts of its errors, November 2026. The
limits of a new project: ``facts/cloud_run.json``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local_cloud.errors import ApiError
from local_cloud.google.regions import GPU_REGIONS, NEW_PROJECT, REGIONS
from local_cloud.google.run_resources import limits_of

if TYPE_CHECKING:
    from local_cloud.faults import Faults
    from local_cloud.store import Store

DEFAULT_MAX_INSTANCES = 100
"""Instances that a service with a GPU is taken to want if it does not say."""


@dataclass(frozen=True)
class Quota:
    """One quota: its id, its unit, and where it applies."""

    id: str
    unit: str
    display_name: str
    regions: frozenset[str]
    grantable: int
    """The most that is granted on request."""
    per_whole: int = 1
    """Quota units in what a message counts: 1000 where the quota is in thousandths."""

    @property
    def default(self) -> int:
        """Its limit in a new project."""
        return NEW_PROJECT[self.id]


_L4, _RTX = GPU_REGIONS["nvidia-l4"], GPU_REGIONS["nvidia-rtx-pro-6000"]

CPU = Quota("CpuAllocPerProjectRegion", "m{vCPU}", "Total CPU allocation", REGIONS, 200_000)
MEMORY = Quota(
    "MemAllocPerProjectRegion",
    "By",
    "Total memory allocation",
    REGIONS,
    400 * 2**30,
)
GPUS = {
    ("nvidia-l4", False): Quota(
        "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion",
        "1",
        "Total Nvidia L4 GPU allocation without zonal redundancy",
        _L4,
        8,
    ),
    ("nvidia-l4", True): Quota(
        "NvidiaL4GpuAllocPerProjectRegion",
        "1",
        "Total Nvidia L4 GPU allocation with zonal redundancy",
        _L4,
        8,
    ),
    ("nvidia-rtx-pro-6000", False): Quota(
        "NvidiaRtxPro6000GpuAllocNoZonalRedundancyPerProjectRegion",
        "m{GPU}",
        "Total Nvidia RTX PRO 6000 GPU allocation without zonal redundancy",
        _RTX,
        8000,
        1000,
    ),
    ("nvidia-rtx-pro-6000", True): Quota(
        "NvidiaRtxPro6000GpuAllocPerProjectRegion",
        "m{GPU}",
        "Total Nvidia RTX PRO 6000 GPU allocation with zonal redundancy",
        _RTX,
        8000,
        1000,
    ),
}
"""Accelerator and whether it is redundant over zones, to the quota."""

QUOTAS = {quota.id: quota for quota in (CPU, MEMORY, *GPUS.values())}


class Limits:
    """What a project may have in a region.

    Parameters
    ----------
    store
        Holds what was granted on request (kind ``quota-grant``).
    faults
        Limits set there win.

    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def value(self, quota: Quota, project: str, region: str) -> int:
        """Return a limit in the quota's own unit."""
        switched = self._faults.quotas
        for key in (f"{quota.id}/{region}", quota.id):
            if key in switched:
                return switched[key]
        granted = self._store.get("quota-grant", f"{project}/{quota.id}/{region}")
        return quota.default if granted is None else int(granted["value"])

    def grant(self, quota_id: str, project: str, region: str, value: int) -> None:
        """Change a limit of one project and region."""
        self._store.put("quota-grant", f"{project}/{quota_id}/{region}", {"value": value})

    def check(self, template: Any, project: str, region: str, instances: int) -> None:
        """Refuse a template whose instances do not fit, in Cloud Run's words.

        Parameters
        ----------
        template
            A RevisionTemplate or a TaskTemplate.
        project, region
            Where it would run.
        instances
            At most so many at a time; nought where nothing is said.

        Raises
        ------
        ApiError
            400 with the quotas violated.

        """
        self._check_gpu(template, project, region, instances or DEFAULT_MAX_INSTANCES)
        # Without a GPU, Cloud Run lowers the number that nobody stated to what fits.
        self._check_cpu_and_memory(template, project, region, instances or 1)

    def gpu_quota(self, template: Any) -> Quota | None:
        """Return the quota that a template's GPU counts against; None without one."""
        redundant = not template.gpu_zonal_redundancy_disabled
        return GPUS.get((template.node_selector.accelerator, redundant))

    def _check_gpu(self, template: Any, project: str, region: str, instances: int) -> None:
        quota = self.gpu_quota(template)
        if quota is None:
            return
        allowed = self.value(quota, project, region) // quota.per_whole
        redundant = not template.gpu_zonal_redundancy_disabled
        if allowed == 0:
            how = "with" if redundant else "without"
            text = (
                f"You do not have quota for using GPUs {how} zonal redundancy. Learn more about "
                "GPU zonal redundancy: g.co/cloudrun/gpu-redundancy-help. "
            )
            if redundant:
                text += "You could deploy using GPUs without zonal redundancy instead. "
            raise _exceeded(
                f"{text}To request quota: g.co/cloudrun/gpu-quota", [(quota.id, instances, 0)]
            )
        if instances > allowed:
            raise _exceeded(
                f"Max instances must be set to {allowed} or fewer in order to set GPU "
                "requirements. To request a higher quota: g.co/cloudrun/gpu-quota. Quota "
                f"violated:\n  {quota.id} requested: {instances} allowed: {allowed}",
                [(quota.id, instances, allowed)],
            )

    def _check_cpu_and_memory(
        self, template: Any, project: str, region: str, instances: int
    ) -> None:
        limits = [limits_of(container) for container in template.containers]
        wanted = {CPU: sum(x[0] for x in limits), MEMORY: sum(x[1] for x in limits)}
        violated = [
            (quota.id, each * instances, self.value(quota, project, region), each)
            for quota, each in wanted.items()
            if each * instances > self.value(quota, project, region)
        ]
        if not violated:
            return
        most = min(allowed // each for _, _, allowed, each in violated)
        what = "CPU" if violated[0][0] == CPU.id else "memory"
        lines = "\n".join(f"{i} requested: {r} allowed: {a}" for i, r, a, _ in violated)
        raise _exceeded(
            f"scaling.max_instance_count: Max instances must be set to {most} or fewer to set the "
            f"requested total {what}. Quota violated:\n{lines}",
            [(i, r, a) for i, r, a, _ in violated],
        )


def _exceeded(message: str, violations: list[tuple[str, int, int]]) -> ApiError:
    failure = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [
            {"subject": quota_id, "description": f"requested: {asked} allowed: {allowed}"}
            for quota_id, asked, allowed in violations
        ],
    }
    return ApiError("INVALID_ARGUMENT", message, [failure])
