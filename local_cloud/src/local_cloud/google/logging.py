"""Cloud Logging v2: entries are read, written and deleted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    LogEntry,
    WriteLogEntriesRequest,
    WriteLogEntriesResponse,
)
from google.protobuf import json_format

from local_cloud.errors import ApiError
from local_cloud.google.gapic import Api, HttpRule
from local_cloud.google.log_filter import parse
from local_cloud.google.log_match import bounds, matcher
from local_cloud.google.permissions import Need

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.issuer import Caller
    from local_cloud.logs import LogBook

DEFAULT_PAGE = 50
LARGEST_PAGE = 1000
# Of an entry: what no program decides, or only within bounds.
_ALWAYS_SOUND = ("logName", "resource", "timestamp", "receiveTimestamp", "severity", "insertId")
_ORDERS = {"": False, "timestamp asc": False, "timestamp": False, "timestamp desc": True}

CLIENT = LoggingServiceV2Client
# The generated client has no REST transport to read these from; the older one in the same package
# (``logging.Client(_use_grpc=False)``) sends requests like these.
HTTP = {
    "ListLogEntries": (HttpRule("POST", "/v2/entries:list", "*"),),
    "WriteLogEntries": (HttpRule("POST", "/v2/entries:write", "*"),),
}


def _rule(name: str, request: Any) -> Need:
    """Return what a call needs; for several projects, `Logging` asks for the others."""
    if name == "ListLogEntries":
        names = list(request.resource_names)
        return Need("logging.logEntries.list", _project(names[0]) if names else "")
    names = [request.log_name, *(entry.log_name for entry in request.entries)]
    return Need("logging.logEntries.create", _project(next(filter(None, names), "")))


API = Api("logging.googleapis.com", _rule)


class Logging:
    """Answers the methods of ``LoggingServiceV2``.

    Parameters
    ----------
    log
        All entries.
    access
        Decides on permissions.

    """

    def __init__(self, log: LogBook, access: Access) -> None:
        self._log = log
        self._access = access

    def list_log_entries(
        self, request: ListLogEntriesRequest, caller: Caller
    ) -> ListLogEntriesResponse:
        """Return a page of the entries that a filter finds."""
        projects = {
            self._access.canonical(_project(name)).removeprefix("projects/")
            for name in request.resource_names
        }
        if not projects:
            raise ApiError("INVALID_ARGUMENT", "resource_names: at least one is required.")
        for project in projects:
            self._access.require(caller, "logging.logEntries.list", f"projects/{project}")
        if request.order_by not in _ORDERS:
            raise ApiError(
                "INVALID_ARGUMENT",
                f"order_by: '{request.order_by}' is not one of 'timestamp asc' and "
                "'timestamp desc'.",
            )
        if request.page_size < 0:
            raise ApiError("INVALID_ARGUMENT", "page_size must not be negative.")
        wanted = parse(request.filter)
        try:
            found, token = self._log.query(
                projects,
                matches=matcher(wanted),
                bounds=bounds(wanted),
                newest_first=_ORDERS[request.order_by],
                limit=min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE),
                page_token=request.page_token,
            )
        except ValueError as error:
            raise ApiError("INVALID_ARGUMENT", "page_token is not valid.") from error
        response = ListLogEntriesResponse(next_page_token=token)
        entries = ListLogEntriesResponse.pb(response).entries
        for entry in found:
            entries.add().CopyFrom(_as_message(entry))
        return response

    def write_log_entries(
        self, request: WriteLogEntriesRequest, caller: Caller
    ) -> WriteLogEntriesResponse:
        """Keep entries, completed with what the request says for all of them."""
        shared = WriteLogEntriesRequest.pb(request)
        fresh = []
        for given in shared.entries:
            entry = LogEntry.pb(LogEntry())
            entry.CopyFrom(given)
            entry.log_name = _encoded(entry.log_name or shared.log_name)
            if not entry.HasField("resource"):
                entry.resource.CopyFrom(shared.resource)
            for name, value in shared.labels.items():
                if name not in entry.labels:
                    entry.labels[name] = value
            project = _project(entry.log_name)
            self._access.require(caller, "logging.logEntries.create", project)
            fresh.append(_as_json(entry))
        if not request.dry_run:
            self._log.append(fresh)
        return WriteLogEntriesResponse()


def _project(name: str) -> str:
    """Return ``projects/ID`` of a name that begins with it.

    Raises
    ------
    ApiError
        If it does not: the local cloud has neither folders nor organizations with logs.

    """
    parts = name.split("/")
    if parts[0] != "projects" or len(parts) < 2 or not parts[1]:  # noqa: PLR2004 - projects, ID
        raise ApiError(
            "INVALID_ARGUMENT", f"'{name}' does not begin with the name of a project: projects/ID."
        )
    return f"projects/{parts[1]}"


def _encoded(log_name: str) -> str:
    """Return the name of a log with its id percent-encoded, however it was given."""
    parent, found, log_id = log_name.partition("/logs/")
    if not found or not log_id:
        raise ApiError(
            "INVALID_ARGUMENT", f"log_name: '{log_name}' is not of the form projects/ID/logs/LOG."
        )
    return f"{parent}/logs/{quote(unquote(log_id), safe='')}"


def _as_message(entry: dict[str, Any]) -> Any:
    """Return an entry as a message; one with odd fields that a program wrote, as plain text."""
    try:
        return json_format.ParseDict(entry, LogEntry.pb(LogEntry()), ignore_unknown_fields=True)
    except json_format.ParseError:
        kept = {name: entry[name] for name in _ALWAYS_SOUND if name in entry}
        text = {**kept, "textPayload": json.dumps(entry.get("jsonPayload", entry))}
        return json_format.ParseDict(text, LogEntry.pb(LogEntry()), ignore_unknown_fields=True)


def _as_json(entry: Any) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json_format.MessageToDict(entry)
    except TypeError as error:  # a protobuf payload of a type that is not known here
        raise ApiError("INVALID_ARGUMENT", f"protoPayload: {error}") from error
    return found
