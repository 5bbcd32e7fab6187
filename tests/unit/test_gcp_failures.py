"""Refusals as the APIs send them, and what a person is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth import impersonated_credentials
from google.oauth2 import credentials as user_credentials

from llm_widgets import errors
from llm_widgets.config import Settings
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Callable

MEMBER = "serviceAccount:m@my-project.iam.gserviceaccount.com"


@pytest.fixture
def clients() -> Clients:
    source = user_credentials.Credentials("token")
    email = MEMBER.partition(":")[2]
    return Clients(Settings(), impersonated_credentials.Credentials(source, email, ["scope"]))


def answer(status: int, message: str, details: list[dict[str, Any]] | None = None) -> Exception:
    """Make the exception that Google's packages raise for an answer."""
    response = requests.Response()
    response.status_code = status
    response.headers["Content-Type"] = "application/json"
    response.request = requests.Request("POST", "https://run.googleapis.com/v2/x").prepare()
    body = {"error": {"code": status, "message": message, "details": details or []}}
    response._content = json.dumps(body).encode()
    found: exceptions.GoogleAPICallError = exceptions.from_http_response(response)
    return found


def error_info(reason: str, **metadata: str) -> dict[str, Any]:
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


def explain(error: Exception, **context: Any) -> errors.ManagerError:
    with (
        pytest.raises(errors.ManagerError) as caught,
        explained("deploy x", project="my-project", **context),
    ):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_denied_names_who_lacks_what_and_the_command(clients: Clients) -> None:
    text = (
        "Permission 'run.services.create' denied on resource "
        "'projects/my-project/locations/r/services/s' (or resource may not exist)."
    )
    error = explain(answer(403, text), clients=clients)
    assert type(error) is errors.DeniedError
    assert error.message == (
        "Can't deploy x: m@my-project.iam.gserviceaccount.com lacks the permission "
        "run.services.create."
    )
    assert error.cause == text
    assert error.fix
    assert error.fix.command == (
        f"gcloud projects add-iam-policy-binding my-project --member={MEMBER} "
        "--role=roles/run.developer"
    )
    assert error.fix.url == "https://console.cloud.google.com/iam-admin/iam?project=my-project"


def test_denied_by_error_info(clients: Clients) -> None:
    info = error_info("IAM_PERMISSION_DENIED", permission="secretmanager.versions.access")
    error = explain(answer(403, "The caller does not have permission", [info]), clients=clients)
    assert "secretmanager.versions.access" in error.message
    assert error.fix
    assert "roles/secretmanager.secretAccessor" in error.fix.command


def test_denied_without_a_name_takes_the_permission_of_the_call(clients: Clients) -> None:
    refusal = answer(403, "The caller does not have permission")
    error = explain(refusal, clients=clients, permission="logging.logEntries.list")
    assert "logging.logEntries.list" in error.message


def test_denied_on_a_bucket_is_granted_on_the_bucket(clients: Clients) -> None:
    text = "m does not have storage.objects.get access to the Google Cloud Storage object."
    error = explain(answer(403, text), clients=clients, bucket="my-models")
    assert error.fix
    assert error.fix.command == (
        f"gcloud storage buckets add-iam-policy-binding gs://my-models --member={MEMBER} "
        "--role=roles/storage.objectViewer"
    )


def test_acting_as_an_account_is_granted_on_the_account(clients: Clients) -> None:
    account = "runtime@my-project.iam.gserviceaccount.com"
    text = (
        f"Permission 'iam.serviceaccounts.actAs' denied on service account {account} "
        "(or it may not exist)."
    )
    error = explain(answer(403, text), clients=clients)
    assert account in error.message
    assert error.fix
    assert error.fix.command == (
        f"gcloud iam service-accounts add-iam-policy-binding {account} --project=my-project "
        f"--member={MEMBER} --role=roles/iam.serviceAccountUser"
    )


def test_disabled_api() -> None:
    info = error_info(
        "SERVICE_DISABLED",
        service="run.googleapis.com",
        consumer="projects/42",
        serviceTitle="Cloud Run Admin API",
    )
    error = explain(answer(403, "Cloud Run Admin API has not been used in project 42", [info]))
    assert type(error) is errors.ApiDisabledError
    assert "Cloud Run Admin API is not enabled in the project 42" in error.message
    assert error.fix
    assert error.fix.command == "gcloud services enable run.googleapis.com --project=42"
    assert error.fix.action == "enable-api:run.googleapis.com"
    assert error.fix.url.startswith("https://console.cloud.google.com/apis/library/run.")


