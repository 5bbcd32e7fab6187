"""Paths: only those that the page needs, no file beside its own, and a log that stays readable."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from llm_widgets.server.page_files import PageFiles
from tests.e2e.fetching import SCRIPT
from tests.security.visiting import NO_KERNEL, Browser

if TYPE_CHECKING:
    from tests.e2e.running import Server

pytestmark = pytest.mark.e2e

GONE = [
    f"/voila/query/{NO_KERNEL}",
    f"/voila/execution/{NO_KERNEL}",
    "/voila/api/themes/@jupyterlab/theme-light-extension/index.css",
    "/voila/api/contents/",
    "/voila/tree/",
    "/voila/render/small.ipynb",
    "/voila/files/small.py",
    "/voila/static/voila.js",
    "/voila/templates/lab/static/voila.js",
    "/voila/templates/llm_widgets/static/frame.css",
    "/voila/templates/base/static/voila.js",
    "/voila/labextensions/jupyterlab_pygments/static/style.js",
    "/voila/labextensions/anywidget/package.json",
    "/static/components/jquery/jquery.min.js",
    "/login",
    "/logout",
    "/api",
    "/api/kernels",
    "/api/kernelspecs",
    "/api/sessions",
    "/api/contents",
    "/api/terminals",
    "/metrics",
    "/files/small.py",
    "/small.py",
    "/favicon.ico",
]
TRAVERSALS = [
    f"{start}{step}{target}"
    for start in (
        f"/{PageFiles().folder}",
        "/files/",
        "/voila/static/",
        "/",
    )
    for step, target in (
        ("../" * 12, "etc/passwd"),
        ("..%2f" * 12, "etc/passwd"),
        ("%2e%2e/" * 12, "etc/passwd"),
        ("..\\" * 12, "etc/passwd"),
        ("%252e%252e%252f" * 12, "etc/passwd"),
        ("", "/etc/passwd"),
        ("", "%2fetc%2fpasswd"),
        ("a/../../", "small.py"),
        ("....//" * 4, "etc/passwd"),
        ("", "x%00.js"),
        ("", "voila.js%00"),
        ("", "a" * 5000),
        ("", "%ff%fe"),
        ("", "."),
        ("", "..;/"),
    )
]


@pytest.mark.parametrize("path", [*GONE, *TRAVERSALS])
def test_nothing_is_there(unlocked: Server, path: str) -> None:
    answer = Browser(unlocked.url).ask(path)
    assert answer.status in {400, 403, 404}
    assert "root:" not in answer.body
    assert "ConnectionGuard" not in answer.body


@pytest.mark.parametrize("path", ["/", f"/{SCRIPT}", f"/api/kernels/{NO_KERNEL}"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"])
def test_methods_that_the_page_does_not_use(unlocked: Server, method: str, path: str) -> None:
    assert Browser(unlocked.url).ask(path, method).status in {403, 404, 405}


@pytest.mark.parametrize("path", ["/", f"/api/kernels/{NO_KERNEL}", "/api/kernels"])
def test_kernels_are_not_made_on_demand(unlocked: Server, path: str) -> None:
    browser = Browser(unlocked.url)
    before = unlocked.kernels()
    assert browser.ask(path, "POST", '{"name": "python3"}').status in {403, 404, 405}
    assert unlocked.kernels() <= before


def test_body_that_is_too_large(unlocked: Server) -> None:
    browser = Browser(unlocked.url)
    path = f"/voila/api/shutdown/{NO_KERNEL}"
    try:
        status = browser.ask(path, "POST", "a" * (1 << 20)).status
    except ConnectionError:
        status = 0  # refused before all of it was sent
    assert status in {0, 400, 413}
    assert browser.ask("/healthz").status == 200


def test_log_is_a_line_for_each_message(unlocked: Server) -> None:
    browser = Browser(unlocked.url)
    browser.ask("/%0aERROR:root:forged%0d%1b[31m%e2%80%ae%c2%9b")
    browser.ask("/", Host="evil\u202e\u009b31m")
    browser.ask("/", Origin="http://evil\u202e")
    browser.ask("/?" + "a" * 60_000)
    log = unlocked.log.read_bytes().decode("utf-8")
    assert not re.search("^ERROR:root:forged", log, re.MULTILINE)
    assert not [each for each in log if not each.isprintable() and each != "\n"]
    assert max(map(len, log.splitlines())) < 3000
    assert "Traceback" not in log


def test_policy_lets_nothing_in_from_elsewhere(unlocked: Server) -> None:
    browser = Browser(unlocked.url)
    page = browser.come_in()
    for answer in (page, browser.ask("/nothing"), browser.ask(f"/{SCRIPT}")):
        policy = dict(
            part.strip().split(" ", 1)
            for part in (answer.headers["Content-Security-Policy"]).split(";")
        )
        assert policy["connect-src"] == "'self'"
        assert policy["script-src"] == "'self'"
    scripts = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", page.body)
    assert all("json" in kind for kind in scripts)  # data; no script stands in the page
    browser.leave(page.kernel)
