"""What strangers write reaches a terminal as text: it steers nothing there, and forges no line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cli import output
from llm_widgets.cli.quickstart import _kept
from llm_widgets.domain.tables import Listing, Shown
from llm_widgets.errors import Fix, ManagerError

if TYPE_CHECKING:
    from pathlib import Path

STEERING = [
    "\x1b[2J",  # clears
    "\x1b]0;title\x07",
    "\x1b]52;c;aGk=\x07",  # writes the clipboard
    "\x1b]8;;http://evil\x07",
    "\x9b31m",  # the same in one character
    "\x9d0;title\x9c",
    "\x08\x08\x08",
    "\x7f",
    "\x0c",
    "\x0b",
    "\x00",
    "ok\rERROR",  # overwrites what was there
    "\u202egpj",
    "\u2066x\u2069",
    "\u200f",
    "\u061c",
    "\u2028",
    "\x85",
    "\ud800",  # half a character, which no encoding has
]
RAW = {*"\x00\x07\x08\x0b\x0c\r\x1b\x7f\x85\x9b\x9c\x9d", *"\u061c\u200f\u2028\u202e\u2066\u2069"}


class Told(Shown):
    """A thing of a stranger."""

    def __init__(self, text: str) -> None:
        self.text = text

    def shown(self) -> dict[str, Any]:
        """Return what tells of it."""
        return {"name": self.text, "tags": [self.text], "labels": {self.text: self.text}}


@pytest.mark.parametrize("text", STEERING)
@pytest.mark.parametrize("how", ["table", "json", "value", "value(name,tags,labels)"])
@pytest.mark.parametrize("is_list", [False, True])
def test_what_is_shown_steers_no_terminal(
    text: str, how: str, capsys: pytest.CaptureFixture[str], *, is_list: bool
) -> None:
    found: Any = Listing([Told(text)], ("name", "tags", "labels")) if is_list else Told(text)
    output.show(found, how)
    told = capsys.readouterr().out
    assert not RAW & set(told)
    if how == "json":
        read = json.loads(told)
        assert (read[0] if is_list else read)["name"] == text  # programs get what it is


@pytest.mark.parametrize("text", STEERING)
def test_what_is_told_steers_no_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.tell(text)
    output.tell_error(ManagerError(text, cause=text, fix=Fix(text, command=text)))
    assert not RAW & set(capsys.readouterr().err)


def test_lines_stay_lines() -> None:
    assert output.terminal("a\r\nb\n\tc") == "a\r\nb\n\tc"


def test_the_file_of_variables_replaces_a_link_and_is_its_owners(tmp_path: Path) -> None:
    victim = tmp_path / "profile"
    victim.write_text("mine")
    file = tmp_path / "environment"
    file.symlink_to(victim)
    with _kept(file, {"A": "x'; touch gone; $(touch gone)\n`touch gone`"}):
        assert victim.read_text() == "mine"
        assert not file.is_symlink()
        assert file.stat().st_mode & 0o777 == 0o600
    assert victim.read_text() == "mine"
    assert not file.exists()
