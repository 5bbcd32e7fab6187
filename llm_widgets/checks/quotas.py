"""GPUs by region: what quotas allow, what services use already, what was asked for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.capacity import Capacity
from llm_widgets.domain.quotas import CPU, MEMORY
from llm_widgets.errors import ManagerError, NotFoundError
from llm_widgets.gcp.project import quotas
from llm_widgets.gcp.run import services

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llm_widgets.checks.context import Context
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.gcp.project.quotas import Quota, QuotaRequest, Usage

REQUESTS = "requests"


def quota_ids() -> tuple[str, ...]:
    """Return the ids of all quotas that decide on services with GPUs."""
    of_gpus = [
        gpu.quota_id(redundant=redundant) for gpu in gpus.GPUS for redundant in (False, True)
    ]
    return (*of_gpus, CPU, MEMORY)


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known so far; a quota that does not exist before the first use is empty.

    Attributes
    ----------
    quotas
        By quota id.
    usage
        By region.
    requests
        By quota id and region.
    errors
        Why something can't be told: by quota id, by region, or by ``REQUESTS``.
    """

    quotas: Mapping[str, Quota] = field(default_factory=dict)
    usage: Mapping[str, Usage] = field(default_factory=dict)
    requests: Mapping[tuple[str, str], QuotaRequest] = field(default_factory=dict)
    errors: Mapping[str, ManagerError] = field(default_factory=dict)

    def capacity(self, gpu: Gpu, region: str) -> Capacity:
        """Return what decides on a GPU in a region."""
        used = self.usage.get(region)
        own = self.quotas.get(gpu.quota_id())
        return Capacity(
            gpus=self._allowed(gpu.quota_id(), region),
            gpus_redundant=self._allowed(gpu.quota_id(redundant=True), region),
            cpu=self._allowed(CPU, region),
            memory_gib=self._allowed(MEMORY, region),
            used_gpus=used.gpus.get(gpu.accelerator, 0) if used else None,
            used_cpu=used.cpu if used else None,
            used_memory_gib=used.memory_gib if used else None,
            ineligible_because=own.ineligible_because if own else "",
        )

    def is_known(self, gpu: Gpu, region: str) -> bool:
        """Return whether all that decides on a GPU in a region has been answered or refused."""
        needed = (gpu.quota_id(), CPU, MEMORY, region)
        return all(key in self.quotas or key in self.usage or key in self.errors for key in needed)

    def _allowed(self, quota_id: str, region: str) -> float | None:
        quota = self.quotas.get(quota_id)
        if quota is None:
            return None
        allowed = quota.allowed(region)
        # A GPU that the API does not list for the region has not been used there yet.
        return 0 if allowed is None and quota_id not in (CPU, MEMORY) else allowed


def survey(context: Context, tell: Callable[[str, str, Any], None]) -> None:
    """Ask for everything, all at once.

    Parameters
    ----------
    tell
        Called as answers come, from several threads: with ``"quotas"``, ``"usage"``,
        ``"requests"`` or ``"errors"``, with the key, and with the answer.
    """
    clients, project = context.clients, context.project_id

    def quota(quota_id: str) -> Quota:
        try:
            return quotas.get(clients, project, quota_id)
        except NotFoundError:
            return quotas.Quota(quota_id)

    def used(region: str) -> Usage:
        return quotas.usage(services.all_in_region(clients, project, region))

    def asked(_: str) -> dict[tuple[str, str], QuotaRequest]:
        return quotas.requests(clients, project)

    def one(question: tuple[str, str, Callable[[str], Any]]) -> None:
        kind, key, ask = question
        try:
            tell(kind, key, ask(key))
        except ManagerError as error:
            tell("errors", key, error)

    questions: list[tuple[str, str, Callable[[str], Any]]] = [
        *(("quotas", quota_id, quota) for quota_id in quota_ids()),
        *(("usage", region, used) for region in gpus.regions()),
        ("requests", REQUESTS, asked),
    ]
    with ThreadPoolExecutor(len(questions), thread_name_prefix="quota") as pool:
        list(pool.map(one, questions))
