"""Application Default Credentials, tokens and what they are refused for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
