"""Advice where weights come over the public network: when it is given, and what it says to do."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llm_widgets.domain.services import SubnetAccess
from llm_widgets.domain.starts import WEIGHTS, Start, StartPhase
from llm_widgets.domain.units import GIB
from llm_widgets.engines import registry
from llm_widgets.gcp.observe.logs import LogEntry
from llm_widgets.manager import starting
from llm_widgets.serving import egress
from tests.unit.codec_cases import DEPLOYMENTS

LOGS = json.loads((Path(__file__).parents[1] / "data/starts/logs.json").read_text())["starts"]
PUBLIC = replace(
    DEPLOYMENTS["vllm"], project="my-project", region="europe-west4", name="m", subnet=None
)
SUBNET = replace(PUBLIC, subnet=SubnetAccess("net", "sub"))
CONNECTOR = replace(PUBLIC, connector="projects/p/locations/europe-west4/connectors/c")


def start(seconds: float, size: float | None, name: str = WEIGHTS) -> Start:
    read = None if size is None else int(size * GIB)
    phases = (StartPhase("Container", 5), StartPhase(name, seconds, read))
    return Start(phases, seconds + 5, is_ready=True)


@pytest.mark.parametrize(("size", "advised"), [(4 * GIB, True), (4 * GIB - 1, False), (0, False)])
def test_a_large_model_is_advised_before_it_is_deployed(size: int, *, advised: bool) -> None:
    for made in (PUBLIC, CONNECTOR):
        found = egress.before(made, size)
        assert (found is not None) is advised
        if found:
            assert found.text == egress.SENTENCE
            words = ["gcloud", "compute", "networks", "subnets", "update", "default"]
            assert shlex.split(found.command)[:6] == words
            assert "--region=europe-west4 --project=my-project" in found.command
    assert egress.before(SUBNET, size) is None


def test_taking_the_advice_ends_it() -> None:
    for made in (PUBLIC, CONNECTOR):
        changed = egress.through(made)
        assert changed == replace(made, subnet=SubnetAccess("default", "default"), connector="")
        assert egress.before(changed, 60 * GIB) is None
    assert egress.through(SUBNET) == SUBNET


@pytest.mark.parametrize(
    ("seconds", "size", "advised"),
    [
        (386, 24.2, True),  # over the public network
        (70, 24.2, False),  # with Direct VPC and Private Google Access
        (73, 58.3, False),
        (59, 1, False),  # nothing to gain
        (60, None, True),  # an engine that tells no bytes
    ],
)
def test_a_start_whose_weights_took_long_is_advised(
    seconds: float, size: float | None, *, advised: bool
) -> None:
    assert (egress.after(PUBLIC, start(seconds, size)) is not None) is advised
    assert egress.after(PUBLIC, start(seconds, size, "Compilation")) is None


def test_what_helps_is_written_for_the_service() -> None:
    found = egress.after(PUBLIC, start(386, 24.2))
    assert found
    assert found.text == f"Reading the weights took 6 min 26 s, 0.06 GiB/s. {egress.SENTENCE}"
    access, update = found.command.splitlines()
    assert access.endswith("--enable-private-ip-google-access")
    assert update == (
        "gcloud run services update m --region=europe-west4 --project=my-project "
        "--network=default --subnet=default --vpc-egress=all-traffic"
    )


def test_with_a_subnet_only_its_access_can_be_missing() -> None:
    found = egress.after(SUBNET, start(386, 24.2))
    assert found
    assert "the subnet “sub”" in found.change
    assert found.command == (
        "gcloud compute networks subnets update sub --region=europe-west4 --project=my-project "
        "--enable-private-ip-google-access"
    )
    alone = egress.after(replace(PUBLIC, subnet=SubnetAccess("net", "")), start(386, 24.2))
    assert alone
    assert "update net --region" in alone.command


def test_names_of_others_stay_words_of_the_command() -> None:
    odd = replace(PUBLIC, subnet=SubnetAccess("n", "s; rm -rf /"))
    found = egress.after(odd, start(386, 24.2))
    assert found
    assert "s; rm -rf /" in shlex.split(found.command)


@pytest.mark.parametrize("log", LOGS, ids=[log["id"] for log in LOGS])
def test_real_starts_are_advised_by_their_weights(log: dict[str, Any]) -> None:
    engine = registry.of(log["engine"])
    assert engine
    entries = [
        LogEntry(str(i), datetime.fromisoformat(at).replace(tzinfo=UTC), "INFO", text)
        for i, (at, text) in enumerate(log["lines"])
    ]
    found = starting.of_entries(entries, PUBLIC, engine)
    assert found
    slow = [
        phase
        for phase in found.start.phases
        if phase.name == WEIGHTS and phase.seconds >= 60 and (phase.rate or 0) < 0.2
    ]
    assert bool(found.advice) is bool(slow)
    assert bool(found.shown()["command"]) is bool(slow)
