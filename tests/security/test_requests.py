"""Requests that no browser sends: an answer or an end, never a failure of the server."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from llm_widgets.server.page_files import PageFiles
from tests.e2e.iap_proxy import AUDIENCE, HEADER, KEYS, running_proxy
from tests.e2e.running import running_server
from tests.security.visiting import NO_KERNEL, Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.running import Server

pytestmark = pytest.mark.e2e

SCRIPT = f"/{PageFiles().folder}page.js"
FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"
MULTIPART = "Content-Type: multipart/form-data; boundary=x"
END = "Connection: close"
UPGRADE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
]

NO_HTTP = [
    *(b"", b"\r\n" * 3, b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\r\nHost: x\r\n\r\n"),
    *(bytes(500), bytes(range(256)) * 8 + b"\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    bytes.fromhex("1603010200010001fc0303") + b"\xff" * 200 + b"\r\n\r\n",
]
HOSTS = [
    *("", "[", "[::1", "]:1", ":", ":80", "127.0.0.1:99999999999", "127.0.0.1:x", "a b", "//"),
    *("127.0.0.1@evil", "me:pw@127.0.0.1", "127.0.0.1, evil", "localhost%00", "ä", "a" * 5000),
]
PATHS = [
    *("*", "http://evil/", "http://[::1", "//evil/x", "/%", "/%zz", "/\\", "/a\tb", "?", "/;x"),
    *("/x?%ff", "/x?token=%ED%A0%80", "/x?" + "a=1&" * 9000, "/x?\x80\xff", "/" + "%2e" * 2000),
    *(f"/{SCRIPT}", f"{SCRIPT}%00", f"{SCRIPT}/", "/files/0000000000000000/page.js"),
    *(f"/api/kernels/{NO_KERNEL}%0a", f"/api/kernels/{NO_KERNEL}/", "/" + "a" * 200_000),
]
METHODS = ["get", "G\0T", "HEAD", "ä", "A" * 5000, "OPTIONS", "CONNECT", "DELETE", "PUT", "POST"]
COOKIES = [
    *("", "=", ";", "\0", '"="', 'a="\\', 'a="\\999"', "; " * 9000, "a=b; " * 5000),
    *("_xsrf-llm-widgets", "_xsrf-llm-widgets=" + "9" * 9000 + "|a", "a=" + "b" * 60_000),
    *(f"_xsrf-llm-widgets=2|{each}" for each in ("", "zz|zz|zz", "00|00|" + "9" * 5000)),
    *("_xsrf-llm-widgets=\xff\xfe", 'llm-widgets-1="2|1:0|"'),
]
FIELDS = [
    *("no colon", ": v", "X : a", "X: a\0b", "X: a\r\n b", "X\xff: \xfe", "X: " + "y" * 200_000),
    *(f"{name}: {value}" for name, value in product(
        [
            *("Accept-Encoding", "Authorization", "Origin", "Range", "If-None-Match", "Referer"),
            *("If-Modified-Since", "Sec-Fetch-Site", "Sec-Purpose", "X-Forwarded-Proto"),
            *("X-Cloud-Trace-Context", "User-Agent", "Content-Type", "Expect", "Forwarded"),
        ],
        ["\xff\xfe", "," * 5000, "http://[", "bytes=-1,9999999999999999999-", "Bearer ä", 'W/"'],
    )),
]  # fmt: skip
BODIES: list[tuple[list[str], bytes]] = [
    *(([f"Content-Length: {length}"], b"x") for length in (
        "-1", "x", "+1", "1_0", "1, 2", "²", "9" * 30, "9" * 6000
    )),
    (["Content-Length: 1", "Content-Length: 2"], b"xx"),
    (["Content-Length: 200000"], b"x" * 200_000),
    *(([CHUNKED], body) for body in (
        b"zz\r\nabc\r\n", b"-5\r\nabc\r\n0\r\n\r\n", b"0x3\r\nabc\r\n0\r\n\r\n",
        b"1" * 70_000 + b"\r\n",
        b"f" * 16 + b"\r\nabc", b"3\r\nabc\r\n0\r\nX: y\r\n\r\n",
        (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 40 + b"0\r\n\r\n",
    )),
    ([CHUNKED, "Content-Length: 5"], b"0\r\n\r\n"),
    (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n"),
    (["Content-Encoding: gzip", FORM, "Content-Length: 3"], b"abc"),
    *(([kind, f"Content-Length: {len(body)}"], body) for kind, body in (
        ("Content-Type: multipart/form-data", b"abc"),
        ("Content-Type: multipart/form-data; boundary=", b"abc"),
        (MULTIPART, b"--x\r\n" * 12_000),
        (MULTIPART, b"--x\r\nContent-Disposition: form-data; name*=utf-8''%ff\r\n\r\nx\r\n--x--"),
        (FORM, b"_xsrf=\xff\xfe"),
        (FORM, b"_xsrf=%ff%fe"),
        (FORM, b"a=b&" * 15_000),
    )),
    (["X-XSRFToken: 2|zz|zz|1", "Content-Length: 0"], b""),
    (["X-XSRFToken: " + "9" * 6000 + "|", "Content-Length: 0"], b""),
]  # fmt: skip
UPGRADES = [
    [],
    *(UPGRADE[:index] + UPGRADE[index + 1 :] for index in range(4)),
    *([*UPGRADE[:2], f"Sec-WebSocket-Version: {each}", UPGRADE[3]] for each in ("99", "\xff")),
    *([*UPGRADE[:3], f"Sec-WebSocket-Key: {each}"] for each in ("", "\xff", "A" * 30_000)),
    *([*UPGRADE, f"Sec-WebSocket-Protocol: {each}"] for each in (
        "", ",,,", "\xff\xfe", ",".join(map(str, range(5000)))
    )),
    *([*UPGRADE, f"Sec-WebSocket-Extensions: {each}"] for each in (
        *(f"permessage-deflate; {name}_max_window_bits={bits}" for name in ("server", "client")
          for bits in ("abc", "0", "8", "100000", '"', "9" * 6000)),
        "permessage-deflate; server_max_window_bits", "permessage-deflate; foo=bar", ";;;,",
        "permessage-deflate; x*=utf-8''%ff; x*0*=%", "permessage-deflate, " * 2000, "\xff",
    )),
    [*UPGRADE, "X-Cloud-Trace-Context: \xff" + "a" * 5000],
]  # fmt: skip


class Visit:
    """A page that is open, and requests of its browser and of one without a right."""

    def __init__(self, server: Server, known: list[str]) -> None:
        self.server = server
        self.browser = Browser(server.url)
        self.stranger = Browser(server.url)
        headers = dict(each.replace("-", "_", 4).split(": ") for each in known)
        self.kernel = (self.browser.ask("/", **headers) if known else self.browser.come_in()).kernel
        assert self.kernel
        self.known = [*known, f"Cookie: {self.browser.cookie}"]

    @property
    def host(self) -> str:
        """The field that names the server."""
        return f"Host: {self.browser.host}"

    def try_out(self, line: str, *fields: str, body: bytes = b"", closes: bool = False) -> None:
        """Send a request as the page's own browser, and as a stranger."""
        own = self.browser.send(line, self.host, *self.known, *fields, body=body, closes=closes)
        other = self.stranger.send(line, self.host, *fields, body=body, closes=closes)
        for answer in (own, other):
            check(answer)
        assert not re.match(rb"HTTP/1.1 (2|101)", other), line[:100]


