"""How many of the errors that vLLM can raise while it starts are explained.

    python -m tests.bench.vllm_errors [--source FOLDER] [--show CLASS]

With the folder of a source distribution of vLLM (``pip download --no-binary :all: vllm``), the
list of errors is written anew; what is measured is the list beside the other data.
"""

from __future__ import annotations

import argparse
import ast
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llm_widgets.diagnosis import Evidence, LogLine, explain
from llm_widgets.diagnosis.catalogue import catalogue
from llm_widgets.diagnosis.classes.vague import FAULT, OTHER
from tests.bench.diagnosis import CONTEXTS, DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = DATA / "vllm_errors.jsonl"
# Where a start with one GPU of NVIDIA can raise: arguments, loader, worker, platform.
STARTING = (
    "config/",
    "engine/arg_utils",
    "entrypoints/cli/main",
    "entrypoints/cli/serve",
    "entrypoints/launcher",
    "entrypoints/openai/api_server",
    "entrypoints/openai/cli_args",
    "distributed/device_communicators/pynccl",
    "distributed/parallel_state",
    "env",
    "lora/",
    "model_executor/layers/attention",
    "model_executor/layers/fused_moe/",
    "model_executor/layers/quantization/",
    "model_executor/model_loader/",
    "model_executor/models/adapters",
    "model_executor/models/interfaces",
    "model_executor/models/registry",
    "model_executor/models/utils",
    "platforms/__init__",
    "platforms/cuda",
    "platforms/interface",
    "plugins/",
    "reasoning/abs",
    "tokenizers/",
    "tool_parsers/abstract",
    "transformers_utils/",
    "utils/",
    "v1/attention/",
    "v1/core/encoder",
    "v1/core/kv_cache",
    "v1/engine/core",
    "v1/engine/utils",
    "v1/executor/",
    "v1/worker/gpu",
    "v1/worker/utils",
    "v1/worker/worker",
)
# Other processors and several machines, tools of its developers.
ELSEWHERE = ("rocm", "aiter", "xpu", "tpu", "cpu", "ray", "elastic", "profil", "ipc", "tests")
_LEAST_WORDS = 12  # characters: less is no text to know an error by
_LONGEST = 240
_SAMPLE = "7"


class Raised(NamedTuple):
    """An error as the source has it, ``{}`` where values are put in."""

    file: str
    error: str
    text: str

    @property
    def line(self) -> str:
        """The line that a log has."""
        return f"{self.error}: {self.text.replace('{}', _SAMPLE)}"


def in_source(folder: Path) -> Iterator[Raised]:
    """Yield the errors with a text that a source raises where it starts."""
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(STARTING) or any(word in name for word in ELSEWHERE):
            continue
        for error, told in in_python(path.read_text(encoding="utf-8")):
            text = " ".join(told.split())
            if len(text.replace("{}", "").strip()) >= _LEAST_WORDS:
                yield Raised(name, error, text[:_LONGEST])


def in_python(source: str) -> Iterator[tuple[str, str]]:
    """Yield the exceptions that a module of Python raises: the name, and the text as far as known.

    ``{}`` stands where values are put in.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            told = node.exc.args[0] if node.exc.args else None
            yield ast.unparse(node.exc.func).rpartition(".")[2], _text(told)
        elif isinstance(node, ast.Assert):
            yield "AssertionError", _text(node.msg)


def _text(node: ast.expr | None) -> str:
    """Return the text that an expression gives, as far as the source says it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(v) if isinstance(v, ast.Constant) else "{}" for v in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left) + _text(node.right)
    return "" if node is None else "{}"


def listed() -> list[Raised]:
    """Return the list of errors."""
    return [Raised(**json.loads(line)) for line in LIST.read_text(encoding="utf-8").splitlines()]


def explained(raised: Raised) -> str:
    """Return the id of what is said of an error."""
    core = "(EngineCore_DP0 pid=68) ERROR 06-12 10:01:02 [core.py:1108] "
    lines = ("Traceback (most recent call last):", f'  File "vllm/{raised.file}", line 7, in start')
    log = (*(f"{core}{line}" for line in (*lines, raised.line)), "Container called exit(1).")
    return explain(Evidence(log=tuple(map(LogLine, log))), CONTEXTS["vllm"]).id


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path)
    parser.add_argument("--show", help="an id: print the errors that are explained so")
    told = parser.parse_args()
    if told.source:
        found = sorted(set(in_source(told.source / "vllm")))
        LIST.write_text("".join(f"{json.dumps(each._asdict())}\n" for each in found), "utf-8")
    known = {failure.id for failure in catalogue("vllm")}
    unsaid = {FAULT.id, OTHER.id}
    counted: Counter[str] = Counter()
    for raised in listed():
        said = explained(raised)
        counted[said] += 1
        if said == told.show:
            print(raised.file.rpartition("/")[2], raised.line[:200])
    total = counted.total()
    rules = sum(number for id_, number in counted.items() if id_ in known)
    faults = sum(counted[id_] for id_ in unsaid)
    print(
        f"{total} errors: {rules} by a rule, {total - rules - faults} by a class, {faults} as a "
        f"fault"
    )
    print(", ".join(f"{id_} {number}" for id_, number in counted.most_common()))


if __name__ == "__main__":
    _main()
