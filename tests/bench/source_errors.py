"""How the errors are explained that the programs below and beside the engines can raise.

    python -m tests.bench.source_errors [--source FOLDER] [--show ID] [--producer NAME]

``--source`` has a folder for each producer, named as in :data:`PRODUCERS`: the list is written
anew from them. Each error is put where it stands in a real log: under a frame of its package, or
behind the words with which its program passes it on.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llm_widgets.diagnosis import Evidence, LogLine, explain
from llm_widgets.diagnosis.classes.vague import FAULT, OTHER
from tests.bench.diagnosis import CONTEXTS, DATA
from tests.bench.vllm_errors import in_python

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = DATA / "source_errors.jsonl"
_UNSAID = (FAULT.id, OTHER.id, "exit-code")
_LEAST_WORDS = 8  # characters: less is no text to know an error by
_LONGEST = 100
_SAMPLE = "7"
_CORE = "(EngineCore_DP0 pid=68) ERROR 06-12 10:01:02 [core.py:1108] "
_PACKAGES = "/usr/local/lib/python3.12/dist-packages"


@dataclass(frozen=True, slots=True)
class Producer:
    """A program that can fail while an engine starts.

    Attributes
    ----------
    files
        Pattern of the files of its source that run then.
    engine
        In whose log its errors are looked at.
    front
        What stands before its words in a log; empty for Python, where a traceback does.
    """

    name: str
    files: re.Pattern[str]
    engine: str = "vllm"
    front: str = ""


PRODUCERS = (
    Producer(
        "transformers",
        re.compile(
            r"^(?:modeling_|configuration_|dynamic_|tokenization_|processing_|image_processing_|"
            r"core_model|feature_ext|conversion|utils/(?:hub|import|quant|generic|chat|loading)|"
            r"quantizers/|integrations/|models/auto/|cache_|generation/configuration|convert_slow)"
        ),
    ),
    Producer("accelerate", re.compile(r"^(?:big_modeling|hooks|state|utils/)")),
    Producer("huggingface_hub", re.compile(r"^(?:errors|constants|file_|_snap|utils/|hf_api)")),
    Producer("compressed_tensors", re.compile(r"")),
    Producer("bitsandbytes", re.compile(r"")),
    Producer("awq", re.compile(r"^(?:models/|modules/|utils/|quantize/)")),
    Producer("peft", re.compile(r"^(?:config|mapping|peft_model|utils/|tuners/lora/)")),
    Producer(
        "torch",
        re.compile(
            r"^(?:serialization|cuda/|distributed/(?:distributed_c10d|rendezvous|device_mesh)|"
            r"nn/modules/module|utils/cpp_ext|_inductor/(?:codecache|cpp_builder|utils|exc|async)|"
            r"_dynamo/exc|library|_library|_ops|nested|storage|_tensor)"
        ),
    ),
    Producer("mistral_common", re.compile(r"tokens|protocol")),
    Producer("safetensors", re.compile(r"tensor\.rs|lib\.rs"), front="SafetensorError: "),
    Producer("tokenizers", re.compile(r""), front="Exception: "),
    Producer(
        "llama.cpp-model",
        re.compile(r"^src/|^ggml/src/gguf"),
        "llama-cpp",
        "llama_model_load: error loading model: ",
    ),
    Producer("llama.cpp-arguments", re.compile(r"^common/"), "llama-cpp", "error: "),
    Producer(
        "llama.cpp-server",
        re.compile(r"^tools/(?:server|mtmd)/"),
        "llama-cpp",
        "srv    load_model: ",
    ),
    Producer(
        "ggml",
        re.compile(r"^ggml/src/(?:ggml[\w-]*\.c|ggml-cuda/)"),
        "llama-cpp",
        "/app/ggml/src/ggml-cuda/ggml-cuda.cu:98: ",
    ),
    Producer(
        "ollama",
        re.compile(r"^(?:server|llm|envconfig|discover|manifest|fs|runner|ml|model|internal)/"),
        "ollama",
        "Error: 500 Internal Server Error: ",
    ),
)


class Raised(NamedTuple):
    """An error as the source has it, ``{}`` where values are put in."""

    producer: str
    file: str
    error: str
    text: str


_STRING = r'"(?P<text>(?:[^"\\]|\\.){4,400})"'
_THROWS = {
    ".rs": re.compile(
        rf"(?:#\[error\(|Err\(|format!\(|Error::\w+\(|new_err\(|\.expect\()\s*{_STRING}"
    ),
    ".go": re.compile(rf"(?:fmt\.Errorf|errors\.New|slog\.Error|panic|log\.Fatal)\(\s*{_STRING}"),
}
_THROWS_C = re.compile(
    r"(?:runtime_error|invalid_argument|format|string_format|[A-Z_]*(?:ERR|ERROR|ABORT)|Status\w*|"
    rf"fprintf)\s*\(\s*(?:stderr, |absl::\w+\(\s*)?(?:__func__, )?{_STRING}"
)
# What does not run while a model starts, and what answers single requests.
_ELSEWHERE = re.compile(
    r"test|bench|example|train|export|peg-parser|jinja|json-schema|grammar|sampl|/parsers/|"
    r"renderers|claude|server-tools|server-mcp|hf_api|quant\.cpp|\bcreate\.go"
)
_HELP = "(default"  # llama.cpp's arguments are told by strings like its errors
_VALUE = re.compile(r"%[-+ #0-9.*]{0,8}(?:l{1,2}|z|j|h)?[a-zA-Z]|\{[\w:?#.]{0,30}\}|\" PRI\w+ \"")
_JOINED = re.compile(r'"\s*\n\s*"')


def in_source(folder: Path, producer: Producer) -> Iterator[Raised]:
    """Yield the errors with a text that a producer's source raises."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not producer.files.search(name) or _ELSEWHERE.search(name):
            continue
        if path.suffix == ".py":
            found = in_python(path.read_text(encoding="utf-8"))
        elif path.suffix in (".rs", ".go", ".c", ".cc", ".cpp", ".cu", ".cuh"):
            text = _JOINED.sub("", path.read_text(encoding="utf-8", errors="replace"))
            pattern = _THROWS.get(path.suffix, _THROWS_C)
            found = (("", _VALUE.sub("{}", match["text"])) for match in pattern.finditer(text))
        else:
            continue
        for error, text in found:
            plain = " ".join(text.replace("\\n", " ").replace('\\"', '"').split())
            plain = plain.removeprefix("{}: ").strip()
            if len(plain.replace("{}", "").strip()) >= _LEAST_WORDS and _HELP not in plain:
                yield Raised(producer.name, name, error, plain[:_LONGEST])


