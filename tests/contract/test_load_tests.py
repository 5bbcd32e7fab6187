"""Load tests on the local cloud, by Python and the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.cli.main import main
from llm_widgets.domain.load_tests import kept, plan
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.domain.load_tests.prompts import SHAPES
from llm_widgets.domain.load_tests.verdicts import Verdict
from llm_widgets.errors import ConflictError, InvalidInputError
from llm_widgets.gcp.run import service_json
from llm_widgets.manager import Manager, load_test
from llm_widgets.manager.closed_loop import ClosedLoop
from local_cloud.testing.waiting import until
from tests.contract.engine import deploy
from tests.contract.product import PARENT, PROJECT, REGION, Product, running
from tests.contract.slotted_engine import SPEED, slotted
from tests.unit import test_load_tests as reckoned
from tests.unit.queue_server import QueueServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from llm_widgets.domain.load_tests.result import LoadTest
    from llm_widgets.manager.load_test import Progress

STEP = 4.0  # seconds: answers are long beside what a request costs this machine
SHORT = 6.0  # of a whole test, where it doesn't matter what is found
FOUR = f"{PARENT}/services/four"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each engine writes how many requests it has."""
    return tmp_path_factory.mktemp("running")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, state: Path) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("load"), environment):
            deploy(product, "one", slotted(1, state / "one", at_once=2, instances=1))
            deploy(product, "two", slotted(2, state / "two", at_once=2))
            deploy(product, "four", slotted(4, state / "four"))
            yield product


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.fixture
def manager(product: Product) -> Manager:
    return Manager(PROJECT, product.settings)


def read(product: Product, name: str = FOUR) -> dict[str, Any]:
    return service_json.read(product.clients, name)


def is_as_it_was(product: Product) -> bool:
    document = read(product)
    is_limited = kept.LIMITS_ANNOTATION in document["annotations"]
    return not is_limited and "maxInstanceCount" not in document.get("scaling", {})


@pytest.mark.slow
def test_the_advice_is_what_the_engine_works_on_at_once(
    product: Product, manager: Manager, state: Path
) -> None:
    """Three services at the same time: what they do is to wait."""

    def measured(slots: int) -> LoadTest:
        name, at_once = f"knee-{slots}", 2 * slots
        deploy(product, name, slotted(slots, state / name, at_once=at_once, instances=1))
        steps = len(plan.levels(at_once)) * len(SHAPES)
        return manager.measure(name, seconds=STEP * steps, progress=False)

    slots = (1, 4, 8)
    with ThreadPoolExecutor() as pool:
        tests = dict(zip(slots, pool.map(measured, slots), strict=True))
    for count, found in tests.items():
        for curve in found.curves:
            assert curve.knee.best, str(found)
            assert curve.knee.best.at_once == count, str(found)
            assert curve.knee.verdict is Verdict.NO_GAIN
            # Not what its prefix cache would make of it, nor one token for each piece.
            speed = curve.knee.best.tokens_per_second
            assert speed
            assert count * SPEED / 4 < speed < 1.1 * count * SPEED
        advice = f"Set the concurrency of the service to {count}, not {2 * count}"
        assert advice in str(found)
        assert manager.load_test(f"knee-{count}") == kept.read(kept.written(found))


