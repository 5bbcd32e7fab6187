"""The page behind Identity-Aware Proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.fetching import fetch
from tests.e2e.iap_proxy import AUDIENCE, KEYS, running_proxy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

SMALL = "small.ipynb"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Version": "13",
    "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def test_only_the_proxys_visitors_are_let_in(page: Page, tmp_path: Path, serving: Any) -> None:
    with running_proxy() as proxy:
        iap = {"iap_audience": AUDIENCE, "iap_certs_url": proxy.url + KEYS}
        with serving(tmp_path, SMALL, warm_kernels=0, **iap) as server:
            status, _, body = fetch(server.url)
            assert status == 403
            assert b"You may not see this page." in body
            assert fetch(server.url, X_Goog_IAP_JWT_Assertion="forged.by.me")[0] == 403
            channels = "api/kernels/00000000-0000-0000-0000-000000000000/channels"
            assert fetch(server.url + channels, **UPGRADE)[0] == 403
            assert not server.kernels()
            assert fetch(server.url + "healthz")[0] == 200
            proxy.server = urlsplit(server.url).port or 0
            page.goto(proxy.url)
            expect(page.get_by_text("somebody")).to_be_visible()
        assert "Traceback" not in server.log.read_text()
