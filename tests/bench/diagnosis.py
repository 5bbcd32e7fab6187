"""How well failures are explained: texts of public threads, and the time that a long log takes.

    python -m tests.bench.diagnosis [--all] [FILE …]

A line of a file in ``tests/data/diagnosis`` is a failure: its texts, and what is expected.

``decides``
    Parts of the line that decides, with ``|`` between alternatives: it must be shown.
``right``
    A pattern of what is said of it. For an error in its own words, these do not count.
``fix``
    A pattern of a remedy that can work, among the first three that are offered.
``never``
    Patterns of statements that would be false.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Context, Evidence, LogLine, explain
from llm_widgets.domain.services import StartupProbe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.diagnosis import Diagnosis

DATA = Path(__file__).parents[1] / "data" / "diagnosis"
FILES = (
    "open.jsonl",
    "threads.jsonl",
    "more_threads.jsonl",
    "unseen_threads.jsonl",
    "fresh_threads.jsonl",
    "newest_threads.jsonl",
    "latest_threads.jsonl",
    "recent_threads.jsonl",
    "further_threads.jsonl",
    "later_threads.jsonl",
    "source_threads.jsonl",
)
LINES = 3_000
_BEST = 3  # remedies that a person tries
_FACTS = Context(
    project="my-project",
    project_number="123456789",
    region="europe-west4",
    service="llm",
    caller="user:ada@example.com",
    service_account="llm-runtime@my-project.iam.gserviceaccount.com",
    bucket="my-models",
    folder="models/mine",
    mount_path="/models",
    accelerator="nvidia-l4",
    cpu=8,
    memory_gib=24,
    max_instances=4,
)
CONTEXTS = {
    "vllm": replace(
        _FACTS,
        framework="vllm",
        image="vllm/vllm-openai:v0.30.0",
        port=8000,
        args=("/models", "--port=8000", "--max-model-len=40960", "--gpu-memory-utilization=0.9"),
        probe=StartupProbe("/health", failures=180),
    ),
    "ollama": replace(
        _FACTS,
        framework="ollama",
        image="ollama/ollama:0.20.0",
        port=11434,
        environment={"OLLAMA_CONTEXT_LENGTH": "8192", "OLLAMA_NUM_PARALLEL": "4"},
        probe=StartupProbe("/", failures=180, port=11435),
    ),
    "llama-cpp": replace(
        _FACTS,
        framework="llama-cpp",
        image="ghcr.io/ggml-org/llama.cpp:server-cuda-b9000",
        port=8080,
        environment={"LLAMA_ARG_CTX_SIZE": "32768", "LLAMA_ARG_N_PARALLEL": "4"},
        probe=StartupProbe("/health", failures=180, port=8080),
    ),
}
"""An engine that is a little older than the one that is offered: a newer image can be a fix."""


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a failure."""

    shown: bool
    kind: bool
    fix: bool
    false: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether the cause is right, with a fix that can work, and nothing false beside it."""
        return self.kind and self.fix and not self.false


def cases(name: str) -> Iterator[dict[str, Any]]:
    """Yield the failures of a file."""
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def explained(case: dict[str, Any]) -> Diagnosis:
    """Explain a failure as the page does."""
    context = CONTEXTS.get(case["engine"], replace(_FACTS, framework=""))
    context = replace(
        context,
        args=(*context.args, *case["args"]),
        environment={**context.environment, **case["env"]},
    )
    evidence = Evidence(
        operation=case["operation_error"],
        conditions=(case["condition"],) if case["condition"] else (),
        log=tuple(LogLine(line) for line in case["log_lines"]),
    )
    return explain(evidence, context)


def score(case: dict[str, Any], found: Diagnosis) -> Score:
    """Compare what was said with what is expected."""
    proof = found.proof.text if found.proof else ""
    said = found.meaning or found.cause
    best = [f"{r.text} {dict(r.parameters)} {r.command}" for r in found.remedies[:_BEST]]
    everything = " ".join((said, *best))
    return Score(
        shown=any(part in f"{proof} {found.cause}" for part in case["decides"].split("|")),
        kind=bool(re.search(case["right"], said)),
        fix=any(re.search(case["fix"], text) for text in best),
        false=tuple(pattern for pattern in case["never"] if re.search(pattern, everything)),
    )


def seconds(log: tuple[LogLine, ...], context: Context) -> float:
    """Return the least time of five that a log takes."""
    times = []
    for _ in range(5):
        begin = time.process_time()
        explain(Evidence(log=log), context)
        times.append(time.process_time() - begin)
    return min(times)


def long_logs() -> Iterator[tuple[str, tuple[LogLine, ...]]]:
    """Yield logs of 3,000 lines: one that repeats itself, and one with no line like another."""
    error = "(EngineCore_DP0 pid=68) ERROR 06-12 10:01:02 [core.py:1108] ValueError: It broke."
    loading = (
        "(EngineCore_DP0 pid=68) INFO 06-12 10:00:41 [loader.py:{0}] Loading weights took {0}.84 "
        "seconds and {0} bytes from /models/model-0000{0}.safetensors"
    )
    yield "repeats", (*tuple(LogLine(loading.format(n)) for n in range(LINES - 1)), LogLine(error))
    letters = str.maketrans("0123456789", "abcdefghij")
    unlike = (f"{loading.format(n)} {n}".translate(letters) for n in range(LINES - 1))
    yield "unlike", (*tuple(map(LogLine, unlike)), LogLine(error))


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", default=FILES)
    parser.add_argument("--all", action="store_true", help="also what was explained rightly")
    told = parser.parse_args()
    for name in told.files:
        scores = []
        for case in cases(name):
            found = explained(case)
            is_so = score(case, found)
            scores.append(is_so)
            if told.all or not is_so.right or not is_so.shown:
                print(f"{case['id']} {found.id}: {found.cause[:150]} | {found.meaning[:80]}")
                print(f"    {is_so} wanted {case['right']} / {case['fix']}")
                print(*(f"    - {r.text[:120]}" for r in found.remedies[:_BEST]), sep="\n")
        total = len(scores)
        print(
            f"{name}: {total} failures, deciding line {sum(s.shown for s in scores)}, "
            f"right with a fix {sum(s.right for s in scores)}, "
            f"false {sum(bool(s.false) for s in scores)}"
        )
    for name, log in long_logs():
        print(f"{LINES} lines, {name}: {seconds(log, CONTEXTS['vllm']) * 1000:.0f} ms of CPU")


if __name__ == "__main__":
    _main()
