"""What may be added without touching the rest is named in its own folder only."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

import llm_widgets

PACKAGE = Path(llm_widgets.__file__).parent
BUILT = {PACKAGE / "widgets/built", PACKAGE / "server/built"}
"""What is built of the rest."""
TEXTS = {".js", ".ts", ".css", ".html", ".j2", ".json", ".ipynb", ".svg", ".txt"}
# What names a hub, and where else than in its folder it may stand.
HUBS = {
    "huggingface": (
        r"(?i)hugging_?face|\bhf[_.]|\bhf\b",
        {
            "hubs/registry.py": "the line that adds it",
            "hubs/ollama": "its models are served in Ollama's form too, under a name of Ollama",
            "hubs/pasted.py": "commands of other programs that people paste",
            "cli/local_cloud.py": "variables that the local cloud prints",
            "cli/importing.py": "names of a token, for --help without loading the hubs",
            "documents/metadata.py": "entries of the application before this one",
            "engines/*/*": "which hubs' models an engine serves, and a variable of one",
        },
    ),
    "ollama": (
        r"(?i)ollama_(id|registry)|registry\.ollama|ollama\.(com|ai)|hubs\.ollama",
        {
            "hubs/registry.py": "the line that adds it",
            "cli/local_cloud.py": "variables that the local cloud prints",
            "engines/ollama": "where the engine is downloaded",
        },
    ),
}

# The same of engines. A hub has the name of one.
ENGINES = {
    "vllm": (
        r"(?i)vllm",
        {
            "engines/registry.py": "the line that adds it",
            "hubs/pasted.py": "commands of other programs that people paste",
            "diagnosis/catalogue": "where failures are known from",
        },
    ),
    "llama_cpp": (
        r"(?i)llama[_-]cpp",
        {
            "engines/registry.py": "the line that adds it",
            "engines/ollama/architectures.py": "that engine is built on it",
        },
    ),
    "ollama": (
        r"(?i)ollama",
        {
            "engines/registry.py": "the line that adds it",
            "engines/llama_cpp": "the same hub, files and arithmetic: it is built on that engine",
            "diagnosis/catalogue": "where failures are known from",
            "hubs/": "the hub",
            "cli/local_cloud.py": "variables of the hub",
            "documents/metadata.py": "entries of the application before this one",
        },
    ),
}


@cache
def words(path: Path) -> set[str]:
    """Return the names in a file, and its texts that are no sentences for people."""
    tree = ast.parse(path.read_text("utf-8"))
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if " " not in text.strip():
                found.add(text)
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.keyword(arg=str(name)):
                found.add(name)
            case ast.ImportFrom(module=str(module), names=names):
                found |= {f"{module}.{each.name}" for each in names}
            case ast.Import(names=names):
                found |= {each.name for each in names}
    return found


def named_in(path: Path, pattern: str) -> set[str]:
    """Return what a pattern finds in a file: in code its words, in all other files each line."""
    if path.suffix == ".py":
        those = words(path)
    elif path.suffix in TEXTS:
        those = set(path.read_text("utf-8").splitlines())
    else:
        those = set()
    return {each for each in those if re.search(pattern, each)}


def naming(pattern: str) -> dict[str, set[str]]:
    """Return the files that a pattern is found in, with what was found."""
    files = (
        path for path in PACKAGE.rglob("*") if path.is_file() and not BUILT & set(path.parents)
    )
    found = {path.relative_to(PACKAGE).as_posix(): named_in(path, pattern) for path in files}
    return {name: those for name, those in found.items() if those}


def check(home: str, pattern: str, allowed: dict[str, str]) -> None:
    """Check that a name stands in its folder, and elsewhere only where that is allowed."""
    found = naming(pattern)
    assert any(name.startswith(home) for name in found)  # the pattern is one
    wrong = {
        name: those
        for name, those in found.items()
        if not any(fnmatch(name, f"{place}*") for place in (home, *allowed))
    }
    assert not wrong
    idle = [place for place in allowed if not any(fnmatch(name, f"{place}*") for name in found)]
    assert not idle


@pytest.mark.parametrize("hub", HUBS)
def test_no_hub_is_named_outside_its_folder(hub: str) -> None:
    check(f"hubs/{hub}/", *HUBS[hub])


@pytest.mark.parametrize("engine", ENGINES)
def test_no_engine_is_named_outside_its_folder(engine: str) -> None:
    check(f"engines/{engine}/", *ENGINES[engine])
