"""What a person types for a model at Hugging Face, and its normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_widgets.domain.names import shown
from llm_widgets.errors import Fix, InvalidInputError
from llm_widgets.hubs.names import address, invalid, one_word

SHORT_HOST = "hf.co"
HOSTS = frozenset({"huggingface.co", "www.huggingface.co", SHORT_HOST})

_LENGTH = 96  # characters; huggingface_hub's own rule
_PART = re.compile(r"[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?", re.ASCII)
_REVISION = re.compile(r"[\w][\w./-]{0,199}", re.ASCII)
_MODEL_PAGES = frozenset({"tree", "blob", "resolve", "commit"})
_OTHER_PAGES = {"datasets": "a dataset", "spaces": "a Space", "collections": "a collection"}
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Name:
    """A model at Hugging Face.

    Attributes
    ----------
    id
        ``organisation/name``; the name alone for a few old models.
    revision
        Branch, tag or commit that a pasted address named, else empty.
    """

    id: str
    revision: str = ""


def model(text: str) -> Name:
    """Read the id of a model, or the address of its page.

    Raises
    ------
    InvalidInputError
        It is neither; the sentence says what is wrong.
    """
    example = "Enter a model ID such as Qwen/Qwen3-0.6B."
    typed = one_word(text, example)
    host, parts = address(typed, HOSTS)
    revision = ""
    if host and host not in HOSTS:
        raise invalid(f"{shown(typed)} is not a page of huggingface.co.", example)
    if host:
        parts, revision = _page(typed, parts)
    else:
        parts = typed.strip("/").split("/")
    if ":" in parts[-1]:
        raise invalid(
            f"{shown(typed)} looks like a name of Ollama.",
            "Choose Ollama as the source, or leave out the colon and what follows it.",
        )
    if found := _problem(parts):
        raise invalid(f"{shown(typed)} is not a model ID of Hugging Face: {found}.", example)
    return Name("/".join(parts), revision)


def is_id(text: str) -> bool:
    """Return whether a text is the id of a model in its normal form."""
    return not _problem(text.split("/"))


def revision(text: str) -> str:
    """Check a branch, tag or commit; an empty text stays empty.

    Raises
    ------
    InvalidInputError
        Git has no such names.
    """
    text = text.strip()
    if text and (not _REVISION.fullmatch(text) or ".." in text or text.endswith("/")):
        raise InvalidInputError(
            f"{shown(text)} is not a branch, a tag or a commit.",
            field="revision",
            fix=Fix(text="Leave the revision empty for the newest one."),
        )
    return text


def token(text: str) -> str:
    """Check a token and return it without surrounding white space; empty stays empty.

    Raises
    ------
    InvalidInputError
        It can't be a token; the sentence does not repeat it.
    """
    text = text.strip()
    if text and not _TOKEN.fullmatch(text):
        raise InvalidInputError(
            "The token contains a space, a line break or a character that tokens don't have.",
            field="token",
            fix=Fix(text="Copy the token again; it is one word that starts with hf_."),
        )
    return text


def _problem(parts: list[str]) -> str:
    model_id = "/".join(parts)
    if len(parts) not in {1, 2} or not all(parts):
        return "it is an organisation and a name with one slash between them"
    if len(model_id) > _LENGTH:
        return f"it takes at most {_LENGTH} characters"
    if ".." in model_id or "--" in model_id:
        return "it has no two dots or two hyphens in a row"
    if not all(_PART.fullmatch(part) for part in parts):
        return (
            "it takes letters a-z, digits, hyphens, underscores and dots, "
            "and has no hyphen or dot at an end"
        )
    return "it does not end with “.git”" if model_id.endswith(".git") else ""


def _page(typed: str, parts: list[str]) -> tuple[list[str], str]:
    """Return the id and the revision that the address of a page names."""
    if parts and parts[0] in _OTHER_PAGES:
        raise invalid(
            f"{shown(typed)} is {_OTHER_PAGES[parts[0]]}, not a model.",
            "Enter the ID of a model such as Qwen/Qwen3-0.6B.",
        )
    if parts and parts[0] == "models":
        parts = parts[1:]
    revision = parts[3] if len(parts) > 3 and parts[2] in _MODEL_PAGES else ""  # noqa: PLR2004 - owner, name, page, revision
    return (parts[:2] or [""]), revision
