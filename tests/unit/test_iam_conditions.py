"""Conditions of IAM bindings: those that are judged, and those that can't be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.gcp.iam.conditions import Asked, judged

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
BUCKET = Asked(NOW, "storage.googleapis.com/Bucket", "projects/_/buckets/b")
OBJECTS = Asked(
    NOW, "storage.googleapis.com/Object", "projects/_/buckets/b/objects/models/", is_any=True
)
B = "projects/_/buckets/b"

JUDGED = [
    ("true", BUCKET, True),
    ("false", BUCKET, False),
    (f'resource.name == "{B}"', BUCKET, True),
    (f"resource.name != '{B}'", BUCKET, False),
    (f'resource.name == "{B}/objects/other"', OBJECTS, False),
    (f'resource.name != "{B}/objects/other"', OBJECTS, True),
    (f'resource.name == "{B}/objects/models/one"', OBJECTS, None),
    (f'resource.name.startsWith("{B}")', BUCKET, True),
    (f'resource.name.startsWith("{B}/objects/")', BUCKET, False),
    (f'resource.name.startsWith("{B}/objects/models/")', OBJECTS, True),
    (f'resource.name.startsWith("{B}/objects/models/org/")', OBJECTS, None),
    (f'resource.name.startsWith("{B}/objects/others/")', OBJECTS, False),
    ('resource.type == "storage.googleapis.com/Object"', OBJECTS, True),
    ('resource.type != "storage.googleapis.com/Object"', OBJECTS, False),
    ('resource.service == "storage.googleapis.com"', BUCKET, True),
    ('resource.service == "compute.googleapis.com"', BUCKET, False),
    ('request.time < timestamp("2026-11-01T12:00:00Z")', BUCKET, False),
    ('request.time <= timestamp("2026-11-01T12:00:00Z")', BUCKET, True),
    ('request.time > timestamp("2026-11-01T14:00:00+02:00")', BUCKET, False),
    ('request.time >= timestamp("2026-11-01T14:00:00+02:00")', BUCKET, True),
    ('request.time < timestamp("soon")', BUCKET, None),
    ('request.time < timestamp("2030-01-01")', BUCKET, None),
    ('request.time < timestamp("soon") && false', BUCKET, False),
    ('request.time < timestamp("soon") || true', BUCKET, True),
    ("false && true || true", BUCKET, True),
    ("false && (true || true)", BUCKET, False),
    ("!(false || !true)", BUCKET, True),
    (" true\n&& true ", BUCKET, True),
    ('resource.matchTag("123/env", "prod")', BUCKET, None),
    ('resource.name.endsWith(".bin")', OBJECTS, None),
    ("request.time.getHours('Europe/Berlin') < 9", BUCKET, None),
    ('api.getAttribute("storage.googleapis.com/objectListPrefix", "") == ""', BUCKET, None),
    ("true ? true : false", BUCKET, None),
    ("truely", BUCKET, None),
    ("(true", BUCKET, None),
    ("true)", BUCKET, None),
    ("true && ", BUCKET, None),
    ("", BUCKET, None),
    ('resource.name == "a\\"b"', BUCKET, None),
    ("!" * 5000 + "true", BUCKET, None),
    ("(" * 5000 + "true" + ")" * 5000, BUCKET, None),
    (" " * 20_000 + "true", BUCKET, None),
]


@pytest.mark.parametrize(("expression", "asked", "holds"), JUDGED)
def test_conditions(expression: str, asked: Asked, holds: object) -> None:
    assert judged(expression, asked) is holds


@given(st.text(alphabet="()!&|\"' \ntruefalse.resouc=<>", max_size=80))
def test_whatever_is_written_is_judged_or_is_not(expression: str) -> None:
    assert judged(expression, BUCKET) in {True, False, None}
