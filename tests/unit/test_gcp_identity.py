"""Identities that can be told without asking anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, identity_pool, impersonated_credentials, jwt
from google.auth.credentials import AnonymousCredentials, Credentials
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from llm_widgets.config import Settings
from llm_widgets.errors import SignInError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.auth.identity import IdentityKind
from llm_widgets.gcp.client.clients import Clients

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = "m@my-project.iam.gserviceaccount.com"
POOL = "iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/mine"


def _pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def service_account_credentials() -> Credentials:
    found: Credentials = service_account.Credentials.from_service_account_info(
        {
            "client_email": EMAIL,
            "token_uri": "https://oauth2.googleapis.com/token",
            "private_key": _pem(),
        }
    )
    return found


def federated(
    token: Path | str = "no such file", kind: str = "jwt", pool: str = POOL, **extra: str
) -> Credentials:
    return identity_pool.Credentials(
        audience=f"//{pool}/providers/p" if pool else "",
        subject_token_type=f"urn:ietf:params:oauth:token-type:{kind}",
        token_url="https://sts.googleapis.com/v1/token",
        credential_source={"file": str(token)},
        **extra,
    )


def impersonated() -> Credentials:
    source = user_credentials.Credentials("token")
    return impersonated_credentials.Credentials(source, EMAIL, ["scope"])


def user() -> Credentials:
    return user_credentials.Credentials("token", account="a@example.com")


IMPERSONATION = (
    f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{EMAIL}"
    ":generateAccessToken"
)


@pytest.mark.parametrize(
    ("credentials", "kind", "member", "label"),
    [
        (
            service_account_credentials(),
            IdentityKind.SERVICE_ACCOUNT,
            f"serviceAccount:{EMAIL}",
            EMAIL,
        ),
        (impersonated(), IdentityKind.IMPERSONATED, f"serviceAccount:{EMAIL}", EMAIL),
        (user(), IdentityKind.USER, "user:a@example.com", "a@example.com"),
        (
            federated(service_account_impersonation_url=IMPERSONATION),
            IdentityKind.FEDERATED,
            f"serviceAccount:{EMAIL}",
            EMAIL,
        ),
        (
            federated(kind="saml2"),
            IdentityKind.FEDERATED,
            "",
            "an identity of the pool mine",
        ),
        (federated(kind="saml2", pool=""), IdentityKind.FEDERATED, "", "a federated identity"),
        (AnonymousCredentials(), IdentityKind.UNKNOWN, "", "Unknown kind of credentials"),
    ],
)
def test_identity(credentials: Credentials, kind: IdentityKind, member: str, label: str) -> None:
    found = identity.current(Clients(Settings(), credentials))
    assert (found.kind, found.member, found.label) == (kind, member, label)
    assert found.cloud == "Google Cloud"


@pytest.mark.parametrize("pool", [POOL, "iam.googleapis.com/locations/global/workforcePools/mine"])
def test_a_federated_subject_is_named_alone(pool: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    signer = crypt.RSASigner.from_string(_pem())
    subject = "repo:my-org/my-repo:ref:refs/heads/main"
    token.write_bytes(jwt.encode(signer, {"sub": subject, "aud": "x"}))
    found = identity.current(Clients(Settings(), federated(token, pool=pool)))
    assert found.member == found.form == f"principal://{pool}/subject/{subject}"
    assert found.label == f"{subject} of the pool mine"


@pytest.mark.parametrize("text", ["opaque", "a.b.c", ""])
def test_a_federated_subject_that_no_token_tells_is_to_be_filled_in(
    text: str, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(text or "-")
    found = identity.current(Clients(Settings(), federated(token)))
    assert (found.member, found.form) == ("", f"principal://{POOL}/subject/SUBJECT")


def test_who_is_signed_in_is_asked_for_once() -> None:
    clients = Clients(Settings(), user())
    assert identity.current(clients) is identity.current(clients)


def test_local_cloud_is_told_apart() -> None:
    settings = Settings(google_endpoint="http://127.0.0.1:1")
    assert identity.current(Clients(settings, user())).cloud == "the local cloud"


@pytest.mark.parametrize("content", ["{", '{"type": "service_account"}', '{"type": "else"}'])
def test_damaged_credentials(
    content: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path_factory.mktemp("key") / "key.json"
    file.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(SignInError) as caught:
        identity.current(Clients(Settings()))
    assert caught.value.fix
    assert caught.value.fix.command == "gcloud auth application-default login"