def test_the_advice_is_applied_by_python_and_by_the_command_line(
    product: Product, manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    assert manager.advised("two") == {}
    keep(product, "two", found_of(slots=1, at_once=2))
    assert manager.advised("two") == {"concurrency": 1}
    words = ("services", "measure", "two", "--project", PROJECT)
    assert main([*words, "--last"]) == 0
    told = f"To apply it: llm-widgets services measure two --region {REGION} --apply"
    assert told in capsys.readouterr().err
    assert main([*words, "--apply", "--quiet"]) == 0
    assert concurrency_of(product, "two") == 1
    assert main([*words, "--apply", "--quiet"]) == 0
    assert "Nothing to change" in capsys.readouterr().err

    keep(product, "two", found_of(slots=2, at_once=1))  # it still gained
    manager.change("two", progress=False, **manager.advised("two"))
    assert concurrency_of(product, "two") == 2
    assert manager.advised("two") == {}


def found_of(slots: int, at_once: int) -> LoadTest:
    """Return what a test finds of an engine that works on so many requests at once."""
    measured = reckoned.curve(QueueServer(slots), most=at_once)
    return reckoned.made(measured, told=Told(at_once))


def keep(product: Product, name: str, test: LoadTest) -> None:
    """Keep a test with a service, as if it had been run."""
    document = read(product, f"{PARENT}/services/{name}")
    annotations = {**document["annotations"], kept.ANNOTATION: kept.written(test)}
    changed = {**document, "annotations": annotations}
    service_json.patch(product.clients, changed, ["annotations"])


def concurrency_of(product: Product, name: str) -> object:
    template = read(product, f"{PARENT}/services/{name}")["template"]
    return template["maxInstanceRequestConcurrency"]


def test_a_service_runs_one_instance_meanwhile_and_has_its_own_limit_back(
    product: Product, manager: Manager
) -> None:
    before, limits = read(product), []
    offer = manager.load_test_offer("four", seconds=SHORT)
    assert offer.is_limited
    assert "runs one instance at most" in offer.text

    def watch(progress: Progress) -> None:
        if "1 at once" in progress.text:
            limits.append(read(product)["scaling"]["maxInstanceCount"])
            with pytest.raises(ConflictError, match="limited four to one instance"):
                manager.load_test_offer("four")

    manager.measure("four", seconds=SHORT, progress=False, watch=watch)
    assert limits[0] == 1
    assert is_as_it_was(product)
    assert read(product)["template"] == before["template"]


@pytest.mark.slow
def test_errors_are_no_fast_answers(product: Product, manager: Manager, state: Path) -> None:
    deploy(product, "breaks", slotted(16, state / "breaks", breaks_above=2))
    deploy(product, "narrow", slotted(1, state / "narrow", longest=2000))
    found = manager.measure("breaks", seconds=2 * SHORT, progress=False)
    for curve in found.curves:
        assert curve.knee.best
        assert curve.knee.best.at_once == 2
        assert curve.knee.verdict is Verdict.ERRORS
    assert "requests failed" in found.advice[0]
    chat, long = manager.measure("narrow", seconds=SHORT, progress=False).curves
    assert chat.knee.best
    assert long.knee.best is None
    assert "prompt is too long" in long.levels[0].reason


def test_one_that_is_stopped_ends_its_requests_and_leaves_nothing(
    product: Product, manager: Manager, state: Path
) -> None:
    before = read(product)["annotations"].get(kept.ANNOTATION)
    loop = ClosedLoop(product.clients, manager.service("four"))
    heard = []

    def tell(progress: Progress) -> None:
        heard.append(progress.text)
        if "2 at once" in progress.text:
            loop.stop()

    offer = manager.load_test_offer("four", seconds=SHORT)
    ended = load_test.run(product.clients, offer, loop, tell)
    assert (ended.test, ended.problem) == (None, None)
    assert not any("4 at once" in each for each in heard)
    assert is_as_it_was(product)
    assert read(product)["annotations"].get(kept.ANNOTATION) == before
    until(lambda: (state / "four").read_text() == "0")


def test_one_that_is_interrupted_leaves_nothing(
    product: Product, manager: Manager, state: Path
) -> None:
    def interrupt(progress: Progress) -> None:
        if "1 at once" in progress.text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manager.measure("four", seconds=SHORT, progress=False, watch=interrupt)
    assert is_as_it_was(product)
    until(lambda: (state / "four").read_text() == "0")


ENDS = """
import threading
from llm_widgets.manager import Manager
asked = threading.Event()
def watch(progress):
    if "first request" in progress.text:
        asked.set()
told = {"progress": False, "watch": watch}
threading.Thread(target=Manager().measure, args=("four",), kwargs=told).start()
print(asked.wait(60))
"""


def test_a_process_that_ends_leaves_nothing(product: Product, state: Path) -> None:
    """So a page does whose tab is closed: its kernel waits for no thread that never ends."""
    environment = {**os.environ, **product.environment, "GOOGLE_CLOUD_PROJECT": PROJECT}
    ended = subprocess.run(
        [sys.executable, "-c", ENDS],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stdout == "True\n", ended.stderr
    assert is_as_it_was(product)
    until(lambda: (state / "four").read_text() == "0")


def test_what_could_not_be_undone_is_told_and_can_be_later(
    product: Product, manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    offer = manager.load_test_offer("four", seconds=SHORT)
    loop = ClosedLoop(product.clients, offer.service)

    def deny(progress: Progress) -> None:
        if "1 at once" in progress.text:
            product.faults.update(denied_permissions=["run.services.update"])

    ended = load_test.run(product.clients, offer, loop, deny)
    assert ended.test
    assert ended.problem
    assert "may still be limited to one instance" in ended.problem.message
    product.faults.reset()
    limit = load_test.limit_of(read(product))
    assert limit
    assert limit.most is None
    words = ("services", "measure", "four", "--project", PROJECT)
    assert main([*words, "--quiet"]) == 1
    told = capsys.readouterr().err
    assert "llm-widgets services measure four --restore" in told
    assert main([*words, "--restore"]) == 0
    assert is_as_it_was(product)
    assert main([*words, "--restore"]) == 1
    assert "No load test has limited four" in capsys.readouterr().err


def test_who_may_not_change_a_service_is_told_what_was_found(
    product: Product, manager: Manager
) -> None:
    offer = manager.load_test_offer("one", seconds=SHORT)
    assert not offer.is_limited
    product.faults.update(denied_permissions=["run.services.update"])
    ended = load_test.run(product.clients, offer, ClosedLoop(product.clients, offer.service))
    assert ended.test
    assert ended.problem
    assert ended.problem.message == "The load test can't be kept with one."


def test_pausing_during_a_test_remembers_the_service_s_own_limits(
    product: Product, manager: Manager
) -> None:
    def pause(progress: Progress) -> None:
        if progress.text.startswith("Short chat: 1 at once"):
            manager.pause("four")

    manager.measure("four", seconds=SHORT, progress=False, watch=pause)
    assert kept.LIMITS_ANNOTATION not in read(product)["annotations"]
    with pytest.raises(InvalidInputError, match="its state is Paused"):
        manager.load_test_offer("four")
    manager.resume("four")
    assert manager.service("four").max_instances == 3
    scaling = read(product)["scaling"]
    assert scaling["maxInstanceCount"] == 3
    service_json.patch(product.clients, {"name": FOUR, "scaling": {}}, ["scaling"])


def test_what_can_t_be_tested_is_refused(product: Product, manager: Manager, state: Path) -> None:
    many = slotted(1, state / "many")
    many.template.scaling.min_instance_count = 2
    deploy(product, "many", many)
    with pytest.raises(InvalidInputError, match="always runs 2 instances"):
        manager.load_test_offer("many")
    embeds = slotted(1, state / "embeds")
    embeds.annotations["llm-manager/task"] = "embeddings"
    deploy(product, "embeds", embeds)
    with pytest.raises(InvalidInputError, match="this model is for embeddings"):
        manager.load_test_offer("embeds")
    for seconds in (1, 181):
        with pytest.raises(InvalidInputError, match="from 5 to 180"):
            manager.load_test_offer("one", seconds=seconds)


@pytest.mark.slow
def test_the_command_line_names_the_price_and_asks_before(
    product: Product, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = slotted(1, product.data / "priced", at_once=2, instances=1)
    gpu.template.node_selector.accelerator = "nvidia-l4"
    gpu.template.gpu_zonal_redundancy_disabled = True
    limits = {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": "1"}
    gpu.template.containers[0].resources.limits.update(limits)
    deploy(product, "priced", gpu)
    words = ("services", "measure", "priced", "--project", PROJECT)
    monkeypatch.setattr("sys.stdin", open("/dev/null", encoding="ascii"))  # noqa: SIM115, PTH123 - nobody answers
    assert main([*words]) == 130
    told = capsys.readouterr().err
    assert "takes up to 3 min, at most $0.07. Sends" in told
    assert "1, 2 at once. An instance costs $1.42 an hour" in told
    assert main([*words, "--last", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) is None
    assert main([*words, "--seconds", "10", "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "Set the concurrency of the service to 1, not 2" in out
    assert "1M tokens of answers cost $" in out
    assert main([*words, "--last", "--format", "json"]) == 0
    chat, long = json.loads(capsys.readouterr().out)["curves"]
    assert (chat["requests"], long["requests"]) == ("chat", "long")
    assert chat["best_at_once"] == 1
    assert chat["dollars_per_million"] == chat["dollars_per_million_alone"]
    assert [each["at_once"] for each in chat["levels"]] == [1, 2]
