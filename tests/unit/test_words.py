"""What people read is plain English, in Google's words for Google's things."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import llm_widgets

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(llm_widgets.__file__).parent
ROOT = Path(__file__).parents[2]
# A turn that stops a reader, and what to write instead.
FORBIDDEN = {
    r"\bmay not\b": "“can't” or “don't have permission to”; it reads as “perhaps”",
    r"\bin order\b": "“passed”, or what is right",
    r"\bmended\b": "“fixed”",
    r"\b(?:to be|be) had\b": "“available”",
    r"\bto be tested\b|\bbe told\b": "“unknown”",
    r"\b[Ww]hom\b|\b[Ww]hoever\b": "a noun: “the caller”, “the address”, “anyone who”",
    r"\b[Ee]verybody\b": "“public access”, “anyone”",
    r"\bby (?:itself|themselves)\b": "“automatically”, “alone”",
    r"\banew\b": "“again”",
    r"\bgo(?:es|ing)? on\b": "“continues”, “keeps running”",
    r"\bawake\b": "“running”",
    r"\bto have (?:its |their )?effect\b": "“to take effect”",
    r"\b(?:is|are) (?:known|spreading) which\b": "what is waited for, as a noun",
    r"\bin (?:its|their) name\b": "“as this identity”",
    r"\b[Nn]obody works\b": "“interrupted”",
    r"\bnot tell\b|\btells? no\b": "“does not say”, “lacks”",
    r"(?<![Tt]here )\bis no (?!longer)": "“is not a …”",
    r"\b(?:ask for more|asked for)\b": "“request a higher quota”, “requested”",
    r"\bfor want of\b": "“out of”, “without”",
    r"\bin all\b(?=[.,:]|$)": "“in total”",
    r"\b[Dd]eploy it (?:again|with|without|so)\b": "“Deploy again”, “Deploy with …”",
    r"\b(?:again|it) so$": "“Redeploy with this fix”, “Apply this fix”",
    r"\bit did not help\b": "“this did not help”",
    r"\b[Aa]way with\b": "“Clean up”",
    r"\bcarry\b.*\bout\b": "“run”",
    r"\bwhat is there\b": "what is meant, as a noun",
    r"\bheld to\b|\bholds .* to this\b": "“locked to”",
    r"\bpaid for\b": "“billed”, “with billing enabled”",
    r"^Empty: ": "“Default: …”",
    r"\b[Ff]ewest\b|\b[Mm]ost instances\b": "“minimum instances”, “maximum instances”",
    r"\b[Rr]equests at once\b": "“concurrent requests”",
    r"\b[Ll]ongest request\b": "“request timeout”, or “context”",
    r"\b[Ll]ongest answer\b": "“max tokens”",
    r"\b[Rr]equests come\b|^Runs as$": "“ingress”, “service account”",
    r"\b[Dd]ivide requests\b|\bgoing back sends\b": "“split traffic”, “roll back”",
    r"\bpublic way\b": "“public internet”",
    r"\bcall it from elsewhere\b|\bThis product\b": "“use it in your code”, the package's name",
    r"\bkeys and values of\b|\bchoice of the next word\b": "“context of”, “sampling”",
    r"\bdigest that the hub\b": "“checksum”",
}
# On the page, what is spoken of stands before nothing: a sentence can't begin with its pronoun.
PRONOUN = re.compile(r"^(?:It|Its|They|Their) ")
ROOMS_OF_SENTENCES = ("page", "checks", "widgets")
_PATTERN = re.compile(r"\\|\(\?|\[\^|\.\{")
_SHORTEST = 24
"""Characters from which a text that stands twice is one too many."""


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each literal; what is filled in is ``{}``."""
    tree = ast.parse(path.read_text("utf-8"))
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out.add(node.value)  # a docstring
        if isinstance(node, ast.JoinedStr):
            left_out.update(each for each in node.values if isinstance(each, ast.Constant))
            parts = (e.value if isinstance(e, ast.Constant) else "{}" for e in node.values)
            yield node.lineno, "".join(map(str, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in left_out:
            yield node.lineno, node.value


def of_scripts() -> Iterator[tuple[str, str]]:
    """Yield the lines of the components' scripts, without their comments."""
    for path in sorted((PACKAGE / "widgets/static").glob("*.js")):
        for line, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not text.lstrip().startswith(("*", "/*", "//")):
                yield f"{path.relative_to(PACKAGE)}:{line}", text


def of_documents() -> Iterator[tuple[str, str]]:
    """Yield the lines of the server's pages, of the notebooks and of the README."""
    for path in sorted((PACKAGE / "server/share").rglob("*.html")):
        for text in re.sub(r"{#.*?#}", "", path.read_text("utf-8"), flags=re.DOTALL).splitlines():
            yield path.name, text
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for number, cell in enumerate(json.loads(path.read_text("utf-8"))["cells"]):
            for text in "".join(cell["source"]).splitlines():
                yield f"{path.name}:{number}", text
    for line, text in enumerate((ROOT / "README.md").read_text("utf-8").splitlines(), 1):
        yield f"README.md:{line}", text


def of_code() -> Iterator[tuple[str, str]]:
    """Yield the literals of the product, but for the patterns that logs are read by."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for line, text in literals(path):
            if not _PATTERN.search(text):
                yield f"{path.relative_to(PACKAGE)}:{line}", text


CODE = list(of_code())
SENTENCES = [*CODE, *of_scripts(), *of_documents()]


@pytest.mark.parametrize("turn", FORBIDDEN)
def test_no_turn_that_stops_a_reader(turn: str) -> None:
    pattern = re.compile(turn)
    found = [f"{place}: {text}" for place, text in SENTENCES if pattern.search(text)]
    assert not found, f"Write {FORBIDDEN[turn]}."


def test_sentences_of_the_page_name_what_they_speak_of() -> None:
    assert not [
        f"{place}: {text}"
        for place, text in SENTENCES
        if place.startswith(ROOMS_OF_SENTENCES) and PRONOUN.match(text)
    ]


def test_a_sentence_stands_in_one_place() -> None:
    texts = (
        text
        for _, text in CODE
        if len(text) >= _SHORTEST and re.match(r"[A-Z][^/{}]* [^/{}]*$", text)
    )
    assert not {text: count for text, count in Counter(texts).items() if count > 1}


@pytest.mark.parametrize(
    "sentence",
    [
        "You may not see the services in any region.",
        "15 of 15 in order",
        "Importing a model would fail until this is mended.",
        "Whom Google answers; must be able to see the quota.",
        "Fewest instances",
        "Requests at once per instance",
        "Longest request (seconds)",
        "Waiting for a worker … · it goes on when this page is closed",
        "Let everybody call",
        "About $1.42 for each hour that an instance is awake.",
        "Deploy again so",
        "Not to be had: Requests.",
        "## Away with it",
    ],
)
def test_the_turns_are_found(sentence: str) -> None:
    assert any(re.search(turn, sentence) for turn in FORBIDDEN)
