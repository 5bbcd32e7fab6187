"""Cloud Run v1: the regions in which a project can use it. Version 2 has no such call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud.location import locations_pb2

from local_cloud.google.gapic import HttpRule, Method
from local_cloud.google.records import page_of
from local_cloud.google.regions import REGIONS

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller


def list_locations(access: Access) -> Method:
    """Return the method that lists all regions of Cloud Run."""

    def answer(request: Any, caller: Caller) -> locations_pb2.ListLocationsResponse:  # noqa: ARG001 - a handler
        parent = f"{access.canonical(request.name)}/locations"
        found = [
            locations_pb2.Location(name=f"{parent}/{region}", location_id=region)
            for region in sorted(REGIONS)
        ]
        page, token = page_of(found, request, default=100, most=500)
        return locations_pb2.ListLocationsResponse(locations=page, next_page_token=token)

    # Source: Cloud Run Admin API v1, projects.locations.list.
    rule = HttpRule("GET", "/v1/{name=projects/*}/locations", "")
    return Method("ListLocations", "", locations_pb2.ListLocationsRequest, (rule,), answer)
