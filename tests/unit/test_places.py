"""Addresses of places: what is written is read again, and what comes from outside is checked."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.page import places
from llm_widgets.page.places import SECTIONS, Place, View, parse
from llm_widgets.page.services import service_page

NAME = st.text(min_size=1, max_size=60).filter(str.isprintable)


@st.composite
def some_place(draw: st.DrawFn) -> Place:
    view = draw(st.sampled_from(View))
    count = draw(st.sampled_from([n for n in range(4) if view.takes(n)]))
    names = [draw(NAME) for _ in range(count)]
    if view is View.SERVICE and names[2:]:
        names[2] = draw(st.sampled_from(SECTIONS))
    return Place(view, tuple(names))


@given(some_place())
def test_an_address_that_is_written_is_read_again(place: Place) -> None:
    assert parse(place.address) == place or len(place.address) > 2000


def test_an_address_that_is_short_only_as_it_was_typed_is_none() -> None:
    typed = f"#/models/bucket/{'é' * 500}"
    assert len(typed) < 2000 < len(Place(View.MODEL, ("bucket", "é" * 500)).address)
    assert parse(typed) is None


@given(some_place())
def test_an_address_holds_nothing_that_a_browser_would_write_in_another_way(place: Place) -> None:
    assert re.fullmatch(r"#/[\w.~:@%/-]+", place.address, re.ASCII)


@given(st.text(max_size=300))
def test_what_is_no_address_is_refused_or_has_one_form(text: str) -> None:
    for given_text in (text, f"#/{text}", f"#/models/{text}/{text}", f"#/services/a/b/{text}"):
        place = parse(given_text)
        if place is not None:
            assert parse(place.address) == place
            assert all(name.isprintable() and name for name in place.names)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "#",
        "#/",
        "#general",
        "/nowhere",
        "#/general/more",
        "#/models/bucket",
        "#/models/bucket/",
        "#/models//model",
        "#/models/b/m/r/x",
        "#/services/europe-west1",
        "#/services/europe-west1/name/nowhere",
        "#/deploy",
        "#/deploy/bucket",
        "#/import/b/c",
        "#/models/b/%ff",
        "#/models/b/a%00",
        "#/models/b/a%0Ab",
        "#/models/b/%E2%80%AEexe",
        "#/models/b/" + "a" * 2000,
    ],
)
def test_an_address_that_leads_nowhere(address: str) -> None:
    assert parse(address) is None


@pytest.mark.parametrize(
    ("address", "place", "title"),
    [
        ("#/general", places.GENERAL, "General"),
        (
            "#/models/my-bucket/smollm2:135m",
            Place(View.MODEL, ("my-bucket", "smollm2:135m")),
            "smollm2:135m - Models",
        ),
        (
            "#/deploy/my-bucket/Qwen%2FQwen3-0.6B/c1899de",
            Place(View.DEPLOY, ("my-bucket", "Qwen/Qwen3-0.6B", "c1899de")),
            "Qwen/Qwen3-0.6B - Deploy",
        ),
        (
            "#/services/europe-west1/chat/logs",
            places.service("europe-west1", "chat", "logs"),
            "chat - Services",
        ),
        ("#/import", Place(View.IMPORT), "Import"),
    ],
)
def test_an_address_can_be_read_by_a_person(address: str, place: Place, title: str) -> None:
    assert place.address == address
    assert parse(address) == parse(address.removeprefix("#")) == place
    assert place.title == title


def test_every_section_of_a_service_has_an_address() -> None:
    assert {*service_page.SECTION_NAMES, places.EDIT} == {"", *SECTIONS}
