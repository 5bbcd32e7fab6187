"""Refuse commits that silently return a file to an older version of itself.

Such a commit was usually made from an old copy of the file, and undoes finished work. One that
is meant so says "Revert" in its message.

Usage: python .ci/undone.py
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict

_MARK = "commit "
_REVERT = "revert"

# Made before this check, and either meant so or mended since.
_KNOWN = frozenset({"3263aaab", "9c7bb33b", "0d1f66a6"})


def history() -> str:
    """Return every commit of the branch, oldest first, with the blobs that it wrote."""
    return subprocess.run(
        [
            *("git", "log", "--reverse", "--first-parent", "-m", "--raw", "--no-abbrev"),
            *("--no-renames", f"--format={_MARK}%H %s%n%w(0,1,1)%b"),
        ],
        check=True,
        capture_output=True,
        text=True,
        errors="replace",
    ).stdout


def undone(log: str) -> list[str]:
    """Return a line for each file that a commit silently returned to an older version.

    Parameters
    ----------
    log
        What :func:`history` returned.
    """
    versions: dict[str, list[str]] = defaultdict(list)
    found: list[str] = []
    commit = ""
    meant = False
    for line in log.splitlines():
        if line.startswith(_MARK):
            commit, _, subject = line.removeprefix(_MARK).partition(" ")
            meant = _REVERT in subject.lower() or commit[:8] in _KNOWN
        elif line.startswith(":"):
            facts, path = line.split("\t", 1)
            before, blob = facts.split()[2:4]
            older = versions[path]
            # The zero blob stands for a deletion; a file may come and go. A change of its mode
            # leaves the blob as it was.
            if blob in older and blob.strip("0") and blob != before and not meant:
                found.append(f"{commit[:8]} returns {path} to an older version")
            older.append(blob)
        elif _REVERT in line.lower():
            meant = True
    return found


def main() -> int:
    """Print what was undone, and return the exit code."""
    shallow = subprocess.run(
        ["git", "rev-parse", "--is-shallow-repository"],  # noqa: S607 - git is found on PATH on purpose
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    if shallow.strip() == "true":
        print("Only a part of the history is here: run `git fetch --unshallow` to check it.")
    lines = undone(history())
    for line in lines:
        print(line)
    if lines:
        print('Restore what was lost, or say "Revert" in the message if it is meant.')
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
