"""The documentation names what there is."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from llm_widgets.gcp.iam import role_catalogue
from llm_widgets.gcp.iam.account_roles import (
    DEPLOYER,
    IMPORT_JOBS,
    PAGE,
    PAUSES,
    SERVICES,
    TOKENS,
)

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("docs/contributing/*")]
)
README = (ROOT / "README.md").read_text("utf-8")
ADDING = {"engine": "third_engine", "hub": "third_hub"}

TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")

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


ACCOUNTS = {"page": PAGE, "import jobs": IMPORT_JOBS, "services": SERVICES, "pauses": PAUSES}


def test_the_roles_of_the_readme_are_those_of_the_product() -> None:
    told = re.findall(r"^\| (.+?) \| `(.+?)` \| (.+?) \| (.+?) \| (.+?) \|$", README, re.MULTILINE)
    wanted = [
        (
            account,
            needed.role,
            needed.on,
            needed.purpose,
            "the product" if needed.is_given else "you",
        )
        for account, roles in ACCOUNTS.items()
        for needed in roles
    ]
    assert [each for each in told if each[0] in ACCOUNTS] == wanted


def test_the_roles_of_who_deploys_the_page_are_those_of_the_product() -> None:
    page = (ROOT / "docs" / "deploy_manager.md").read_text("utf-8")
    told = re.findall(r"^\| `(roles/.+?)` \| (.+?) \|$", page, re.MULTILINE)
    assert told == [(needed.role, needed.purpose) for needed in DEPLOYER]


def test_the_readme_defines_the_custom_role_as_the_product_does() -> None:
    lines = " ".join(README.replace("\\\n", " ").split())
    assert role_catalogue.definition(TOKENS, "PROJECT") in lines


def test_no_page_names_a_role_that_reads_secrets_for_the_page() -> None:
    for page in PAGES:
        if page.name != "CHANGELOG.md":
            assert "secretmanager.admin" not in page.read_text("utf-8"), page


def test_each_attack_has_a_test() -> None:
    listed = (ROOT / "tests/security/README.md").read_text("utf-8")
    rows = [line for line in listed.splitlines() if line.startswith("| `")]
    assert rows
    for row in rows:
        tests = TEST.findall(row)
        assert tests, row
        for path, name in tests:
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), row