def listed() -> list[Raised]:
    """Return the list of errors."""
    return [Raised(**json.loads(line)) for line in LIST.read_text(encoding="utf-8").splitlines()]


def explained(raised: Raised, producer: Producer) -> str:
    """Return the id of what is said of an error."""
    text = raised.text.replace("{}", _SAMPLE)
    if raised.error:
        traced = (
            "Traceback (most recent call last):",
            f'  File "{_PACKAGES}/vllm/v1/worker/gpu_worker.py", line 7, in load_model',
            f'  File "{_PACKAGES}/{producer.name}/{raised.file}", line 7, in start',
            f"{raised.error}: {text}",
        )
        lines = [f"{_CORE}{line}" for line in traced]
    else:
        process = _CORE if producer.engine == "vllm" else ""
        lines = [f"{process}{producer.front}{text}"]
    log = (*lines, "Container called exit(1).")
    return explain(Evidence(log=tuple(map(LogLine, log))), CONTEXTS[producer.engine]).id


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path)
    parser.add_argument("--show", help="an id: print the errors that are explained so")
    parser.add_argument("--producer", help="only errors of this one")
    told = parser.parse_args()
    if told.source:
        each = (in_source(told.source / producer.name, producer) for producer in PRODUCERS)
        found = sorted({raised for one in each for raised in one})
        LIST.write_text("".join(f"{json.dumps(one._asdict())}\n" for one in found), "utf-8")
    named = {producer.name: producer for producer in PRODUCERS}
    counted: dict[str, Counter[str]] = {name: Counter() for name in named}
    for raised in listed():
        if told.producer and raised.producer != told.producer:
            continue
        said = explained(raised, named[raised.producer])
        counted[raised.producer][said] += 1
        if told.show and said in (told.show, f"error-{told.show}"):
            print(f"{raised.producer}/{raised.file} | {raised.error}: {raised.text}")
    for name, ids in counted.items():
        faults = sum(ids[id_] for id_ in _UNSAID)
        print(f"{name}: {ids.total()} errors, {ids.total() - faults} with a rule or class")
    print(sum(counted.values(), Counter()).most_common())


if __name__ == "__main__":
    _main()
