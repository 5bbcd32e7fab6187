"""Addresses of pages at Hugging Face: which model, revision and file each is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from llm_widgets.domain.names import shown
from llm_widgets.hubs import pasted, quantizations
from llm_widgets.hubs.names import address, host, invalid, place, query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.errors import InvalidInputError
    from llm_widgets.hubs.pasted import Pasted

SHORT_HOST = "hf.co"
HOSTS = frozenset({"huggingface.co", "www.huggingface.co", SHORT_HOST, f"www.{SHORT_HOST}"})
MIRRORS = frozenset({"hf-mirror.com", "www.hf-mirror.com", "alpha.hf-mirror.com"})
"""Hosts that serve the models of Hugging Face under the same names and revisions."""

MAIN = "main"

_EXAMPLE = "Enter the ID of a model such as Qwen/Qwen3-0.6B."
_OTHER_PAGES = {
    "datasets": "a dataset",
    "dataset": "a dataset",
    "spaces": "a Space",
    "space": "a Space",
    "collections": "a collection",
    "buckets": "a bucket",
    "kernels": "a kernel",
    "papers": "a paper",
    **dict.fromkeys(("docs", "learn", "tasks"), "a page of the documentation"),
    **dict.fromkeys(("blog", "posts", "chat", "join", "login", "settings"), "another page"),
    **dict.fromkeys(("organizations", "pricing", "enterprise", "new", "search"), "another page"),
    **dict.fromkeys(("inference", "changelog", "support", "terms-of-service"), "another page"),
}
_OF_FILES = frozenset({"blob", "resolve", "raw", "blame", "edit", "delete", "info"})
_OF_REVISIONS = frozenset({"tree", "commit", "commits", "revision", *_OF_FILES})
_REFS = re.compile(r"refs/(?:pr|convert|heads|tags)")
_HF = re.compile(
    r"hf://(?P<kind>datasets/|spaces/|buckets/|models/)?(?P<id>[^/@]+/[^/@]+)"
    r"(?:@(?P<revision>(?:refs/(?:pr|convert|heads|tags)/)?[^/]+))?(?:/(?P<path>.*))?"
)
_CACHE = re.compile(
    r"(?:.*[/\\])?models--(?P<id>[^/\\]+)(?:[/\\]snapshots[/\\](?P<revision>[0-9a-f]{40}))?(?:[/\\].*)?"
)
"""A folder in which ``huggingface_hub`` keeps a model: ``models--organisation--name``."""

_MODELSCOPE = frozenset(
    f"{prefix}modelscope.{ending}" for prefix in ("", "www.") for ending in ("cn", "ai")
)
_SSH = re.compile(r"(?:ssh://)?git@(hf\.co|huggingface\.co)[:/]")


@dataclass(frozen=True, slots=True)
class Page:
    """What an address is about.

    Attributes
    ----------
    parts
        Those of the model's id, as they stand there.
    revision
        Branch, tag or commit; empty where it names none.
    file
        Path of one file, empty for none.
    folder
        Path of a folder of the model, empty for none.
    """

    parts: tuple[str, ...]
    revision: str = ""
    file: str = ""
    folder: str = ""


def page(named: Pasted, endpoint: str = "") -> Page | None:
    """Read an address; ``None`` for what is none of this hub.

    Parameters
    ----------
    endpoint
        Address of the hub that models are imported from: its pages are known too.

    Raises
    ------
    InvalidInputError
        It is no address, one of something else than a model, or meant for another hub.
    """
    is_own = bool(endpoint) and place(named.text) == place(endpoint)
    known = HOSTS | MIRRORS | ({host(endpoint)} if is_own else set())
    _refuse_another_hub(named, endpoint)
    text = _SSH.sub(r"https://\1/", named.text)
    if text.startswith("hf://"):
        return _of_scheme(text)
    if cached := _CACHE.fullmatch(text):
        return Page(tuple(cached["id"].split("--")), cached["revision"] or "")
    if host(text) not in known or not address(text, known)[0]:
        return None
    path = urlsplit(text if "://" in text else f"https://{text}").path
    # A slash within a part is written %2F: it is read after the parts are told apart.
    parts = [unquote(part) for part in path.split("/") if part]
    if parts[:2] == ["api", "models"] or parts[:1] == ["models"]:
        parts = parts[parts.index("models") + 1 :]
    if parts and parts[0] in _OTHER_PAGES:
        raise not_a_model(text, parts[0])
    return _of_model(text, parts or [""])


def about_mirror(text: str, endpoint: str) -> tuple[str, ...]:
    """Return what to know where a text names a mirror, beside what it names.

    Parameters
    ----------
    endpoint
        The hub that models are imported from.
    """
    named = pasted.read(text, _EXAMPLE)
    found = next((each for each in (host(named.text), host(named.endpoint)) if each in MIRRORS), "")
    if not found:
        return ()
    return (f"{found} is a mirror of Hugging Face. The same model is imported from {endpoint}.",)


def _refuse_another_hub(named: Pasted, endpoint: str) -> None:
    """Refuse what is meant for a hub whose models may be others under the same name."""
    its_own = host(named.endpoint)
    other = "ModelScope" if named.hub == "modelscope" else ""
    if host(named.text) in _MODELSCOPE and "/models/" in named.text:
        other = "ModelScope"
    is_configured = place(named.endpoint) == place(endpoint)
    if its_own and its_own not in HOSTS | MIRRORS and not is_configured:
        other = shown(its_own)
    if not other:
        return
    path = named.text.partition("/models/")[2] or named.text
    model_id = "/".join(path.strip("/").split("/")[:2])
    raise invalid(
        f"{shown(named.text)} is meant for {other}, whose models can't be imported.",
        f"Enter {model_id} if Hugging Face has it too: under one name it may be another model.",
    )


def not_a_model(text: str, kind: str) -> InvalidInputError:
    """Make the error of what is at this hub and no model.

    Parameters
    ----------
    kind
        ``dataset``, ``space``, or the first word of the page's path.
    """
    return invalid(
        f"{shown(text)} is {_OTHER_PAGES.get(kind, 'something else')}, not a model.", _EXAMPLE
    )


def _of_scheme(text: str) -> Page:
    found = _HF.fullmatch(text.partition("?")[0])
    if not found:
        raise invalid(f"{shown(text)} is not an address: hf://organisation/name.", _EXAMPLE)
    if found["kind"] and found["kind"] != "models/":
        raise not_a_model(text, found["kind"].rstrip("/"))
    path = (found["path"] or "").strip("/")
    is_file = "." in path.rpartition("/")[2]
    return Page(
        tuple(found["id"].split("/")),
        unquote(found["revision"] or ""),
        file=path if is_file else "",
        folder="" if is_file else path,
    )


def _of_model(text: str, parts: Sequence[str]) -> Page:
    model, rest = parts[:2], list(parts[2:])
    model_id = tuple(part.removesuffix(".git") if at else part for at, part in enumerate(model))
    if rest and rest[0] == "discussions":
        return Page(model_id, _of_discussion(text, model_id, rest))
    if rest and rest[-1].lower().endswith(quantizations.SUFFIX) and rest[0] not in _OF_FILES:
        return Page(model_id, file="/".join(rest))  # hf.co/user/repository/file.gguf
    if not rest or rest[0] not in _OF_REVISIONS or len(rest) == 1:
        return Page(model_id, query(text, "revision"), file=query(text, "show_file_info"))
    kind, after = rest[0], rest[1:]
    names = 3 if _REFS.fullmatch("/".join(after[:2])) and len(after) > 2 else 1  # noqa: PLR2004 - refs/pr/1
    revision, path = "/".join(after[:names]), "/".join(after[names:])
    if kind in _OF_FILES:
        return Page(model_id, revision, file=path)
    if shown_file := query(text, "show_file_info"):
        return Page(model_id, revision, file=shown_file)
    return Page(model_id, revision, folder=path if kind == "tree" else "")


def _of_discussion(text: str, model_id: tuple[str, ...], rest: list[str]) -> str:
    """Return the revision of a pull request; a page of talk names none."""
    number = rest[1] if len(rest) > 1 else ""
    if not number.isdigit():
        return ""
    if rest[2:3] == ["files"]:
        return f"refs/pr/{number}"
    whole = "/".join(model_id)
    raise invalid(
        f"{shown(text)} is a discussion about {whole}, or a pull request to it.",
        f"Enter {whole} for the model as it is, or {whole}@refs/pr/{number} for the pull request.",
    )
