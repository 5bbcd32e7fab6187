"""Cloud Logging with Google's client, over HTTP and over gRPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.api_core import exceptions
from google.auth.transport.requests import Request
from google.cloud import logging
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.types import (
    ListLogEntriesRequest,
    ListLogEntriesResponse,
    LogEntry,
)
from google.oauth2 import service_account

from local_cloud.access import Access
from local_cloud.cloud import LocalCloud
from local_cloud.faults import Faults
from local_cloud.google.logging import Logging
from local_cloud.issuer import caller_for
from local_cloud.logs import LogBook
from local_cloud.runner.entries import Journal
from local_cloud.seed import owner_account, seed
from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PROJECT = "local-project"
REVISION = f"projects/{PROJECT}/locations/europe-west1/services/chat/revisions/chat-00001-abc"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A cloud whose log holds these lines alone."""
    cloud = LocalCloud(tmp_path_factory.mktemp("logging"), offline=True)
    cloud.start()
    journal = Journal.of_revision(cloud.log, REVISION)
    journal.line("stdout", "plain")
    journal.line("stderr", '{"severity": "error", "message": "broken", "code": 7}')
    journal.line("stdout", '{"severity": "INFO", "message": "only words"}')
    journal.line(
        "stdout", '{"logging.googleapis.com/labels": {"step": "1"}, "message": "a", "b": 1}'
    )
    journal.line("stdout", '{"time": "2020-01-01T00:00:00Z", "message": "long ago"}')
    journal.system("STARTUP HTTP probe succeeded", "INFO")
    request = {"requestMethod": "GET", "status": 503, "latency": "0.1s", "responseSize": "9"}
    journal.request(request, "trace", "ERROR")
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> logging.Client:
    return logging.Client(
        project=PROJECT,
        credentials=_credentials(cloud),
        _use_grpc=False,
        client_options={"api_endpoint": cloud.url},
    )


def _credentials(cloud: LocalCloud) -> service_account.Credentials:
    found: service_account.Credentials = service_account.Credentials.from_service_account_file(
        cloud.credentials, scopes=["https://www.googleapis.com/auth/cloud-platform"]
    )
    return found


def find(client: logging.Client, text: str = "", **options: Any) -> list[Any]:
    return list(client.list_entries(filter_=text or None, **options))


def test_lines_of_a_revision(client: logging.Client) -> None:
    # Without a time of its own, a filter is given yesterday's by the client.
    since = 'resource.type="cloud_run_revision" AND timestamp>="2019-01-01"'
    found = find(client, since, order_by="timestamp asc")
    plain = next(entry for entry in found if entry.payload == "plain")
    assert plain.log_name == f"projects/{PROJECT}/logs/run.googleapis.com%2Fstdout"
    assert plain.resource.labels["revision_name"] == "chat-00001-abc"
    assert plain.timestamp.tzinfo is not None
    assert found[0].payload == "long ago"  # its own time puts it first


def test_structured_lines(client: logging.Client) -> None:
    (broken,) = find(client, "severity=ERROR AND jsonPayload.code=7")
    assert broken.payload == {"message": "broken", "code": 7}
    (words,) = find(client, '"only words"')
    assert (words.payload, words.severity) == ("only words", "INFO")
    (labelled,) = find(client, "labels.step=1")
    assert labelled.payload == {"message": "a", "b": 1}


def test_requests_and_what_the_platform_says(client: logging.Client) -> None:
    (request,) = find(client, "httpRequest.status>=500")
    assert request.http_request["responseSize"] == "9"
    (probe,) = find(client, 'log_id("run.googleapis.com/varlog/system")')
    assert probe.payload == "STARTUP HTTP probe succeeded"


def test_pages_and_order(client: logging.Client) -> None:
    newest = find(client, order_by="timestamp desc", page_size=2)
    oldest = find(client, order_by="timestamp asc", page_size=3)
    assert [entry.insert_id for entry in newest] == [entry.insert_id for entry in oldest][::-1]
    assert len(find(client, max_results=3, page_size=2)) == 3


