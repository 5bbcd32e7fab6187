"""Imports point downwards only; nothing imports the local cloud."""

from __future__ import annotations

import ast
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import llm_widgets

PACKAGE = Path(llm_widgets.__file__).parent
BELOW_MANAGER = "checks config diagnosis domain engines errors gcp hubs imports serving transfer"
# What each room may import of the others.
ROOMS = {
    "errors": "",
    "config": "errors",
    "installation": "errors",
    "domain": "errors",
    "documents": "domain errors",
    "engines": "domain errors",
    "exchanges": "",
    "gcp": "config documents domain engines errors exchanges",
    "hubs": "config domain engines errors exchanges",
    "transfer": "documents domain errors exchanges gcp",
    "imports": "config documents domain errors gcp hubs transfer",
    "serving": "domain engines errors gcp",
    "checks": "domain errors gcp",
    "diagnosis": "domain engines errors gcp",
    "widgets": "config domain errors",
    "manager": BELOW_MANAGER,
    "page": f"{BELOW_MANAGER} manager widgets",
    "server": "config domain errors exchanges",
    "cli": "checks config domain errors gcp hubs imports installation manager server",
    "__main__": "cli",
    "__init__": "installation manager page",
}
# Modules of the page that are made of widgets, by the end of their names. All others hold what is
# shown, and know no widget.
WIDGETS = re.compile(r"(^|_)(card|dialog|fields|notices|page|panel|shell|tab|table)$")
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, wherever in it."""
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


def test_what_the_page_knows_is_kept_apart_from_its_widgets() -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in MODULES
        if room_of(path) == "page" and not WIDGETS.search(path.stem)
        for name in imported(path)
        if name.startswith(("llm_widgets.widgets", "ipywidgets", "anywidget"))
        or (name.startswith("llm_widgets.page.") and WIDGETS.search(name.rsplit(".", 2)[1]))
    }
    assert not wrong


# Functions of the rooms below that change something of a person's: only use cases call them, which
# write down who did it.
CHANGING = re.compile(
    r"(add_invoker|adopt|ask_for_more|cancel_import|carry_out|copy|create(_bucket|_from|_runtime_account)?"
    r"|delete(_bucket)?|enable(_all)?|grant(_reader)?|patch|remove_(invoker|leftover|model)|resume_import"
    r"|set_labels|start_import|turn_on_private_google_access|update(_metadata)?)"
)


def called_below(path: Path) -> set[str]:
    """Return the functions of rooms below the manager that a module calls, by their modules."""
    tree = ast.parse(path.read_text("utf-8"))
    modules = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    called = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            called.add(modules.get(node.func.id, ""))
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            called.add(f"{modules.get(node.func.value.id, '')}.{node.func.attr}")
    below = ("llm_widgets.gcp.", "llm_widgets.imports.", "llm_widgets.checks.")
    return {name for name in called if name.startswith(below)}


def test_the_page_changes_nothing_but_by_use_cases() -> None:
    changes = {
        f"{path.relative_to(PACKAGE)} calls {name}"
        for path in MODULES
        if room_of(path) in {"page", "cli"} or path.parent.name == "calls"
        for name in called_below(path)
        if CHANGING.fullmatch(name.rpartition(".")[2])
    }
    assert not changes


def test_the_domain_knows_no_library() -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in MODULES
        if room_of(path) == "domain"
        for name in imported(path)
        if name.split(".")[0] not in {*sys.stdlib_module_names, "llm_widgets"}
    }
    assert not wrong


def test_the_local_cloud_is_reached_by_the_environment_only() -> None:
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in MODULES
        for name in imported(path)
        if name.split(".")[0] == "local_cloud"
    }
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for types alone count too: they tell what a module knows."""
    names = {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in MODULES
    }
    graph = {}
    for path in MODULES:
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        # Of a name in a module only the module is looked at.
        found = {each if each in names else each.rpartition(".")[0] for each in imported(path)}
        # A package and its own modules may know each other.
        graph[name] = {
            each for each in found & names if not f"{name}.".startswith(f"{each}.") and each != name
        }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"A circle: {' -> '.join(error.args[1])}")
