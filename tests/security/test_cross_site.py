"""Pages of other sites: what they make a visitor's browser ask for is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.e2e.fetching import SCRIPT
from tests.security.visiting import Browser

if TYPE_CHECKING:
    from tests.e2e.running import Server

pytestmark = pytest.mark.e2e


def elsewhere(site: str, mode: str, dest: str) -> dict[str, str]:
    """Return the headers of a request that another site's page makes."""
    return {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": dest}


@pytest.mark.parametrize("site", ["cross-site", "same-site", "CROSS-SITE", "unheard-of"])
@pytest.mark.parametrize(
    ("mode", "dest"),
    [
        ("no-cors", "image"),
        ("no-cors", "script"),
        ("no-cors", "empty"),
        ("cors", "empty"),
        ("navigate", "iframe"),
        ("navigate", "object"),
        ("navigate", ""),
        ("", "document"),
    ],
)
def test_what_nobody_clicked_starts_no_kernel(
    unlocked: Server, site: str, mode: str, dest: str
) -> None:
    before = unlocked.kernels()
    answer = Browser(unlocked.url).ask("/", **elsewhere(site, mode, dest))
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers
    assert unlocked.kernels() <= before


def test_sixteen_pictures_start_no_kernel(unlocked: Server) -> None:
    before = unlocked.kernels()
    picture = {
        **elsewhere("cross-site", "no-cors", "image"),
        "Origin": "http://evil.example",
        "Referer": "http://evil.example/",
    }
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda n: Browser(unlocked.url).ask(f"/?{n}", **picture), range(16))
        )
    assert {each.status for each in answers} == {403}
    assert unlocked.kernels() <= before


def test_link_is_opened_once_more_by_the_page_itself(unlocked: Server) -> None:
    before = unlocked.kernels()
    link = elsewhere("cross-site", "navigate", "document")
    answer = Browser(unlocked.url).ask("/", **link)
    assert answer.status == 200
    assert 'http-equiv="refresh"' in answer.body
    assert "Set-Cookie" not in answer.headers
    assert not answer.kernel
    assert unlocked.kernels() <= before
    assert Browser(unlocked.url).ask("/", Sec_Purpose="prefetch", **link).status == 403
    assert Browser(unlocked.url).ask(f"/{SCRIPT}", **link).status == 403


@pytest.mark.parametrize("host", ["own", "localhost"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1.evil.example",
        "http://[",
        "http://user@{host}",
        "//{host}",
        "file://{host}",
        "ä",
        "http://\u202e",
    ],
)
def test_foreign_origins(unlocked: Server, origin: str, host: str) -> None:
    browser = Browser(unlocked.url)
    own = urlsplit(unlocked.url).netloc
    headers = {"Origin": origin.format(host=own), "Host": own if host == "own" else host}
    assert browser.ask("/", **headers).status == 403
    assert browser.ask(f"/{SCRIPT}", **headers).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_websocket_of_a_foreign_page(unlocked: Server, origin: str) -> None:
    owner = Browser(unlocked.url)
    kernel = owner.come_in().kernel
    assert owner.knock(kernel, Origin=origin) == 403
    assert owner.knock(kernel, Origin=f"http://{owner.host}") == 101
    owner.leave(kernel)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "10.0.0.1", "[", "a b", "\u202e", "localhost.", "0"],
)
def test_foreign_hosts(unlocked: Server, host: str) -> None:
    for path in ("/", f"/{SCRIPT}", "/api/kernels/x"):
        assert Browser(unlocked.url).ask(path, Host=host).status in {400, 403}