def test_billing() -> None:
    info = error_info("BILLING_DISABLED", consumer="projects/42")
    error = explain(answer(403, "This API method requires billing to be enabled.", [info]))
    assert type(error) is errors.BillingError
    assert error.fix
    assert "project=42" in error.fix.url


@pytest.mark.parametrize(
    ("refusal", "expected"),
    [
        (answer(404, "gone"), errors.NotFoundError),
        (answer(409, "Resource 'x' already exists."), errors.AlreadyExistsError),
        (
            answer(
                409,
                "Your previous request to create the named bucket succeeded and you "
                "already own it.",
            ),
            errors.AlreadyExistsError,
        ),
        (
            answer(
                409,
                "The requested bucket name is not available. The bucket namespace is "
                "shared by all users of the system.",
            ),
            errors.AlreadyExistsError,
        ),
        (answer(409, "There were concurrent policy changes."), errors.ConflictError),
        (answer(412, "At least one of the pre-conditions did not hold."), errors.ConflictError),
        (answer(400, "For 8.0 CPU, memory must be between 4Gi and 32Gi"), errors.InvalidInputError),
        (answer(429, "Rate limit: slow down"), errors.RateLimitError),
        (
            answer(429, "Quota exceeded for total allowable count of GPUs per project per region."),
            errors.QuotaError,
        ),
        (
            answer(400, "You do not have quota for using GPUs without zonal redundancy."),
            errors.QuotaError,
        ),
        (answer(503, "try later"), errors.UnavailableError),
        (answer(500, "internal"), errors.UnavailableError),
        (answer(401, "Request had invalid authentication credentials."), errors.SignInError),
        (auth_exceptions.RefreshError("invalid_grant: Bad Request"), errors.SignInError),
        (auth_exceptions.RefreshError("slow", retryable=True), errors.UnavailableError),
        (auth_exceptions.TransportError("no route"), errors.UnavailableError),
        (requests.ConnectionError("refused"), errors.UnavailableError),
        (requests.ReadTimeout("silent"), errors.UnavailableError),
        (TimeoutError("silent"), errors.UnavailableError),
        (exceptions.RetryError("deadline", cause=answer(503, "down")), errors.UnavailableError),
        (exceptions.RetryError("deadline", cause=None), errors.UnavailableError),
        (exceptions.FailedPrecondition("not now"), errors.ManagerError),
    ],
)
def test_kinds(refusal: Exception, expected: type[errors.ManagerError]) -> None:
    error = explain(refusal)
    assert type(error) is expected
    assert error.message.endswith(".")
    assert "https://run.googleapis.com/v2/x" not in str(error)


def test_expired_credentials_give_the_command() -> None:
    error = explain(auth_exceptions.RefreshError("Token has been expired or revoked.", {}))
    assert error.fix
    assert error.fix.command == "gcloud auth application-default login"
    assert error.cause == "Token has been expired or revoked."


def test_what_was_explained_already_stays() -> None:
    error = errors.ConflictError("mine")
    with pytest.raises(errors.ConflictError, match="mine"), explained("deploy x"):
        raise error


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(KeyError), explained("deploy x"):
        raise KeyError("x")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "invalid_grant: reauth related error (invalid_rapt)",
            "The organization wants you to sign in to Google Cloud again.",
        ),
        (
            "Reauthentication is needed. Please run `gcloud auth application-default login`",
            "The organization wants you to sign in to Google Cloud again.",
        ),
        (
            "invalid_grant: Invalid JWT Signature.",
            "Google Cloud does not accept the key of the service account.",
        ),
        (
            "invalid_grant: Token must be a short-lived token and in a reasonable timeframe.",
            "Google Cloud does not accept the credentials: the clock of this machine is wrong.",
        ),
        (
            "invalid_grant: Bad Request",
            "Google Cloud does not accept the credentials, or no longer does.",
        ),
    ],
)
def test_why_there_is_no_token(said: str, message: str) -> None:
    assert explain(auth_exceptions.RefreshError(said)).message == message


@pytest.mark.parametrize("said_as", [json.dumps, dict])
def test_an_api_that_makes_tokens_refuses(said_as: Callable[[Any], Any]) -> None:
    # googleapis/google-auth-library-python#742, google-github-actions/auth#250
    info = error_info("SERVICE_DISABLED", service="reauth.googleapis.com", consumer="projects/42")
    body = {"error": {"code": 403, "message": "Reauth API is off.", "details": [info]}}
    error = explain(auth_exceptions.RefreshError("Unable to acquire it", said_as(body)))
    assert type(error) is errors.ApiDisabledError
    assert "reauth.googleapis.com is not enabled in the project 42" in error.message
