"""Searches for models: what a hub's list says, the order of several hubs, and what fits."""

from __future__ import annotations

import json
import threading
import warnings
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from llm_widgets.config import Settings
from llm_widgets.domain.found_models import FoundModel, Search
from llm_widgets.errors import HubError, InvalidInputError, UnavailableError
from llm_widgets.hubs import registry
from llm_widgets.hubs.base import Found, Hub, Suggestion
from llm_widgets.hubs.huggingface import listing
from llm_widgets.manager import model_search
from llm_widgets.manager.model_search import PartlyFoundWarning
from llm_widgets.page.models.find_card import FindCard, parameters_text
from llm_widgets.page.models.finding import FindingState
from llm_widgets.page.session import Session
from llm_widgets.widgets.table import DataTable
from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import HubModel

ENDPOINT = "https://huggingface.co"
SETTINGS = Settings()


def read(*entries: object, format_: str = listing.SAFETENSORS) -> list[FoundModel]:
    return listing.models_of(json.dumps(entries).encode(), source="hub", format_=format_)


def counted(counts: dict[str, int], **more: Any) -> FoundModel:
    total = sum(counts.values())
    (found,) = read(
        {"id": "org/name", "safetensors": {"parameters": counts, "total": total}, **more}
    )
    return found


def test_an_entry_of_the_list() -> None:
    (found,) = read(
        {
            "id": "org/name-fp8",
            "gated": "manual",
            "downloads": 12,
            "pipeline_tag": "text-generation",
            "lastModified": "2026-11-01T00:00:00.000Z",
            "tags": ["license:apache-2.0", "base_model:org/name", "base_model:quantized:org/name"],
            "safetensors": {"parameters": {"F8_E4M3": 1000, "BF16": 24}, "total": 1024},
            "config": {"quantization_config": {"quant_method": "fp8"}},
        }
    )
    assert (found.size, found.parameters, found.quantization) == (1048, 1024, "fp8")
    assert (found.license, found.gated, found.downloads) == ("apache-2.0", True, 12)
    assert (found.task, found.base) == ("text-generation", "org/name")
    assert found.changed
    assert found.changed.isoformat() == "2026-11-01T00:00:00+00:00"


def test_what_a_list_leaves_out_is_not_known() -> None:
    (found,) = read({"id": "org/name"})
    assert found == FoundModel("hub", "org/name")


@pytest.mark.parametrize(
    ("counts", "size", "parameters"),
    [
        ({"BF16": 1000}, 2000, 1000),
        ({"F32": 1000, "I64": 5}, 4040, 1000),  # positions of BERT
        ({"I32": 125, "F16": 100}, None, None),  # GPTQ: as stored, or eight times as many?
        ({"U8": 500, "F8_E4M3": 60, "BF16": 10}, None, None),  # NVFP4
        ({"F4": 1000}, None, None),  # a type of tomorrow
        ({}, None, None),
    ],
)
def test_sizes_are_told_where_elements_are_numbers(
    counts: dict[str, int], size: int | None, parameters: int | None
) -> None:
    found = counted(counts)
    assert (found.size, found.parameters) == (size, parameters)


def test_parameters_of_gguf_files_are_their_elements() -> None:
    (found,) = read({"id": "org/g", "gguf": {"total": 999_885_952}}, format_=listing.GGUF)
    assert (found.parameters, found.size) == (999_885_952, None)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "org/name",
        {},
        {"id": 7},
        {"id": "../../etc"},
        {"id": "a" * 201},
        {"id": "org/name\n"},
        {"id": "org/name", "downloads": -1},
        {"id": "org/name", "downloads": 1 << 60},
        {"id": "org/name", "safetensors": {"parameters": {"BF16": -5}}},
        {"id": "org/name", "safetensors": {"parameters": {"BF16": "many"}}},
        {"id": "org/name", "pipeline_tag": "right\u202eto left"},
        {"id": "org/name", "tags": ["license:" + "x" * 1000]},
        {"id": "org/name", "tags": "license:mit"},
        {"id": "org/name", "lastModified": "yesterday"},
    ],
)
def test_an_odd_entry_spoils_no_search(odd: object) -> None:
    assert [each.id for each in read(odd, {"id": "org/good"})] == ["org/good"]


@pytest.mark.parametrize("body", [b"", b"{}", b'"a"', b"[", b"\xff", b"[" * 10_000])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(HubError):
        listing.models_of(body, source="hub", format_=listing.SAFETENSORS)


