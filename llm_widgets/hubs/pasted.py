"""What people paste for a model: an id, an address, or a command line that names one."""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.hubs.names import invalid, one_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
"""Soft hyphens, joiners, direction marks and byte order marks, which pages and chats add."""

_LONGEST = 4000
"""Characters of a text that is read: commands and addresses of models have some hundreds."""

_QUOTES = "\"'`“”„‟‘’‚«»‹›"  # noqa: RUF001 - as they are pasted
_PROMPT = re.compile(
    r"(?:\([\w.-]+\)\s*)?(?:[$#%>❯!*•-]|PS \S{1,99}>|\S{1,64}@\S{1,64}[$#%])\s+|!(?=\w)"  # noqa: RUF001 - a shell's sign
)
"""What shells and lists put before."""

_LINK = re.compile(r"\[[^\]]*\]\((\S+?)\)")  # Markdown's
_VALUE = re.compile(
    r"""(?:--?model(?:[-_](?:id|path|name))?[= ]|model(?:[-_]id)?["']?(?:\s*=\s*|:\s+))(\S+)""",
    re.IGNORECASE,
)
"""An option, an assignment or a line of YAML that names a model."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_BEFORE = frozenset({"sudo", "env", "uvx", "uv", "run", "time", "nohup"})
_JSON = re.compile(r"""["']model["']\s*:\s*["']([^"']+)["']""")
_KEYWORD = re.compile(
    r"""\w\(.*?\b(?:repo_id|(?:pretrained_)?model(?:_name(?:_or_path)?|_id|_path)?)"""
    r"""\s*=\s*["']([^"']+)["']""",
    re.DOTALL,
)
_ARGUMENT = re.compile(
    r"""\b(?:from_pretrained|snapshot_download|hf_hub_download|LLM)\(\s*["']([^"']+)["']"""
    r"""|\w\(\s*["']([\w.-]+/[\w.-]+)["']"""
)
"""The first argument of what takes a model, and of any call that is told ``organisation/name``."""

_ENDPOINT = re.compile(r"""\bHF_ENDPOINT["'\]]*\s*=\s*["']?(https?://[^\s"']+)""")
_OTHER_HUB = re.compile(r"\b(?:VLLM|SGLANG)_USE_MODELSCOPE\s*=\s*[\"']?(?:true|1)\b", re.IGNORECASE)
"""Settings in the same text, by which a name is looked for at another place."""

_TITLE = re.compile(
    r"(?:(?P<file>[^\s·]+) · )?(?P<text>[\w.-]+/[\w.-]+)(?: at (?P<revision>\S+))?"
    r"(?P<site> · Hugging Face)?"
)
"""The title of a page of Hugging Face: ``config.json · organisation/name at main``."""

_BEHIND = re.compile(r"(?P<text>[\w.-]+/[\w.-]+)\s+[(\[](?P<word>[^()\[\]]+)[)\]]")
_REVISION = re.compile(
    r"(?:(?:revision|branch|tag|commit)[:=\s]+(\S+)|(main|refs/\S+|v\d[\w.-]*|[0-9a-f]{7,40}))"
)
"""What stands in brackets behind an id, and what of that can only be a revision."""

_LOCAL = re.compile(r"(?:[A-Za-z]:[\\/]|~[\\/]|file:|/[^/]+/[^/]+/.).*", re.DOTALL)
_TOKEN = re.compile(r"hf_\w{16,}")
_PYTHON_OPTION = r"""\b{}\s*=\s*["']([^"']+)["']"""


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a text names.

    Attributes
    ----------
    text
        The id or the address, one word.
    revision
        Branch, tag or commit that the command asks for; else empty.
    files
        Paths or patterns of the files that it asks for; none for all.
    kind
        What it names where that is no model: ``"dataset"`` or ``"space"``.
    hub
        Whose names the command takes: ``"huggingface"``, ``"ollama"`` or ``"modelscope"``; else
        empty.
    endpoint
        Address of the hub that the text sets for its commands; else empty.
    """

    text: str
    revision: str = ""
    files: tuple[str, ...] = ()
    kind: str = ""
    hub: str = ""
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class _Command:
    """A program that is told a model.

    Attributes
    ----------
    words
        How its command line begins.
    options
        Its options that take a value, and what each tells: the name of a field, or nothing.
    hub
        Whose names it takes; empty for those that it takes by their address.
    takes_files
        Whether names of files follow the model's.
    by_option
        Whether the model is told by an option only.
    """

    words: tuple[str, ...]
    options: Mapping[str, str]
    hub: str = ""
    takes_files: bool = False
    by_option: bool = False


_DOWNLOAD = {
    "--repo-type": "kind",
    "--revision": "revision",
    "--include": "files",
    **dict.fromkeys(("--exclude", "--cache-dir", "--local-dir", "--token", "--max-workers"), ""),
    "--local-dir-use-symlinks": "",
}
_SERVE = {
    **dict.fromkeys(("--model", "--model-path", "--model-id", "--model_id"), "text"),
    "--revision": "revision",
}
_LLAMA = {"-hf": "text", "-hfr": "text", "--hf-repo": "text", "-hff": "files", "--hf-file": "files"}
_RUN = dict.fromkeys(("--format", "--keepalive", "--dimensions", "-f", "--file"), "")
_CLONE = {
    "-b": "revision",
    "--branch": "revision",
    "--revision": "revision",
    **dict.fromkeys(("--depth", "-o", "--origin", "-c", "--config", "--filter", "-j"), ""),
}
_WGET = dict.fromkeys(
    ("-O", "-o", "-P", "-d", "--header", "--output-document", "--directory-prefix"), ""
)
_CURL = {
    **dict.fromkeys(("-o", "-H", "-u", "-X", "--header", "--output", "--user", "--request"), ""),
    **dict.fromkeys(("-d", "--data", "--data-raw", "--json"), "json"),
}
_HUGGING_FACE, _OLLAMA, _MODELSCOPE = "huggingface", "ollama", "modelscope"
_COMMANDS = (
    _Command(("hf", "download"), _DOWNLOAD, _HUGGING_FACE, takes_files=True),
    _Command(("huggingface-cli", "download"), _DOWNLOAD, _HUGGING_FACE, takes_files=True),
    _Command(("modelscope", "download"), {**_DOWNLOAD, **_SERVE}, _MODELSCOPE, takes_files=True),
    *(_Command(("ollama", verb), _RUN, _OLLAMA) for verb in ("run", "pull", "show")),
    _Command(("ollama", "launch"), {"--model": "text"}, _OLLAMA, by_option=True),
    *(_Command(("docker", "model", verb), {}) for verb in ("run", "pull")),
    _Command(("git", "clone"), _CLONE),
    _Command(("git", "lfs", "clone"), _CLONE),
    _Command(("vllm", "serve"), _SERVE, _HUGGING_FACE),
    _Command(("vllm.entrypoints.openai.api_server",), _SERVE, _HUGGING_FACE),
    _Command(("vllm", "chat"), _SERVE, _HUGGING_FACE),
    _Command(("vllm", "bench", "serve"), _SERVE, _HUGGING_FACE),
    _Command(("sglang.launch_server",), _SERVE, _HUGGING_FACE),
    _Command(("sglang", "serve"), _SERVE, _HUGGING_FACE),
    _Command(("text-generation-launcher",), _SERVE, _HUGGING_FACE),
    _Command(("trtllm-serve",), _SERVE, _HUGGING_FACE),
    _Command(("transformers", "chat"), _SERVE, _HUGGING_FACE),
    _Command(("transformers", "serve"), _SERVE, _HUGGING_FACE),
    _Command(("FROM",), {}, _OLLAMA),
    *(_Command((name,), _WGET) for name in ("wget", "aria2c")),
    _Command(("curl",), _CURL),
)
"""Commands, those that others wrap first: ``docker exec ollama ollama run``."""

_ID = re.compile(r"[\w.-]+/[\w.-]+")
_OPTIONS = _Command((), _SERVE, _HUGGING_FACE)
"""Options behind an id, which stands where a command line was cut."""

_BY_OPTION = _Command((), {**_SERVE, **_LLAMA}, _HUGGING_FACE, by_option=True)
"""Any other program that is told a model by the usual options."""

_IMAGES = ("vllm/vllm-openai", "lmsysorg/sglang")
"""Images whose container is told the model by an option."""


def read(text: str, example: str) -> Pasted:
    """Return what a pasted text names, without what pages, shells and chats put around it.

    Parameters
    ----------
    example
        The sentence that says what is asked for.

    Raises
    ------
    InvalidInputError
        It is empty, too long, or several words that are no command known here.
    """
    if len(text) > _LONGEST:
        begin = shown(_without_token(text[:_LONGEST]))
        raise invalid(f"{begin} is too long for the name of a model.", example)
    typed = _bare(text)
    if named := _LINK.fullmatch(typed) or _VALUE.fullmatch(typed):
        typed = _bare(named[1])
    if found := _of_python(typed) or _of_lines(typed) or _of_title(typed) or _of_behind(typed):
        return _at_its_hub(found, typed)
    if named := _JSON.search(typed):
        return Pasted(named[1])
    if _TOKEN.fullmatch(typed):
        raise invalid("This is a token of Hugging Face, not the name of a model.", example)
    if _LOCAL.fullmatch(typed) and "models--" not in typed:
        raise invalid(
            f"{shown(typed)} is a place on a computer; models are imported from a hub.", example
        )
    return Pasted(one_word(_without_token(typed), example))


def _at_its_hub(found: Pasted, text: str) -> Pasted:
    """Add where the rest of the text has the name looked for."""
    if _OTHER_HUB.search(text):
        return replace(found, hub=_MODELSCOPE)
    named = _ENDPOINT.search(text)
    return replace(found, endpoint=named[1]) if named else found


def _of_title(text: str) -> Pasted | None:
    """Read the title of a page; ``None`` for what is not more than an id."""
    found = _TITLE.fullmatch(text)
    if not found or not (found["site"] or found["revision"]):
        return None
    files = (found["file"],) if found["file"] else ()
    return Pasted(found["text"], found["revision"] or "", files, hub=_HUGGING_FACE)


def _of_behind(text: str) -> Pasted | None:
    """Read an id with a word in brackets behind it.

    Raises
    ------
    InvalidInputError
        The word could be a revision, or mean something else.
    """
    found = _BEHIND.fullmatch(text)
    if not found:
        return None
    name, word = found["text"], found["word"].strip()
    if revision := _REVISION.fullmatch(word):
        return Pasted(name, revision[1] or revision[2], hub=_HUGGING_FACE)
    raise invalid(
        f"{shown(text)} does not say what {shown(word)} is.",
        f"Enter {name} alone, or {name}@ and the branch, tag or commit that you mean.",
    )


def _bare(text: str) -> str:
    """Return a text without invisible characters, prompts, and quotes around it."""
    text = _INVISIBLE.sub("", text).replace("\u00a0", " ").replace("\u202f", " ").strip()
    before = ""
    while text != before:
        before = text
        text = text.strip(_QUOTES).strip().removesuffix(",").removesuffix(";")
        if prompt := _PROMPT.match(text):
            text = text[prompt.end() :]
    if text.startswith("<") and text.endswith(">") and "://" in text:  # an address of a letter
        text = text[1:-1]
    return text


def _of_lines(text: str) -> Pasted | None:
    """Read the commands of some lines; ``None`` unless they name one thing."""
    text = re.sub(r"\\\s*\n", " ", text)
    lines = [line for line in re.split(r"\n|&&|\|\||[;|](?=\s)", text) if line.strip()]
    found = {named for line in lines if (named := _of_command(_words(_bare(line))))}
    return found.pop() if len(found) == 1 else None


def _words(line: str) -> list[str]:
    """Split a command line as a shell does; a comment at its end is left out."""
    words = line.split()
    for ending in ("", "'", '"'):  # a last quote was taken for one around the text
        with suppress(ValueError):
            words = shlex.split(line + ending)
            break
    comment = next((at for at, word in enumerate(words) if at and word.startswith("#")), None)
    return [_bare(word) for word in words[:comment]]


def _of_command(words: Sequence[str]) -> Pasted | None:
    if len(words) < 2:  # noqa: PLR2004 - a command and what it is told
        return None
    while words and (_ASSIGNMENT.fullmatch(words[0]) or words[0] in _BEFORE):
        words = words[1:]
    for command in _COMMANDS:
        at = _place(words, command.words)
        if at is not None and (found := _told(words[at + len(command.words) :], command)):
            return found
    for at, word in enumerate(words):
        if word.startswith(_IMAGES):
            return _told(words[at + 1 :], _Command((), _SERVE, _HUGGING_FACE))
    if _ID.fullmatch(words[0]) and words[1].startswith("--"):
        return _told(words, _OPTIONS)
    return _told(words, _BY_OPTION)


def _place(words: Sequence[str], wanted: tuple[str, ...]) -> int | None:
    """Return where a command begins: at the start, or behind ``docker``, ``python`` and such."""
    last = len(words) - len(wanted)
    wraps = bool(words) and words[0].startswith(("docker", "podman", "kubectl", "python"))
    places = range(last + 1) if wraps else range(min(1, last + 1))
    return next((at for at in places if tuple(words[at : at + len(wanted)]) == wanted), None)


def _told(words: Sequence[str], command: _Command) -> Pasted | None:
    """Read what follows a command: options, the model, and files."""
    told: dict[str, list[str]] = {}
    plain: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            plain.append(word)
        elif name in command.options:
            values = [value] if equals else left[:1]
            left = left if equals else left[1:]
            told.setdefault(command.options[name], []).extend(values)
    bodies = map(_JSON.search, told.get("json", []))
    texts = told.get("text", []) or [found[1] for found in bodies if found]
    texts = texts or ([] if command.by_option else plain[:1])
    if not texts:
        return None
    files = plain[1:] if command.takes_files else []
    revisions = told.get("revision", [""])
    kind = told.get("kind", [""])[-1]
    return Pasted(
        texts[0],
        revisions[-1],
        (*files, *told.get("files", [])),
        "" if kind == "model" else kind,
        command.hub,
    )


def _of_python(text: str) -> Pasted | None:
    """Read a call; a keyword that names the model counts more than a first argument."""
    found = _KEYWORD.search(text) or _ARGUMENT.search(text)
    if not found:
        return None
    named = next(filter(None, found.groups()))
    revision = re.search(_PYTHON_OPTION.format("revision"), text)
    file = re.search(_PYTHON_OPTION.format("filename"), text)
    return Pasted(
        named,
        revision[1] if revision else "",
        (file[1],) if file else (),
        hub=_HUGGING_FACE,
    )


def _without_token(text: str) -> str:
    """Return a text without the tokens of hubs in it: sentences are shown and logged."""
    return re.sub(r"\bhf_\w+", "hf_…", text)
