"""Regions that Cloud Run serves, and which GPUs it has in them: see ``facts/cloud_run.json``."""

from __future__ import annotations

from local_cloud.facts import facts

_CLOUD_RUN = facts("cloud_run")

REGIONS = frozenset(
    region for regions in _CLOUD_RUN["tiers"]["regions"].values() for region in regions
)
"""Regions that Cloud Run serves."""

GPU_REGIONS: dict[str, frozenset[str]] = {
    name: frozenset(places["regions"])
    for name, places in _CLOUD_RUN["gpus"]["accelerators"].items()
}
"""Accelerator to the regions that have it."""

NEW_PROJECT: dict[str, int] = _CLOUD_RUN["quotas"]["of_a_new_project"]
"""Quota to its limit in a new project, in the quota's own unit."""

# The blocks that auto mode networks always use, in the regions with GPUs.
# Source: https://docs.cloud.google.com/vpc/docs/subnets#ip-ranges, November 2026.
_BLOCKS = {
    "us-central1": "10.128.0.0/20",
    "europe-west1": "10.132.0.0/20",
    "asia-southeast1": "10.148.0.0/20",
    "us-east4": "10.150.0.0/20",
    "asia-south1": "10.160.0.0/20",
    "europe-west4": "10.164.0.0/20",
    "asia-south2": "10.190.0.0/20",
}


def network_ranges() -> dict[str, str]:
    """Return the regions in which a new project's default network has a subnet, with its range.

    Google's auto mode networks take one /20 a region out of 10.128.0.0/9.
    """
    return dict(sorted(_BLOCKS.items()))
