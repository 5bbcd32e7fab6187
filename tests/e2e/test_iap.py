"""The page behind Identity-Aware Proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.contract.product import MANAGER, PROJECT, Product, running
from tests.e2e.changes import changes
from tests.e2e.conftest import PATIENCE
from tests.e2e.fetching import fetch
from tests.e2e.iap_proxy import AUDIENCE, KEYS, running_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

APP = "../../../notebooks/app.ipynb"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    yield from running(tmp_path, monkeypatch)


@pytest.mark.usefixtures("product")
def test_only_the_proxys_visitors_are_let_in_and_their_changes_are_theirs(
    page: Page, tmp_path: Path, serving: Any
) -> None:
    account = MANAGER.removeprefix("serviceAccount:")
    with running_proxy() as proxy:
        iap = {"iap_audience": AUDIENCE, "iap_certs_url": proxy.url + KEYS}
        with serving(tmp_path, APP, warm_kernels=0, **iap) as server:
            status, _, body = fetch(server.url)
            assert status == 403
            assert b"You don't have permission to view this page." in body
            assert fetch(server.url, X_Goog_IAP_JWT_Assertion="forged.by.me")[0] == 403
            channels = "api/kernels/00000000-0000-0000-0000-000000000000/channels"
            assert fetch(server.url + channels, **UPGRADE)[0] == 403
            assert not server.kernels()
            assert fetch(server.url + "healthz")[0] == 200
            proxy.server = urlsplit(server.url).port or 0
            page.set_default_timeout(PATIENCE)
            page.goto(proxy.url)
            told = "You are ada@example.com (through Identity-Aware Proxy)"
            expect(page.get_by_text(told)).to_contain_text(f"The manager acts as {account}")
            page.get_by_role("button", name="Confirm").click()
            networking = page.locator(".llm-card").filter(has_text="Networking")
            subnet = networking.get_by_role("row").filter(has_text="us-east4")
            subnet.get_by_role("button", name="Turn on").click()
            expect(subnet).to_contain_text("Private Google Access on")
        log = server.log.read_text()
        (change,) = changes(log)
        assert (change["who"], change["account"]) == ("ada@example.com", account)
        assert (change["what"], change["on"]) == ("project.private_google_access", PROJECT)
        (part,) = change["parts"]
        assert (part["on"], part["result"]) == (f"{PROJECT}: default in us-east4", "done")
        assert change["result"] == "done"
        assert "Traceback" not in log
