"""Application Default Credentials, tokens and what they are refused for."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import google.auth
import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth_exceptions
from google.auth import jwt
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import resourcemanager_v3, run_v2
from google.oauth2 import id_token, service_account

from tests.contract.control_plane import (
    MANAGER,
    PARENT,
    SCOPE,
    ControlPlane,
    control_plane,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    yield from control_plane(tmp_path_factory.mktemp("plane"))


def test_application_default_credentials_work_unchanged(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in plane.cloud.environment().items():
        monkeypatch.setenv(name, value)
    credentials: Any
    credentials, project = google.auth.default(scopes=[SCOPE])
    assert project == "local-project"
    assert credentials.service_account_email == MANAGER
    client = plane.rest(resourcemanager_v3.ProjectsClient, credentials)
    assert {p.project_id for p in client.search_projects()} == {"local-project", "demo-project"}


def test_the_key_file_is_for_its_owner_only(plane: ControlPlane) -> None:
    assert plane.cloud.credentials.stat().st_mode & 0o077 == 0


def test_userinfo_and_tokeninfo_tell_who_it_is(plane: ControlPlane) -> None:
    answer = plane.session().get(f"{plane.url}/oauth2/v3/userinfo")
    assert answer.json()["email"] == MANAGER
    plane.credentials.refresh(Request())
    answer = requests.get(
        f"{plane.url}/tokeninfo", params={"access_token": plane.credentials.token}, timeout=30
    )
    assert answer.json()["email"] == MANAGER
    answer = requests.get(f"{plane.url}/tokeninfo", params={"access_token": "x"}, timeout=30)
    assert answer.status_code == 400


def test_an_id_token_is_verified_by_googles_library(plane: ControlPlane) -> None:
    credentials = service_account.IDTokenCredentials.from_service_account_file(
        plane.cloud.credentials, target_audience="https://service.example"
    )
    credentials.refresh(Request())
    claims = id_token.verify_token(
        credentials.token,
        Request(),
        audience="https://service.example",
        certs_url=f"{plane.url}/oauth2/v1/certs",
    )
    assert (claims["email"], claims["iss"]) == (MANAGER, "https://accounts.google.com")
    keys = requests.get(f"{plane.url}/oauth2/v3/certs", timeout=30).json()["keys"]
    assert keys[0]["kid"] == jwt.decode_header(credentials.token)["kid"]


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, "Request is missing required authentication credential"),
        ({"Authorization": "Bearer ya29.made-up"}, "invalid authentication credentials"),
        ({"Authorization": "Basic eDp5"}, "invalid authentication credentials"),
    ],
)
def test_without_a_good_token_the_answer_is_401(
    plane: ControlPlane, headers: dict[str, str], text: str
) -> None:
    answer = requests.get(f"{plane.url}/v2/{PARENT}/services", headers=headers, timeout=30)
    assert answer.status_code == 401
    assert answer.json()["error"]["status"] == "UNAUTHENTICATED"
    assert text in answer.json()["error"]["message"]


def test_an_id_token_is_no_access_token(plane: ControlPlane) -> None:
    credentials = service_account.IDTokenCredentials.from_service_account_file(
        plane.cloud.credentials, target_audience="https://service.example"
    )
    answer = AuthorizedSession(credentials).get(f"{plane.url}/v2/{PARENT}/services")
    assert answer.status_code == 401


def test_another_key_is_refused(
    plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = next(control_plane(tmp_path_factory.mktemp("elsewhere")))
    key = json.loads(elsewhere.cloud.credentials.read_text())
    elsewhere.cloud.stop()
    key["token_uri"] = f"{plane.url}/token"
    credentials = service_account.Credentials.from_service_account_info(key, scopes=[SCOPE])
    with pytest.raises(auth_exceptions.RefreshError, match="Invalid JWT Signature"):
        credentials.refresh(Request())
    with pytest.raises(exceptions.Unauthorized):
        list(plane.rest(run_v2.ServicesClient, credentials).list_services(parent=PARENT))


def test_an_expired_assertion_is_refused(plane: ControlPlane) -> None:
    key = json.loads(plane.cloud.credentials.read_text())
    signer = google.auth.crypt.RSASigner.from_service_account_info(key)
    claims = {"iss": MANAGER, "aud": f"{plane.url}/token", "scope": SCOPE, "iat": 1, "exp": 3601}
    body = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": jwt.encode(signer, claims).decode(),
    }
    answer = requests.post(f"{plane.url}/token", data=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_a_token_survives_a_restart(tmp_path: Path) -> None:
    first = ControlPlane(tmp_path)
    first.credentials.refresh(Request())
    headers = {"Authorization": f"Bearer {first.credentials.token}"}
    first.cloud.stop()
    second = ControlPlane(tmp_path)
    answer = requests.get(f"{second.url}/v2/{PARENT}/services", headers=headers, timeout=30)
    second.cloud.stop()
    assert answer.status_code == 200
    assert second.url == first.url


def self_signed(plane: ControlPlane, **claims: Any) -> str:
    """Return a token signed by the manager's key; a claim that is None is left out."""
    key = json.loads(plane.cloud.credentials.read_text())
    now = int(time.time())
    payload = {
        "iss": MANAGER,
        "sub": MANAGER,
        "aud": f"{plane.url}/",
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    kept = {name: value for name, value in payload.items() if value is not None}
    signer = google.auth.crypt.RSASigner.from_service_account_info(key)
    return str(jwt.encode(signer, kept), "ascii")


def status(plane: ControlPlane, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{plane.url}/v2/{PARENT}/services", headers=headers, timeout=30)
    return answer.status_code


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": "https://run.googleapis.com/"},
        {"aud": None, "scope": SCOPE},
        {"sub": None},
        {"exp": time.time() + 1800.5},
    ],
)
def test_self_signed_tokens_for_an_api_are_taken(
    plane: ControlPlane, claims: dict[str, Any]
) -> None:
    assert status(plane, self_signed(plane, **claims)) == 200


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": NOW + 10 * 365 * 86400},
        {"iat": NOW - 86400, "exp": NOW + 3600},
        {"exp": float("nan")},
        {"iat": float("nan")},
        {"exp": float("inf")},
        {"iat": float("-inf")},
        {"exp": str(NOW + 3600)},
        {"exp": True},
        {"exp": [NOW + 3600]},
        {"exp": None},
        {"iat": None},
        {"exp": 10**400},
        {"iat": NOW + 600, "exp": NOW + 3600},
        {"aud": "https://evil.example/"},
        {"aud": "https://run.googleapis.com.evil.example/"},
        {"aud": "https://oauth2.googleapis.com/token"},
        {"aud": "http://127.0.0.1:1/"},
        {"aud": ["https://run.googleapis.com/"]},
        {"aud": 5},
        {"aud": None},
        {"aud": None, "scope": {"a": 1}},
        {"sub": "owner@elsewhere.example"},
        {"iss": "manager@demo-project.iam.gserviceaccount.com"},
        {"iss": ["a"]},
    ],
)
def test_self_signed_tokens_of_another_kind_are_401(
    plane: ControlPlane, claims: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    assert status(plane, self_signed(plane, **claims)) == 401
    assert capfd.readouterr().err == ""


def part(value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


DEEP = "[" * 5_000 + "]" * 5_000


@pytest.mark.parametrize(
    "token",
    [
        *("", ".", "..", "a.b", "a.b.c", "\u00e4.b.c", "a" * 9_000, ".." * 4_000),
        f"{part('[]')}.{part('{}')}.x",
        f"{part('5')}.{part('{}')}.x",
        f"{part(DEEP)}.{part('{}')}.x",
        *(
            f"{part(json.dumps({'alg': 'RS256', 'kid': kid}))}.{part(body)}.{part(b'x' * 256)}"
            for kid in (5, None, ["a"], {"a": 1}, "\u00e4", "x", part(b"\xff\xfe"), part(MANAGER))
            for body in ("{}", "[]", "5", "", "NaN", DEEP[:100], "\x00")
        ),
        *(
            f"{part(json.dumps({'alg': alg, 'kid': part(MANAGER)}))}.{part('{}')}.{part(b'x')}"
            for alg in ("none", "HS256", "ES256", 5, None, ["RS256"])
        ),
    ],
)
def test_malformed_tokens_are_401(
    plane: ControlPlane, token: str, capfd: pytest.CaptureFixture[str]
) -> None:
    quoted = token.encode("utf-8").decode("latin-1")
    assert status(plane, quoted) == 401
    body = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": token}
    answer = requests.post(f"{plane.url}/token", data=body, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    headers = {"Authorization": f"Bearer {quoted}"}
    answer = requests.get(f"{plane.url}/oauth2/v3/userinfo", headers=headers, timeout=30)
    assert answer.status_code == 401
    assert capfd.readouterr().err == ""


def test_an_account_that_is_gone_gets_nowhere(plane: ControlPlane) -> None:
    session = plane.session()
    made = session.post(
        f"{plane.url}/v1/projects/local-project/serviceAccounts",
        json={"accountId": "passing", "serviceAccount": {}},
    )
    assert made.status_code == 200
    email = made.json()["email"]
    policy = session.post(f"{plane.url}/v3/projects/local-project:getIamPolicy", json={}).json()
    policy["bindings"].append({"role": "roles/viewer", "members": [f"serviceAccount:{email}"]})
    session.post(
        f"{plane.url}/v3/projects/local-project:setIamPolicy", json={"policy": policy}
    ).raise_for_status()
    credentials = plane.credentials_of(plane.cloud.key(email))
    own = credentials.with_always_use_jwt_access(always_use_jwt_access=True)
    own._create_self_signed_jwt(None)
    own.refresh(Request())
    credentials.refresh(Request())
    tokens = [credentials.token, own.token]
    assert [status(plane, token) for token in tokens] == [200, 200]

    account = f"{plane.url}/v1/projects/local-project/serviceAccounts/{email}"
    session.post(f"{account}:disable", json={}).raise_for_status()
    assert [status(plane, token) for token in tokens] == [401, 401]
    with pytest.raises(auth_exceptions.RefreshError):
        credentials.refresh(Request())
    session.post(f"{account}:enable", json={}).raise_for_status()
    assert [status(plane, token) for token in tokens] == [200, 200]
    session.delete(account).raise_for_status()
    assert [status(plane, token) for token in tokens] == [401, 401]
    with pytest.raises(auth_exceptions.RefreshError):
        credentials.refresh(Request())
