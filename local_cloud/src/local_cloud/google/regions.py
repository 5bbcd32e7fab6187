"""Regions that the local cloud knows, and which GPUs Cloud Run has in them.

Source: Cloud Run's documentation on locations and GPUs, November 2026.
"""

from __future__ import annotations

GPU_REGIONS: dict[str, frozenset[str]] = {
    "nvidia-l4": frozenset(
        {
            "asia-south1",
            "asia-southeast1",
            "europe-west1",
            "europe-west4",
            "us-central1",
            "us-east4",
        }
    ),
    "nvidia-rtx-pro-6000": frozenset(
        {"asia-south2", "asia-southeast1", "europe-west4", "us-central1"}
    ),
}
"""Accelerator to the regions that have it."""

REGIONS = frozenset(
    {
        *("africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2"),
        *("asia-northeast3", "asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2"),
        *("australia-southeast1", "australia-southeast2", "europe-central2", "europe-north1"),
        *("europe-southwest1", "europe-west1", "europe-west2", "europe-west3", "europe-west4"),
        *("europe-west6", "europe-west8", "europe-west9", "europe-west10", "europe-west12"),
        *("me-central1", "me-central2", "me-west1", "northamerica-northeast1"),
        *("northamerica-northeast2", "southamerica-east1", "southamerica-west1", "us-central1"),
        *("us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2", "us-west3"),
        "us-west4",
    }
)
"""Regions that Cloud Run serves."""


def network_ranges() -> dict[str, str]:
    """Return the regions in which a new project's default network has a subnet, with its range.

    Google's auto mode networks take one /20 a region out of 10.128.0.0/9.
    """
    wanted = sorted({region for regions in GPU_REGIONS.values() for region in regions})
    # The real blocks: auto mode networks always use these.
    known = {
        "us-central1": "10.128.0.0/20",
        "europe-west1": "10.132.0.0/20",
        "asia-southeast1": "10.148.0.0/20",
        "us-east4": "10.150.0.0/20",
        "asia-south1": "10.160.0.0/20",
        "europe-west4": "10.164.0.0/20",
        "asia-south2": "10.190.0.0/20",
    }
    return {region: known[region] for region in wanted}
