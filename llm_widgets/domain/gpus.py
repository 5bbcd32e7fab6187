"""GPUs of Cloud Run: data with a date, overridden by what the API answers where it does."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

DATA_DATE = "2026-10-08"
"""When regions, windows and prices below were last compared with Google's pages."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU that an instance of Cloud Run may have.

    Attributes
    ----------
    accelerator
        Value of ``node_selector.accelerator``.
    memory_gib
        Memory of the GPU on its label, GiB; ``usable_gib`` is what CUDA tells an engine of it
        (vLLM's logs: "Free memory on device (21.84/22.03 GiB)", "(94.41/94.97 GiB)").
    cpus
        Choices for vCPUs, each with its choices for memory in GiB; the first is the default.
    regions, invited_regions
        Where it is; in the latter for invited projects only.
    price
        US dollars a second without and with zonal redundancy, tier 1 regions; what is told where
        Google's catalogue is not to be had, see :mod:`llm_widgets.domain.prices`.
    quota
        Front part of the ids of its quotas: see :meth:`quota_id`.
    quota_unit
        What its quotas count for one GPU: 1, or 1000 where they count thousandths.
    cuda
        Major version of CUDA that every driver found beside it runs. Cloud Run documents 535
        (CUDA 12.2) for the L4, and 580 (CUDA 13.0) was seen there too; 580 for the RTX PRO 6000.
    capability
        Compute capability times ten, by NVIDIA's table of GPUs with CUDA.
    """

    accelerator: str
    label: str
    memory_gib: float
    usable_gib: float
    cpus: dict[int, tuple[int, ...]]
    regions: tuple[str, ...]
    invited_regions: tuple[str, ...]
    price: tuple[Decimal, Decimal]
    quota: str
    quota_unit: int
    cuda: int
    capability: int

    @property
    def short_label(self) -> str:
        """The label without the memory: ``NVIDIA L4``."""
        return self.label.partition(" (")[0]

    @property
    def default_cpu(self) -> int:
        """The first choice of vCPUs."""
        return next(iter(self.cpus))

    @property
    def default_memory_gib(self) -> int:
        """The first choice of memory for the first choice of vCPUs, GiB."""
        return self.cpus[self.default_cpu][0]

    def quota_id(self, *, redundant: bool = False) -> str:
        """Return the id of its quota, with or without zonal redundancy."""
        middle = "GpuAlloc" if redundant else "GpuAllocNoZonalRedundancy"
        return f"{self.quota}{middle}PerProjectRegion"

    @property
    def most_cpu(self) -> int:
        """The most vCPUs that there are beside it."""
        return max(self.cpus)


# Cloud Run's GPU pages: one GPU an instance; L4 takes 4 or 8 vCPU and up to 32 GiB; RTX PRO 6000
# takes at least 20 vCPU and 80 GiB.
GPUS: tuple[Gpu, ...] = (
    Gpu(
        accelerator="nvidia-l4",
        label="NVIDIA L4 (24 GB)",
        memory_gib=24,
        usable_gib=22.03,
        cpus={8: (32, 24, 16), 4: (16,)},
        regions=("europe-west1", "europe-west4", "us-central1", "us-east4", "asia-southeast1"),
        invited_regions=("asia-south1",),
        price=(Decimal("0.0001867"), Decimal("0.0002909")),
        quota="NvidiaL4",
        quota_unit=1,
        cuda=12,
        capability=89,
    ),
    Gpu(
        accelerator="nvidia-rtx-pro-6000",
        label="NVIDIA RTX PRO 6000 (96 GB)",
        memory_gib=96,
        usable_gib=94.97,
        cpus={20: (80,), 22: (88, 80), 24: (96, 80), 30: (120, 80), 44: (176, 120, 80)},
        regions=("europe-west4", "us-central1", "asia-southeast1"),
        invited_regions=("asia-south2",),
        price=(Decimal("0.00036522"), Decimal("0.00056913")),
        quota="NvidiaRtxPro6000",
        quota_unit=1000,
        cuda=13,
        capability=120,
    ),
)

DEARER_REGIONS = frozenset(
    (
        *("africa-south1", "asia-east2", "asia-northeast3", "asia-south1", "asia-south2"),
        *("asia-southeast1", "asia-southeast2", "australia-southeast1", "australia-southeast2"),
        *("europe-central2", "europe-west10", "europe-west12", "europe-west2", "europe-west3"),
        *("europe-west6", "me-central1", "me-central2", "northamerica-northeast1"),
        *("northamerica-northeast2", "southamerica-east1", "southamerica-west1", "us-west2"),
        *("us-west3", "us-west4"),
    )
)
"""Regions where GPUs, vCPUs and memory cost more: tier 2 of Cloud Run's price list. Source:
https://cloud.google.com/run/docs/locations; asia-south1 is of tier 2 there, and of tier 1 in the
list of regions of December 2026, so that only a price from which on is told of it."""

CPU_PRICE = Decimal("0.000018")
"""US dollars for a vCPU second, instance-based billing, tier 1."""

MEMORY_PRICE = Decimal("0.000002")
"""US dollars for a GiB second, instance-based billing, tier 1."""


def by_accelerator(accelerator: str) -> Gpu | None:
    """Find a GPU by the value of ``node_selector.accelerator``."""
    return next((gpu for gpu in GPUS if gpu.accelerator == accelerator), None)


def by_quota(quota_id: str) -> Gpu | None:
    """Find the GPU that a quota is of, by the quota's id."""
    return next((gpu for gpu in GPUS if quota_id.startswith(gpu.quota)), None)


def in_region(region: str) -> tuple[Gpu, ...]:
    """Return the GPUs of a region, those for invited projects last."""
    public = [gpu for gpu in GPUS if region in gpu.regions]
    invited = [gpu for gpu in GPUS if region in gpu.invited_regions]
    return (*public, *invited)


def regions() -> tuple[str, ...]:
    """Return all regions that have a GPU, in the order of the table."""
    seen = dict.fromkeys(r for gpu in GPUS for r in (*gpu.regions, *gpu.invited_regions))
    return tuple(seen)
