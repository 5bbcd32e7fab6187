"""``llm-widgets local``: the local cloud alone, with the variables for this product."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from llm_widgets.cli.local_cloud import local_cloud
from llm_widgets.config import Settings
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.project import projects

if TYPE_CHECKING:
    from pathlib import Path


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "llm_widgets", "local", "--offline", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def variables(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    lines = list(iter(process.stdout.readline, "ready\n"))
    settings = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
    return dict(setting.split("=", 1) for setting in settings)


def test_its_variables_lead_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process = started("--until-eof", "--project", "first-project", "--data", str(tmp_path / "a b"))
    for name, value in variables(process).items():
        monkeypatch.setenv(name, value)
    clients = Clients(Settings.from_environment())
    assert identity.current(clients).member.endswith("@first-project.iam.gserviceaccount.com")
    assert projects.get(clients, "first-project").id == "first-project"
    process.communicate(timeout=60)  # closes standard input
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_in_order_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    process = started("--data", str(tmp_path))
    assert variables(process)["LLM_WIDGETS_GOOGLE_ENDPOINT"].startswith("http://127.0.0.1:")
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (0, "")


def test_what_the_program_refuses_is_told(tmp_path: Path) -> None:
    process = started("--data", str(tmp_path), "--hub-port", "x")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "'x' is no port" in told


def test_it_is_as_slow_as_google_where_that_is_asked(tmp_path: Path) -> None:
    with local_cloud(tmp_path, offline=True, slow="30") as environment:
        url = environment()["LLM_WIDGETS_GOOGLE_ENDPOINT"]
        name, _, value = (tmp_path / "switches.header").read_text("utf-8").strip().partition(": ")
        found = requests.get(f"{url}/_local/faults", headers={name: value}, timeout=60).json()
    assert found["grant_seconds"] == 30
    assert found["rates"]["logging.googleapis.com/read_requests"] == 60
    assert found["enforce_ingress"]
