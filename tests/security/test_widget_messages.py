"""What a visitor's browser may say to the page: crafted messages to every component."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import pytest
import traitlets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ipywidgets.widgets.widget import _instances

from llm_widgets.page.shell import build
from llm_widgets.widgets import Action, Column, ConfirmDialog, DataTable
from llm_widgets.widgets._component import Component
from llm_widgets.widgets.fields import Field, Option
from llm_widgets.widgets.form import Form, FormBase
from llm_widgets.widgets.guard import ConnectionGuard
from llm_widgets.widgets.layout import Header, button
from llm_widgets.widgets.storage import BrowserStorage
from local_cloud.access import Access
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.config import Settings

OTHER = "demo-project"


def update(widget: w.Widget, **state: Any) -> None:
    """Deliver a change of traits as the front end sends it."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


def custom(widget: w.Widget, content: Any) -> None:
    """Deliver a message of a component."""
    data = {"method": "custom", "content": content}
    widget._handle_msg({"content": {"data": data}, "buffers": []})


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("messages"), environment)


@pytest.fixture(scope="module")
def opened(product: Product) -> list[w.Widget]:
    """Open a page that is held to one project, from a browser that remembers another one."""
    return open_page(replace(product.settings, project=PROJECT))


def open_page(chosen: Settings) -> list[w.Widget]:
    """Open a page as a browser does, and return its widgets, which keep it as a kernel does."""
    before = set(_instances)
    build(chosen)
    made = [widget for key, widget in _instances.items() if key not in before]
    for each in made:
        if isinstance(each, BrowserStorage):
            custom(each, {"type": "saved", "value": {"project": OTHER}})
        if isinstance(each, ConnectionGuard):
            custom(each, {"type": "ping"})
    until(lambda: header(made).project)
    return made


