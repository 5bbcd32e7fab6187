"""What a shell completes: names of the project, within a time, and never a sentence."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from click.shell_completion import BashComplete

from llm_widgets.cli import completing
from llm_widgets.cli.main import root
from llm_widgets.cli.output import COMPLETION
from tests.contract.product import PROJECT, Product, running
from tests.contract.quick_services import deployed
from tests.contract.served_model import BUCKET, RECORD, put_served_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What the start of Python and of Google's packages may take on a busy machine.
START = 30


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LLM_WIDGETS_PROJECT", PROJECT)
        for started in running(tmp_path_factory.mktemp("completing"), environment):
            put_served_model(started)
            with deployed(started, "chat", "chatter", "other"):
                yield started


def offered_after(*words: str, environment: pytest.MonkeyPatch) -> list[str]:
    """Return what bash is offered, however long a busy machine takes for it."""
    environment.setattr(completing, "LIMIT", 60.0)
    environment.setenv("COMP_WORDS", " ".join(["llm-widgets", *words]))
    environment.setenv("COMP_CWORD", str(len(words)))
    told = BashComplete(root, {}, "llm-widgets", COMPLETION).complete()
    return [line.removeprefix("plain,") for line in told.splitlines() if line]


def completed(*words: str, changes: Mapping[str, str] | None = None) -> list[str]:
    """Press Tab after the last word as bash does, and return what it offers."""
    done = subprocess.run(
        [sys.executable, "-m", "llm_widgets"],
        env={
            **os.environ,
            COMPLETION: "bash_complete",
            "COMP_WORDS": " ".join(["llm-widgets", *words]),
            "COMP_CWORD": str(len(words)),
            **(changes or {}),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.splitlines() if line]


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("chat", "cha"), ["chat", "chatter"]),
        (("services", "describe", "o"), ["other"]),
        (("delete", "chat", "cha"), ["chatter"]),  # not again what stands there
        (("chat", "--region", "europe-west4", "cha"), []),
        (("buckets", "use", "s"), [BUCKET]),
        (("deploy", "--bucket", "ser"), [BUCKET]),
        (("deploy", "--bucket", BUCKET, "smol"), [RECORD.id]),
        (("deploy", "smol"), [RECORD.id]),
        (("logs", "--project", "local-p"), [PROJECT]),
        (("chat", "--region", "europe-southw"), ["europe-southwest1"]),
    ],
)
def test_names_of_the_project_are_completed(
    words: tuple[str, ...], offered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered_after(*words, environment=monkeypatch) == offered


def test_a_shell_is_answered_by_the_command() -> None:
    assert completed("chat", "--region", "europe-southw") == ["europe-southwest1"]


def test_what_fails_offers_nothing_and_says_nothing(product: Product) -> None:
    product.faults.update(denied_permissions=["run.services.list"])
    try:
        assert completed("chat", "cha") == []
    finally:
        product.faults.reset()
    nobody = {"LLM_WIDGETS_PROJECT": "", "GOOGLE_CLOUD_PROJECT": ""}
    assert completed("chat", "cha", changes=nobody) == []


@pytest.mark.usefixtures("product")
def test_a_cloud_that_does_not_answer_holds_up_the_prompt_for_seconds_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and is still
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        changes = {"LLM_WIDGETS_GOOGLE_ENDPOINT": address}
        assert completed("buckets", "use", "s", changes=changes) == []
        assert time.monotonic() - started < completing.LIMIT + START
