"""Services by the names that people have for them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from llm_widgets.domain.services import ServiceSummary
from llm_widgets.errors import Fix, InvalidInputError, NotFoundError
from llm_widgets.gcp.run import service_list, services, summaries
from llm_widgets.gcp.run.service_list import Others

if TYPE_CHECKING:
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.run.service_list import ServiceListing

_PARTS = 6  # of a resource name projects/P/locations/R/services/S
_NAMED = 5  # services that are named to somebody who looks for one


def service(
    clients: Clients, project: str, named: ServiceSummary | str, region: str = ""
) -> ServiceSummary:
    """Return a service as it is now.

    Parameters
    ----------
    named
        Its name, its resource name, or what was listed of it.
    region
        Where it is; all regions are asked when left out.

    Raises
    ------
    NotFoundError
        There is none; the message names one with a similar name.
    InvalidInputError
        Several regions have a service of the name.
    """
    name = resource_name(clients, project, named, region)
    return summaries.summary(services.get(clients, name))


def _others(listed: ServiceListing) -> str:
    """Tell which services there are; empty where that is not known."""
    if not listed.services:
        return "" if listed.unreachable else "Deploy a model first."
    named = sorted({each.id for each in listed.services})
    more = f" and {len(named) - _NAMED} more" * (len(named) > _NAMED)
    return f"Choose one of those that are there: {', '.join(named[:_NAMED])}{more}."


def resource_name(
    clients: Clients, project: str, named: ServiceSummary | str, region: str = ""
) -> str:
    """Return the resource name of a service; see :func:`service`."""
    if isinstance(named, ServiceSummary):
        return named.name
    text = named.strip()
    if text.startswith("projects/") and text.count("/") == _PARTS - 1:
        return text
    if region and "/" not in text:
        return f"projects/{project}/locations/{region}/services/{text}"
    listed = service_list.list_services(clients, project, others=Others.ALL)
    named_so = [each for each in listed.services if text in (each.id, each.url)]
    found = [each for each in named_so if each.managed] or named_so
    if len(found) > 1:
        regions = ", ".join(each.region for each in found)
        raise InvalidInputError(
            f"Several services have the name {text}: in {regions}.",
            field="region",
            fix=Fix(text="Name the region too."),
        )
    if not found:
        served = [each.id for each in listed.services if each.managed or each.recognition]
        near = difflib.get_close_matches(text, served, n=1)
        unknown = ", ".join(region for region, _ in listed.unreachable)
        advice = f"Did you mean {near[0]}?" if near else _others(listed)
        raise NotFoundError(
            f"There is no service {text} in {project}.",
            field="service",
            cause=f"No answer from {unknown}." if unknown else "",
            fix=Fix(text=advice) if advice else None,
        )
    return found[0].name