def test_the_next_page_is_at_the_same_host() -> None:
    here = f"{ENDPOINT}/api/models?cursor=x"
    assert listing.next_page(f'<{here}>; rel="next"', ENDPOINT) == here
    assert listing.next_page("", ENDPOINT) == ""
    assert listing.next_page(f'<{here}>; rel="prev"', ENDPOINT) == ""
    for url in ("https://elsewhere.example/a", "http://huggingface.co/a", "https://[", "/api"):
        with pytest.raises(HubError, match="another host"):
            listing.next_page(f'<{url}>; rel="next"', ENDPOINT)


class Shelf(Hub):
    """A hub with a list in its hand."""

    endpoint = registry.HUBS[0].endpoint
    hosts = frozenset()
    form = registry.HUBS[0].form

    def __init__(self, name: str, *answers: FoundModel | HubError | UnavailableError) -> None:
        self.id = self.label = name
        self.models = [each for each in answers if isinstance(each, FoundModel)]
        self.errors = [each for each in answers if not isinstance(each, FoundModel)]
        self.asked: list[str] = []
        self.held: dict[str, threading.Event] = {}

    def find(self, wanted: Search, settings: Settings, token: str = "") -> Found:
        del settings, token
        self.asked.append(wanted.text)
        if wanted.text in self.held:
            self.held[wanted.text].wait(60)
        if self.errors and not self.models:
            raise self.errors[0]
        found = [each for each in self.models if wanted.text in each.id]
        return Found(tuple(found[: wanted.limit]), tuple(self.errors))

    def inspect(self, text: str, settings: Settings, **more: Any) -> NoReturn:
        del text, settings, more
        raise HubError("No engine loads it.")

    def suggest(self, query: str, settings: Settings) -> tuple[Suggestion, ...]:
        del query, settings
        return ()

    def newest_revision(self, model_id: str, settings: Settings) -> str:
        del settings
        return model_id

    def folder(self, model: HubModel) -> str:
        return model.id

    def page(self, model_id: str, settings: Settings) -> str:
        del settings
        return model_id


def model(source: str, name: str, downloads: int | None = None) -> FoundModel:
    return FoundModel(source, name, downloads=downloads)


def searched(
    monkeypatch: pytest.MonkeyPatch, *shelves: Shelf, limit: int = 20, sort: str = "downloads"
) -> model_search.Answer:
    monkeypatch.setattr(registry, "HUBS", shelves)
    return model_search.search(Search(limit=limit, sort=sort), SETTINGS)


def test_the_most_downloaded_come_first_and_the_untold_are_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a = Shelf("a", model("a", "one", 5), model("a", "two", 50))
    untold = [model("b", f"untold {number}") for number in range(4)]
    b = Shelf("b", *untold, model("b", "three", 7))
    found = searched(monkeypatch, a, b, limit=4)
    assert [each.id for each in found.models] == ["untold 0", "two", "three", "one"]
    assert found.is_more
    everything = searched(monkeypatch, a, b)
    assert len(everything.models) == 7
    assert not everything.is_more


def test_other_orders_are_those_of_each_hub_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Shelf("a", model("a", "1"), model("a", "2")), Shelf("b", model("b", "3"))
    found = searched(monkeypatch, a, b, sort="likes")
    assert [each.id for each in found.models] == ["1", "3", "2"]


def test_a_model_that_is_listed_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = Shelf("a", model("a", "x", 2), model("a", "x", 2)), Shelf("b", model("b", "x", 1))
    found = searched(monkeypatch, a, b)
    assert [(each.source, each.id) for each in found.models] == [("a", "x"), ("b", "x")]


AWAY = UnavailableError("b is away.")


def test_a_hub_that_fails_is_told_beside_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    partly = Shelf("c", model("c", "two"), UnavailableError("Half of c is away."))
    found = searched(monkeypatch, Shelf("a", model("a", "one")), Shelf("b", AWAY), partly)
    assert {each.id for each in found.models} == {"one", "two"}
    assert [each.message for each in found.failed] == ["b is away.", "Half of c is away."]
    with pytest.warns(PartlyFoundWarning) as told:
        model_search.find(fits=False, chosen=SETTINGS)
    assert [str(each.message) for each in told] == ["b is away.", "Half of c is away."]
    with pytest.raises(UnavailableError, match="b is away"):
        searched(monkeypatch, Shelf("b", AWAY), Shelf("c", AWAY))


