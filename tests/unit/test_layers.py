"""Imports point downwards only; nothing but the command line knows the local cloud."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import llm_widgets

PACKAGE = Path(llm_widgets.__file__).parent
BELOW_STATE = "checks cloud config diagnosis domain errors hubs jobs serving transfer"
# What each room may import of the others.
ROOMS = {
    "errors": "",
    "config": "errors",
    "domain": "errors",
    "cloud": "config domain errors",
    "hubs": "config domain errors",
    "transfer": "cloud domain errors",
    "jobs": "cloud config domain errors transfer",
    "serving": "cloud domain errors",
    "checks": "cloud domain errors",
    "diagnosis": "domain errors serving",
    "state": BELOW_STATE,
    "widgets": "errors",
    "views": f"{BELOW_STATE} state widgets",
    "manager": BELOW_STATE,
    "server": "config errors",
    "local": "errors",
    "doctor": "checks cloud config domain errors",
    "quickstart": "server",
    "cli": "config doctor errors jobs local quickstart server",
    "__main__": "cli",
    "__init__": "manager views",
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Give the full names of all modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", sorted({room_of(path) for path in MODULES}))
def test_imports_point_downwards(room: str) -> None:
    below = {room, *ROOMS[room].split()}
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in MODULES
        if room_of(path) == room
        for name in imported(path)
        if name.startswith("llm_widgets.") and name.split(".")[1] not in below
    }
    assert not wrong


def test_the_domain_knows_no_library() -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in MODULES
        if room_of(path) == "domain"
        for name in imported(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "llm_widgets"}
    }
    assert not wrong
