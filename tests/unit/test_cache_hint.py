"""The size of the cache that a start tells: of what it is offered, and when it goes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.engines import registry
from llm_widgets.gcp.observe.logs import LogEntry
from llm_widgets.manager import offering, remedies, starting
from llm_widgets.serving import recipes
from tests.unit.codec_cases import DEPLOYMENTS

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

LOGS = json.loads((Path(__file__).parents[1] / "data/starts/logs.json").read_text())["starts"]
BY_ID = {log["id"]: log for log in LOGS}
PLAIN = DEPLOYMENTS["vllm"]
RTX = replace(PLAIN, accelerator="nvidia-rtx-pro-6000")
HINT = "--kv-cache-memory-bytes=8538253005"
TOLD = replace(RTX, args=(*RTX.args, HINT))


def engine() -> Engine:
    found = registry.of("vllm")
    assert found
    return found


def entries(log: dict[str, Any], *more: str) -> list[LogEntry]:
    told = [*log["lines"], *((log["lines"][-1][0], text) for text in more)]
    return [
        LogEntry(str(i), datetime.fromisoformat(at).replace(tzinfo=UTC), "INFO", text)
        for i, (at, text) in enumerate(told)
    ]


def offered(id_: str, deployment: Deployment) -> str:
    found = starting.of_entries(entries(BY_ID[id_]), deployment, engine())
    assert found
    return found.argument


def test_the_number_that_fits_is_offered_and_not_the_one_that_leaves_nothing_free() -> None:
    assert offered("vLLM 0.26, a hint at its end", RTX) == HINT


@pytest.mark.parametrize(
    ("id_", "deployment"),
    [
        ("vLLM that fails after its hint", RTX),
        ("vLLM 0.21, compiled, RTX 5090", RTX),
        ("vLLM 0.26, a hint at its end", replace(RTX, accelerator="")),
        ("vLLM 0.26, a hint at its end", TOLD),
        ("vLLM 0.26, a hint at its end", replace(RTX, args=(*RTX.args, "--kv-cache-memory=1"))),
    ],
)
def test_nothing_is_offered_of(id_: str, deployment: Deployment) -> None:
    assert offered(id_, deployment) == ""


@pytest.mark.parametrize(
    "line",
    [
        "`--kv-cache-memory=999999999999` (931 GiB) to fit into requested memory",
        "`--kv-cache-memory=8538253005` (7.95 GiB) to fully utilize gpu memory.",
        "`--kv-cache-memory=8538253005 --port=1` (7.95 GiB) to fit into requested memory",
        "--kv-cache-memory=8538253005 (7.95 GiB) to fit into requested memory",
    ],
)
def test_a_line_that_anybody_wrote_offers_nothing(line: str) -> None:
    assert engine().told_argument(RTX, [line]) == ""


def with_args(deployment: Deployment, *words: str) -> Deployment:
    args = deployment.args
    for word in words:
        args = engine().command_line.with_word(args, word)
    return replace(deployment, args=args)


@pytest.mark.parametrize(
    "after",
    [
        replace(TOLD, image="vllm/vllm-openai:v0.34.0"),
        replace(TOLD, accelerator="nvidia-l4"),
        replace(TOLD, folder="huggingface/other/model"),
        replace(TOLD, model_id="other/model"),
        with_args(TOLD, "--max-model-len=1024"),
        with_args(TOLD, "--max-num-seqs=3"),
        with_args(TOLD, "--enforce-eager"),
        with_args(TOLD, "-O1"),
        with_args(TOLD, "--block-size=32"),
        replace(TOLD, environment={**TOLD.environment, "VLLM_ATTENTION_BACKEND": "FLASHINFER"}),
    ],
)
def test_it_goes_with_another(after: Deployment) -> None:
    kept = recipes.adapted(TOLD, after)
    assert not any("kv-cache-memory" in word for word in kept.args)
    assert set(after.args) - set(kept.args) == {HINT}


@pytest.mark.parametrize(
    "after",
    [
        TOLD,
        replace(TOLD, max_instances=7),
        replace(TOLD, timeout=60),
        replace(TOLD, labels={"team": "a"}),
        with_args(TOLD, "--served-model-name=other"),
        with_args(TOLD, "--enable-auto-tool-choice", "--tool-call-parser=hermes"),
        replace(TOLD, environment={**TOLD.environment, "TZ": "UTC"}),
    ],
)
def test_it_stays_with_the_same(after: Deployment) -> None:
    assert HINT in recipes.adapted(TOLD, after).args


def test_a_size_that_is_new_with_a_change_stays() -> None:
    chosen = with_args(replace(TOLD, image="own/vllm:1"), "--kv-cache-memory-bytes=4000000000")
    assert recipes.adapted(TOLD, chosen) == chosen
    first = replace(TOLD, image="own/vllm:1")
    assert recipes.adapted(RTX, first) == first


def test_all_ways_to_change_a_service_drop_it() -> None:
    assert HINT not in offering.changed(TOLD, {"accelerator": "nvidia-l4"}).args
    assert HINT not in remedies.with_context(TOLD, 2048).args
    assert HINT in offering.changed(TOLD, {"timeout": 60}).args
    short = replace(RTX, args=(*RTX.args, "--kv-cache-memory", "8538253005"))
    changed = offering.changed(short, {"image": "own/vllm:1"}).args
    assert changed == RTX.args
