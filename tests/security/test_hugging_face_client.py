"""What Hugging Face's own client asks for us has the limits of every other exchange."""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from huggingface_hub import HfApi, get_session, set_client_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_widgets.errors import HubError, ManagerError, UnavailableError
from llm_widgets.exchanges import limits
from llm_widgets.hubs import http
from llm_widgets.hubs.huggingface import limited_client
from llm_widgets.hubs.huggingface.limited_client import LimitedClient
from llm_widgets.hubs.huggingface.repository import Repository
from tests.security.test_exchanges import (
    MIB,
    authorizations,
    drip,
    endless,
    head,
    redirect,
    serving,
)

if TYPE_CHECKING:
    from pathlib import Path

SHA = "0" * 39 + "1"
MODEL = json.dumps({"id": "acme/llm", "sha": SHA, "siblings": []}).encode()


def model(url: str, token: str = "") -> str:
    return Repository(url, token).model("acme/llm", "main")[0].sha


def quickly() -> requests.Session:
    made = requests.Session()
    limits.secured(made, seconds=1)
    return made


@pytest.mark.parametrize("length", [{}, {"Content_Length": "1"}])
def test_an_answer_is_read(length: dict[str, str]) -> None:
    body = gzip.compress(MODEL)
    length = {name: str(len(body)) for name in length}
    with serving([head(Content_Encoding="gzip", **length), body]) as hub:
        assert model(hub.url, "hf_token") == SHA
        assert authorizations(hub.heads[0]) == ["Bearer hf_token"]


def test_an_endless_body_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_client, "_LARGEST", MIB)
    with serving(endless(head())) as hub:
        with pytest.raises(HubError, match="more than"):
            model(hub.url)
        assert hub.sent < 32 * MIB


def test_a_compressed_body_counts_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_client, "_LARGEST", MIB)
    with (
        serving([head(Content_Encoding="gzip"), gzip.compress(bytes(64 * MIB), 1)]) as hub,
        pytest.raises(HubError, match="more than"),
    ):
        model(hub.url)


@pytest.mark.parametrize("first", [head(), b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP"])
def test_a_slow_drip_ends(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "session", quickly)
    monkeypatch.setattr(
        http.get, "__kwdefaults__", {**(http.get.__kwdefaults__ or {}), "seconds": 1.0}
    )
    started = time.monotonic()
    with serving(drip(first)) as hub, pytest.raises(UnavailableError, match="can't be reached"):
        model(hub.url)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_it_does_not_wait_as_long_as_the_hub_likes(status: str) -> None:
    wait = head(status, Retry_After="86400", RateLimit='"api";r=0;t=86400', Content_Length="0")
    with serving([wait], [wait]) as hub:
        with pytest.raises(UnavailableError):
            model(hub.url)
        assert len(hub.heads) == 1


def test_the_token_stays_with_the_hub_and_netrc_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "netrc"
    path.write_text("default login me password hunter2\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    with serving([head(), MODEL], [head(), MODEL]) as other:
        with serving(redirect(f"{other.url}/a"), redirect(f"{other.url}/b")) as hub:
            assert (model(hub.url, "hf_token"), model(hub.url)) == (SHA, SHA)
            assert [authorizations(each) for each in hub.heads] == [["Bearer hf_token"], []]
        assert [authorizations(each) for each in other.heads] == [[], []]


def test_what_others_ask_by_the_library_goes_its_own_way() -> None:
    """A notebook that downloads by itself is neither limited nor kept from sending."""
    with serving([head(), MODEL], [head(Content_Length="2"), b"{}"]) as hub:
        model(hub.url)
        assert isinstance(get_session(), LimitedClient)
        get_session().put(f"{hub.url}/x", content=b"by a notebook", timeout=30)
        assert hub.heads[1].startswith("PUT /x ")


def test_a_client_that_another_one_replaced_is_put_back() -> None:
    from huggingface_hub.utils._http import (  # noqa: PLC0415 - used here only
        default_client_factory,
    )

    set_client_factory(default_client_factory)
    with serving(redirect("http://169.254.169.254/")) as hub, pytest.raises(HubError):
        model(hub.url)
    assert HfApi().endpoint


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = ["id", "sha", "siblings", "cardData", "gated", "safetensors", "lastModified", "tags"]


@settings(max_examples=60, deadline=None)
@given(body=ANYTHING, part=st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=3))
def test_an_answer_of_any_shape_is_a_model_or_one_sentence(body: Any, part: dict[str, Any]) -> None:
    for said in (body, {**json.loads(MODEL), **part}):
        with serving([head(), json.dumps(said).encode()]) as hub:
            try:
                model(hub.url)
            except ManagerError as error:
                assert error.message.endswith(".")  # noqa: PT017 - not each one is refused


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"{", b'"' * 9])
def test_an_answer_that_is_no_json_is_one_sentence(body: bytes) -> None:
    with serving([head(), body]) as hub, pytest.raises(HubError, match="not one of a model"):
        model(hub.url)


def test_a_page_in_place_of_an_answer_is_told_as_one() -> None:
    told = "something between here and there answered"
    with serving([head(), b"<html>"]) as hub, pytest.raises(UnavailableError, match=told):
        model(hub.url)
