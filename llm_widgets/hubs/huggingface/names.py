"""What a person types for a model at Hugging Face, and its normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_widgets.domain.names import shown
from llm_widgets.errors import Fix, InvalidInputError
from llm_widgets.hubs import pasted, quantizations
from llm_widgets.hubs.huggingface import addresses
from llm_widgets.hubs.huggingface.addresses import HOSTS, SHORT_HOST, Page
from llm_widgets.hubs.names import address, invalid

__all__ = ["HOSTS", "SHORT_HOST", "Name", "is_id", "model", "revision", "token"]

_LENGTH = 96  # characters; huggingface_hub's own rule
_PART = re.compile(r"[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?", re.ASCII)
# Of what git takes (git-check-ref-format), what people use.
_REVISION = re.compile(r"[\w][\w./+=@#,%!-]{0,199}", re.ASCII)
_TOKEN = re.compile(r"[!-~]+")
_COPIED_TOKEN = re.compile(
    r"""(?:(?:export\s+)?(?:HF_TOKEN|HUGGING_FACE_HUB_TOKEN)=|(?:Authorization:\s*)?Bearer\s+)?"""
    r"""["'`]?(hf_[A-Za-z0-9_]+)["'`]?""",
    re.ASCII,
)
"""A token with what stood around it: quotes, a variable, a header."""

_EXAMPLE = "Enter a model ID such as Qwen/Qwen3-0.6B."
_OTHERS_TOKENS = {
    "sk-": "OpenAI",
    "ghp_": "GitHub",
    "github_pat_": "GitHub",
    "glpat-": "GitLab",
    "AIza": "Google",
    "ya29.": "Google",
    "nvapi-": "NVIDIA",
    "r8_": "Replicate",
}
"""How tokens begin that other places give out."""


@dataclass(frozen=True, slots=True)
class Name:
    """A model at Hugging Face.

    Attributes
    ----------
    id
        ``organisation/name``; the name alone for a few old models.
    revision
        Branch, tag or commit that was pasted with it, else empty.
    files
        Files that were named; the whole model is imported all the same.
    """

    id: str
    revision: str = ""
    files: tuple[str, ...] = ()


def model(text: str, endpoint: str = "") -> Name:
    """Read the id of a model, the address of its page, or a command that names it.

    Parameters
    ----------
    endpoint
        Address of the hub that models are imported from: its pages are known too.

    Raises
    ------
    InvalidInputError
        It is none of these, or names a part of a model that is not imported by itself; the
        sentence says what is wrong.
    """
    named = pasted.read(text, _EXAMPLE)
    typed = named.text
    if named.kind:
        raise addresses.not_a_model(typed, named.kind)
    page = addresses.page(named, endpoint)
    is_page = page is not None
    page = page or _plain(typed)
    if ":" in page.parts[-1] or (named.hub == "ollama" and not is_page):
        raise _of_ollama(typed, page.parts)
    if found := _problem(list(page.parts)):
        raise invalid(f"{shown(typed)} is not a model ID of Hugging Face: {found}.", _EXAMPLE)
    model_id = "/".join(page.parts)
    files = (*named.files, *filter(None, [page.file]))
    _refuse_gguf(model_id, files, named.revision or page.revision)
    if page.folder or "/" in page.file:
        part = page.folder or page.file
        raise invalid(
            f"{shown(typed)} is about {shown(part)}, a part of {model_id}.",
            f"Models are imported whole: enter {model_id}, and choose the files after the check.",
        )
    return Name(model_id, revision(named.revision or page.revision), files)


def _plain(typed: str) -> Page:
    """Read ``organisation/name`` or ``organisation/name@revision``.

    Raises
    ------
    InvalidInputError
        It is the address of another place.
    """
    host, parts = address(typed, HOSTS)
    if host:
        model_id = "/".join(parts[:2])
        fix = f"Enter {model_id} if this is a mirror of it." if is_id(model_id) else _EXAMPLE
        raise invalid(f"{shown(typed)} is not a page of huggingface.co.", fix)
    name, _, wanted = typed.partition("@")
    return Page(tuple(name.strip("/").split("/")), wanted)


def _of_ollama(typed: str, parts: tuple[str, ...]) -> InvalidInputError:
    """Make the error of a name with a tag."""
    name = typed if len(parts) == 1 else f"{SHORT_HOST}/{'/'.join(parts)}"
    return invalid(
        f"{shown(typed)} looks like a name of Ollama.",
        f"Choose Ollama as the source and enter {name}, or leave out the colon and what "
        "follows it.",
    )


def _refuse_gguf(model_id: str, files: tuple[str, ...], revision: str) -> None:
    """Refuse a GGUF file, which vLLM does not load, with the name by which Ollama does."""
    path = next((file for file in files if file.lower().endswith(quantizations.SUFFIX)), "")
    if not path:
        return
    tag = quantizations.tag(path) if quantizations.is_weights(path) else ""
    name = f"{SHORT_HOST}/{model_id}" + (f":{tag}" if tag else "")
    only = "" if revision in {"", addresses.MAIN} else " Only the main branch offers GGUF files."
    raise invalid(
        f"{shown(path)} is a GGUF file, which Ollama loads.",
        f"Choose Ollama as the source and enter {name}.{only}",
    )


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
    odd = ".." in text or "//" in text or text.endswith(("/", ".lock", "."))
    if text and (odd or not _REVISION.fullmatch(text)):
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
    if copied := _COPIED_TOKEN.fullmatch(text):
        text = copied[1]
    if text and not _TOKEN.fullmatch(text):
        raise InvalidInputError(
            "The token contains a space, a line break or a character that tokens don't have.",
            field="token",
            fix=Fix(text="Copy the token again; it is one word that starts with hf_."),
        )
    other = next((of for start, of in _OTHERS_TOKENS.items() if text.startswith(start)), "")
    if other:
        raise InvalidInputError(
            f"This is a token of {other}, not of Hugging Face.",
            field="token",
            fix=Fix(
                text="Copy one that starts with hf_ from your settings.",
                url="https://huggingface.co/settings/tokens",
            ),
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
