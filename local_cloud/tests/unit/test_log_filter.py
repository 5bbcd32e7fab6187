"""The Logging query language."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.errors import ApiError
from local_cloud.google.log_filter import parse
from local_cloud.google.log_match import bounds, matcher
from local_cloud.logs import nanoseconds

ENTRY: dict[str, Any] = {
    "logName": "projects/p/logs/run.googleapis.com%2Fstdout",
    "insertId": "abc",
    "timestamp": "2026-11-23T08:10:00.500000Z",
    "severity": "WARNING",
    "resource": {
        "type": "cloud_run_revision",
        "labels": {"service_name": "chat", "location": "europe-west1"},
    },
    "labels": {"run.googleapis.com/execution_name": "load-1", "instanceId": "x"},
    "jsonPayload": {"message": "Loading model", "step": 3, "done": False, "parts": [{"n": "one"}]},
    "httpRequest": {"status": 503, "responseSize": "1200", "latency": "0.250s"},
}


def found(text: str) -> bool:
    return matcher(parse(text))(ENTRY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  -- nothing but a comment",
        'resource.type="cloud_run_revision"',
        "resource.type = cloud_run_revision",
        'resource.type="CLOUD_RUN_REVISION"',
        'resource.labels.service_name="chat" resource.labels.location="europe-west1"',
        'labels."run.googleapis.com/execution_name"="load-1"',
        "severity>=WARNING",
        "severity > info",
        "severity=(ERROR OR WARNING)",
        "severity>=400",
        'timestamp>="2026-11-23T08:10:00Z"',
        'timestamp<="2026-11-23T09:10:00.6+01:00"',
        'timestamp>"2026-11-22"',
        "timestamp>=2026-11-23T08:10:00Z",
        'logName="projects/p/logs/run.googleapis.com%2Fstdout"',
        'log_name:"stdout"',
        'log_id("run.googleapis.com/stdout")',
        "jsonPayload.step=3",
        "jsonPayload.step>2.5",
        "jsonPayload.done=false",
        "jsonPayload.message:loading",
        'jsonPayload.message=~"^Load.*el$"',
        'jsonPayload.message!~"^load"',
        "jsonPayload.parts.n=one",
        "jsonPayload.message:*",
        "httpRequest.responseSize>999",
        "httpRequest.latency<0.3s",
        "httpRequest.status!=200",
        "loading",
        '"Loading model"',
        "NOT textPayload:x",
        "-textPayload:x",
        "NOT (severity=ERROR OR severity=INFO)",
        # OR binds before AND.
        "severity=WARNING OR severity=ERROR AND insertId=abc",
        "insertId=abc AND severity=ERROR OR severity=WARNING",
        "insertId=abc\n-- a line for people\nseverity=WARNING",
    ],
)
def test_entries_that_are_found(text: str) -> None:
    assert found(text)


@pytest.mark.parametrize(
    "text",
    [
        'resource.type="cloud_run_job"',
        "severity>WARNING",
        "severity=ERROR OR severity=WARNING AND insertId=other",
        "textPayload!=x",  # a field that is not there differs from nothing
        "textPayload:*",
        "jsonPayload.step>3",
        "jsonPayload=3",
        'timestamp<"2026-11-23"',
        'jsonPayload.message=~"^load"',
        "absent",
        "NOT loading",
        'log_id("cloudaudit.googleapis.com/activity")',
    ],
)
def test_entries_that_are_not_found(text: str) -> None:
    assert not found(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("severity>=", "line 1, column 11, end of input"),
        ("severity=ERROR\nAND", "line 2, column 4, end of input"),
        ("(severity=ERROR", "column 16, end of input"),
        ("severity=ERROR)", r"column 15, token '\)'"),
        ("= 3", "column 1, token '='"),
        ("OR x", "token 'OR'"),
        ("severity>= AND x", "column 12, token 'AND'"),
        ('textPayload="open', "column 13, token '\"open'"),
        ("severity=LOUD", "Field severity has no value 'LOUD'"),
        ("timestamp>yesterday", "'yesterday' is no time"),
        ('textPayload=~"("', "Invalid regular expression"),
        ("sample(insertId, 0.1)", "function 'sample' is not known"),
    ],
)
def test_what_makes_no_sense(text: str, message: str) -> None:
    with pytest.raises(ApiError, match=message) as failure:
        found(text)
    assert failure.value.reason == "INVALID_ARGUMENT"


@given(st.text(alphabet="ab.\"'()=<>!:~- \nANDORT\\*", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text)
    except ApiError as error:
        assert error.reason == "INVALID_ARGUMENT"  # noqa: PT017 - either is right


def test_what_narrows_the_search() -> None:
    limits = bounds(
        parse(
            'resource.labels.service_name="chat" AND timestamp>="2026-11-23T08:00:00Z" '
            'AND timestamp<"2026-11-23T09:00:00Z"'
        )
    )
    assert limits.subject == "chat"
    assert limits.since == nanoseconds("2026-11-23T08:00:00Z")
    assert limits.until == nanoseconds("2026-11-23T09:00:00Z")
    either = bounds(parse('resource.labels.service_name="chat" OR severity=ERROR'))
    assert (either.subject, either.since, either.until) == ("", None, None)


def test_times_have_nanoseconds() -> None:
    assert nanoseconds("1970-01-01T00:00:01.000000001Z") == 10**9 + 1
    assert nanoseconds("1970-01-01T01:00:00+01:00") == 0
    assert nanoseconds("1970-01-02") == 86400 * 10**9
