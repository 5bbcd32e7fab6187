"""Identities that can be told without asking anybody."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import identity_pool, impersonated_credentials
from google.auth.credentials import AnonymousCredentials, Credentials
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from llm_widgets.cloud import identity
from llm_widgets.cloud.clients import Clients
from llm_widgets.cloud.identity import IdentityKind
from llm_widgets.config import Settings
from llm_widgets.errors import SignInError

EMAIL = "m@my-project.iam.gserviceaccount.com"
POOL = "iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/mine"


def service_account_credentials() -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return service_account.Credentials.from_service_account_info(
        {
            "client_email": EMAIL,
            "token_uri": "https://oauth2.googleapis.com/token",
            "private_key": pem.decode(),
        }
    )


def federated(**extra: str) -> Credentials:
    return identity_pool.Credentials(
        audience=f"//{POOL}/providers/p",
        subject_token_type="urn:ietf:params:oauth:token-type:jwt",
        token_url="https://sts.googleapis.com/v1/token",
        credential_source={"file": "token"},
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
            federated(),
            IdentityKind.FEDERATED,
            f"principalSet://{POOL}/*",
            "an identity of the pool mine",
        ),
        (AnonymousCredentials(), IdentityKind.UNKNOWN, "", "Unknown kind of credentials"),
    ],
)
def test_identity(credentials: Credentials, kind: IdentityKind, member: str, label: str) -> None:
    found = identity.current(Clients(Settings(), credentials))
    assert (found.kind, found.member, found.label) == (kind, member, label)
    assert found.cloud == "Google Cloud"


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
