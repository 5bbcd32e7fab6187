from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / ".ci" / "undone.py"
SPEC = importlib.util.spec_from_file_location("undone", FILE)
assert SPEC
assert SPEC.loader
undone = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(undone)

NONE, FIRST, SECOND = "0" * 40, "1" * 40, "2" * 40


def commit(sha: str, subject: str, before: str, after: str, body: str = "") -> str:
    lines = [f"commit {sha * 8} {subject}", *([f" {body}"] if body else []), ""]
    return "\n".join([*lines, f":100644 100644 {before} {after} M\ta.py", ""])


HISTORY = commit("a", "Add it", NONE, FIRST) + commit("b", "Change it", FIRST, SECOND)


@pytest.mark.parametrize(
    ("last", "found"),
    [
        (commit("c", "Go on", SECOND, FIRST), ["cccccccc returns a.py to an older version"]),
        (commit("c", "Revert the change", SECOND, FIRST), []),
        (commit("c", "Go back", SECOND, FIRST, "Reverts bbbbbbbb."), []),
        (commit("c", "Make it executable", SECOND, SECOND), []),
        (commit("c", "Remove it", SECOND, NONE), []),
        (commit("c", "Go on", SECOND, "3" * 40), []),
    ],
)
def test_a_file_that_returns_to_an_older_version_is_found(last: str, found: list[str]) -> None:
    assert undone.undone(HISTORY + last) == found
