"""Log entries of services and jobs, readable whatever their payload is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import google_apis
from llm_widgets.domain.platform_log import STARTING
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.gcp.client.failures import explained
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.observe.filters import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llm_widgets.gcp.client.clients import Clients

_PAGE_SIZE = 1000  # the most that the API gives at once
_PAYLOADS = ("textPayload", "jsonPayload", "protoPayload")
_SEARCHED = (*_PAYLOADS, "httpRequest.requestUrl")
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")  # more digits than Python's times have
_MESSAGE_FIELDS = ("message", "msg", "textPayload")


@dataclass(frozen=True, slots=True)
class LogEntry(Shown):
    """One entry.

    Attributes
    ----------
    id
        Tells entries of the same time apart.
    severity
        ``DEFAULT``, ``DEBUG``, ``INFO``, …, ``EMERGENCY``.
    text
        The text, or a structured payload as a line: its message, then its other fields.
    labels
        Labels of the entry and of the resource that wrote it; the latter go before.
    request
        What an entry about a request tells of it, by the names of ``HttpRequest``.
    """

    id: str
    time: datetime | None
    severity: str
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def starts_instance(self) -> bool:
        """Whether Cloud Run tells with it that it starts an instance."""
        return self.text.startswith(STARTING)

    def shown(self) -> Values:
        """Return what a list of entries tells of it."""
        return {
            "time": self.time,
            "severity": self.severity,
            "text": self.text,
            "revision": self.labels.get("revision_name", ""),
            "id": self.id,
        }


def service_filter(
    region: str,
    service_id: str,
    *,
    revision: str = "",
    severity: str = "",
    text: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> str:
    """Write the filter for the entries of a service.

    Parameters
    ----------
    revision
        Id of a revision, all of them when left out.
    severity
        The lowest severity.
    text
        Is part of the payload, or of the URL that was asked for, in small or capital letters.
    since, until
        The earliest and the latest time, both included, with their time zones.
    """
    terms = [
        'resource.type="cloud_run_revision"',
        f"resource.labels.location={quoted(region)}",
        f"resource.labels.service_name={quoted(service_id)}",
    ]
    if revision:
        terms.append(f"resource.labels.revision_name={quoted(revision)}")
    if text:
        places = (f"{place}:{quoted(text)}" for place in _SEARCHED)
        terms.append(f"({' OR '.join(places)})")
    if until:
        terms.append(f'timestamp<="{until.isoformat()}"')
    return " AND ".join([*terms, *_limits(severity, since)])


def job_filter(
    region: str,
    job_id: str,
    *,
    execution: str = "",
    severity: str = "",
    since: datetime | None = None,
) -> str:
    """Write the filter for the entries of a job; see :func:`service_filter`."""
    terms = [
        'resource.type="cloud_run_job"',
        f"resource.labels.location={quoted(region)}",
        f"resource.labels.job_name={quoted(job_id)}",
    ]
    if execution:
        terms.append(f'labels."run.googleapis.com/execution_name"={quoted(execution)}')
    return " AND ".join([*terms, *_limits(severity, since)])


def entries(
    clients: Clients, project: str, filter_: str, *, limit: int = 200, newest_first: bool = True
) -> list[LogEntry]:
    """Read the entries that a filter finds.

    Raises
    ------
    ManagerError
        The log may not be read.
    """
    with explained(
        f"read the log of {project}",
        clients=clients,
        project=project,
        permission="logging.logEntries.list",
    ):
        return list(_pages(clients, project, filter_, limit, newest_first=newest_first))


def _pages(
    clients: Clients, project: str, filter_: str, limit: int, *, newest_first: bool
) -> Iterator[LogEntry]:
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{project}"],
        "filter": filter_,
        "orderBy": "timestamp desc" if newest_first else "timestamp asc",
    }
    while limit > 0:
        body["pageSize"] = min(limit, _PAGE_SIZE)
        page = call(clients, "POST", google_apis.LOGGING, "/v2/entries:list", body)
        found = page.get("entries", [])
        yield from (_entry(entry) for entry in found)
        limit -= len(found)
        body["pageToken"] = page.get("nextPageToken", "")
        if not body["pageToken"]:
            return


def payload_text(payload: Any) -> str:
    """Write a payload as a line: text as it is, a structure as its message and other fields."""
    if not isinstance(payload, dict):
        return "" if payload is None else str(payload)
    fields = dict(payload)
    message = next((str(fields.pop(name)) for name in _MESSAGE_FIELDS if name in fields), "")
    rest = " ".join(f"{name}={_value(value)}" for name, value in fields.items())
    return f"{message} {rest}".strip()


def _entry(found: Mapping[str, Any]) -> LogEntry:
    payload = next((found[name] for name in _PAYLOADS if name in found), None)
    time = found.get("timestamp", "")
    return LogEntry(
        id=found.get("insertId", ""),
        time=datetime.fromisoformat(_NANOSECONDS.sub(r"\1", time)) if time else None,
        severity=found.get("severity", "DEFAULT"),
        text=payload_text(payload) or _request_text(found.get("httpRequest", {})),
        # A container gives its entries labels as it likes; who wrote them is Cloud Run's word.
        labels={**found.get("labels", {}), **found.get("resource", {}).get("labels", {})},
        request=found.get("httpRequest", {}),
    )


def _request_text(request: Mapping[str, Any]) -> str:
    words = ("requestMethod", "requestUrl", "status", "latency")
    return " ".join(str(request[word]) for word in words if word in request)


def _limits(severity: str, since: datetime | None) -> list[str]:
    terms = [f"severity>={severity}"] if severity else []
    return [*terms, f'timestamp>="{since.isoformat()}"'] if since else terms


def _value(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # all numbers of a structured payload are floating point
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
