"""Assertions of Identity-Aware Proxy: forged ones, an inexact clock, keys that change."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import http.server
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.server.iap import PublicKeys, key_of, verify_assertion
from tests.e2e.iap_proxy import AUDIENCE, KEYS, Proxy, running_proxy
from tests.e2e.running import running_server
from tests.security.test_exchanges import MIB, drip, endless, head, redirect, serving
from tests.security.visiting import NO_KERNEL, Browser, in_a_thread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

EMAIL = "ada@example.com"


def part(value: Any) -> str:
    """Return a part of a token."""
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def hs256(header: dict[str, Any], claims: dict[str, Any], secret: str) -> str:
    """Return a token that is signed with a public key as if it were a shared secret."""
    signed = f"{part(header)}.{part(claims)}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def forged(proxy: Proxy) -> dict[str, str]:
    """Return assertions that are none."""
    now = int(time.time())
    claims = {
        "iss": "https://cloud.google.com/iap",
        "aud": AUDIENCE,
        "email": EMAIL,
        "iat": now,
        "exp": now + 600,
    }
    good = proxy.assertion()
    header, payload, signature = good.split(".")
    stranger = Proxy().assertion()
    public = proxy.keys["k1"]
    deep = "[" * 3000 + "]" * 3000
    return {
        "empty": "",
        "word": "x",
        "three words": "a.b.c",
        "dots": "..",
        "many dots": "." * 5000,
        "long": "a" * 60_000,
        "not ASCII": "ä.ö.ü",
        "no signature": f"{header}.{payload}.",
        "short signature": f"{header}.{payload}.{signature[:10]}",
        "signature of zeros": f"{header}.{payload}.{'A' * 86}",
        "padding": f"{header}=.{payload}=.{signature}=",
        "alg none": f"{part({'alg': 'none', 'kid': 'k1'})}.{payload}.",
        "alg None": f"{part({'alg': 'None', 'kid': 'k1'})}.{payload}.{signature}",
        "alg missing": f"{part({'kid': 'k1'})}.{payload}.{signature}",
        "alg a list": f"{part({'alg': ['ES256'], 'kid': 'k1'})}.{payload}.{signature}",
        "alg RS256": f"{part({'alg': 'RS256', 'kid': 'k1'})}.{payload}.{signature}",
        "alg HS256": hs256({"alg": "HS256", "kid": "k1"}, claims, public),
        "alg ES256, HMAC": hs256({"alg": "ES256", "kid": "k1"}, claims, public),
        "kid missing": f"{part({'alg': 'ES256'})}.{payload}.{signature}",
        "kid a number": f"{part({'alg': 'ES256', 'kid': 1})}.{payload}.{signature}",
        "kid a path": f"{part({'alg': 'ES256', 'kid': '../k1'})}.{payload}.{signature}",
        "kid long": f"{part({'alg': 'ES256', 'kid': 'k' * 9000})}.{payload}.{signature}",
        "header a list": f"{part([])}.{payload}.{signature}",
        "header deep": f"{part(deep)}.{payload}.{signature}",
        "payload a list": f"{header}.{part([])}.{signature}",
        "payload deep": f"{header}.{part(deep)}.{signature}",
        "other payload": f"{header}.{part({**claims, 'email': 'eve@example.com'})}.{signature}",
        "stranger": stranger,
        "stranger's signature": f"{header}.{payload}.{stranger.split('.')[2]}",
        "twice": f"{good}, {good}",
        "Bearer": f"Bearer {good}",
        "audience": proxy.assertion(aud="/projects/2/locations/europe-west1/services/manager"),
        "audience in a list": proxy.assertion(aud=[AUDIENCE]),
        "audience longer": proxy.assertion(aud=AUDIENCE + "2"),
        "no audience": proxy.assertion(aud=None),
        "issuer": proxy.assertion(iss="https://accounts.google.com"),
        "issuer missing": proxy.assertion(iss=None),
        "ended": proxy.assertion(iat=now - 700, exp=now - 100),
        "not yet": proxy.assertion(iat=now + 100, exp=now + 700),
        "times as text": proxy.assertion(iat="now", exp="later"),
        "times missing": proxy.assertion(iat=None, exp=None),
        "endless": proxy.assertion(exp=float("inf"), iat=float("inf")),
        "no number": proxy.assertion(exp=float("nan"), iat=now + 9000),
        "e-mail missing": proxy.assertion(email=None),
        "e-mail a list": proxy.assertion(email=[EMAIL]),
        "e-mail with a line": proxy.assertion(email="ada@example.com\nroot"),
        "e-mail long": proxy.assertion(email="a" * 1000),
    }


def test_forged_assertions() -> None:
    proxy = Proxy()
    assert verify_assertion(proxy.assertion(), AUDIENCE, proxy.keys) == EMAIL
    let_in = {
        name for name, each in forged(proxy).items() if verify_assertion(each, AUDIENCE, proxy.keys)
    }
    assert not let_in
    assert verify_assertion(proxy.assertion(), "", proxy.keys) is None


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"iat": 10}, True),
        ({"iat": 60}, False),
        ({"iat": -600, "exp": -10}, True),
        ({"iat": -600, "exp": -60}, False),
    ],
)
def test_clock_may_be_half_a_minute_off(changes: dict[str, int], *, fits: bool) -> None:
    proxy, now = Proxy(), int(time.time())
    claims = {name: now + seconds for name, seconds in changes.items()}
    verified = verify_assertion(proxy.assertion(**claims), AUDIENCE, proxy.keys)
    assert verified == (EMAIL if fits else None)


class Published:
    """Keys that a server publishes, and how often they were fetched."""

    def __init__(self) -> None:
        self.body = b"{}"
        self.fetched = 0
        self.hold = threading.Event()
        self.hold.set()


@contextmanager
def publishing() -> Iterator[tuple[PublicKeys, Published]]:
    """Publish keys, and read them without waiting a minute between two tries."""
    published = Published()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.fetched += 1
            published.hold.wait(60)
            self.send_response(200 if published.body else 500)
            self.send_header("Content-Length", str(len(published.body)))
            self.end_headers()
            self.wfile.write(published.body)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield PublicKeys(f"http://127.0.0.1:{server.server_port}/"), published
    finally:
        published.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()


class TestKeys:
    def test_new_key_is_taken_at_once(self) -> None:
        async def use(keys: PublicKeys, published: Published) -> None:
            keys.again_seconds = 0.0
            published.body = b'{"k0": "old"}'
            assert await keys.get("k0") == ("old", "")
            published.body = b'{"k1": "new"}'
            assert await keys.get("k1") == ("new", "")
            assert published.fetched == 2

        with publishing() as made:
            in_a_thread(use(*made))

    def test_key_of_just_after_the_first_fetch_is_taken_at_once(self) -> None:
        async def use(keys: PublicKeys, published: Published) -> None:
            published.body = b'{"k0": "old"}'
            assert await keys.get("k0") == ("old", "")
            published.body = b'{"k1": "new"}'
            assert await keys.get("k1") == ("new", "")
            assert (await keys.get("k0"))[0] is None

        with publishing() as made:
            in_a_thread(use(*made))

    def test_unknown_keys_are_asked_for_once_a_minute(self) -> None:
        async def use(keys: PublicKeys, published: Published) -> None:
            published.body = b'{"k0": "old"}'
            await keys.get("k0")
            for number in range(50):
                assert (await keys.get(f"x{number}"))[0] is None
            assert published.fetched == 2

        with publishing() as made:
            in_a_thread(use(*made))

    def test_keys_that_are_never_there_are_asked_for_at_intervals(self) -> None:
        async def use(keys: PublicKeys, published: Published) -> None:
            published.body = b""
            for number in range(50):
                assert (await keys.get(f"x{number}"))[0] is None
            assert published.fetched == 1

        with publishing() as made:
            in_a_thread(use(*made))

    @pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"k": 1}', b"[" * 99999, b"a" * 2000000])
    def test_old_keys_stay_when_it_fails(self, body: bytes) -> None:
        async def use(keys: PublicKeys, published: Published) -> None:
            keys.again_seconds = keys.keep_seconds = 0.0
            published.body = b'{"k0": "old"}'
            assert await keys.get("k0") == ("old", "")
            published.body = body
            key, problem = await keys.get("k1")
            assert key is None
            assert problem
            assert (await keys.get("k0"))[0] == "old"

        with publishing() as made:
            in_a_thread(use(*made))

    def test_nobody_waits_whose_key_is_known(self) -> None:
        async def use(keys: PublicKeys, published: Published) -> None:
            keys.again_seconds = keys.keep_seconds = 0.0
            published.body = b'{"k0": "old"}'
            await keys.get("k0")
            published.hold.clear()
            waiting = [asyncio.create_task(keys.get("k1")) for _ in range(20)]
            assert await asyncio.wait_for(keys.get("k0"), 5) == ("old", "")
            assert not any(each.done() for each in waiting)
            published.hold.set()
            await asyncio.gather(*waiting)
            assert published.fetched == 2  # all of them by one

        with publishing() as made:
            in_a_thread(use(*made))

    @pytest.mark.parametrize(
        "answer",
        [
            endless(head()),
            drip(head()),
            drip(b"HTTP/1.1 200 OK\r\nX: "),
            redirect("http://169.254.169.254/keys"),
            [head(Content_Encoding="gzip"), gzip.compress(bytes(64 * MIB), 1)],
        ],
        ids=["endless", "drip", "head", "redirect", "bomb"],
    )
    def test_keys_of_a_server_that_means_harm(self, answer: Iterable[bytes | float]) -> None:
        async def use(keys: PublicKeys) -> None:
            keys.timeout_seconds = 1.0
            key, problem = await asyncio.wait_for(keys.get("k0"), 30)
            assert key is None
            assert problem

        with serving(answer) as server:
            in_a_thread(use(PublicKeys(server.url)))
            assert server.sent < 32 * MIB


@pytest.mark.e2e
def test_page_behind_the_proxy(tmp_path: Path) -> None:
    with running_proxy() as proxy:
        iap = {"iap_audience": AUDIENCE, "iap_certs_url": proxy.url + KEYS}
        with running_server(tmp_path, "small.ipynb", warm_kernels=0, **iap) as server:
            assert "token" not in server.url
            header = "X_Goog_IAP_JWT_Assertion"
            for name, each in forged(proxy).items():
                if each.isascii() and len(each) < 20_000 and "\n" not in each:
                    assert Browser(server.url).ask("/", **{header: each}).status == 403, name
            email = {"X_Goog_Authenticated_User_Email": f"accounts.google.com:{EMAIL}"}
            for path in (
                "/",
                "/voila/static/voila.js",
                f"/api/kernels/{NO_KERNEL}",
                f"/api/kernels/{NO_KERNEL}/channels",
                f"/voila/query/{NO_KERNEL}",
            ):
                assert Browser(server.url).ask(path, **email).status == 403
                known = {header: proxy.assertion()}
                assert Browser(server.url).ask(path, **known).status in {200, 404}
            ada, eve = Browser(server.url), Browser(server.url)
            kernel = ada.ask("/", **{header: proxy.assertion()}).kernel
            eve.cookies = dict(ada.cookies)  # the browser's cookie alone is not the person
            assert eve.knock(kernel, **{header: proxy.assertion(email="eve@example.com")}) == 403
            assert ada.knock(kernel, **{header: proxy.assertion()}) == 101
        assert "Traceback" not in (log := server.log.read_text()), log


def test_no_key_is_looked_for_where_there_is_none() -> None:
    assert key_of(Proxy().assertion()) == "k1"
    for each in ("", "..", "a.b", part({"alg": "ES256", "kid": "k1"})):
        assert key_of(each) is None
