"""The page of our own server: what its widgets bring along, and that nothing happens by itself."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets as w
import pytest

from llm_widgets.config import OWN_PAGE_VARIABLE, Settings
from llm_widgets.domain.secret_texts import HELD
from llm_widgets.page.services.tab import COLUMNS_KEPT
from llm_widgets.page.shell import _validated, build
from llm_widgets.widgets._library import Library
from llm_widgets.widgets._own_page import STATES_TYPE, states
from llm_widgets.widgets.address import Address
from llm_widgets.widgets.age import Age
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.layout import page
from llm_widgets.widgets.storage import BrowserStorage
from llm_widgets.widgets.table import Column, DataTable, keep_hidden_columns, places_of_row


@pytest.fixture
def own_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OWN_PAGE_VARIABLE, "1")


@pytest.mark.usefixtures("own_page")
def test_components_bring_no_code() -> None:
    age = Age()
    assert (age._esm, age._library, age._module) == ("", None, "age")


def test_elsewhere_they_bring_it() -> None:
    age = Age()
    assert age._esm
    assert isinstance(age._library, Library)
    assert STATES_TYPE not in page(age)._repr_mimebundle_()


def test_elsewhere_the_address_of_the_browser_is_the_hosts() -> None:
    """What the browser does with an address that is not used: see ``address.test.js``."""
    root = build(Settings.from_environment({}))
    assert [each.is_used for each in root.children if isinstance(each, Address)] == [False]
    assert places_of_row(open="#/models") == {}
    form = Form(label="Deploy")
    form.keep_as("deploy b m")
    assert (form.draft, form.secret) == ("", "")


@pytest.mark.usefixtures("own_page")
def test_our_own_page_has_addresses_and_keeps_drafts() -> None:
    root = build(Settings.from_environment({}))
    assert [each.is_used for each in root.children if isinstance(each, Address)] == [True]
    assert places_of_row(open="#/models") == {"open": "#/models"}
    form = Form(label="Deploy")
    form.keep_as("deploy b m")
    assert (form.draft, form.secret) == ("deploy b m", HELD)


@pytest.mark.usefixtures("own_page")
def test_states_of_all_widgets_come_with_the_page() -> None:
    text, age = w.HTML("some <b>text</b>"), Age(word="Read")
    root = page(text, age)
    states = root._repr_mimebundle_()[STATES_TYPE]
    assert states[text.model_id]["state"]["value"] == "some <b>text</b>"
    assert states[text.model_id]["model_name"] == "HTMLModel"
    assert "tooltip" not in states[text.model_id]["state"]  # a default that the browser knows
    assert states[age.model_id]["state"]["at"] == 0  # one that it does not know
    children = states[root.model_id]["state"]["children"]
    assert children[1:] == [f"IPY_MODEL_{each.model_id}" for each in (text, age)]


@pytest.mark.usefixtures("own_page")
def test_a_page_changes_nothing_before_a_browser_is_there() -> None:
    """What changed between the states and the first connection would never be seen."""
    before = threading.enumerate()
    root = build(Settings.from_environment({}))
    assert threading.enumerate() == before
    states = root._repr_mimebundle_()[STATES_TYPE]
    assert root._repr_mimebundle_()[STATES_TYPE] == states


def with_columns(saved: dict[str, Any]) -> tuple[DataTable, BrowserStorage]:
    """Make a table whose columns are kept, and have the browser tell what it saved."""
    columns = [Column("name", "Name"), *(Column(key, key, optional=True) for key in ("url", "gpu"))]
    table, storage = DataTable(columns=columns), BrowserStorage()
    keep_hidden_columns(table, storage, "hidden")
    storage._on_saved_message({"value": saved})
    return table, storage


@pytest.mark.usefixtures("own_page")
def test_which_columns_are_hidden_is_kept_in_the_browser() -> None:
    table, storage = with_columns({"hidden": ["gpu", "name", "gone"], "project": "p"})
    assert table.hidden_columns == ["gpu"]
    table.set_state({"hidden_columns": ["url", "gpu"]})
    assert storage.value == {"hidden": ["url", "gpu"], "project": "p"}
    table.set_state({"hidden_columns": []})
    assert storage.value == {"project": "p"}


def test_a_notebook_keeps_which_columns_are_hidden_in_the_table_alone() -> None:
    table, storage = with_columns({"hidden": ["gpu"]})
    assert table.hidden_columns == []
    table.set_state({"hidden_columns": ["url"]})
    assert table.hidden_columns == ["url"]
    assert storage.value == {"hidden": ["gpu"]}


@pytest.mark.parametrize("damaged", ["gpu", {"gpu": 1}, [1], [["gpu"]], None, 7])
def test_kept_columns_that_are_damaged_are_left_out(damaged: Any) -> None:
    assert _validated({"project": "p", COLUMNS_KEPT: damaged}) == {"project": "p"}
    assert _validated({COLUMNS_KEPT: ["gpu"]}) == {COLUMNS_KEPT: ["gpu"]}


@pytest.mark.usefixtures("own_page")
def test_nothing_is_said_to_be_empty_before_anything_was_read() -> None:
    others = states()
    build(Settings.from_environment({}))
    made = [each["state"] for key, each in states().items() if key not in others]
    tables = [each for each in made if each.get("_module") == "table"]
    assert {each["caption"] for each in tables if each["loading"]} >= {"Services", "Models"}
    texts = {each.get("text") for each in made}
    assert "Opening the project …" in texts
    assert "Choose a project on the General tab first." not in texts
