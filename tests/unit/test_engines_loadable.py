"""Shapes of repositories: does vLLM load them, what do they do then, and which files are copied.

``tests/data/repositories.json`` has a row for each: files and words as the repositories of these
names have them, in small; and the verdict that follows from the source of vLLM 0.33.0.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_widgets.domain.gpus import GPUS
from llm_widgets.domain.loading import Contents, Task, Verdict, from_facts
from llm_widgets.engines.ollama import loadable as ollama
from llm_widgets.engines.vllm import architectures, loadable, quantization, tasks
from llm_widgets.hubs.huggingface import contents as repository
from llm_widgets.hubs.huggingface import selection

ROWS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "repositories.json").read_text("utf-8")
)
SMALL = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")
FOR_PEOPLE = {"README.md", "LICENSE", ".gitattributes"}
INDEX = selection.SAFETENSORS_INDEX


def shard_name(number: int, count: int) -> str:
    return f"model-{number:05}-of-{count:05}.safetensors"


def laid_out(row: dict[str, Any]) -> tuple[list[str], set[str] | None]:
    """Return the files of a row, and the shards that its index names."""
    paths: list[str] = []
    shards: set[str] | None = None
    for word in row["files"]:
        match word.split():
            case ["small"]:
                paths += SMALL
            case ["shards", count]:
                shards = {shard_name(i + 1, int(count)) for i in range(int(count))}
                paths += [*sorted(shards), INDEX]
            case ["index", "named", *names]:
                shards = set(names)
                paths.append(INDEX)
            case ["index", *numbers]:
                count = len(numbers) - 1
                shards = {shard_name(int(number), count) for number in numbers}
                paths.append(INDEX)
            case _:
                paths.append(word)
    return paths, shards


def contents_of(row: dict[str, Any]) -> Contents:
    paths, _ = laid_out(row)
    named = {"architectures": [row["architecture"]]} if "architecture" in row else {}
    return Contents(
        paths=frozenset(paths),
        config=None if row.get("no_config") else {**named, **row.get("config", {})},
        task=row.get("task", ""),
        library=row.get("library", ""),
        tags=tuple(row.get("tags", ())),
        base=row.get("base", ""),
        adapters=tuple(row.get("adapters", ())),
        documents=row.get("documents", {}),
    )


def test_the_table_is_large_enough() -> None:
    assert len({row["name"] for row in ROWS}) == len(ROWS) >= 100
    assert len({row["family"] for row in ROWS}) >= 25


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_verdict_and_sentences(row: dict[str, Any]) -> None:
    verdict = loadable.judge(contents_of(row))
    says = row.get("says", [])
    if row["verdict"] == "refused":
        assert verdict.refusal
        assert all(word in verdict.refusal for word in says), verdict.refusal
        assert verdict.refusal.endswith(".")
        assert verdict.way.value == row.get("way", verdict.way)
        return
    assert verdict.refusal == ""
    assert verdict.task.value == row["verdict"]
    text = "\n".join(verdict.notes)
    assert all(word in text for word in says), text
    assert bool(verdict.notes) == bool(says), text
    assert verdict.code == ("--trust-remote-code" in text)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["verdict"] != "refused"],
    ids=[row["name"] for row in ROWS if row["verdict"] != "refused"],
)
def test_the_files_that_are_copied(row: dict[str, Any]) -> None:
    paths, shards = laid_out(row)
    found = contents_of(row)
    beside = (*repository.folders(found), *loadable.judge(found).beside)
    reasons = selection.choose(paths, shards, beside)
    left_out = {path for path, reason in reasons.items() if reason}
    assert left_out - FOR_PEOPLE == set(row.get("left_out", ())) - FOR_PEOPLE


def test_the_format_of_mistral_is_told() -> None:
    formats = {row["name"]: loadable.judge(contents_of(row)).format for row in ROWS}
    assert formats["mistralai/Pixtral-12B-2409"] == loadable.MISTRAL
    assert formats["mistralai/Mistral-7B-Instruct-v0.3"] == ""


@pytest.mark.parametrize("name", ["DeepseekV3ForCausalLM", "Qwen3ForSequenceClassification"])
def test_an_architecture_that_is_made_of_another_is_known(name: str) -> None:
    assert tasks.known_as(name)
    assert tasks.known_as("Nothing") == tasks.known_as("NothingForCausalLM") == ""


@pytest.mark.parametrize(
    ("named", "task"),
    [
        (["OwnForCausalLM", "LlamaForCausalLM"], Task.CHAT),
        (["OwnModel", "BertModel"], Task.EMBED),
        (["LlamaForCausalLM", "BertModel"], Task.CHAT),
    ],
)
def test_of_several_architectures_the_first_that_is_known_counts(
    named: list[str], task: Task
) -> None:
    made = {"files": ["small", "model.safetensors"], "config": {"architectures": named}}
    verdict = loadable.judge(contents_of(made))
    assert (verdict.refusal, verdict.task) == ("", task)


def test_each_architecture_is_of_one_kind() -> None:
    kinds = (
        architectures.TEXT,
        architectures.MULTIMODAL,
        architectures.SPEECH,
        architectures.POOLING,
        architectures.DRAFTS,
        architectures.REMOVED.keys(),
        architectures.PLUGINS.keys(),
    )
    assert sum(map(len, kinds)) == len({name for kind in kinds for name in kind})


def test_each_method_that_is_loaded_has_a_gpu() -> None:
    assert quantization.problem("fp8") == quantization.problem("auto-round") == ""
    assert quantization.notes("awq") == ()
    assert {gpu.capability for gpu in GPUS} == {89, 120}
    assert "needs NVIDIA RTX PRO 6000" in quantization.notes("fp_quant")[0]


ODD: list[Any] = [None, 0, -1.5, True, "", "x", [], [1], [None], {}, {"a": 1}, {"a": []}, [["x"]]]
KEYS = [
    "architectures",
    "quantization_config",
    "quantization",
    "text_config",
    "auto_map",
    "id2label",
    "num_labels",
    "is_encoder_decoder",
    "model_families",
    "capabilities",
    "model_family",
]


@pytest.mark.parametrize("odd", ODD, ids=[json.dumps(each) for each in ODD])
@pytest.mark.parametrize("key", KEYS)
def test_odd_values_of_a_configuration_are_no_error(key: str, odd: Any) -> None:
    config = {"architectures": ["BertForSequenceClassification"], key: odd}
    paths = frozenset({"config.json", "model.safetensors", "model", "params.json"})
    found = Contents(paths, config, documents={"modules.json": odd, "params.json": odd})
    for judge in (loadable.judge, ollama.judge):
        assert isinstance(judge(found), Verdict)
    assert isinstance(repository.folders(found), tuple)


def test_what_is_kept_can_be_read_again() -> None:
    verdict = Verdict(task=Task.RERANK, source="config.json", notes=("Read me.",), code=True)
    kept = {"loading": json.loads(json.dumps(verdict.to_facts("one")))}
    assert from_facts(kept) == from_facts(kept, "one") == verdict
    assert from_facts(kept, "other") is None


@pytest.mark.parametrize("odd", [*ODD, {"task": "cooking"}, {"task": []}, {"task": {}}])
def test_what_was_kept_otherwise_is_nothing(odd: Any) -> None:
    assert from_facts({"loading": odd}) is None
    assert from_facts({}) is None