def check(answer: bytes) -> None:
    assert not re.match(rb"HTTP/1.1 5", answer), answer[:200]
    assert b"Traceback" not in answer


@pytest.fixture(scope="module", params=["token", "proxy"])
def visit(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visit]:
    """Open the small page with a token, and behind Identity-Aware Proxy."""
    with running_proxy() as proxy:
        behind = {"iap_audience": AUDIENCE, "iap_certs_url": proxy.url + KEYS}
        options = {"token": None} if request.param == "token" else behind
        folder = tmp_path_factory.mktemp("requests")
        with running_server(folder, "small.ipynb", warm_kernels=0, **options) as server:
            vouched = [] if request.param == "token" else [f"{HEADER}: {proxy.assertion()}"]
            yield Visit(server, vouched)
        log = server.log.read_text()
        assert "Traceback" not in log
        assert " 500 " not in log
        token = urlsplit(server.url).query.removeprefix("token=")
        assert not token or token not in log


def test_what_is_no_http(visit: Visit) -> None:
    for sent in NO_HTTP:
        check(visit.stranger.send(sent, closes=True))


def test_what_follows_on_a_connection_that_stays(visit: Visit) -> None:
    first = [f"GET /{SCRIPT.lstrip('/')} HTTP/1.1", visit.host, *visit.known]
    bodies = [
        "\r\n".join(["POST /x HTTP/1.1", visit.host, *each]).encode() for each, _ in BODIES[:9]
    ]
    lines = [f"GET {path} HTTP/1.1\r\n{visit.host}\r\n\r\n".encode() for path in PATHS[:6]]
    for second in (*NO_HTTP, *bodies, *lines, b"\0" * 100, b"\r\n" * 100, b"GET "):
        body = second + b"\r\n\r\n"
        answer = visit.browser.send(*first, body=body, closes=True)
        assert not re.search(rb"HTTP/1.1 5", answer), second[:100]
        assert b"Traceback" not in answer


