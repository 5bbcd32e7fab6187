"""What all calls of Python share: the project, and the clients of Google Cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.services import ServiceSummary
from llm_widgets.gcp.storage import buckets
from llm_widgets.manager import finding

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project

Named = ServiceSummary | str
"""A service, its name, its resource name or its URL."""


class Calls:
    """A part of :class:`.Manager`.

    Attributes
    ----------
    settings, clients, project
        What the process is told, the clients of Google Cloud, and the project that is worked in.
    """

    settings: Settings
    clients: Clients
    project: Project

    def _name(self, service: Named) -> str:
        """Return the resource name of a service."""
        return finding.resource_name(self.clients, self.project.id, service)

    def _location(self, bucket: str) -> str:
        """Return the region or multi-region of a bucket, in lower case."""
        return buckets.get_bucket(self.clients, bucket, project=self.project.id).location
