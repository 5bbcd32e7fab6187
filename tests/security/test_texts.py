"""Texts of others: names that are refused, and how the page shows what steers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from llm_widgets.errors import HubError
from llm_widgets.hubs import documents
from llm_widgets.hubs.huggingface.repository import Model
from llm_widgets.widgets import html

if TYPE_CHECKING:
    from ipywidgets import HTML

MODEL = {"id": "a/b", "sha": "0" * 40}


def read(name: str) -> Model:
    raw = json.dumps({**MODEL, "siblings": [{"rfilename": name}]}).encode()
    return documents.read(raw, Model, name="The answer")


@pytest.mark.parametrize(
    "name", ["config.json", "a/b c.gguf", "\u4e2d\u00e4.json", "\U0001f600.bin"]
)
def test_names_that_are_text_are_taken(name: str) -> None:
    assert list(read(name).files) == [name]


@pytest.mark.parametrize(
    "name",
    [
        *("", "a\x00.json", "a\x1b[2J.json", "a\nb", "a\r", "\x7f", "\x9b2J"),
        *("\u202etxt.exe", "a\u2066b", "\u2028", "\ud800", "a\udfff.json", "config.json\n"),
    ],
)
def test_names_that_steer_or_are_no_text_are_refused(name: str) -> None:
    with pytest.raises(HubError, match="The answer can't be read"):
        read(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc \u00e4 \U0001f469\u200d\U0001f4bb", "a\tb\nc \u00e4 \U0001f469\u200d\U0001f4bb"),
        ("\u202etxt.exe\u2069", "\\u202etxt.exe\\u2069"),
        ("\x1b[31m\x00\x9b<b>", "\\x1b[31m\\x00\\x9b&lt;b&gt;"),
        ("\u200f\u061c", "\\u200f\\u061c"),
    ],
)
def test_html_shows_what_steers_as_escapes(text: str, shown: str) -> None:
    widgets: list[HTML] = [html.heading(text), html.paragraph(text), html.note(text)]
    changed = html.paragraph("before")
    html.set_text(changed, text)
    for widget in (*widgets, changed):
        assert shown in widget.value
        assert not set(widget.value) & set("\u202e\u2069\x1b\x00\x9b\u200f\u061c")
