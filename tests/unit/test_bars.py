"""Bars of tqdm on a terminal."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets.domain.progress import FileProgress, ImportProgress, ImportState
from llm_widgets.manager import bars

if TYPE_CHECKING:
    import pytest

NOW = datetime(2026, 12, 4, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_what_is_tried_again_stands_beside_the_bar_though_nothing_arrives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    moving = ImportProgress("1", ImportState.RUNNING, (FileProgress("x", 100, 40),), NOW, NOW)
    with bars.of_import("a/b", shown=True) as take:
        for done in range(40):
            take(replace(moving, files=(FileProgress("x", 100, done),)))
        take(replace(moving, message="Reading x fails: HTTP 503. Trying again."))
        assert "Reading x fails: HTTP 503. Trying again." in terminal.getvalue()
        take(replace(moving, state=ImportState.FAILED, message="The hub is away."))
        assert "The hub is away." not in terminal.getvalue()  # it is told as an error
        assert "failed" in terminal.getvalue()