def test_hosts_that_are_none(visit: Visit) -> None:
    for host, origin in product(HOSTS, ([], ["Origin: http://["], ["Origin: null"])):
        line = f"GET /api/kernels/{visit.kernel} HTTP/1.1"
        answer = visit.browser.send(line, f"Host: {host}", *visit.known, *origin, END)
        check(answer)
        assert origin == [] or not answer.startswith(b"HTTP/1.1 2"), host[:100]
        assert "evil" not in host or not answer.startswith(b"HTTP/1.1 2"), host


def test_paths_that_are_none(visit: Visit) -> None:
    for path in PATHS:
        visit.try_out(f"GET {path} HTTP/1.1", END)


def test_methods_that_are_none(visit: Visit) -> None:
    for method, path in product(METHODS, ("/x", SCRIPT, f"/api/kernels/{NO_KERNEL}")):
        visit.try_out(f"{method} {path} HTTP/1.1", END)


def test_cookies_and_fields_that_are_none(visit: Visit) -> None:
    for field, path in product(
        [*FIELDS, *(f"Cookie: {each}" for each in COOKIES)],
        (SCRIPT, f"/api/kernels/{visit.kernel}"),
    ):
        visit.try_out(f"GET {path} HTTP/1.1", field, END)


def test_bodies_that_are_none(visit: Visit) -> None:
    for fields, body in BODIES:
        line = f"POST /voila/api/shutdown/{NO_KERNEL} HTTP/1.1"
        visit.try_out(line, *fields, END, body=body, closes=True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_websockets_that_are_none(visit: Visit, method: str) -> None:
    """Each is ended at once, too: one may go before its kernel is joined."""
    for fields in UPGRADES:
        line = f"{method} /api/kernels/{visit.kernel}/channels HTTP/1.1"
        visit.try_out(line, *fields, closes=True)


def test_tab_that_is_closed_while_its_page_is_made(visit: Visit) -> None:
    ended: set[str] = set()

    def close(so_far: bytes) -> None:
        for kernel in set(re.findall(r'"kernelId": "([0-9a-f-]{36})"', so_far.decode())) - ended:
            ended.add(kernel)
            form = f"_xsrf={visit.browser.cookies['_xsrf-llm-widgets']}"
            line = f"POST /voila/api/shutdown/{kernel} HTTP/1.1"
            fields = [visit.host, *visit.known, FORM, f"Content-Length: {len(form)}", END]
            answer = visit.browser.send(line, *fields, body=form.encode())
            assert answer.startswith(b"HTTP/1.1 204")

    page = visit.browser.send("GET / HTTP/1.1", visit.host, *visit.known, END, seen=close)
    assert b"</html>" in page
    assert b"could not be started" not in page
    for kernel, status in ((*ended, b"404"), (visit.kernel, b"200")):
        line = f"GET /api/kernels/{kernel} HTTP/1.1"
        assert visit.browser.send(line, visit.host, *visit.known, END)[9:12] == status


def test_nothing_is_there_for_a_stranger(visit: Visit) -> None:
    for path in ("/", SCRIPT, f"/api/kernels/{visit.kernel}"):
        answer = visit.stranger.send(f"GET {path} HTTP/1.1", visit.host, END)
        assert answer.startswith(b"HTTP/1.1 403")
        assert b"page.js" not in answer
