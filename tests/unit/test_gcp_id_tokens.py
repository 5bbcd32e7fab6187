"""ID tokens of credentials that have one, or can't have one."""

from __future__ import annotations

import base64
import json
import time

import pytest
from google.auth.credentials import AnonymousCredentials
from google.oauth2 import credentials as user_credentials

from llm_widgets.config import Settings
from llm_widgets.errors import SignInError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.client.clients import Clients

URL = "https://service-42.europe-west1.run.app"


def token(seconds: float) -> str:
    """Make a token that ends so many seconds from now."""
    claims = json.dumps({"exp": time.time() + seconds}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.signature"


def user(id_token: str | None) -> Clients:
    return Clients(Settings(), user_credentials.Credentials("token", id_token=id_token))


def test_a_users_token_is_used_as_long_as_it_is_good() -> None:
    mine = token(3600)
    assert id_tokens.of(user(mine)).token(URL) == mine


@pytest.mark.parametrize("id_token", [None, token(60)], ids=["none", "ending soon"])
def test_a_user_who_can_not_refresh_has_to_sign_in(id_token: str | None) -> None:
    with pytest.raises(SignInError) as caught:
        id_tokens.of(user(id_token)).token(URL)
    assert caught.value.fix
    assert caught.value.fix.command == "gcloud auth application-default login"


def test_credentials_without_id_tokens() -> None:
    clients = Clients(Settings(), AnonymousCredentials())
    with pytest.raises(SignInError, match="give no ID tokens") as caught:
        id_tokens.of(clients).token(URL)
    assert "AnonymousCredentials" in caught.value.cause


def test_tokens_belong_to_their_clients() -> None:
    clients = user(token(3600))
    assert id_tokens.of(clients) is id_tokens.of(clients)


@pytest.mark.parametrize("text", ["", "a.b.c", "e30.e30.x", "one"])
def test_what_is_no_token_has_expired(text: str) -> None:
    assert id_tokens.expiry_of(text) == 0
