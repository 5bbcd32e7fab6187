"""Why a revision does not become ready, in the words of Cloud Run."""

from __future__ import annotations

from urllib.parse import quote

TROUBLESHOOTING = "https://cloud.google.com/run/docs/troubleshooting#container-failed-to-start"


class RevisionFailed(Exception):  # noqa: N818 - the state that Cloud Run reports, not a fault here
    """A revision or a task that cannot run.

    Parameters
    ----------
    reason
        Name of a ``Condition.RevisionReason`` or ``Condition.CommonReason``.
    message
        What the condition of the service says.

    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def not_ready(revision: str, reason: str, cause: str) -> RevisionFailed:
    """Return the failure of a revision (full resource name) that cannot serve."""
    short = revision.rsplit("/", 1)[-1]
    return RevisionFailed(
        reason, f"Revision '{short}' is not ready and cannot serve traffic. {cause}"
    )


def container_failed(revision: str, cause: str) -> RevisionFailed:
    """Return the failure of a container that did not start, with a link to its logs."""
    parts = dict(zip(revision.split("/")[::2], revision.split("/")[1::2], strict=False))
    resource = f"cloud_run_revision/service_name/{parts['services']}"
    resource += f"/revision_name/{parts['revisions']}"
    log_filter = (
        f'resource.type="cloud_run_revision"\n'
        f'resource.labels.service_name="{parts["services"]}"\n'
        f'resource.labels.revision_name="{parts["revisions"]}"'
    )
    return not_ready(
        revision,
        "HEALTH_CHECK_CONTAINER_ERROR",
        f"{cause} Logs for this revision might contain more information.\n\n"
        f"Logs URL: https://console.cloud.google.com/logs/viewer?project={parts['projects']}"
        f"&resource={resource}&advancedFilter={quote(log_filter, safe='')}\n"
        f"For more troubleshooting guidance, see {TROUBLESHOOTING}",
    )
