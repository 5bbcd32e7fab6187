"""Texts that Google's APIs really give."""

from __future__ import annotations

import pytest

from llm_widgets.gcp.client import messages


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "403 GET https://storage.googleapis.com/storage/v1/b?project=p: denied: really",
            "denied: really",
        ),
        ("POST http://127.0.0.1:1/v2/projects/p/locations/r/services: taken", "taken"),
        ("409 Resource 'x' already exists.", "Resource 'x' already exists."),
        ("plain words", "plain words"),
        (
            (
                "GET https://storage.googleapis.com/download/storage/v1/b/b/o/o?alt=media: "
                "a@p.example does not have access.: ('Request failed with status code', 403, "
                "'Expected one of', <HTTPStatus.OK: 200>, <HTTPStatus.PARTIAL_CONTENT: 206>)"
            ),
            "a@p.example does not have access.",
        ),
        (
            (
                'POST https://storage.googleapis.com/upload/storage/v1/b/b/o: {"error": {"code": '
                '403, "message": "denied"}}: (\'Request failed with status code\', 403, '
                "'Expected one of', <HTTPStatus.OK: 200>)"
            ),
            "denied",
        ),
        ('{"not": "an error"}', '{"not": "an error"}'),
        (
            (
                "<!DOCTYPE html><html><head><title>Error 502</title><style>p{a:b}</style></head>"
                "<body><h1>Bad&nbsp;Gateway</h1>\n<p>Try again in <b>30</b> seconds.</body></html>"
            ),
            "Bad Gateway Try again in 30 seconds.",
        ),
        ("<html><head><title>Error 503</title></head></html>", "Error 503"),
    ],
)
def test_readable(text: str, expected: str) -> None:
    assert messages.readable(text).replace("\xa0", " ") == expected


def test_readable_is_never_longer_than_a_page() -> None:
    assert len(messages.readable("x" * 100_000)) == 2000


@pytest.mark.parametrize(
    ("text", "permission"),
    [
        (
            (
                "Permission 'run.services.create' denied on resource "
                "'projects/p/locations/r/services/s' (or resource may not exist)."
            ),
            "run.services.create",
        ),
        (
            (
                "x@example.com does not have storage.objects.list access to the Google "
                "Cloud Storage bucket. Permission 'storage.objects.list' denied on resource (or it "
                "may not exist)."
            ),
            "storage.objects.list",
        ),
        (
            "x@y.z does not have storage.buckets.list access to the Google Cloud project.",
            "storage.buckets.list",
        ),
        (
            (
                "Permission 'iam.serviceaccounts.actAs' denied on service account "
                "a@p.iam.gserviceaccount.com (or it may not exist)."
            ),
            "iam.serviceAccounts.actAs",
        ),
        ("Required 'compute.networks.list' permission for 'projects/p'", "compute.networks.list"),
        ("The caller does not have permission", ""),
    ],
)
def test_permission(text: str, permission: str) -> None:
    assert messages.permission(text) == permission


def test_account() -> None:
    text = (
        "Permission 'iam.serviceaccounts.actAs' denied on service account "
        "a@p.iam.gserviceaccount.com (or it may not exist)."
    )
    assert messages.account(text) == "a@p.iam.gserviceaccount.com"


def test_disabled_api() -> None:
    text = (
        "Cloud Run Admin API has not been used in project 42 before or it is disabled. Enable it "
        "by visiting https://console.developers.google.com/apis/api/run.googleapis.com/overview"
        "?project=42 then retry."
    )
    assert messages.disabled_api(text) == "run.googleapis.com"
    assert messages.disabled_api("The API run.googleapis.com is slow") == ""
