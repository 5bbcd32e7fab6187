"""The documentation names what there is."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("docs/contributing/*")]
)
ADDING = {"engine": "third_engine", "hub": "third_hub"}

# A path between backticks; one with a word in capitals stands for many.
NAMED = re.compile(
    r"`((?:[\w.-]+/)*[\w-]+(?:\.(?:py|md|toml|ipynb)|/))`|`((?:llm_widgets|tests|local_cloud|docs)/[\w./-]*)`"
)
EXAMPLE = re.compile(r"```python\n(.*?)```", re.DOTALL)


@cache
def paths() -> frozenset[str]:
    """Return all paths of the repository that documentation may speak of, each with a slash."""
    kept = ("llm_widgets", "local_cloud", "tests", "docs", "notebooks", "requirements", ".ci")
    below = [path for top in kept for path in (ROOT / top).rglob("*")]
    found = [*ROOT.iterdir(), *below]
    return frozenset(f"/{path.relative_to(ROOT).as_posix()}" for path in found)


def named(page: Path) -> set[str]:
    found = {a or b for a, b in NAMED.findall(page.read_text("utf-8"))}
    return {name.rstrip("/") for name in found if not re.search(r"\b[A-Z]{4,}\b(?!\.md)", name)}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_what_a_page_names_is_there(file: Path) -> None:
    missing = {
        name for name in named(file) if not any(path.endswith(f"/{name}") for path in paths())
    }
    assert not missing


def test_pages_name_something() -> None:
    assert sum(len(named(page)) for page in PAGES) > 80


def test_every_room_is_described() -> None:
    rooms = {path.parent.name for path in (ROOT / "llm_widgets").glob("*/__init__.py")}
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert not {room for room in rooms if f"| `{room}` |" not in text}


@pytest.mark.parametrize("adding", ADDING)
def test_an_example_is_what_the_tests_run(adding: str) -> None:
    """The first example of a page stands, without its comments, in the plug-in of the tests."""
    text = (ROOT / "docs" / "contributing" / f"{adding}.md").read_text("utf-8")
    plug_in = "".join(
        path.read_text("utf-8") for path in sorted((ROOT / "tests" / ADDING[adding]).glob("*.py"))
    )
    example = EXAMPLE.search(text)
    assert example
    lines = [re.sub(r"\s+# .*", "", line) for line in example[1].splitlines()]
    assert len(lines) > 10
    assert not [line for line in lines if line not in plug_in.splitlines()]
