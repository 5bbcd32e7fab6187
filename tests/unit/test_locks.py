"""What is installed is pinned by what it holds: packages by hashes, images by digests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("core", "page", "local", "dev", "samples")
PINNED = re.compile(
    r"^([\w.-]+(?:\[[\w,-]+\])?==\S+)[^\\\n]*((?: \\\n {4}--hash=\S+)*)$", re.MULTILINE
)
HASH = re.compile(r"--hash=(sha256:[0-9a-f]{64})(?=\s|$)")


def hashes_of(text: str) -> dict[str, frozenset[str]]:
    """Return the hashes of each requirement in the text of a lock."""
    return {name: frozenset(HASH.findall(hashes)) for name, hashes in PINNED.findall(text)}


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_has_hashes(name: str) -> None:
    text = lock(name)
    requirements = re.findall(r"^[^#\s].*", text, re.MULTILINE)
    pinned = hashes_of(text)
    assert len(pinned) == len(requirements) > 0
    assert all(pinned.values())
    assert sum(map(len, pinned.values())) == text.count("--hash=")


def test_the_smaller_locks_are_parts_of_the_larger_ones() -> None:
    core, page, local, dev = (hashes_of(lock(name)) for name in LOCKS[:4])
    assert core.items() < page.items() < local.items() < dev.items()


def test_every_package_of_the_javascript_has_its_integrity() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    others = {name: each for name, each in packages.items() if name}
    assert others
    assert not [
        name for name, each in others.items() if not each.get("integrity", "").startswith("sha512-")
    ]


def test_the_container_is_made_of_what_is_pinned() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    bases = [line for line in lines if line.startswith("FROM ")]
    assert bases
    assert all(re.fullmatch(r"FROM [\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", line) for line in bases)
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)
