"""Regions that a bucket may lie in, and what each means for a service that reads from it."""

from __future__ import annotations

from llm_widgets.domain import gpus

REGIONS: tuple[str, ...] = (
    *("africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2"),
    *("asia-northeast3", "asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2"),
    *("asia-southeast3", "australia-southeast1", "australia-southeast2", "europe-central2"),
    *("europe-north1", "europe-north2", "europe-southwest1", "europe-west1", "europe-west2"),
    *("europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9"),
    *("europe-west10", "europe-west12", "me-central1", "me-central2", "me-west1"),
    *("northamerica-northeast1", "northamerica-northeast2", "northamerica-south1"),
    *("southamerica-east1", "southamerica-west1", "us-central1", "us-east1", "us-east4"),
    *("us-east5", "us-south1", "us-west1", "us-west2", "us-west3", "us-west4"),
)
"""Regions that have both Cloud Run and Cloud Storage. Source, December 2026: the list of regions in
https://docs.cloud.google.com/run/docs/quickstarts/build-and-deploy/deploy-php-service. What Cloud
Run's API lists beyond it is looked into as well: see :mod:`llm_widgets.gcp.run.locations`."""


def offered(first: str = "") -> tuple[str, ...]:
    """Return all regions for a new bucket: ``first``, then those with GPUs, then the others."""
    wanted = (first,) if first in REGIONS else ()
    return tuple(dict.fromkeys((*wanted, *gpus.regions(), *REGIONS)))


def label(region: str) -> str:
    """Write a region with its GPUs: ``us-east4: NVIDIA L4 (24 GB)``."""
    named = [
        gpu.label + (" (by invitation)" if region in gpu.invited_regions else "")
        for gpu in gpus.in_region(region)
    ]
    return f"{region}: {', '.join(named) or 'no GPUs'}"


def bucket_warning(location: str, *, is_regional: bool = True) -> str:
    """Return what the place of a bucket means for services; empty where it is right.

    Parameters
    ----------
    location
        Region or multi-region, in lower case.
    """
    if not is_regional:
        return (
            f"{location} spans several regions: models load more slowly from it than from a "
            "bucket in the service's own region."
        )
    if gpus.in_region(location):
        return ""
    return (
        f"Cloud Run has no GPUs in {location}: services in other regions load the model more "
        "slowly and incur transfer costs."
    )
