"""The whole journey by the command line alone and by Python alone: the same comes of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cli.main import main
from llm_widgets.config import settings
from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.services import ServiceState
from llm_widgets.errors import (
    AlreadyExistsError,
    DeploymentError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
)
from llm_widgets.manager import Manager
from llm_widgets.manager.estimating import estimate
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

MODEL = "smollm2:135m"
TINY = "local/tiny-llama"
NEVER_UP = ("/bin/sh", "-c", "echo 'no such weights' >&2; exit 3")


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("doors"), environment):
            settings.cache_clear()
            yield started
    settings.cache_clear()


@pytest.fixture(autouse=True)
def healthy(product: Product) -> Iterator[None]:
    yield
    product.faults.reset()


@pytest.fixture(scope="module")
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


@pytest.fixture(scope="module")
def bucket(manager: Manager) -> str:
    manager.create_bucket("of-both-doors", REGION)
    manager.import_model("of-both-doors", "ollama", MODEL)
    return "of-both-doors"


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a command, and return what it prints as JSON."""
    code = main([*words, "--format", "json"])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return json.loads(printed.out)


@pytest.mark.slow
def test_the_journey_is_the_same(
    manager: Manager, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # By the command line alone.
    assert asked(capsys, "buckets", "create", "by-words", "--region", REGION)["location"] == REGION
    told = asked(capsys, "import", "ollama", MODEL, "--bucket", "by-words")
    there = ("deploy", MODEL, "--bucket", "by-words", "--name", "by-words")
    assert asked(capsys, *there)["state"] == "Ready"
    by_words = asked(capsys, "services", "describe", "by-words")
    assert asked(capsys, "chat", "by-words", "Say hello.", "--max-tokens", "5")["answer"]
    changed = asked(capsys, "edit", "by-words", "--timeout", "99", "--dry-run")
    # By Python alone.
    record = manager.models(bucket)[0]
    service = manager.deploy(bucket, MODEL, name="by-python")
    # Chosen at random, the first token may be the last one.
    sure = {"max_tokens": 5, "temperature": 0}
    pieces = list(manager.chat("by-python", "Count to ten.", stream=True, **sure))
    assert len(pieces) > 1
    diff = manager.diff("by-python", timeout=99)

    own = {"import_id", "imported_at", "folder"}
    assert {k: v for k, v in told.items() if k not in own} == {
        k: v for k, v in record.shown().items() if k not in own
    }
    own = {"name", "url", "bucket", "updated_at", "resource"}
    assert {k: v for k, v in by_words.items() if k not in own} == {
        k: v for k, v in service.shown().items() if k not in own
    }
    assert changed == diff.values() == [{"field": "timeout", "removed": ["3600"], "added": ["99"]}]
    names = {row["name"] for row in asked(capsys, "services")}
    assert names == {each.id for each in manager.services()} == {"by-words", "by-python"}
    revisions = asked(capsys, "services", "revisions", "by-words")
    assert [each["traffic_percent"] for each in revisions] == [100]
    assert manager.revisions("by-python")[0].percent == 100
    logged = asked(capsys, "logs", "by-words", "--since", "1h", "--limit", "5")
    assert len(logged) == len(manager.logs("by-python", limit=5, since=timedelta(hours=1))) == 5
    # A cell that is run again.
    assert manager.deploy(bucket, MODEL, name="by-python", exist_ok=True).etag == service.etag
    with pytest.raises(AlreadyExistsError) as taken:
        manager.deploy(bucket, MODEL, name="by-python")
    assert taken.value.fix
    with pytest.raises(NotFoundError) as unknown:
        manager.service("another")
    assert unknown.value.fix == Fix(text="Choose one of those that are there: by-python, by-words.")
    # And away again.
    assert main(["delete", "by-words", "--quiet"]) == 0
    manager.delete("by-python")
    assert (tuple(manager.services()), asked(capsys, "services")) == ((), [])
    assert main(["models", "delete", MODEL, "--bucket", "by-words", "--quiet"]) == 0


def test_why_it_did_not_come_up_is_told_by_both(
    manager: Manager, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DeploymentError) as caught:
        manager.deploy(bucket, MODEL, name="never-up", command=NEVER_UP)
    found = manager.diagnose("never-up")
    assert found
    assert caught.value.fix
    assert caught.value.fix.text == found.remedies[0].text
    assert asked(capsys, "services", "diagnose", "never-up")["cause"] == found.cause
    assert found.cause in str(found)
    assert manager.service("never-up").state is ServiceState.ERROR
    manager.delete("never-up")


def test_names_and_options_that_are_misspelt(
    manager: Manager, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInputError) as option:
        manager.deploy(bucket, MODEL, max_instancs=1)  # type: ignore[call-arg] # misspelt
    assert option.value.fix
    assert option.value.fix.text == "Did you mean max_instances?"
    with pytest.raises(NotFoundError) as model:
        manager.deploy(bucket, "smollm2:135")
    assert model.value.fix
    assert model.value.fix.text == f"Did you mean {MODEL}?"
    assert main(["deploy", MODEL, "--bucket", bucket, "--max-instancs", "1"]) == 2
    assert "--max-instances" in capsys.readouterr().err
    assert main(["chat", "nothing", "hello", "--format", "json"]) == 1
    printed = capsys.readouterr()
    told = json.loads(printed.out)["error"]
    assert told["message"] == f"There is no service nothing in {PROJECT}."
    assert printed.err.startswith(told["message"])
    assert "Fix: Deploy a model first." in printed.err


def test_an_import_is_not_asked_for_twice(manager: Manager, bucket: str) -> None:
    seen: list[int] = []
    again = manager.import_model(
        bucket, "ollama", MODEL, exist_ok=True, watch=lambda progress: seen.append(progress.done)
    )
    assert again.status is ModelStatus.READY
    assert seen == []
    assert manager.create_bucket(bucket, REGION, exist_ok=True).name == bucket


def test_whether_it_fits_needs_no_account(
    product: Product, manager: Manager, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    product.faults.update(failures=[{"match": "googleapis|/v[0-9]+/projects", "status": 401}])
    found = estimate("ollama", MODEL, chosen=product.settings)
    assert [each.fits for each in found] == [True, True]
    rows = asked(capsys, "estimate", "ollama", MODEL)
    assert [row["needed_bytes"] for row in rows] == [row["needed_bytes"] for row in found.values()]
    product.faults.reset()
    kept = manager.estimate(bucket, MODEL)
    assert kept.memory
    assert kept.memory.total == found.values()[0]["needed_bytes"]


def test_what_a_project_lacks_and_which_there_are(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = asked(capsys, "doctor")
    assert [row["state"] for row in rows["checks"]] == [
        each.state.name.lower() for each in manager.doctor()
    ]
    assert [row["id"] for row in asked(capsys, "projects")] == [p.id for p in manager.projects()]
    assert repr(manager) == f"Manager('{PROJECT}')"


@pytest.mark.slow
def test_ctrl_c_leaves_an_import_running_and_says_how_to_continue(
    product: Product, manager: Manager
) -> None:
    product.faults.update(bandwidth=20_000)
    words = ["import", "huggingface", TINY, "--bucket", "interrupted", "--create-in", REGION]
    process = subprocess.Popen(
        [sys.executable, "-m", "llm_widgets", *words],
        env={**os.environ, **product.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until_listed(manager, "interrupted")
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert out == ""
    assert "Traceback" not in told
    assert f"llm-widgets import huggingface {TINY} --bucket interrupted" in told
    product.faults.reset()
    record = manager.import_model("interrupted", "huggingface", TINY)
    assert record.status is ModelStatus.READY


@pytest.mark.slow
@pytest.mark.usefixtures("product")
def test_the_examples_of_the_documentation_run(manager: Manager) -> None:
    text = (Path(__file__).parents[2] / "docs" / "python.md").read_text("utf-8")
    names: dict[str, Any] = {}
    for example in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(example, names)
    assert names["service"].state is ServiceState.READY
    assert [each.id for each in manager.models("my-models")] == [MODEL]


def until_listed(manager: Manager, bucket: str) -> None:
    from local_cloud.testing.waiting import until  # noqa: PLC0415 - used here only

    def begun() -> bool:
        try:
            return bool(manager.models(bucket))
        except ManagerError:
            return False

    until(begun, seconds=30)
