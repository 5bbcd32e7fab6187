"""The local cloud is of use to any program: it knows none by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
FILES = [
    HERE / "README.md",
    HERE / "pyproject.toml",
    *(path for path in (HERE / "src").rglob("*.*") if path.suffix != ".pyc"),
    *(path for path in (HERE / "tests").rglob("*.py") if path != Path(__file__)),
]
STRANGER = re.compile("llm[_ -]?(widgets|manager)", re.IGNORECASE)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HERE)))
def test_no_other_program_is_named(path: Path) -> None:
    assert not STRANGER.search(path.read_text("utf-8"))
