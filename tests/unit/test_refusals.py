"""Refusals of Google's APIs, recorded in public or of their usual form, and how they are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core import exceptions, operation
from google.longrunning import operations_pb2
from google.oauth2 import credentials as user_credentials
from google.protobuf import any_pb2, json_format
from google.rpc import error_details_pb2, status_pb2

from llm_widgets import errors
from llm_widgets.config import Settings
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.client.failures import translated
from llm_widgets.gcp.refusals import reading, rules
from llm_widgets.gcp.refusals.doing import Doing

PROJECT = "my-project"
RECORDED = [
    json.loads(line)
    for line in Path("tests/data/refusals/google.jsonl").read_text("utf-8").splitlines()
]


@pytest.fixture
def clients() -> Clients:
    """Return the clients of a person, who knows the number of the project."""
    made = Clients(Settings(), user_credentials.Credentials("token", account="ann@example.com"))
    made.numbers[PROJECT] = "1234567890"
    return made


def over_http(status: int, body: Any) -> exceptions.GoogleAPICallError:
    """Return what Google's packages raise for an answer over HTTP."""
    response = requests.Response()
    response.status_code = status
    response.headers["Content-Type"] = "application/json"
    response.request = requests.Request("POST", "https://run.googleapis.com/v2/x").prepare()
    response._content = json.dumps(body).encode()
    found: exceptions.GoogleAPICallError = exceptions.from_http_response(response)
    return found


def of_operation(body: dict[str, Any]) -> BaseException:
    """Return what Google's packages raise for an operation that failed: details in protobuf."""
    error = body["error"]
    code = {400: 9, 401: 16, 403: 7, 404: 5, 409: 6, 412: 9, 429: 8}[error["code"]]
    status = status_pb2.Status(code=code, message=error["message"])
    for detail in error.get("details", []):
        kind = getattr(error_details_pb2, detail["@type"].rpartition(".")[2])
        fields = {key: value for key, value in detail.items() if key != "@type"}
        packed = any_pb2.Any()
        packed.Pack(json_format.ParseDict(fields, kind()))
        status.details.append(packed)
    failed = operations_pb2.Operation(name="operations/1", done=True, error=status)
    future: Any = operation.Operation(failed, lambda: failed, lambda: None, any_pb2.Any)
    found: BaseException = future.exception()
    return found


def told(error: errors.ManagerError | None) -> tuple[str, str]:
    """Return the sentence of an error, and all of its fix."""
    assert error is not None
    fix = error.fix or errors.Fix()
    return error.message, f"{fix.text} {fix.command} {fix.url} {fix.action}"


def check(case: dict[str, Any], error: errors.ManagerError | None) -> None:
    message, fix = told(error)
    assert type(error).__name__ == case["type"], message
    assert message.startswith(f"Can't {case['doing']}") or case["type"] == "SignInError"
    for text in case["says"]:
        assert text in message
    for text in case["fix"]:
        assert text in fix
    for text in case["never"]:
        assert text not in f"{message} {fix}".replace(case["doing"], "")


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["id"])
def test_read_by_its_reason(case: dict[str, Any], clients: Clients) -> None:
    doing = Doing(case["doing"], clients, PROJECT, case.get("bucket", ""))
    error = translated(over_http(case["status"], case["body"]), doing)
    check(case, error)
    assert error
    assert case["body"]["error"]["message"].partition("\n")[0][:200].strip() in error.cause


WITH_DETAILS = [
    case for case in RECORDED if case["body"]["error"].get("details") and case["status"] != 412
]


@pytest.mark.parametrize("case", WITH_DETAILS, ids=lambda case: case["id"])
def test_read_the_same_from_an_operation(case: dict[str, Any], clients: Clients) -> None:
    doing = Doing(case["doing"], clients, PROJECT, case.get("bucket", ""))
    check(case, translated(of_operation(case["body"]), doing))


