"""``llm-widgets doctor --record``: what it writes names nobody, and plays as facts do."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from google.auth.transport.requests import Request
from google.oauth2 import credentials as user_credentials
from google.oauth2.service_account import Credentials

from llm_widgets.cli import main
from llm_widgets.cli.recording import record, recorder, script
from llm_widgets.cli.recording.scrubbing import decoded
from llm_widgets.config import settings
from llm_widgets.gcp.auth.sign_in import SCOPE
from llm_widgets.gcp.client import rest
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.iam import policy
from llm_widgets.manager import projects
from local_cloud.cloud import LocalCloud
from local_cloud.issuer import Issuer
from local_cloud.store import Store
from local_cloud.testing import facts
from local_cloud.testing.player import Player
from tests.contract.product import MANAGER, PARENT, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMAIL = MANAGER.partition(":")[2]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("record"), environment):
            settings.cache_clear()
            yield started
    settings.cache_clear()


@pytest.fixture(scope="module")
def recording(product: Product, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Record, with the rates of Google; return the file and what was told."""
    path = tmp_path_factory.mktemp("recording") / "answers.jsonl"
    product.faults.update(rates={"logging.googleapis.com/read_requests": 60})
    with pytest.MonkeyPatch.context() as patched:
        told: list[str] = []
        patched.setattr(sys.stdout, "write", told.append)
        assert main.main(["doctor", "--record", str(path)]) == 0
    product.faults.reset()
    return path, "".join(told)


def number(product: Product) -> str:
    found = product.clients.projects.get_project(name=f"projects/{PROJECT}")
    return found.name.rsplit("/", 1)[1]


def test_each_question_is_answered(recording: tuple[Path, str]) -> None:
    _, told = recording
    for step in script.STEPS:
        assert f"{step.question}\n  " in told
    assert "it is done in its first answer" in told
    assert "403 from here; uri is urls[" in told
    assert "public access prevention is enforced" in told
    assert "200 after" in told
    assert "the read after 60 was refused with 429" in told
    assert "not asked: a service account calls" in told


def test_nothing_is_left_behind(product: Product, recording: tuple[Path, str]) -> None:
    assert recording
    clients = product.clients
    assert list(clients.services.list_services(parent=PARENT)) == []
    assert list(clients.storage(PROJECT).list_buckets()) == []
    made = rest.call(
        clients, "GET", "iam.googleapis.com", f"/v1/projects/{PROJECT}/serviceAccounts"
    )
    assert "llm-record" not in str(made)


def test_the_file_names_nobody(product: Product, recording: tuple[Path, str]) -> None:
    path, _ = recording
    secrets = [PROJECT, number(product), EMAIL, str(product.clients.credentials.token), "ya29"]
    assert path.stat().st_mode & 0o077 == 0
    for line in path.read_text("utf-8").splitlines():
        for form in decoded(line):
            assert not any(each.casefold() in form for each in secrets)
        assert "@" not in line.replace("@type", "")


def test_the_file_plays_as_facts_do(recording: tuple[Path, str], tmp_path: Path) -> None:
    found = facts.read(recording[0])
    assert len(found) > 30
    assert {"local"} == {each.api for each in found}
    with pytest.raises(facts.SourceError):  # a recording of the local cloud proves nothing
        facts.recorded(recording[0])
    cloud = LocalCloud(tmp_path, offline=True)
    cloud.start()
    try:
        player = played(cloud)
        different = {each.id: player.judged(each) for each in found if each.status != 429}
    finally:
        cloud.stop()
    assert {name: why for name, why in different.items() if why} == {}


def played(cloud: LocalCloud) -> Player:
    """Return a player for another local cloud."""
    credentials = Credentials.from_service_account_file(str(cloud.credentials), scopes=[SCOPE])
    credentials.refresh(Request())
    variables = {
        "project": PROJECT,
        "name": "another-bucket",
        "made": f"llm-record@{PROJECT}.iam.gserviceaccount.com",
        "caller": EMAIL,
    }
    player = Player(cloud.url, {"owner": str(credentials.token)}, variables)
    _, project = player.call("GET", "/v3/projects/${project}")
    player.variables["number"] = project["name"].partition("/")[2]
    return player


def test_a_file_that_can_not_be_written_makes_nothing(
    product: Product, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["doctor", "--record", str(tmp_path / "no" / "file")]) == 1
    assert "Can't write" in capsys.readouterr().err
    assert list(product.clients.storage(PROJECT).list_buckets()) == []


def test_a_429_is_a_fact_with_its_text(recording: tuple[Path, str]) -> None:
    lines = [json.loads(line) for line in recording[0].read_text("utf-8").splitlines()]
    (refused,) = [each for each in lines if each["status"] == 429]
    assert "Quota exceeded for quota metric" in refused["said"]
    assert refused["real"]["error"]["status"] == "RESOURCE_EXHAUSTED"


def test_what_a_person_is_told_without_a_quota_project(product: Product, tmp_path: Path) -> None:
    place = policy.of_project(PROJECT)
    policy.grant(product.clients, place, ["roles/owner"], "user:ann@example.com")
    product.faults.update(quota_project_apis=["cloudquotas.googleapis.com"])
    token = Issuer(Store(product.data / "state.db")).access_token("ann@example.com", "all")
    ann = user_credentials.Credentials(token, account="ann@example.com")
    answers = recorder.Recorder(product.settings.google_endpoint)
    clients = Clients(product.settings, ann, on_answer=answers)
    project = projects.open_project(clients, PROJECT)
    told = io.StringIO()
    record.run(clients, project, answers, tmp_path / "answers.jsonl", told)
    product.faults.reset()
    assert "cloudquotas.googleapis.com 403; compute.googleapis.com 200" in told.getvalue()
    lines = (tmp_path / "answers.jsonl").read_text("utf-8")
    assert "requires a quota project" in lines
    assert not any(
        each in lines for each in ("ann", PROJECT, project.number, token, "764086051850")
    )
