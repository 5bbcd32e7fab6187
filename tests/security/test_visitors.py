"""Who is let in: the token, the cookie, and that a kernel is its own visitor's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from llm_widgets.server.page_files import PageFiles
from tests.e2e.fetching import SCRIPT
from tests.security.visiting import NO_KERNEL, Browser

if TYPE_CHECKING:
    from tests.e2e.running import Server

pytestmark = pytest.mark.e2e

FILES = [
    f"/{SCRIPT}",
    f"/{PageFiles().folder}page.css",
    f"/{PageFiles().folder}favicon.svg",
]
CLOSED = ["/", f"/api/kernels/{NO_KERNEL}", f"/api/kernels/{NO_KERNEL}/channels", *FILES]


class TestToken:
    def test_is_printed_and_leads_to_the_page(self, locked: Server) -> None:
        browser = Browser(locked.url)
        parts = urlsplit(locked.url)
        assert len(parts.query.removeprefix("token=")) >= 32
        first = browser.ask(f"/?{parts.query}&theme=light")
        assert (first.status, first.headers["Location"]) == (302, "/?theme=light")
        page = browser.ask("/")
        assert page.kernel
        assert parts.query not in page.body
        assert browser.leave(page.kernel).status == 204

    def test_cookie_is_for_this_page_alone(self, locked: Server) -> None:
        plain, proxied = Browser(locked.url), Browser(locked.url)
        query = urlsplit(locked.url).query
        for browser, headers in ((plain, {}), (proxied, {"X_Forwarded_Proto": "https"})):
            answer = browser.ask(f"/?{query}", **headers)
            cookies = answer.headers.get_all("Set-Cookie", [])
            visitor = next(each for each in cookies if each.startswith("llm-widgets-"))
            assert "HttpOnly" in visitor
            assert len(cookies) == 2
            for each in cookies:
                assert "SameSite=Strict" in each
                assert ("Secure" in each) == bool(headers)

    @pytest.mark.parametrize("path", CLOSED)
    @pytest.mark.parametrize(
        "query", ["", "?token=", "?token=x", "?token=%00", "?token=%C3%A4", "?token=a&token=b"]
    )
    def test_nothing_is_there_without_it(self, locked: Server, path: str, query: str) -> None:
        before = locked.kernels()
        answer = Browser(locked.url).ask(path + query)
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
        assert locked.kernels() <= before

    @pytest.mark.parametrize(
        "cookie",
        [
            "x",
            "2|1:0|10:1796150194|3:abc|4:YWJj|" + "0" * 64,
            '"2|1:0|10:9999999999|17:x|4:YWJj|"',
            "ä",
            "a" * 4000,
        ],
    )
    def test_forged_cookies(self, locked: Server, cookie: str) -> None:
        port = urlsplit(locked.url).port
        browser = Browser(locked.url, {f"llm-widgets-{port}": cookie})
        assert browser.ask("/").status == 403
        assert browser.knock(NO_KERNEL) == 403

    def test_cookie_of_another_server(self, locked: Server, unlocked: Server) -> None:
        stranger = Browser(unlocked.url)
        stranger.leave(stranger.come_in().kernel)
        value = next(v for k, v in stranger.cookies.items() if k.startswith("llm-widgets-"))
        port = urlsplit(locked.url).port
        assert Browser(locked.url, {f"llm-widgets-{port}": value}).ask("/").status == 403

    def test_text_that_is_none(self, locked: Server) -> None:
        assert Browser(locked.url).ask("/?token=%FF%FE").status == 400

    @pytest.mark.parametrize("path", ["/healthz", "/health"])
    def test_health_is_open(self, locked: Server, path: str) -> None:
        assert Browser(locked.url).ask(path).body == "ok"

    def test_files_come_with_the_cookie(self, locked: Server) -> None:
        browser = Browser(locked.url)
        browser.ask(f"/?{urlsplit(locked.url).query}")
        for path in FILES:
            assert browser.ask(path).status == 200

    def test_token_of_a_script(self, locked: Server) -> None:
        token = urlsplit(locked.url).query.removeprefix("token=")
        script = Browser(locked.url)
        assert script.ask(FILES[0], Authorization=f"token {token}").status == 200
        assert script.ask(FILES[0], Authorization=f"Bearer {token}x").status == 403

    def test_is_not_written_into_the_log(self, locked: Server) -> None:
        Browser(locked.url).ask(f"/?{urlsplit(locked.url).query}")
        assert urlsplit(locked.url).query not in locked.log.read_text()


class TestKernelsOfOthers:
    def test_are_not_joined_seen_or_ended(self, locked: Server) -> None:
        owner, other, stranger = Browser(locked.url), Browser(locked.url), Browser(locked.url)
        kernel = owner.come_in().kernel
        own = other.come_in().kernel
        path = f"/api/kernels/{kernel}"
        xsrf = other.cookies["_xsrf-llm-widgets"]
        for each in (other, stranger):
            assert each.knock(kernel) == 403
            assert each.ask(path).status == 403
            assert each.ask(path, "DELETE", X_XSRFToken=xsrf).status == 403
            assert each.leave(kernel).status == 403
        assert owner.ask(path).status == 200
        assert owner.knock(kernel) == 101
        assert owner.leave(kernel).status == 204
        assert owner.leave(kernel).status == 204  # two scripts of the page say it
        assert owner.ask(path).status == 404
        assert owner.knock(kernel) == 404
        assert other.ask(f"/api/kernels/{own}", "DELETE", X_XSRFToken=xsrf).status == 204

    def test_are_not_ended_without_the_pages_own_word(self, unlocked: Server) -> None:
        owner = Browser(unlocked.url)
        kernel = owner.come_in().kernel
        kept = dict(owner.cookies)
        owner.cookies.pop("_xsrf-llm-widgets")
        assert owner.leave(kernel).status == 403
        assert owner.ask(f"/api/kernels/{kernel}", "DELETE").status == 403
        owner.cookies = kept
        assert owner.leave(kernel).status == 204

    @pytest.mark.parametrize("session", ["a" * 300, "a%0Ab", "%1b[31m", "../x"])
    def test_session_that_is_none(self, unlocked: Server, session: str) -> None:
        owner = Browser(unlocked.url)
        kernel = owner.come_in().kernel
        path = f"/api/kernels/{kernel}/channels?session_id={session}"
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec_WebSocket_Version": "13",
            "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        assert owner.ask(path, **upgrade).status == 400
        owner.leave(kernel)
