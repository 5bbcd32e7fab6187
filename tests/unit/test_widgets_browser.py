"""The browser's side of the components: what Python and JavaScript agree upon, and the library."""

from __future__ import annotations

import dataclasses
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import ipywidgets as w
import pytest

from llm_widgets import widgets
from llm_widgets.widgets import age, chart, checklist, fields, files, memory
from llm_widgets.widgets._component import Component
from llm_widgets.widgets._library import BUILT, Library, built
from llm_widgets.widgets.address import Address
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.html import heading
from llm_widgets.widgets.layout import (
    InSight,
    TabRoles,
    button,
    card,
    column,
    hide,
    is_shown,
    row,
    show,
    stack,
)

PACKAGE = Path(widgets.__file__).parents[1]
SOURCES = PACKAGE / "widgets/static"
TYPES = (SOURCES / "types.d.ts").read_text("utf-8")
TOKENS = "tokens.css"
WORDS = ("http://www.w3.org/", "https://github.com/markedjs/marked")
"""Addresses that nothing is asked of: names of kinds of elements, a sentence of marked's."""
FRAME = SOURCES.parents[1] / "server/share/jupyter/nbconvert/templates/llm_widgets/static/frame.css"
RECORDS: dict[str, Any] = {
    "Action": widgets.Action,
    "CheckRow": checklist.CheckRow,
    "Column": widgets.Column,
    "Detail": widgets.Detail,
    "FieldSpec": fields.Field,
    "FileRow": files.FileRow,
    "Option": fields.Option,
}
COMPONENTS: list[type[Component]] = [
    *(Address, age.Age, chart.Chart, checklist.Checklist, memory.MemoryBar),
    *(Form, InSight, TabRoles),
    *(widgets.BrowserStorage, widgets.Composer, widgets.ConnectionGuard, widgets.CopyText),
    *(widgets.DataTable, widgets.FilePicker, widgets.Transcript),
    *(widgets.DetailList, widgets.FileProgress, widgets.FormDialog, widgets.Header),
    *(widgets.Notice, widgets.Stream, widgets.Toasts, widgets.TransferBars),
]


def all_of(kind: type[Component]) -> set[type[Component]]:
    """Find every kind of component below another."""
    below = set(kind.__subclasses__())
    return below.union(*(all_of(each) for each in below))


def declarations() -> dict[str, dict[str, str]]:
    """Read types.d.ts: the texts of its types by their names, by the class in Python."""
    parts = re.split(r"^// (\w+)\n", TYPES, flags=re.MULTILINE)
    declared = re.compile(
        r"^export (?:interface|type) (\w+)(.*?)(?=^export|^/\*\*|\Z)", re.MULTILINE | re.DOTALL
    )
    of_all = {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}
    return {name: dict(declared.findall(text)) for name, text in of_all.items()}


DECLARED = declarations()
BY_NAME = {name: text for types in DECLARED.values() for name, text in types.items()}


def declared(kind: type[Component], suffix: str) -> str:
    """Find what is declared for a component and for those that it extends."""
    return "".join(
        text
        for each in kind.__mro__
        for name, text in DECLARED.get(each.__name__, {}).items()
        if name.endswith(suffix)
    )


def members(text: str) -> set[str]:
    """Find the names of an interface; those with a question mark may be absent."""
    return set(re.findall(r"^\t(\w+):", text, re.MULTILINE))


def test_no_component_is_forgotten() -> None:
    own = {each for each in all_of(Component) if "module" in vars(each)}
    assert {each for each in own if each.__module__.startswith("llm_widgets.")} == set(COMPONENTS)
    table = re.search(
        r"export const components = \{(.*?)\}", (SOURCES / "components.js").read_text(), re.DOTALL
    )
    assert table is not None
    assert set(re.findall(r"\w+", table[1])) == {each.module for each in COMPONENTS}


@pytest.mark.parametrize("kind", COMPONENTS)
def test_traits_are_those_of_the_types(kind: type[Component]) -> None:
    own = set(kind.class_traits(sync=True)) - set(Component.class_traits(sync=True))
    assert members(declared(kind, "Traits")) == own


def test_loader_finds_what_python_gives() -> None:
    assert members(BY_NAME["CommonTraits"]) <= set(Component.class_traits(sync=True))
    carried = set(Library.class_traits(sync=True)) - set(w.Widget.class_traits(sync=True))
    assert members(BY_NAME["LibraryTraits"]) == carried


@pytest.mark.parametrize("kind", COMPONENTS)
def test_messages_are_those_of_the_types(kind: type[Component]) -> None:
    sent = set(re.findall(r'"(\w+)"', declared(kind, "Sent")))
    handled = {
        name.removeprefix("_on_").removesuffix("_message")
        for name in dir(kind)
        if name.startswith("_on_") and name.endswith("_message")
    }
    if kind is widgets.FormDialog:
        sent.remove("check")  # a button that only forms in the page have
    assert sent == handled


