"""Lists of hubs that mean harm: what is asked next is a name, and asking ends."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.found_models import Search
from llm_widgets.domain.tables import Listing
from llm_widgets.errors import ManagerError
from llm_widgets.hubs import http
from llm_widgets.hubs.huggingface import listing
from llm_widgets.hubs.ollama import suggestions
from llm_widgets.manager.model_search import FoundFit
from tests.security.test_exchanges import head, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.test_exchanges import Server

ODD = [
    "../../admin",
    "a/../../x",
    "a?b=c",
    "a#b",
    "a b",
    "a\r\nX: y",
    "@1.1.1.1/x",
    "",
    "é/x",
    "a" * 300,
]


def answer(value: object, **fields: str) -> list[bytes | float]:
    body = json.dumps(value).encode()
    return [head(Content_Length=str(len(body)), **fields), body]


def asked(server: Server) -> list[str]:
    return [each.split(" ")[1] for each in server.heads]


def test_what_a_catalogue_names_is_a_name_before_it_is_an_address() -> None:
    answers = (
        answer({"repositories": [*ODD, "library/good"]}),
        answer({"tags": [*ODD, "1b"]}),
        answer({}),
    )
    with serving(*answers) as server, pytest.raises(ManagerError):
        suggestions.find("", registry=server.url)
    assert asked(server) == [
        "/v2/_catalog",
        "/v2/library/good/tags/list",
        "/v2/library/good/manifests/1b",
    ]


def test_a_catalogue_without_an_end_is_not_asked_to_it() -> None:
    named = [f"library/m{each}" for each in range(10_000)]
    tags = itertools.repeat(answer({"tags": []}), 500)
    with serving(answer({"repositories": named}), *tags) as server:
        assert suggestions.find("m", registry=server.url) == ()
    assert len(server.heads) <= 101


def test_pages_of_a_list_have_their_time_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SECONDS", 2.0)
    where = [""]  # known once it listens

    def page() -> Iterator[bytes | float]:
        yield 1.0
        yield from answer([{"id": "a/b"}], Link=f'<{where[0]}/api/models?x>; rel="next"')

    with serving(*(page() for _ in range(10))) as server:
        where[0] = server.url
        with pytest.raises(ManagerError):
            listing.search(Search(limit=200), source="h", endpoint=server.url, format_="gguf")
        assert 1 < len(server.heads) <= 4


@pytest.mark.parametrize("host", ["a" * 300 + ".com", "a..b", ".", "xn--", "a%00b"])
def test_a_redirect_to_a_host_that_is_none_is_one_sentence(host: str) -> None:
    answer = [head("302 Found", Location=f"http://{host}/", Content_Length="0")]
    with serving(answer) as server, pytest.raises(ManagerError):
        http.get(http.session(), server.url, limit=1000)


def test_a_model_of_no_time_spoils_no_list() -> None:
    times = ["0001-01-01T00:00:00+23:59", "2020-01-01T00:00:00", "9999-12-31T23:59:59-23:59"]
    listed = [{"id": f"a/b{at}", "lastModified": each} for at, each in enumerate(times)]
    found = listing.models_of(json.dumps(listed).encode(), source="h", format_="gguf")
    shown = Listing([FoundFit(each) for each in found], ("id", "changed"))
    for text in (str(shown), shown._repr_html_(), *map(str, shown)):
        assert text
    assert [row[0] for row in shown.table()] == ["id", "a/b0", "a/b1", "a/b2"]