def limited(message: str, **metadata: str) -> dict[str, Any]:
    """Return the body of a refusal by a limit of Service Control."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "RATE_LIMIT_EXCEEDED",
        "domain": "googleapis.com",
        "metadata": {
            "service": "run.googleapis.com",
            "consumer": "projects/1234567890",
            **metadata,
        },
    }
    return {"error": {"code": 429, "message": message, "details": [info]}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (limited("Quota exceeded", quota_unit="1/min/{project}"), errors.RateLimitError),
        (limited("Quota exceeded", quota_limit="WritePerMinutePerRegion"), errors.RateLimitError),
        (limited("Quota exceeded", quota_unit="1/{project}/{region}"), errors.QuotaError),
        (limited("Quota exceeded", quota_limit="MemAllocPerProjectRegion"), errors.QuotaError),
        (
            {"error": {"message": "Maximum number of service accounts on project reached."}},
            errors.QuotaError,
        ),
        (
            {
                "error": {
                    "message": "You do not have quota for using GPUs without zonal redundancy. "
                    "Learn more about GPU zonal redundancy: g.co/cloudrun/gpu-redundancy-help"
                }
            },
            errors.QuotaError,
        ),
        ({"error": {"message": "The number of requests is too large."}}, errors.RateLimitError),
    ],
)
def test_rates_quotas_and_maxima(
    body: dict[str, Any], kind: type[errors.ManagerError], clients: Clients
) -> None:
    assert type(translated(over_http(429, body), Doing("ask", clients, PROJECT))) is kind


def test_a_wait_that_google_asks_for(clients: Clients) -> None:
    body = limited("Quota exceeded", quota_unit="1/min/{project}")
    delay = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}
    body["error"]["details"].append(delay)
    error = translated(over_http(429, body), Doing("ask", clients, PROJECT))
    assert isinstance(error, errors.RateLimitError)
    assert error.retry_after == 12.5

    refused = over_http(503, {"error": {"message": "later"}})
    assert isinstance(refused.response, requests.Response)
    refused.response.headers["Retry-After"] = "7"
    later = translated(refused, Doing("ask", clients, PROJECT))
    assert isinstance(later, errors.UnavailableError)
    assert later.retry_after == 7


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("+90", 85, 90), ("-90", 0, 0), ("soon", None, None), ("", None, None)],
)
def test_a_wait_until_a_date(
    clients: Clients, header: str, least: float | None, most: float | None
) -> None:
    if header[:1] in {"+", "-"}:
        at = datetime.now(UTC) + timedelta(seconds=int(header))
        header = format_datetime(at, usegmt=True)
    refused = over_http(503, {"error": {"message": "later"}})
    assert isinstance(refused.response, requests.Response)
    refused.response.headers["Retry-After"] = header
    told = translated(refused, Doing("ask", clients, PROJECT))
    assert isinstance(told, errors.UnavailableError)
    waits = told.retry_after
    if least is None or most is None:
        assert waits is None
    else:
        assert waits is not None
        assert least <= waits <= most


def test_details_that_are_not_as_they_should_be(clients: Clients) -> None:
    wild = {
        "error": {
            "message": "x",
            "status": 7,
            "errors": [1, {"reason": ["a"]}, None],
            "details": [
                7,
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "metadata": []},
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "SERVICE_DISABLED",
                    "metadata": {"service": "x; rm -rf /", "consumer": 'projects/p"><script>'},
                },
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "soon"},
                {"@type": "made.up/Type"},
            ],
        }
    }
    refusal = reading.of_body(wild)
    assert refusal
    message, fix = told(rules.worded(refusal, Doing("ask", clients, PROJECT)))
    assert message == f"Can't ask: an API is not enabled in the project {PROJECT}."
    assert "rm -rf" not in message + fix
    assert "script" not in message + fix


def test_the_project_is_named_by_its_id(clients: Clients) -> None:
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "SERVICE_DISABLED",
        "domain": "googleapis.com",
        "metadata": {"service": "run.googleapis.com", "consumer": "projects/1234567890"},
    }
    body = {"error": {"message": "off", "details": [info]}}
    message, fix = told(translated(over_http(403, body), Doing("ask", clients, PROJECT)))
    assert message == f"Can't ask: run.googleapis.com is not enabled in the project {PROJECT}."
    assert f"--project={PROJECT}" in fix
    assert "enable-api:run.googleapis.com" in fix


def test_a_body_that_is_none_of_googles() -> None:
    assert reading.of_body("no JSON") is None
    assert reading.of_body({"error": "invalid_grant"}) is None


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (
            404,
            "Resource 's' of kind 'SERVICE' in region 'r' in project 'my-project' does not exist.",
            errors.NotFoundError,
        ),
        (404, "The specified bucket does not exist.", errors.NotFoundError),
        (404, "No such object: b/llm-manager-metadata.json", errors.NotFoundError),
        (404, "Secret [projects/1234567890/secrets/s] not found.", errors.NotFoundError),
        (404, "The resource 'projects/p-1/regions/r/x' was not found", errors.NotFoundError),
        (404, "Requested entity was not found.", errors.NotFoundError),
        (409, "There were concurrent policy changes.", errors.ConflictError),
        (409, "Resource 's' already exists.", errors.AlreadyExistsError),
        (409, "The bucket you tried to delete is not empty.", errors.ConflictError),
        (412, "Precondition Failed", errors.ConflictError),
        (412, "The bucket is too large to be locked.", errors.ManagerError),
        (
            412,
            "A pre-condition that you specified did not hold.",
            errors.ConflictError,
        ),
        (400, "For 8.0 CPU, memory must be between 4Gi and 32Gi", errors.InvalidInputError),
        (400, "Image 'gcr.io/p-1/project-image' not found.", errors.InvalidInputError),
        (400, "labels: too many labels in the request", errors.InvalidInputError),
        (
            400,
            (
                "The user-provided container failed to start and listen on the port defined by the "
                "PORT=8080 environment variable within the allocated timeout."
            ),
            errors.InvalidInputError,
        ),
        (500, "Internal error encountered.", errors.UnavailableError),
    ],
)
def test_what_is_nothing_special(
    status: int, message: str, kind: type[errors.ManagerError], clients: Clients
) -> None:
    error = translated(
        over_http(status, {"error": {"message": message}}), Doing("ask", clients, PROJECT)
    )
    assert type(error) is kind
    assert error.message == "Can't ask."
    assert error.cause == message
