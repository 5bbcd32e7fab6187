"""Which family a model is of, and what vLLM is told for it: see :mod:`.family_table`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.engines.proposals import Proposal
from llm_widgets.engines.vllm.family_table import FAMILIES, Family

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Verdict

TEMPLATES = "/vllm-workspace/examples"
"""Folder of the templates in vLLM's image (vLLM's page on tool calling, for Apertus)."""

AUTO_TOOLS = "--enable-auto-tool-choice"
TOOL_PARSER = "--tool-call-parser"
REASONING_PARSER = "--reasoning-parser"
CHAT_TEMPLATE = "--chat-template"

# A model that was only trained to continue texts is served without a parser.
_UNTRAINED = re.compile(r"[-_]base(?![a-z])", re.IGNORECASE)
_SOURCES = {
    "recipes": "vLLM's recipes of 2026-08-21",
    "tools": "vLLM's page on tool calling, read on 2026-12-01",
    "pooling": "vLLM's examples for pooling models, read on 2026-12-02",
    "card": "the model's card, read on 2026-12-02",
}
_DEFAULTS = {True: "It reasons by default.", False: "By default it answers without reasoning."}


def proposal(
    model_id: str, *, base: str = "", architecture: str = "", verdict: Verdict | None = None
) -> Proposal | None:
    """Return what a model's family is served with; ``None`` where the family is not known.

    Parameters
    ----------
    base
        The model that it is a quantized form of; empty where none is named.
    architecture
        Of the model's configuration; empty when not known.
    verdict
        What was found of the model when it was imported.
    """
    for name in filter(None, (base, model_id)):
        family = family_of(name, architecture=architecture)
        if family and (verdict is None or verdict.task in family.tasks):
            return _proposal(family, name, is_base=name != model_id)
    return None


def family_of(model_id: str, *, architecture: str = "") -> Family | None:
    """Return the family that a repository's name and its architecture are of.

    A name alone says little: one whose architecture is another one is of no family.
    """
    name = model_id.rpartition("/")[2]
    for family in FAMILIES:
        if re.match(family.names, name, re.IGNORECASE):
            is_near = architecture in ("", *family.architectures) or not family.architectures
            is_untrained = family.tools and _UNTRAINED.search(name)
            return family if is_near and not is_untrained else None
    return None


def words(family: Family) -> tuple[str, ...]:
    """Return the arguments of a family."""
    found = []
    if family.tools:
        found += [AUTO_TOOLS, f"{TOOL_PARSER}={family.tools}"]
    if family.reasoning:
        found.append(f"{REASONING_PARSER}={family.reasoning}")
    if family.template:
        found.append(f"{CHAT_TEMPLATE}={TEMPLATES}/tool_chat_template_{family.template}.jinja")
    return (*found, *family.words)


def _proposal(family: Family, name: str, *, is_base: bool) -> Proposal:
    kind, _, where = family.source.partition(": ")
    told = f"It is a quantized form of {shown(name)}." if is_base else f"Its name is {shown(name)}."
    return Proposal(
        family=family.label,
        words=words(family),
        reason=told,
        effects=tuple(_effects(family)),
        notes=tuple(_notes(family)),
        source=f"{_SOURCES[kind]}: {where}",
    )


def _effects(family: Family) -> list[str]:
    found = []
    if family.tools:
        found.append(
            f"Tool calls are read by the parser {family.tools}. Without it, they stay in the text."
        )
    if family.template:
        found.append("Requests with tools are written by a template of vLLM's image.")
    if family.reasoning:
        found.append(
            f"Reasoning is separated from the answer by the parser {family.reasoning}. "
            "Without it, both are one text."
        )
    if family.purpose:
        found.append(family.purpose)
    return found


def _notes(family: Family) -> list[str]:
    found = []
    if family.thinks is not None and (family.thinks or family.switch):
        found.append(_DEFAULTS[family.thinks])
    if family.switch:
        found.append(
            f"A request turns reasoning on or off by {family.switch} in chat_template_kwargs."
        )
    if family.note:
        found.append(family.note)
    if family.least:
        found.append(f"It needs vLLM {family.least} or newer.")
    return found