@pytest.mark.parametrize("name", RECORDS)
def test_records_are_those_of_the_types(name: str) -> None:
    assert members(BY_NAME[name]) == {field.name for field in dataclasses.fields(RECORDS[name])}


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.js")), ids=lambda path: path.name)
def test_no_way_to_write_html(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


def test_widgets_html_is_made_in_one_place() -> None:
    folder = SOURCES.parents[1]
    users = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.py")
        if re.search(
            r"\b(w|widgets|ipywidgets)\.HTML(Math)?[()]|import .*\bHTML\b", path.read_text("utf-8")
        )
    ]
    assert users == ["widgets/html.py"]


@pytest.mark.parametrize(
    "made",
    [heading("Title"), button("Press"), row(), stack(), column(), card("Card"), widgets.Notice()],
)
def test_layouts_and_styles_are_not_widgets_of_their_own(made: w.DOMWidget) -> None:
    assert made.layout is None
    assert made.style is None


def test_what_is_hidden_takes_no_layout() -> None:
    users = [
        path.name
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\.layout\.\w+ =", path.read_text("utf-8"))
    ]
    assert not users
    box = row()
    hide(box)
    assert not is_shown(box)
    show(box)
    assert is_shown(box)


@pytest.mark.parametrize(
    "path",
    [path for path in (*SOURCES.iterdir(), *BUILT.iterdir()) if path.suffix != ".txt"],
    ids=lambda path: path.name,
)
def test_nothing_comes_from_elsewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    for words in WORDS:
        text = text.replace(words, "")
    assert not re.search(r"https?://\w", text)


class TestColours:
    RAW = re.compile(
        r"#[0-9a-f]{3,8}\b|\b(rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|light-dark)\(|%23[0-9a-f]{3}"
        r"|(?<![\w-])(white|black|gr[ae]y|red|green|blue|yellow|orange|silver)(?![\w-])",
        re.IGNORECASE,
    )

    def raw(self, sheet: str) -> list[str]:
        values = re.findall(r":([^;{}]*);", re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL))
        return [value.strip() for value in values if self.RAW.search(value)]

    def test_colours_are_written_in_one_place(self) -> None:
        found = {path.name: self.raw(path.read_text("utf-8")) for path in SOURCES.glob("*.css")}
        assert {name for name, values in found.items() if values} == {TOKENS}

    def test_the_frame_has_the_same(self) -> None:
        declared = re.compile(r"(--llm-[\w-]+): (light-dark\([^;]*\));")
        tokens = dict(declared.findall((SOURCES / TOKENS).read_text("utf-8")))
        frame = FRAME.read_text("utf-8")
        names = dict(declared.findall(frame))
        assert names == {name: tokens[name] for name in names}
        assert set(self.raw(frame)) == set(names.values())
        assert set(re.findall(r"var\((--llm-[\w-]+)", frame)) == set(names)

    @pytest.mark.parametrize(
        "value", ["#fff", "1px solid rgb(0 0 0 / 3%)", "Red", "url(%235f6368)"]
    )
    def test_raw_colours_are_found(self, value: str) -> None:
        assert self.raw(f"a {{ color: {value}; }}")

    @pytest.mark.parametrize("value", ["var(--llm-red)", "transparent", "currentcolor", "nowrap"])
    def test_tokens_and_keywords_are_none(self, value: str) -> None:
        assert not self.raw(f"a {{ white-space: {value}; }}")

    def test_every_token_that_is_used_is_there(self) -> None:
        sheets = "".join(path.read_text("utf-8") for path in SOURCES.glob("*.css"))
        scripts = "".join(path.read_text("utf-8") for path in SOURCES.glob("*.js"))
        used = set(re.findall(r"var\((--llm-[\w-]+)", sheets))
        made = set(re.findall(r"(--llm-[\w-]+):", sheets)) | set(
            re.findall(r'"(--llm-[\w-]+)"', scripts)
        )
        assert used == made


def test_the_layout_follows_the_page_and_not_the_window() -> None:
    follows_the_window = re.compile(r"@media \((?:min|max)-width")
    found = {
        path.name for path in SOURCES.glob("*.css") if follows_the_window.search(path.read_text())
    }
    assert found == {"notices.css"}  # toasts and the banner hang on the window


class TestLibrary:
    def test_text_is_sent_once_however_many_components_there_are(self) -> None:
        many = [widgets.Notice(), widgets.Header(), *(widgets.CopyText() for _ in range(20))]
        assert {each._library for each in many} == {Library.shared()}
        state = w.Widget.get_manager_state(widgets=[*many, Library.shared()])
        text = json.dumps(state)
        assert text.count(json.dumps(built("components.js"))) == 1
        assert text.count(json.dumps(built("components.css"))) == 1
        others = len(json.dumps(w.Widget.get_manager_state(widgets=many)))
        assert others / len(many) < 1500

    def test_a_component_names_itself_and_its_library(self) -> None:
        state = widgets.ConfirmDialog().get_state()
        assert state["_module"] == "dialog"
        assert state["_library"] == f"IPY_MODEL_{Library.shared().model_id}"

    def test_a_closed_library_is_replaced(self) -> None:
        before = Library.shared()
        before.close()
        notice = widgets.Notice()
        assert notice._library is Library.shared()
        assert Library.shared() is not before

    def test_threads_share_it(self) -> None:
        Library.shared().close()
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: widgets.Notice(), range(32)))
        assert len({each._library for each in made}) == 1
