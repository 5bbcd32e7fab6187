"""Whether vLLM starts with the parsers that it is told.

What it refuses is in ``vllm/entrypoints/common/cli_args.py`` of vLLM 0.33.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.names import shown
from llm_widgets.engines.vllm import parsers
from llm_widgets.engines.vllm.arguments import COMMAND_LINE
from llm_widgets.engines.vllm.families import AUTO_TOOLS, REASONING_PARSER, TOOL_PARSER
from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import Deployment

# Flag to the names that vLLM registers, and to the flag of a plug-in that brings others.
_REGISTERED = (
    (TOOL_PARSER, parsers.TOOLS, "--tool-parser-plugin"),
    (REASONING_PARSER, parsers.REASONING, "--reasoning-parser-plugin"),
)


def problems(deployment: Deployment) -> Iterator[InvalidInputError]:
    """Yield an error for each parser that the version of the image does not have.

    Of an image of another version nothing is said: it may have other parsers.
    """
    args = deployment.args
    if COMMAND_LINE.has(args, AUTO_TOOLS) and not COMMAND_LINE.value(args, TOOL_PARSER):
        yield InvalidInputError(
            f"{AUTO_TOOLS} needs {TOOL_PARSER}.",
            field="args",
            cause="vLLM does not start without it.",
            fix=Fix(text=f"Add {TOOL_PARSER}, or remove {AUTO_TOOLS}."),
        )
    if f":v{parsers.VERSION}" not in deployment.image:
        return
    for flag, names, plugin in _REGISTERED:
        told = COMMAND_LINE.value(args, flag)
        if told and told not in names and not COMMAND_LINE.has(args, plugin):
            yield InvalidInputError(
                f"vLLM {parsers.VERSION} has no parser {shown(told)} for {flag}.",
                field="args",
                cause="It does not start with a name that it does not know.",
                fix=Fix(text=f"Choose one of these: {', '.join(sorted(names))}."),
            )
