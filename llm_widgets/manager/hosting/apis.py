"""The APIs that a page for colleagues needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.gcp.project import apis
from llm_widgets.manager.hosting.step import Step, block, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.gcp.client.clients import Clients


class Apis(Step):
    """Enables the APIs. They stay enabled: others may use them by then."""

    title = "APIs"

    def ensure(self, clients: Clients) -> bool:
        """Enable those that are not."""
        project = self.page.project
        found = apis.enabled(clients, project, self.page.apis)
        missing = [api for api in self.page.apis if not found.get(api)]
        if missing:
            apis.enable_all(clients, project, missing)
        return bool(missing)

    def gcloud(self) -> Iterator[str]:
        """Yield one command for all."""
        named = " \\\n  ".join(self.page.apis)
        yield f"gcloud services enable --project={self.page.project} \\\n  {named}"

    def terraform(self) -> Iterator[str]:
        """Yield one resource for all."""
        listed = ", ".join(text(api) for api in self.page.apis)
        fields = {
            "for_each": f"toset([{listed}])",
            "project": text(self.page.project),
            "service": "each.value",
            "disable_on_destroy": "false",
        }
        yield block("google_project_service", "apis", fields)
