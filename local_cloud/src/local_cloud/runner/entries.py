"""Log entries as Cloud Run writes them for a revision or for a job's task."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from local_cloud.logs import LogBook, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

SEVERITIES = (
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
)
# Of a JSON line, moved from the payload to the entry: what they are there, and their type.
_SPECIAL_FIELDS: dict[str, tuple[str, type]] = {
    "logging.googleapis.com/trace": ("trace", str),
    "logging.googleapis.com/spanId": ("spanId", str),
    "logging.googleapis.com/labels": ("labels", dict),
    "logging.googleapis.com/insertId": ("insertId", str),
    "logging.googleapis.com/operation": ("operation", dict),
    "logging.googleapis.com/sourceLocation": ("sourceLocation", dict),
    "httpRequest": ("httpRequest", dict),
}
DEEPEST = 30
"""Objects and lists in each other beyond which a line is taken for plain text. Clients read a
hundred messages in each other at most (protobuf's limit), and each of these takes three."""


@dataclass(frozen=True)
class Journal:
    """Writes the entries of one revision or task.

    Attributes
    ----------
    log
        Where they go.
    resource
        The ``MonitoredResource`` of every entry, as JSON.
    labels
        Labels of every entry.

    """

    log: LogBook
    resource: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_revision(cls, log: LogBook, revision: str) -> Journal:
        """Return the journal of a revision, given its full resource name."""
        _, project, _, location, _, service, _, short = revision.split("/")
        labels = {
            "project_id": project,
            "location": location,
            "service_name": service,
            "configuration_name": service,
            "revision_name": short,
        }
        return cls(log, {"type": "cloud_run_revision", "labels": labels})

    @classmethod
    def of_task(cls, log: LogBook, execution: str, index: int, attempt: int) -> Journal:
        """Return the journal of one attempt of a task, given its execution's full name."""
        _, project, _, location, _, job, _, short = execution.split("/")
        return cls(
            log,
            {
                "type": "cloud_run_job",
                "labels": {"project_id": project, "location": location, "job_name": job},
            },
            {
                "run.googleapis.com/execution_name": short,
                "run.googleapis.com/task_index": str(index),
                "run.googleapis.com/task_attempt": str(attempt),
            },
        )

    def line(self, stream: str, text: str) -> None:
        """Write a line of ``"stdout"`` or ``"stderr"``; a JSON object is a structured entry."""
        self._write(stream, _payload(text))

    def system(self, text: str, severity: str = "INFO") -> None:
        """Write what the platform itself has to say: probes, exits, limits."""
        self._write("varlog/system", {"textPayload": text, "severity": severity})

    def request(self, http_request: Mapping[str, Any], trace: str, severity: str) -> None:
        """Write an entry about one request, with an ``HttpRequest`` as JSON."""
        project = self.resource["labels"]["project_id"]
        self._write(
            "requests",
            {
                "httpRequest": http_request,
                "severity": severity,
                "trace": f"projects/{project}/traces/{trace}",
            },
        )

    def _write(self, name: str, content: dict[str, Any]) -> None:
        project = self.resource["labels"]["project_id"]
        path = name.replace("/", "%2F")
        labels = {**self.labels, **content.pop("labels", {})}
        self.log.append(
            [
                {
                    "logName": f"projects/{project}/logs/run.googleapis.com%2F{path}",
                    "resource": self.resource,
                    **({"labels": labels} if labels else {}),
                    **content,
                }
            ]
        )


def _payload(text: str) -> dict[str, Any]:
    """Return the part of an entry that a line decides, by the rules of structured logging."""
    fields = _json_object(text)
    if fields is None:
        return {"textPayload": text}
    entry: dict[str, Any] = {}
    severity = str(fields.get("severity", "")).upper()
    if severity in SEVERITIES:
        entry["severity"] = severity
        del fields["severity"]
    if _is_time(fields.get("time")):
        entry["timestamp"] = fields.pop("time")
    for name, (target, kind) in _SPECIAL_FIELDS.items():
        if isinstance(fields.get(name), kind):
            entry[target] = fields.pop(name)
    if set(fields) == {"message"} and isinstance(fields["message"], str):
        return {**entry, "textPayload": fields["message"]}
    return {**entry, "jsonPayload": fields}


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and nanoseconds(value) > 0
    except ValueError:
        return False


def _json_object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and not _is_too_deep(value) else None


def _no_number(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which are no JSON and which clients can't read."""
    raise ValueError(name)


def _is_too_deep(value: dict[str, Any]) -> bool:
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        inside = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for values in inside for each in values if isinstance(each, (dict, list))]
    return bool(level)
