"""Whether a project may use an API: it is enabled, and the project is billed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_cloud.errors import ApiError, error_info, help_link, localized
from local_cloud.faults import API_TITLES

if TYPE_CHECKING:
    from local_cloud.faults import Faults
    from local_cloud.store import Store


class Enablement:
    """Answers for each project and API.

    Parameters
    ----------
    store
        Holds projects (kind ``project``) and the APIs switched in them (kind ``api``).
    faults
        Holds the APIs and the billing switched off.

    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def api_enabled(self, api: str, project: str) -> bool:
        """Return whether an API is enabled in a project (by id); it is unless it was disabled."""
        state = self._store.get("api", f"{project}/{api}")
        return api not in self._faults.disabled_apis and (state is None or state["enabled"])

    def require_api(self, api: str, project: str) -> None:
        """Raise 403 SERVICE_DISABLED unless an API is enabled in a project.

        Parameters
        ----------
        api
            Its name, such as ``run.googleapis.com``.
        project
            Id of the project.

        """
        title = API_TITLES.get(api, api)
        record = self._store.get("project", project)
        if record is None or self.api_enabled(api, project):
            return
        url = f"https://console.developers.google.com/apis/api/{api}/overview?project={record['number']}"
        consumer = f"projects/{record['number']}"
        message = (
            f"{title} has not been used in project {record['number']} before or it is disabled. "
            f"Enable it by visiting {url} then retry. If you enabled this API recently, wait a few "
            "minutes for the action to propagate to our systems and retry."
        )
        raise ApiError(
            "PERMISSION_DENIED",
            message,
            [
                error_info(
                    "SERVICE_DISABLED",
                    "googleapis.com",
                    service=api,
                    consumer=consumer,
                    serviceTitle=title,
                    activationUrl=url,
                    containerInfo=record["number"],
                ),
                localized(message),
                help_link("Google developers console API activation", url),
            ],
        )

    def billing_enabled(self, project: str) -> bool:
        """Return whether a project (by id) is billed."""
        record = self._store.get("project", project) or {}
        return bool(record.get("billing_account")) and project not in self._faults.billing_disabled

    def require_billing(self, api: str, project: str) -> None:
        """Raise 403 BILLING_DISABLED unless a project is billed."""
        record = self._store.get("project", project)
        if record is None or self.billing_enabled(project):
            return
        url = f"https://console.developers.google.com/billing/enable?project={project}"
        raise ApiError(
            "PERMISSION_DENIED",
            f"This API method requires billing to be enabled. Please enable billing on project "
            f"#{project} by visiting {url} then retry. If you enabled billing for this project "
            "recently, wait a few minutes for the action to propagate to our systems and retry.",
            [
                help_link("Google developers console billing", url),
                error_info(
                    "BILLING_DISABLED",
                    "googleapis.com",
                    service=api,
                    consumer=f"projects/{project}",
                ),
            ],
        )