def test_entries_can_be_written_and_deleted(client: logging.Client) -> None:
    logger = client.logger("my/log")
    logger.log_text("hello", severity="NOTICE", labels={"a": "b"})
    logger.log_struct({"message": "deep", "n": {"x": [1, 2]}})
    # The client adds an entry about itself.
    mine = 'log_id("my/log") AND NOT jsonPayload."logging.googleapis.com/diagnostic":*'
    text, struct = find(client, mine, order_by="timestamp asc")
    assert (text.payload, text.severity, text.labels) == ("hello", "NOTICE", {"a": "b"})
    assert struct.payload == {"message": "deep", "n": {"x": [1, 2]}}


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("severity>=", {}, "Unparseable filter: syntax error at line 1"),
        ("", {"order_by": "severity"}, "order_by: 'severity' is not one of"),
        ("", {"resource_names": ["folders/1"]}, "'folders/1' does not begin with the name"),
    ],
)
def test_what_makes_no_sense(
    client: logging.Client, text: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises(exceptions.BadRequest, match=message):
        find(client, text, **options)


def test_a_page_of_nobody(client: logging.Client) -> None:
    body = {"resourceNames": [f"projects/{PROJECT}"], "pageToken": "elsewhere"}
    with pytest.raises(exceptions.BadRequest, match="page_token is not valid"):
        client._connection.api_request(method="POST", path="/entries:list", data=body)


def test_who_may_not_read(client: logging.Client, cloud: LocalCloud) -> None:
    cloud.faults.update(denied_permissions=["logging.logEntries.list"])
    try:
        with pytest.raises(exceptions.Forbidden, match=r"logging\.logEntries\.list"):
            find(client)
    finally:
        cloud.faults.reset()
    with pytest.raises(exceptions.Forbidden):
        find(client, resource_names=["projects/somebody-elses"])


def test_over_grpc(cloud: LocalCloud) -> None:
    credentials = _credentials(cloud)
    channel = grpc.insecure_channel(cloud.grpc_address)
    transport = LoggingServiceV2Client.get_transport_class("grpc")(channel=channel)
    client = LoggingServiceV2Client(transport=transport)
    credentials.refresh(Request())
    metadata = [("authorization", f"Bearer {credentials.token}")]
    entry = LogEntry(text_payload="over gRPC", log_name=f"projects/{PROJECT}/logs/wire")
    client.write_log_entries(entries=[entry], metadata=metadata)
    request = {"resource_names": [f"projects/{PROJECT}"], "filter": 'textPayload="over gRPC"'}
    found = list(client.list_log_entries(request=request, metadata=metadata))
    assert [item.text_payload for item in found] == ["over gRPC"]


DEEP = '{"a":' * 40 + "1" + "}" * 40


@pytest.mark.parametrize(
    "line",
    [
        DEEP,
        '{"a":' * 29 + "1" + "}" * 29,
        '{"a":' * 100_000,
        '{"a": ' + "[" * 60 + "]" * 60 + "}",
        '{"time": "9999-12-31T23:59:59Z", "message": "late"}',
        '{"time": "0001-01-01T00:00:00Z", "message": "early"}',
        '{"time": ["x"], "severity": {"a": 1}, "message": ["x"]}',
        '{"a": NaN, "b": Infinity}',
        *(
            f'{{"{name}": {value}, "message": "odd"}}'
            for name in (
                "httpRequest",
                *(f"logging.googleapis.com/{name}" for name in ("trace", "labels", "operation")),
                *(f"logging.googleapis.com/{name}" for name in ("insertId", "sourceLocation")),
            )
            for value in ("5", "[1]", '{"a": {"b": []}}', '{"status": "x", "line": [], "id": 5}')
        ),
    ],
)
def test_no_line_of_a_program_ends_its_log(line: str, tmp_path: Path) -> None:
    book = LogBook(tmp_path / "logs.db")
    journal = Journal.of_revision(book, REVISION)
    journal.line("stdout", line)
    journal.line("stdout", "the next one")
    store = Store(tmp_path / "state.db")
    access = Access(store, Faults(store))
    seed(store, access, [PROJECT])
    answers = Logging(book, access)
    wanted = ListLogEntriesRequest(resource_names=[f"projects/{PROJECT}"])
    entries = answers.list_log_entries(wanted, caller_for(owner_account(PROJECT))).entries
    assert "the next one" in [entry.text_payload for entry in entries]
    assert len(entries) == 2
    # What clients read the answer from: the binary form, and the JSON form.
    whole = ListLogEntriesResponse(entries=entries)
    assert ListLogEntriesResponse.deserialize(ListLogEntriesResponse.serialize(whole)) == whole
    assert ListLogEntriesResponse.from_json(ListLogEntriesResponse.to_json(whole)) == whole
    book.close()
    store.close()
