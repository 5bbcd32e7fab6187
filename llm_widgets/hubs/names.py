"""What a person types for a model, and its normal form at its hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from llm_widgets.domain.names import shown
from llm_widgets.errors import Fix, InvalidInputError

OLLAMA_HOST = "registry.ollama.ai"
HUGGING_FACE_HOST = "hf.co"
FIELD = "model_id"

_HUGGING_FACE_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_OLLAMA_HOSTS = frozenset({"ollama.com", "www.ollama.com", "ollama.ai", OLLAMA_HOST})
_HUGGING_FACE_LENGTH = 96  # characters; huggingface_hub's own rule
_HUGGING_FACE_PART = re.compile(r"[A-Za-z0-9_](?:[\w.-]*[A-Za-z0-9_])?", re.ASCII)
_REVISION = re.compile(r"[\w][\w./-]{0,199}", re.ASCII)
# Ollama's types/model/name.go: parts of at most 80 characters, no dots in a namespace.
_OLLAMA_NAMESPACE = re.compile(r"\w[\w-]{0,79}", re.ASCII)
_OLLAMA_PART = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
_COMMAND = re.compile(r"ollama\s+(?:run|pull|show)\s+", re.ASCII)
_MODEL_PAGES = frozenset({"tree", "blob", "resolve", "commit"})
_OTHER_PAGES = {"datasets": "a dataset", "spaces": "a Space", "collections": "a collection"}
_TOKEN = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class HuggingFaceName:
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


@dataclass(frozen=True, slots=True)
class OllamaName:
    """A model as Ollama names it: ``[host/][namespace/]model[:tag]``."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def id(self) -> str:
        """The shortest form that Ollama understands, always with the tag."""
        name = f"{self.namespace}/{self.model}:{self.tag}"
        if self.host != OLLAMA_HOST:
            return f"{self.host}/{name}"
        return name.removeprefix("library/")

    @property
    def manifest_path(self) -> str:
        """Where Ollama looks for the manifest below its folder of models."""
        return f"manifests/{self.host}/{self.namespace}/{self.model}/{self.tag}"

    @property
    def page(self) -> str:
        """The model's page for people."""
        if self.host == HUGGING_FACE_HOST:
            return f"https://huggingface.co/{self.namespace}/{self.model}"
        return f"https://ollama.com/{self.namespace}/{self.model}"


def hugging_face(text: str) -> HuggingFaceName:
    """Read the id of a model at Hugging Face, or the address of its page.

    Raises
    ------
    InvalidInputError
        It is neither; the sentence says what is wrong.
    """
    example = "Enter a model ID such as Qwen/Qwen3-0.6B."
    typed = _one_word(text, example)
    host, parts = _address(typed)
    revision = ""
    if host in _OLLAMA_HOSTS:
        raise _invalid(
            f"{shown(typed)} is a model of Ollama.", "Choose Ollama as the source, or " + example
        )
    if host and host not in _HUGGING_FACE_HOSTS:
        raise _invalid(f"{shown(typed)} is not a page of huggingface.co.", example)
    if host:
        parts, revision = _model_page(typed, parts)
    else:
        parts = typed.strip("/").split("/")
    if ":" in parts[-1]:
        raise _invalid(
            f"{shown(typed)} looks like a name of Ollama.",
            "Choose Ollama as the source, or leave out the colon and what follows it.",
        )
    if problem := _hugging_face_problem(parts):
        raise _invalid(f"{shown(typed)} is not a model ID of Hugging Face: {problem}.", example)
    return HuggingFaceName("/".join(parts), revision)


