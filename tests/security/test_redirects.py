"""Hubs that redirect to where they have no business: to this machine and the networks it is in."""

from __future__ import annotations

import itertools
import socket
from typing import TYPE_CHECKING

import pytest

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import HubError, ManagerError
from llm_widgets.exchanges import redirects
from llm_widgets.exchanges.redirects import Network, network
from llm_widgets.hubs import http
from llm_widgets.hubs.huggingface.repository import Repository
from llm_widgets.transfer.connections import Connections
from llm_widgets.transfer.options import Options
from llm_widgets.transfer.signed_url import SignedUrl
from tests.security.test_exchanges import redirect, serving

if TYPE_CHECKING:
    from collections.abc import Callable

INTERNET = "1.1.1.1"
MACHINE = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "a.localhost"),
    *("LOCALHOST.", "0.0.0.0", "0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"),
    *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]"),
    *("[2002:7f00:1::]", "\uff11\uff12\uff17.0.0.1", "127。0。0。1", "ⓛocalhost"),
]
LINK = [
    *("169.254.169.254", "[fe80::1]", "[fe80::1%25eth0]", "[::ffff:169.254.169.254]"),
    *("2852039166", "0xa9fea9fe", "metadata.google.internal", "METADATA.google.internal."),
    *("192.0.0.192", "[64:ff9b:1::7f00:1]", "[::a9fe:a9fe]", "[::ffff:0:a9fe:a9fe]"),
    *("metadata", "224.0.0.1", "[ff02::1]", "[64:ff9b::a9fe:a9fe]"),
]
PRIVATE = [
    *("10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fd00::1]", "[::ffff:10.0.0.1]"),
    *("hub.internal", "printer.local", "198.18.0.1", "240.0.0.1", "[64:ff9b::a01:203]"),
]


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:1"])
@pytest.mark.parametrize(
    ("host", "where"),
    [
        (INTERNET, Network.INTERNET),
        ("[2606:4700:4700::1111]", Network.INTERNET),
        *((each, Network.MACHINE) for each in MACHINE),
        *((each, Network.LINK) for each in LINK),
        *((each, Network.PRIVATE) for each in PRIVATE),
    ],
)
def test_an_address_is_known_in_every_spelling(
    host: str, where: Network, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("NO_PROXY", "")
    assert network(f"https://{host}/") == where


def test_a_name_is_where_the_furthest_inside_of_its_addresses_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(0, 0, 0, "", (address, 0)) for address in (INTERNET, "169.254.169.254", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert network("https://two-faced.example/") == Network.LINK


@pytest.mark.parametrize("host", [*MACHINE, *LINK, *PRIVATE])
def test_a_hub_of_the_internet_does_not_lead_inside(host: str) -> None:
    hub = f"https://{INTERNET}/model"
    with pytest.raises(redirects.ForbiddenRedirectError):
        redirects.target(hub, hub, f"https://{host}/x")


@pytest.mark.parametrize(
    ("hub", "target"),
    [
        ("127.0.0.1:8080", "localhost:8081"),
        ("127.0.0.1:8080", "10.0.0.1"),
        ("10.0.0.1", "192.168.0.1"),
        ("10.0.0.1", INTERNET),
    ],
)
def test_a_hub_of_a_private_network_may_redirect_there(hub: str, target: str) -> None:
    ask = f"http://{hub}/model"
    assert redirects.target(ask, ask, f"http://{target}/x") == f"http://{target}/x"


@pytest.mark.parametrize(
    ("hub", "target"),
    [
        ("10.0.0.1", "127.0.0.1"),
        ("10.0.0.1", "169.254.169.254"),
        ("127.0.0.1:8080", "169.254.169.254"),
    ],
)
def test_a_hub_of_a_private_network_leads_no_further_inside(hub: str, target: str) -> None:
    ask = f"http://{hub}/model"
    with pytest.raises(redirects.ForbiddenRedirectError):
        redirects.target(ask, ask, f"http://{target}/x")


def whole(url: str) -> None:
    http.get(http.session(), url, limit=100)


def part(url: str) -> None:
    http.range_reader(http.session(), seconds=30)(url, 0, 10)


def transferred(url: str) -> None:
    SignedUrl(url).resolve(Connections(Options()))


def by_hugging_faces_client(url: str) -> None:
    Repository(url, "hf_token").model("acme/llm", "main")


WAYS = [whole, part, transferred, by_hugging_faces_client]


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/computeMetadata/v1/", "http://[fe80::1]/", "file:///etc/x"]
)
def test_no_way_of_asking_follows_into_the_link(ask: Callable[[str], None], target: str) -> None:
    with serving(redirect("/on"), redirect(target)) as hub:
        with pytest.raises(HubError, match="redirects to where nothing is read from"):
            ask(hub.url)
        assert len(hub.heads) == 2


@pytest.mark.parametrize("ask", WAYS)
def test_no_way_of_asking_goes_round_in_a_circle(ask: Callable[[str], None]) -> None:
    with serving(*itertools.repeat(redirect("/again"), 50)) as hub:
        with pytest.raises(ManagerError, match="redirects in a circle"):
            ask(hub.url)
        assert len(hub.heads) <= redirects.MOST + 1


@pytest.mark.parametrize(("hub_id", "text"), [("huggingface", "acme/llm"), ("ollama", "llm")])
def test_a_circle_is_told_before_an_import(hub_id: str, text: str) -> None:
    with serving(*itertools.repeat(redirect("/again"), 50)) as hub:
        asked = {"HF_ENDPOINT": hub.url, "LLM_WIDGETS_OLLAMA_REGISTRY": hub.url}
        with pytest.raises(HubError, match="redirects in a circle") as caught:
            hubs.inspect(hub_id, text, Settings(variables=asked))
    assert caught.value.fix
    assert "can't be reached" not in str(caught.value)