def header(widgets: list[w.Widget]) -> Header:
    return next(each for each in widgets if isinstance(each, Header))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Record what the local cloud is asked of the other project, but whether it may be seen."""
    made: list[tuple[str, str]] = []
    granted = Access.granted

    def note(self: Access, caller: Any, permissions: Any, resource: str) -> list[str]:
        wanted = list(permissions)
        if OTHER in resource:
            made.extend((p, resource) for p in wanted if p != "resourcemanager.projects.get")
        return granted(self, caller, wanted, resource)

    monkeypatch.setattr(Access, "granted", note)
    return made


def deliver(widget: w.Widget, value: Any, content: Any) -> None:
    """Send a widget changes of all its traits, and a message."""
    for name in [*widget.keys, "value", "nothing"]:
        if name in ("_view_name", "_model_name"):
            continue
        ours = isinstance(widget, (Component, w.Button))
        # The stock widgets say so themselves where a value is none of theirs.
        with suppress(*() if ours else (traitlets.TraitError, TypeError, ValueError, KeyError)):
            update(widget, **{name: value})
    custom(widget, content)


def test_no_message_opens_another_project(
    opened: list[w.Widget], asked: list[tuple[str, str]]
) -> None:
    texts = [each for each in opened if isinstance(each, (w.Text, w.Textarea, w.Select))]
    buttons = [each for each in opened if isinstance(each, w.Button)]
    for _ in range(2):
        for each in texts:
            with suppress(traitlets.TraitError):
                update(each, value=OTHER)
        for each in buttons:
            if each.description != "Sign out":
                custom(each, {"event": "click"})
    for each in opened:
        deliver(each, OTHER, {"type": "submit", "values": {"project": OTHER}})
        custom(each, {"type": "saved", "value": {"project": OTHER}})
    assert PROJECT in header(opened).project.lower().replace(" ", "-")
    assert asked == []


MESSAGES = st.dictionaries(
    st.sampled_from(["type", "action", "row", "values", "text", "value", "key", "event", "id"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=10)
        | st.sampled_from(
            ["submit", "action", "cancel", "input", "check", "ping", "saved", "empty_action"]
        ),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=MESSAGES | st.lists(st.text(max_size=3), max_size=2) | st.none(), data=st.data())
def test_no_message_ends_in_an_exception(
    opened: list[w.Widget], content: Any, data: st.DataObject
) -> None:
    components = [each for each in opened if isinstance(each, Component)]
    custom(data.draw(st.sampled_from(components)), content)


def crafted(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return what a browser may say that a field holds: what it offers, or anything of its type."""
    names = st.text(max_size=8)
    odd: dict[str, st.SearchStrategy[Any]] = {
        "number": st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        "checkbox": st.booleans(),
        "rows": st.lists(names, max_size=3),
        "pairs": st.lists(
            st.tuples(st.text(max_size=8), st.text(max_size=8)).map(list), max_size=3
        ),
    }
    offered = [option["value"] for option in field["options"]] + ["nowhere", ""]
    if field["kind"] in ("select", "cards"):
        return st.sampled_from(offered)
    return odd.get(field["kind"], st.text(max_size=20) | st.sampled_from(offered))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_values_of_a_form_end_in_an_exception(
    opened: list[w.Widget], caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    for each in opened:
        if isinstance(each, w.Button) and each.description == "Import model":
            custom(each, {"event": "click"})
    forms = [each for each in opened if isinstance(each, FormBase) and each.fields]
    form = forms[data.draw(st.integers(0, len(forms) - 1))]
    kind = data.draw(st.sampled_from(["input", "submit", "check"]))
    fields = {field["key"]: crafted(field) for field in form.fields}
    values = data.draw(st.fixed_dictionaries({}, optional=fields))
    caplog.clear()
    form.busy = ""
    custom(form, {"type": kind, "values": values})
    assert not [record for record in caplog.records if record.exc_info]


def test_a_choice_is_one_of_those_that_are_offered() -> None:
    got: list[Any] = []
    options = (Option("a", "A"), Option("b", "B"))
    form = Form(
        fields=[
            Field("hub", "Hub", "cards", options=options),
            Field("of_b", "Of B", "select", options=options, show_when=("hub", "b")),
            Field("none", "None yet", "select"),
        ],
        check_label="Check",
    )
    form.on_submit(got.append)
    form.on_input(got.append)
    form.on_check(got.append)
    for values in (
        {"none": ""},
        {"hub": "c", "none": ""},
        {"hub": "", "none": ""},
        {"hub": "b", "none": ""},
        {"hub": "b", "of_b": "x", "none": ""},
        {"hub": "a", "none": "a"},
    ):
        for kind in ("input", "submit", "check"):
            custom(form, {"type": kind, "values": values})
    assert got == []
    assert "has changed" in form.error
    custom(form, {"type": "submit", "values": {"hub": "b", "of_b": "a", "none": ""}})
    assert got == [{"hub": "b", "of_b": "a", "none": ""}]


def test_a_browser_makes_up_no_rows_and_no_actions() -> None:
    done: list[tuple[str, str]] = []
    row = {"id": "a", "name": "A", "disabled": {"delete": "in use"}}
    table = DataTable(
        caption="T", columns=[Column("name", "Name")], actions=[Action("delete", "D")], rows=[row]
    )
    table.on_action(lambda action, row_id: done.append((action, row_id)))
    update(table, rows=[{"id": "a"}, {"id": "b"}], actions=[{"key": "own"}])
    for action, of in (("delete", "a"), ("delete", "b"), ("own", "a")):
        custom(table, {"type": "action", "action": action, "row": of})
    assert done == []


def test_a_browser_chooses_only_rows_that_are_there_and_hides_only_what_may_be() -> None:
    done: list[tuple[str, list[str]]] = []
    delete = Action("delete", "Delete")
    table = DataTable(
        columns=[Column("name", "Name"), Column("url", "URL", optional=True)],
        bulk=[delete],
        rows=[{"id": "a"}, {"id": "b", "disabled": {"delete": "It goes."}}],
    )
    table.on_bulk(lambda action, ids: done.append((action, ids)))
    hostile: Any
    for hostile in ("a", {"a": 1}, None, [["a"]], [1]):
        update(table, selected=hostile, hidden_columns=hostile)
        custom(table, {"type": "bulk", "action": "delete", "rows": hostile})
    assert (table.selected, table.hidden_columns, done) == ([], [], [])
    update(table, selected=["c", "a", "a"], hidden_columns=["name", "url", "x"])
    assert (table.selected, table.hidden_columns) == (["a"], ["url"])
    for action in ("own", "", ["delete"], None):
        custom(table, {"type": "bulk", "action": action, "rows": ["a"]})
    custom(table, {"type": "bulk", "action": "delete", "rows": ["b", "c"]})
    assert done == []
    custom(table, {"type": "bulk", "action": "delete", "rows": ["c", "b", "a", "a"]})
    assert done == [("delete", ["a"])]
    plain = DataTable(rows=[{"id": "a"}])
    update(plain, selected=["a"])
    assert plain.selected == []


def test_a_confirmation_is_neither_opened_nor_left_out_by_the_browser() -> None:
    done: list[Any] = []
    dialog = ConfirmDialog(title="Delete", type_name="prod")
    dialog.on_submit(done.append)
    update(dialog, shown=True, fields=[])
    custom(dialog, {"type": "submit", "values": {"confirm_name": "prod"}})
    dialog.show()
    update(dialog, fields=[])
    custom(dialog, {"type": "submit", "values": {}})
    assert done == []
    custom(dialog, {"type": "submit", "values": {"confirm_name": "prod"}})
    assert len(done) == 1
    update(dialog, shown=False)
    assert not dialog.is_open


def test_a_button_that_is_disabled_stays_so() -> None:
    done: list[Any] = []
    pressed = button("Deploy", disabled=True)
    pressed.on_click(done.append)
    update(pressed, disabled=False)
    custom(pressed, {"event": "click"})
    assert done == []
    pressed.disabled = False
    custom(pressed, {"event": "click"})
    assert done == [pressed]