def ollama(text: str) -> OllamaName:
    """Read the name of a model as Ollama takes it, the address of its page, or a command.

    Raises
    ------
    InvalidInputError
        It is none of these, or names another registry; the sentence says what is wrong.
    """
    example = "Enter a name such as gemma3:4b, user/model:tag or hf.co/user/repository:Q4_K_M."
    typed = _one_word(_COMMAND.sub("", text.strip(), count=1), example)
    host, parts = _address(typed)
    if host:
        parts = parts[:2]  # what follows belongs to the page
    else:
        parts = typed.strip("/").split("/")
        if len(parts) == 3:  # noqa: PLR2004 - owner, name, page, revision - host, namespace and model
            host, parts = parts[0].lower(), parts[1:]
    if host in _HUGGING_FACE_HOSTS:
        host = HUGGING_FACE_HOST
    elif not host or host in _OLLAMA_HOSTS:
        host = OLLAMA_HOST
    else:
        raise _invalid(
            f"Models of {shown(host)} can't be imported.",
            f"Only those of {OLLAMA_HOST} and {HUGGING_FACE_HOST} can. {example}",
        )
    if len(parts) == 1 and host == OLLAMA_HOST:
        parts = ["library", *parts]
    if len(parts) != 2:  # noqa: PLR2004 - owner, name, page, revision - namespace and model
        raise _invalid(f"{shown(typed)} is not a name of Ollama: [namespace/]model[:tag].", example)
    namespace, (model, colon, tag) = parts[0], parts[1].partition(":")
    if problem := _ollama_problem(namespace, model, tag if colon else "latest"):
        raise _invalid(f"{shown(typed)} is not a name of Ollama: {problem}.", example)
    return OllamaName(host, namespace, model, tag or "latest")


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
    """Check a hub token and give it without surrounding white space; empty stays empty.

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


def _hugging_face_problem(parts: list[str]) -> str:
    model_id = "/".join(parts)
    if len(parts) not in {1, 2} or not all(parts):
        return "it is an organisation and a name with one slash between them"
    if len(model_id) > _HUGGING_FACE_LENGTH:
        return f"it takes at most {_HUGGING_FACE_LENGTH} characters"
    if ".." in model_id or "--" in model_id:
        return "it has no two dots or two hyphens in a row"
    if not all(_HUGGING_FACE_PART.fullmatch(part) for part in parts):
        return (
            "it takes letters a-z, digits, hyphens, underscores and dots, "
            "and has no hyphen or dot at an end"
        )
    return "it does not end with “.git”" if model_id.endswith(".git") else ""


def _ollama_problem(namespace: str, model: str, tag: str) -> str:
    if not _OLLAMA_NAMESPACE.fullmatch(namespace):
        return "a namespace takes up to 80 letters a-z, digits, hyphens and underscores"
    for part, value in (("model", model), ("tag", tag)):
        if not _OLLAMA_PART.fullmatch(value) or ".." in value:
            return f"a {part} takes up to 80 letters a-z, digits, hyphens, underscores and dots"
    return ""


def _one_word(text: str, example: str) -> str:
    typed = text.strip()
    if not typed:
        raise _invalid(example)
    if any(letter.isspace() for letter in typed):
        raise _invalid(f"{shown(typed)} contains a space or a line break.", example)
    return typed


def _address(typed: str) -> tuple[str, list[str]]:
    """Split an address into host and path; the host is empty for what is none."""
    bare = typed.partition("/")[0].lower()
    is_known = bare in _HUGGING_FACE_HOSTS | _OLLAMA_HOSTS
    if "://" not in typed and not is_known:
        return "", []
    try:
        parts = urlsplit(typed if "://" in typed else f"https://{typed}")
    except ValueError as error:
        raise _invalid(f"{shown(typed)} is not an address.") from error
    return (parts.hostname or "?"), [unquote(part) for part in parts.path.split("/") if part]


def _model_page(typed: str, parts: list[str]) -> tuple[list[str], str]:
    """Give the id and the revision that the address of a page at Hugging Face names."""
    if parts and parts[0] in _OTHER_PAGES:
        raise _invalid(
            f"{shown(typed)} is {_OTHER_PAGES[parts[0]]}, not a model.",
            "Enter the ID of a model such as Qwen/Qwen3-0.6B.",
        )
    if parts and parts[0] == "models":
        parts = parts[1:]
    revision = parts[3] if len(parts) > 3 and parts[2] in _MODEL_PAGES else ""  # noqa: PLR2004 - owner, name, page, revision
    return (parts[:2] or [""]), revision


def _invalid(message: str, fix: str = "") -> InvalidInputError:
    return InvalidInputError(message, field=FIELD, fix=Fix(text=fix) if fix else None)