def test_a_reason_that_two_parts_have_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = searched(monkeypatch, Shelf("a", model("a", "one"), AWAY), Shelf("b", AWAY))
    assert found.failed == (AWAY,)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Search(sort="size"), "sort"),
        (Search(limit=0), "limit"),
        (Search(limit=201), "limit"),
        (Search("x" * 201), "text"),
    ],
)
def test_what_can_not_be_searched_for(wanted: Search, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        model_search.search(wanted, SETTINGS)
    assert refused.value.field == field


def test_a_token_is_for_one_hub() -> None:
    with pytest.raises(InvalidInputError, match="Name the hub"):
        model_search.find("x", token="hf_x", chosen=SETTINGS)


def test_what_one_request_does_not_tell_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "HUBS", (Shelf("a", model("a", "one")),))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (found,) = model_search.find(chosen=SETTINGS)
    assert found.into is None
    assert found.can_look
    assert found.shown()["fits_with_tokens"] == "unknown"
    assert "llm-widgets estimate" in found.shown()["reason"]


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, None), (4, "4"), (135_000_000, "135M"), (8_030_261_248, "8.03B"), (10**12, "1T")],
)
def test_parameters_are_written_as_in_names(count: int | None, text: str | None) -> None:
    assert parameters_text(count) == text


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf("a", *(model("a", f"llama {number:02}", 99 - number) for number in range(45)))
    monkeypatch.setattr(registry, "HUBS", (shelf,))
    return shelf


@pytest.fixture
def session() -> Iterator[Session]:
    made = Session(SETTINGS)
    yield made
    made.close()


def rows(card: FindCard) -> list[dict[str, Any]]:
    (table,) = [each for each in card.box.children[1].children if isinstance(each, DataTable)]
    return list(table.rows)


def test_a_search_is_paged_and_taken_over(shelf: Shelf, session: Session) -> None:
    state = FindingState(session)
    taken: list[tuple[str, str]] = []
    card = FindCard(state, use=lambda source, name: taken.append((source, name)))
    assert shelf.asked == []
    state.typed("ll")
    assert shelf.asked == []  # too short to name anything
    state.typed(" llama ")
    until(lambda: len(state.found) == 20 and not state.looking)
    assert state.is_more
    assert [row["hidden"] for row in rows(card)] == [["siblings"]] * 20
    state.more()
    until(lambda: len(state.found) == 40 and not state.looking)
    state.more()
    until(lambda: len(state.found) == 45 and not state.looking)
    assert not state.is_more
    assert card._form.hints == {"find": "45 models, sorted by downloads."}
    assert shelf.asked == ["llama"] * 3
    (table,) = [each for each in card.box.children[1].children if isinstance(each, DataTable)]
    table._handle_custom_msg({"type": "action", "action": "use", "row": "a llama 07"}, [])
    assert taken == [("a", "llama 07")]
    assert (state.text, state.found) == ("", ())


def test_a_search_that_is_overtaken_is_dropped(shelf: Shelf, session: Session) -> None:
    shelf.held["llama 1"] = threading.Event()
    state = FindingState(session)
    state.typed("llama 1")
    state.typed("llama 2")
    until(lambda: state.found and not state.looking)
    shelf.held["llama 1"].set()
    until(lambda: session.background.under_way == 0)
    assert state.text == "llama 2"
    assert {each.model.id[:7] for each in state.found} == {"llama 2"}
    state.typed("l")
    assert (state.text, state.found) == ("", ())


def test_failures_stand_above_what_was_found(
    monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    shelves = [Shelf("a", model("a", "one")), Shelf("b", AWAY)]
    monkeypatch.setattr(registry, "HUBS", shelves)
    state = FindingState(session)
    card = FindCard(state, use=lambda *_: None)
    state.search("one")
    until(lambda: state.found and not state.looking)
    notice = card.box.children[1].children[0]
    assert (notice.kind, notice.detail) == ("warning", "b is away.")
    assert len(rows(card)) == 1
    assert card._form.hints == {"find": "1 model."}  # whose downloads are not told
    monkeypatch.setattr(registry, "HUBS", shelves[1:])
    state.search("one")
    until(lambda: state.error)
    assert (notice.kind, notice.text, rows(card)) == ("error", "b is away.", [])


@pytest.mark.usefixtures("shelf")
def test_looking_into_files_that_fails_says_why(session: Session) -> None:
    state = FindingState(session)
    card = FindCard(state, use=lambda *_: None)
    state.search("llama 00")
    until(lambda: state.found and not state.looking)
    assert rows(card)[0]["fits"] == {"text": "Not known", "note": ""}
    state.look("a llama 00")
    until(lambda: not state.looking)
    assert rows(card)[0]["fits"] == {"text": "Not known", "note": "No engine loads it."}
    assert rows(card)[0]["hidden"] == ["look", "siblings"]
