"""What is told to others about an error: a search in an engine's issues, and a text to report.

Nothing in them may tell who runs the service: addresses, projects, keys and names are left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from llm_widgets.diagnosis.evidence import readable
from llm_widgets.domain import secret_texts
from llm_widgets.engines import registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.diagnosis.evidence import LogLine
    from llm_widgets.domain.failures.context import Context

_MOST_WORDS = 14  # GitHub searches for all of them
_LONGEST_LINE = 600  # characters

# Before the rest: what they stand for is longer than what other patterns would take of it.
_PRIVATE: tuple[tuple[re.Pattern[str], str], ...] = (
    *((re.compile(form), word) for form, word in secret_texts.FORMS),
    (
        re.compile(
            rf"(?i)\b({secret_texts.NAMES})(['\"]?\s{{0,3}}[:=]\s{{0,3}}['\"]?"
            r"(?:bearer |basic )?|\s)(?!TOKEN)[^\s'\",;]{6,500}"
        ),
        r"\1\2SECRET",
    ),
    (re.compile(secret_texts.IN_ADDRESS), "USER@"),
    (re.compile(r"[\w.+-]{1,100}@[\w-]{1,100}(?:\.[\w-]{1,60}){1,6}"), "ADDRESS"),
    (
        re.compile(r"((?:/home|/Users|/root/\.\w{1,30}|[A-Z]:\\Users)[/\\])[^/\\\s'\":]{1,60}"),
        r"\1USER",
    ),
    (re.compile(r"\b(projects?[/:= ]{1,2}['\"]?)[\w:.-]{4,60}"), r"\1PROJECT"),
    (re.compile(r"(-docker\.pkg\.dev/|\bgcr\.io/)[\w.-]{4,60}"), r"\1PROJECT"),
    (re.compile(r"\bgs://[\w.-]{3,222}"), "gs://BUCKET"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "IP"),
    (re.compile(r"\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{0,4}\b"), "IP"),
    (re.compile(r"\bhttps?://[\w.-]{1,200}\.(?:run\.app|internal|local)\b"), "https://SERVICE"),
)
# What differs from one case to another: paths, numbers, addresses in memory, quoted values.
_VARYING = re.compile(
    r"https?://\S{1,300}|(?:/[\w.@+-]{1,100}){2,20}/?|\b0x[0-9a-f]{1,16}\b|"
    r"\b[0-9a-f]{12,64}\b|['\"`][^'\"`]{0,200}[/\d][^'\"`]{0,200}['\"`]|"
    r"\b\d[\d.,:]{0,20}(?: ?(?:[KMGT]i?B|ms|s|%))?\b|\b[A-Z]{4,10}@|[\[\](){}<>]|\\[nt]"
)


def scrubbed(text: str, context: Context) -> str:
    """Return a text without what tells who runs the service, and without secrets."""
    plain = readable(text)
    own = {
        context.project: "PROJECT",
        context.project_number: "PROJECT_NUMBER",
        context.bucket: "BUCKET",
        context.service: "SERVICE",
        context.caller.partition(":")[2]: "ADDRESS",
        context.service_account: "ADDRESS",
    }
    for name in sorted(own, key=len, reverse=True):
        if len(name) > 3:  # noqa: PLR2004 - shorter ones stand in ordinary words
            plain = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", own[name], plain)
    for pattern, instead in _PRIVATE:
        plain = pattern.sub(instead, plain)
    return plain


def stable_part(text: str, context: Context) -> str:
    """Return the words of an error that others with the same error have too."""
    plain = _VARYING.sub(" ", scrubbed(text, context))
    words = [word.strip(".,:;=") for word in plain.split()]
    return " ".join([word for word in words if word][:_MOST_WORDS])


def issues_url(text: str, context: Context) -> str:
    """Return the address of a search in the issues of the engine; empty where it is not known."""
    engine = registry.of(context.framework)
    words = stable_part(text, context)
    return f"{engine.issues}?q={quote_plus(f'is:issue {words}')}" if engine and words else ""


def report(text: str, lines: Iterable[LogLine], context: Context) -> str:
    """Return what to tell the engine's authors: the error, what runs, and the log around it."""
    engine = registry.of(context.framework)
    facts = (
        ("Engine", engine.label if engine else ""),
        ("Image", context.image),
        ("Model", context.model_id),
        ("GPU", context.accelerator or "none"),
        ("Machine", f"Cloud Run, {context.cpu:g} vCPU, {context.memory_gib:g} GiB"),
        ("Arguments", " ".join(context.args)),
    )
    told = [f"{name}: {scrubbed(value, context)}" for name, value in facts if value]
    shown = [scrubbed(line.text, context)[:_LONGEST_LINE] for line in lines]
    return "\n".join([scrubbed(text, context), "", *told, "", "```", *shown, "```"])
