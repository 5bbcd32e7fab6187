"""What a person types for a model of Ollama, and its normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from llm_widgets.domain.names import shown
from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs import pasted, quantizations
from llm_widgets.hubs.huggingface import addresses
from llm_widgets.hubs.names import address, invalid

HOST = "registry.ollama.ai"
HOSTS = frozenset({"ollama.com", "www.ollama.com", "ollama.ai", HOST})

# Ollama's types/model/name.go: parts of at most 80 characters, no dots in a namespace.
_NAMESPACE = re.compile(r"\w[\w-]{0,79}", re.ASCII)
_PART = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
_EXAMPLE = "Enter a name such as gemma3:4b, user/model:tag or hf.co/user/repository:Q4_K_M."
_OTHER_PAGES = frozenset(
    [
        "blog",
        "cloud",
        "connect",
        "docs",
        "download",
        "models",
        "pricing",
        "public",
        "search",
        "settings",
        "signin",
        "signup",
        "turbo",
    ]
)
"""First words of addresses of ollama.com that are no models."""


@dataclass(frozen=True, slots=True)
class Name:
    """A model as Ollama names it: ``[host/][namespace/]model[:tag]``."""

    host: str
    namespace: str
    model: str
    tag: str

    @property
    def id(self) -> str:
        """The shortest form that Ollama understands, always with the tag."""
        name = f"{self.namespace}/{self.model}:{self.tag}"
        if self.host != HOST:
            return f"{self.host}/{name}"
        return name.removeprefix("library/")

    @property
    def manifest_path(self) -> str:
        """Where Ollama looks for the manifest below its folder of models."""
        return f"manifests/{self.host}/{self.namespace}/{self.model}/{self.tag}"

    @property
    def page(self) -> str:
        """The model's page for people."""
        if self.host == addresses.SHORT_HOST:
            return f"https://huggingface.co/{self.namespace}/{self.model}"
        return f"https://ollama.com/{self.namespace}/{self.model}"


def model(text: str) -> Name:
    """Read the name of a model as Ollama takes it, the address of its page, or a command.

    Raises
    ------
    InvalidInputError
        It is none of these, or names another registry; the sentence says what is wrong.
    """
    named = pasted.read(text, _EXAMPLE)
    if named.kind:
        raise addresses.not_a_model(named.text, named.kind)
    if page := _page_of_hugging_face(named):
        return _of_files(page, named)
    host, parts = _host_and_parts(named.text)
    if len(parts) == 1 and host == HOST:
        parts = ["library", *parts]
    if len(parts) != 2:  # noqa: PLR2004 - namespace and model
        raise invalid(
            f"{shown(named.text)} is not a name of Ollama: [namespace/]model[:tag].", _EXAMPLE
        )
    name, colon, tag = parts[1].partition(":")
    return _checked(named.text, Name(host, parts[0], name, tag if colon else "latest"))


def _host_and_parts(typed: str) -> tuple[str, list[str]]:
    """Return the registry that a text names, and the parts of the name.

    Raises
    ------
    InvalidInputError
        It is another registry, or a page of this one that is about no model.
    """
    host, parts = address(typed, HOSTS)
    if host in HOSTS and parts and parts[0] in _OTHER_PAGES:
        raise invalid(f"{shown(typed)} is another page, not a model.", _EXAMPLE)
    if host == HOST and parts[:1] == ["v2"] and "manifests" in parts[:-1]:
        *name, _, tag = parts[1:]  # the registry's own address of a manifest
        parts = [*name[:-1], f"{name[-1]}:{tag}"] if name else []
    elif host:
        parts = parts[:2]  # what follows belongs to the page
    else:
        parts = typed.strip("/").split("/")
        if len(parts) == 3:  # noqa: PLR2004 - host, namespace and model
            host, parts = parts[0].lower(), parts[1:]
    if host and host not in HOSTS:
        raise invalid(
            f"Models of {shown(host)} can't be imported.",
            f"Only those of {HOST} and {addresses.SHORT_HOST} can. {_EXAMPLE}",
        )
    return HOST, parts


def _page_of_hugging_face(named: pasted.Pasted) -> addresses.Page | None:
    """Read an address of Hugging Face; ``org/name`` of a command for it is one too."""
    page = addresses.page(named)
    if page is None and named.hub == "huggingface":
        return addresses.Page(tuple(named.text.strip("/").split("/")))
    return page


def _of_files(page: addresses.Page, named: pasted.Pasted) -> Name:
    """Return the name of GGUF files at Hugging Face: those of the file that was named.

    Raises
    ------
    InvalidInputError
        It names no repository, another revision than hf.co serves, or a file that has no tag.
    """
    typed = named.text
    if len(page.parts) != 2:  # noqa: PLR2004 - organisation and name
        short = f"{addresses.SHORT_HOST}/user/repository"
        raise invalid(f"{shown(typed)} is not a name of Ollama: {short}.", _EXAMPLE)
    model, colon, tag = page.parts[1].partition(":")
    name = Name(addresses.SHORT_HOST, page.parts[0], model, tag if colon else "latest")
    wanted = [*named.files, *filter(None, [page.file])]
    if page.folder or len(wanted) > 1:
        raise _which(typed, name)
    if wanted:
        name = replace(name, tag=_tag_of(typed, name, wanted[0]))
    if (revision := named.revision or page.revision) not in {"", addresses.MAIN}:
        raise invalid(
            f"{shown(typed)} names the revision {shown(revision)}, and {addresses.SHORT_HOST} "
            "serves GGUF files of the main branch only.",
            f"Enter {_checked(typed, name).id.removesuffix(':latest')} for the main branch.",
        )
    return _checked(typed, name)


def _tag_of(typed: str, name: Name, path: str) -> str:
    """Return the tag of a file.

    Raises
    ------
    InvalidInputError
        It has none.
    """
    if quantizations.is_weights(path) and "*" not in path:
        tag = quantizations.tag(path)
    else:  # a pattern
        tag = quantizations.label(path.replace("*", " ")) if "*" in path else ""
    if not tag:
        raise _which(typed, name)
    return tag


def _which(typed: str, name: Name) -> InvalidInputError:
    """Make the error of a text that does not tell which GGUF file is meant."""
    name = _checked(typed, name)
    short = f"{name.host}/{name.namespace}/{name.model}"
    return invalid(
        f"{shown(typed)} does not say which quantization of {short} you mean.",
        f"Enter {short} with a colon and the quantization, for example {short}:Q4_K_M.",
    )


def _checked(typed: str, name: Name) -> Name:
    """Return a name whose parts Ollama takes.

    Raises
    ------
    InvalidInputError
        It takes one of them not.
    """
    if found := _problem(name.namespace, name.model, name.tag):
        raise invalid(f"{shown(typed)} is not a name of Ollama: {found}.", _EXAMPLE)
    return name


def is_id(text: str) -> bool:
    """Return whether a text is the shortest name of a model, with its tag."""
    try:
        return model(text).id == text
    except InvalidInputError:
        return False


def _problem(namespace: str, model: str, tag: str) -> str:
    if not _NAMESPACE.fullmatch(namespace):
        return "a namespace takes up to 80 letters a-z, digits, hyphens and underscores"
    for part, value in (("model", model), ("tag", tag)):
        if not _PART.fullmatch(value) or ".." in value:
            return f"a {part} takes up to 80 letters a-z, digits, hyphens, underscores and dots"
    return ""
