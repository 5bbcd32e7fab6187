"""Quota projects: which project a call counts against, and whether it may.

A call names it in the header ``x-goog-user-project``. Calls of service accounts count against
their own project without it; some APIs refuse those of persons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_cloud.errors import ApiError, error_info, help_link

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.enablement import Enablement
    from local_cloud.faults import Faults
    from local_cloud.issuer import Caller

USE = "serviceusage.services.use"
CLIENT_PROJECT = "764086051850"
"""Number of the project that owns the OAuth client of ``gcloud auth application-default login``."""

_HOW_TO = "https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds"


class QuotaProjects:
    """Decides what calls may count against.

    Parameters
    ----------
    access
        Decides on permissions.
    enablement
        Decides on APIs.
    faults
        Names the APIs that refuse persons without a quota project.

    """

    def __init__(self, access: Access, enablement: Enablement, faults: Faults) -> None:
        self._access = access
        self._enablement = enablement
        self._faults = faults

    def require(self, api: str, caller: Caller) -> None:
        """Go on if a call of an API may count against the project that it names, if any.

        Raises
        ------
        ApiError
            403 USER_PROJECT_DENIED or SERVICE_DISABLED for the project that is named, and
            SERVICE_DISABLED of the OAuth client's where a person must name one.

        """
        if caller.quota_project:
            self._require_use(api, caller)
        elif caller.member.startswith("user:") and api in self._faults.quota_project_apis:
            raise _unnamed(api)

    def _require_use(self, api: str, caller: Caller) -> None:
        resource = self._access.canonical(f"projects/{caller.quota_project}")
        if not self._access.granted(caller, [USE], resource):
            raise _denied(api, caller.quota_project)
        self._enablement.require_api(api, resource.partition("/")[2])


def _denied(api: str, project: str) -> ApiError:
    url = f"https://console.developers.google.com/iam-admin/iam?project={project}"
    return ApiError(
        "PERMISSION_DENIED",
        f"Caller does not have required permission to use project {project}. Grant the caller the "
        "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
        f"serviceusage.services.use permission, by visiting {url} and then retry. Propagation of "
        "the new permission may take a few minutes.",
        [
            error_info(
                "USER_PROJECT_DENIED",
                "googleapis.com",
                service=api,
                consumer=f"projects/{project}",
                containerInfo=project,
                consoleUrl=url,
            ),
            help_link("Google developer console IAM admin", url),
        ],
    )


def _unnamed(api: str) -> ApiError:
    return ApiError(
        "PERMISSION_DENIED",
        "Your application is authenticating by using local Application Default Credentials. The "
        f"{api} API requires a quota project, which is not set by default. To learn how to set "
        f"your quota project, see {_HOW_TO} .",
        [
            error_info(
                "SERVICE_DISABLED",
                "googleapis.com",
                service=api,
                consumer=f"projects/{CLIENT_PROJECT}",
            )
        ],
    )
