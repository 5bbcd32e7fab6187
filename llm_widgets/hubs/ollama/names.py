"""What a person types for a model of Ollama, and its normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_widgets.domain.names import shown
from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs.huggingface import names as huggingface
from llm_widgets.hubs.names import address, invalid, one_word

HOST = "registry.ollama.ai"
HOSTS = frozenset({"ollama.com", "www.ollama.com", "ollama.ai", HOST})

# Ollama's types/model/name.go: parts of at most 80 characters, no dots in a namespace.
_NAMESPACE = re.compile(r"\w[\w-]{0,79}", re.ASCII)
_PART = re.compile(r"\w[\w.-]{0,79}", re.ASCII)
_COMMAND = re.compile(r"ollama\s+(?:run|pull|show)\s+", re.ASCII)


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
        if self.host == huggingface.SHORT_HOST:
            return f"https://huggingface.co/{self.namespace}/{self.model}"
        return f"https://ollama.com/{self.namespace}/{self.model}"


def model(text: str) -> Name:
    """Read the name of a model as Ollama takes it, the address of its page, or a command.

    Raises
    ------
    InvalidInputError
        It is none of these, or names another registry; the sentence says what is wrong.
    """
    example = "Enter a name such as gemma3:4b, user/model:tag or hf.co/user/repository:Q4_K_M."
    typed = one_word(_COMMAND.sub("", text.strip(), count=1), example)
    host, parts = address(typed, HOSTS | huggingface.HOSTS)
    if host:
        parts = parts[:2]  # what follows belongs to the page
    else:
        parts = typed.strip("/").split("/")
        if len(parts) == 3:  # noqa: PLR2004 - host, namespace and model
            host, parts = parts[0].lower(), parts[1:]
    if host in huggingface.HOSTS:
        host = huggingface.SHORT_HOST
    elif not host or host in HOSTS:
        host = HOST
    else:
        raise invalid(
            f"Models of {shown(host)} can't be imported.",
            f"Only those of {HOST} and {huggingface.SHORT_HOST} can. {example}",
        )
    if len(parts) == 1 and host == HOST:
        parts = ["library", *parts]
    if len(parts) != 2:  # noqa: PLR2004 - namespace and model
        raise invalid(f"{shown(typed)} is not a name of Ollama: [namespace/]model[:tag].", example)
    namespace, (name, colon, tag) = parts[0], parts[1].partition(":")
    if found := _problem(namespace, name, tag if colon else "latest"):
        raise invalid(f"{shown(typed)} is not a name of Ollama: {found}.", example)
    return Name(host, namespace, name, tag or "latest")


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
