"""What Google really answered, played against the local cloud by plain HTTP.

No Google client library takes part: neither the product's nor the local cloud's own judges itself.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.transport.requests import Request

from local_cloud.testing.facts import Fact, SourceError, check_source, differences, recorded
from local_cloud.testing.player import PATIENCE, Player
from tests.contract.control_plane import SERVER, ControlPlane, control_plane

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
FACTS = recorded(FOLDER / "answers.jsonl")
KNOWN: dict[str, dict[str, str]] = json.loads((FOLDER / "differences.json").read_text("utf-8"))
STRANGER = "stranger@demo-project.iam.gserviceaccount.com"
HELLO = "/v2/projects/${project}/locations/us-central1/services?serviceId=hello"
CONNECTOR = "GoogleCloudPlatform/k8s-config-connector@cdb85ecf"


def _player(plane: ControlPlane) -> Player:
    tokens = {"owner": _token(plane, plane.cloud.credentials)}
    variables = {
        "project": "local-project",
        "name": "recorded-bucket",
        "account": "recorded-account",
        "stranger": STRANGER,
    }
    player = Player(plane.url, tokens, variables)
    _, project = player.call("GET", "/v3/projects/${project}")
    player.variables["number"] = project["name"].partition("/")[2]
    player.call("POST", "/v1/projects/demo-project/serviceAccounts", {"accountId": "stranger"})
    tokens["stranger"] = _token(plane, plane.cloud.key(STRANGER))
    return player


def _token(plane: ControlPlane, key: Any) -> str:
    credentials = plane.credentials_of(key)
    credentials.refresh(Request())
    return str(credentials.token)


def _deploy_hello(player: Player) -> None:
    container = {"image": "local/python:3", "command": ["-c", SERVER]}
    _, operation = player.call("POST", HELLO, {"template": {"containers": [container]}})
    deadline = time.monotonic() + PATIENCE
    while not operation.get("done"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        _, operation = player.call("GET", f"/v2/{operation['name']}")
    assert "response" in operation, operation


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    """Return by fact in what the local cloud differs from it."""
    planes = control_plane(tmp_path_factory.mktemp("plane"))
    player = _player(next(planes))
    _deploy_hello(player)
    found = {fact.id: player.judged(fact) for fact in FACTS}
    yield found
    next(planes, None)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_the_local_cloud_answers_as_google_did(
    fact: Fact, played: dict[str, dict[str, str]]
) -> None:
    known = KNOWN.get(fact.id, {})
    found = played[fact.id]
    assert {k: v for k, v in found.items() if k not in known} == {}
    assert set(known) <= set(found), "no longer different: take it out of differences.json"


def test_numbers_of_facts(
    played: dict[str, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    agreed = [name for name, found in played.items() if not found]
    with capsys.disabled():
        print(
            f"\n{len(played)} recorded facts played: {len(agreed)} agreed, "
            f"{len(KNOWN)} different with a reason"
        )
    assert len({fact.id for fact in FACTS}) == len(FACTS) >= 60
    assert set(KNOWN) <= set(played)
    assert all(len(reason) > 20 for reasons in KNOWN.values() for reason in reasons.values())


@pytest.mark.parametrize(
    "source",
    [
        "",
        "from memory",
        "https://docs.cloud.google.com/run/docs",
        f"{CONNECTOR}:pkg/test/resourcefixture/testdata/basic/run/v1beta1/runjob/_http.log#3",
        f"{CONNECTOR}:mockgcp/mockiam/testdata/serviceaccount/crud/_http.log#1",
        "maintainer's recording of the local cloud, 2026-12-02#1",
    ],
)
def test_what_no_recording_shows_is_no_fact(source: str) -> None:
    with pytest.raises(SourceError):
        check_source(replace(FACTS[0], source=source))


def test_each_kind_of_difference_is_seen() -> None:
    fact = Fact("x", "storage", "GET", "/", 200, None, "")
    real = {"a": "", "b": {"c": 2}, "d": [{"e": 0}], "f": "exact", "g": False, "h": ["", ""]}
    same = {"a": "1", "b": {"c": 2}, "d": [{"e": 7}, {"e": 8}], "f": "exact", "g": False}
    assert differences(fact, real, {**same, "h": ["x", "y"]}) == {}
    other = {"b": {"c": "2"}, "d": [{"e": "7"}], "f": "other", "g": True, "h": ["x"], "i": 1}
    assert set(differences(fact, real, other)) == {"a", "b.c", "d.e", "f", "g", "h", "i"}
    assert set(differences(replace(fact, optional=["b", "i"]), real, other)) == set("afgh") | {
        "d.e"
    }
    assert set(differences(replace(fact, only=["a", "d.0.e"]), real, other)) == {"a", "d.0.e"}
