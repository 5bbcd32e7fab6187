"""The command line: the use cases of the manager, the page, and the worker of imports.

Results go to standard output, what is said to people to standard error. Exit codes: 0 done; 1
failed, or something that ``doctor`` looks for is missing; 2 words that make no command; 130
interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from llm_widgets.cli import completing, output
from llm_widgets.cli.groups import LazyGroup
from llm_widgets.errors import ManagerError

if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED, INTERRUPTED = 1, 130
_PROGRAM = "llm-widgets"
_HERE = "llm_widgets.cli"
_COMMANDS = {
    "projects": (f"{_HERE}.listed:projects", "projects that you can see"),
    "buckets": (f"{_HERE}.listed:buckets", "list, create, measure and delete buckets of models"),
    "models": (f"{_HERE}.listed:models", "find models; list and delete those of a bucket"),
    "import": (f"{_HERE}.importing:import_model", "import a model from a hub into a bucket"),
    "estimate": (f"{_HERE}.importing:estimate", "does a model fit into a GPU? (no account)"),
    "deploy": (f"{_HERE}.services:deploy", "deploy a model as a service"),
    "services": (f"{_HERE}.services:services", "list, describe, diagnose, adopt, measure"),
    "costs": (f"{_HERE}.money:costs", "what services have cost since the 1st"),
    "logs": (f"{_HERE}.services:logs", "print or follow the log of a service"),
    "chat": (f"{_HERE}.asking:chat", "ask a deployed model"),
    "compare": (f"{_HERE}.asking:compare", "ask several deployed models the same"),
    "embed": (f"{_HERE}.asking:embed", "turn texts into vectors"),
    "rank": (f"{_HERE}.asking:rank", "rank passages by a query"),
    "classify": (f"{_HERE}.asking:classify", "label texts"),
    "transcribe": (f"{_HERE}.asking:transcribe", "write down what is said in a file of sound"),
    "self-test": (f"{_HERE}.asking:self_test", "test what a service should do"),
    "edit": (f"{_HERE}.services:edit", "change a service"),
    "pause": (f"{_HERE}.money:pause", "run no instances of a service until it is resumed"),
    "resume": (f"{_HERE}.money:resume", "resume a paused service as it was"),
    "delete": (f"{_HERE}.services:delete", "delete services"),
    "doctor": (f"{_HERE}.upkeep:doctor", "check a project and print the fixes"),
    "deploy-manager": (f"{_HERE}.hosting:deploy_manager", "the page for colleagues, on Cloud Run"),
    "serve": (f"{_HERE}.page:serve", "the page on Google Cloud, with your credentials"),
    "run": (f"{_HERE}.page:run", "the page on the embedded local cloud"),
    "local": (f"{_HERE}.page:local", "the embedded local cloud alone"),
    "completion": (f"{_HERE}.upkeep:completion", "completion for bash, zsh and fish"),
    "import-worker": (f"{_HERE}.upkeep:import_worker", ""),
}


@click.group(
    cls=LazyGroup, lazily=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="llm-widgets", message="%(prog)s %(version)s")
def root() -> None:
    """Open LLMs on Google Cloud Run: import, deploy, use."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv
        The words after the program's name; those of the process when left out.

    Returns
    -------
    int
        See above.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if instruction := os.environ.get(output.COMPLETION):
        completing.complete(root, _PROGRAM, instruction)
    chosen = output.Chosen()
    try:
        with root.make_context(_PROGRAM, words or ["--help"], obj=chosen) as context:
            code = root.invoke(context)
        ended = code if isinstance(code, int) else 0
    except click.exceptions.Exit as ended_early:
        ended = ended_early.exit_code
    except click.ClickException as error:
        error.show()
        ended = error.exit_code
    except ManagerError as error:
        if chosen.how == "json":
            output.print_json({"error": output.error_as_json(error)})
        output.tell_error(error)
        ended = FAILED
    except (KeyboardInterrupt, click.Abort) as stopped:
        output.tell_interrupted(stopped)
        ended = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read has gone, as `head` does
        ended = FAILED
    return ended
