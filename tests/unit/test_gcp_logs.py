from __future__ import annotations

from datetime import UTC, datetime

from llm_widgets.gcp.observe import logs


def test_structured_payloads_are_readable() -> None:
    payload = {"message": "loaded", "seconds": 3.5, "layers": [1, 2], "name": "m"}
    assert logs.payload_text(payload) == "loaded seconds=3.5 layers=[1, 2] name=m"


def test_text_is_as_it_is() -> None:
    assert logs.payload_text("<b>x</b>") == "<b>x</b>"
    assert logs.payload_text(None) == ""


def test_service_filter() -> None:
    since = datetime(2026, 1, 2, tzinfo=UTC)
    assert logs.service_filter("r", 'a"b', revision="a-1", severity="ERROR", since=since) == (
        'resource.type="cloud_run_revision" AND resource.labels.location="r" AND '
        'resource.labels.service_name="a\\"b" AND resource.labels.revision_name="a-1" AND '
        'severity>=ERROR AND timestamp>="2026-01-02T00:00:00+00:00"'
    )


def test_job_filter() -> None:
    assert logs.job_filter("r", "j", execution="j-1") == (
        'resource.type="cloud_run_job" AND resource.labels.location="r" AND '
        'resource.labels.job_name="j" AND labels."run.googleapis.com/execution_name"="j-1"'
    )
