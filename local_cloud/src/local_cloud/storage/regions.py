"""Where a bucket can be.

Source: the list of bucket locations in Cloud Storage's documentation, November 2026.
"""

from __future__ import annotations

from typing import Any

from local_cloud.storage.failures import invalid

_MULTI_REGIONS = {"ASIA", "EU", "US"}
_DUAL_REGIONS = {"ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4"}
_REGIONS = {
    "AFRICA-SOUTH1",
    "ASIA-EAST1",
    "ASIA-EAST2",
    "ASIA-NORTHEAST1",
    "ASIA-NORTHEAST2",
    "ASIA-NORTHEAST3",
    "ASIA-SOUTH1",
    "ASIA-SOUTH2",
    "ASIA-SOUTHEAST1",
    "ASIA-SOUTHEAST2",
    "ASIA-SOUTHEAST3",
    "AUSTRALIA-SOUTHEAST1",
    "AUSTRALIA-SOUTHEAST2",
    "EUROPE-CENTRAL2",
    "EUROPE-NORTH1",
    "EUROPE-NORTH2",
    "EUROPE-SOUTHWEST1",
    "EUROPE-WEST1",
    "EUROPE-WEST10",
    "EUROPE-WEST12",
    "EUROPE-WEST2",
    "EUROPE-WEST3",
    "EUROPE-WEST4",
    "EUROPE-WEST6",
    "EUROPE-WEST8",
    "EUROPE-WEST9",
    "ME-CENTRAL1",
    "ME-CENTRAL2",
    "ME-WEST1",
    "NORTHAMERICA-NORTHEAST1",
    "NORTHAMERICA-NORTHEAST2",
    "NORTHAMERICA-SOUTH1",
    "SOUTHAMERICA-EAST1",
    "SOUTHAMERICA-WEST1",
    "US-CENTRAL1",
    "US-EAST1",
    "US-EAST4",
    "US-EAST5",
    "US-SOUTH1",
    "US-WEST1",
    "US-WEST2",
    "US-WEST3",
    "US-WEST4",
}


def placement(location: str, regions: list[str]) -> dict[str, Any]:
    """Return the fields of a bucket resource that say where it is.

    Parameters
    ----------
    location
        As the client wrote it, in any case.
    regions
        The two regions of a configurable dual-region, or none.

    Raises
    ------
    StorageError
        400: there is no such location.
    """
    location = location.upper()
    wanted = [region.upper() for region in regions]
    known = location in _MULTI_REGIONS | _DUAL_REGIONS | _REGIONS
    if not known or not set(wanted) <= _REGIONS:
        raise invalid("The specified location constraint is not valid.")
    if wanted:
        return {
            "location": location,
            "locationType": "dual-region",
            "customPlacementConfig": {"dataLocations": wanted},
            "rpo": "DEFAULT",
        }
    if location in _REGIONS:
        return {"location": location, "locationType": "region"}
    kind = "dual-region" if location in _DUAL_REGIONS else "multi-region"
    return {"location": location, "locationType": kind, "rpo": "DEFAULT"}
