"""A page behind a proxy: below a path of its own, and under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.e2e.running import Server, running_server
from tests.security.conftest import SMALL
from tests.security.visiting import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

BASE = "/user/ada%40example.com/page/"
TOKEN = "shown-by-the-proxy"
BEARER = f"token {TOKEN}"
HOST = "hub.example.com"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the small page below a path, under any name."""
    options = {"warm_kernels": 0, "token": TOKEN, "base_url": BASE, "allowed_hosts": ["*"]}
    with running_server(tmp_path_factory.mktemp("proxied"), SMALL, **options) as server:
        assert server.url, server.log.read_text()
        yield server
    assert "Traceback" not in (log := server.log.read_text()), log


def test_the_address_that_is_told_has_the_path(proxied: Server) -> None:
    assert urlsplit(proxied.url).path == BASE


def test_cookies_are_for_this_path(proxied: Server) -> None:
    answer = Browser(proxied.url).ask(f"{BASE}?token={TOKEN}")
    cookies = answer.headers.get_all("Set-Cookie", [])
    assert len(cookies) == 2
    assert all(f"Path={BASE}" in each for each in cookies)
    # A page of Jupyter's below the same name has cookies of these names.
    assert not any(each.startswith("_xsrf=") for each in cookies)
    assert answer.headers["Location"] == BASE


def test_a_visit_by_the_proxy(proxied: Server) -> None:
    browser = Browser(proxied.url)
    shown = {"Host": HOST, "Authorization": BEARER}
    page = browser.ask(BASE, **shown)
    assert page.kernel
    assert f'"{BASE}files/' in page.body
    assert browser.ask(f"{BASE}api/kernels/{page.kernel}", **shown).status == 200
    assert browser.ask(f"/api/kernels/{page.kernel}", **shown).status == 404
    # Jupyter's own cookie of the same host does not count.
    form = f"_xsrf={browser.cookies['_xsrf-llm-widgets']}"
    browser.cookies["_xsrf"] = "2|another"
    leave = f"{BASE}voila/api/shutdown/{page.kernel}"
    answer = browser.ask(
        leave, "POST", form, Content_Type="application/x-www-form-urlencoded", **shown
    )
    assert answer.status == 204


@pytest.mark.parametrize("host", [HOST, "127.0.0.1"])
@pytest.mark.parametrize("bearer", ["", "token x", "Bearer"])
def test_no_name_is_a_way_past_the_token(proxied: Server, host: str, bearer: str) -> None:
    headers = {"Host": host, **({"Authorization": bearer} if bearer else {})}
    assert Browser(proxied.url).ask(BASE, **headers).status == 403
    foreign = {**headers, "Authorization": BEARER, "Origin": "http://evil.example"}
    assert Browser(proxied.url).ask(BASE, **foreign).status == 403


def test_the_server_itself_leads_to_the_page(proxied: Server) -> None:
    browser = Browser(proxied.url)
    assert browser.ask("/").headers["Location"] == BASE
    assert browser.ask("/?token=a&b=//c").headers["Location"] == f"{BASE}?token=a&b=//c"
    assert browser.ask(BASE[:-1]).headers["Location"] == BASE
    assert browser.ask("/healthz").body == browser.ask(f"{BASE}healthz").body == "ok"
    for path in ("//evil.example/", "/user/", "/user/ada%40example.com/pages/"):
        assert browser.ask(path).status == 404
