"""What a hub, its content network and the line to them do wrong."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.models import ModelStatus
from llm_widgets.domain.progress import FileState, ImportState
from local_cloud.testing.waiting import until
from tests.faults.faulty_source import Fault, FaultySource, Request
from tests.faults.importing import PART, PATIENT, QUICK, Imports, two_files

if TYPE_CHECKING:
    from collections.abc import Callable


def first(times: int, fault: Fault) -> Callable[[int, Request], Fault]:
    """Let the first requests go wrong, and no others."""
    return lambda number, _: fault if number < times else Fault()


PASSING = {
    "429": first(3, Fault(status=429, headers={"Retry-After": "0"})),
    "500": first(3, Fault(status=500)),
    "503": first(3, Fault(status=503)),
    "reset": first(3, Fault(reset=1 << 20)),
    "reset at once": first(3, Fault(reset=0)),
    "truncated": first(3, Fault(truncate=1 << 20)),
    "stalled": first(2, Fault(stall=1 << 20)),
    "another range": first(3, Fault(shift=1)),
    "the whole file once": first(2, Fault(whole=True)),
    "every other is reset at once": lambda number, _: Fault(reset=0) if number % 2 else Fault(),
    "every fifth is cut": lambda number, _: Fault(reset=1 << 20) if number % 5 == 4 else Fault(),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_passes_is_lived_through(name: str, imports: Imports, source: FaultySource) -> None:
    source.plan = PASSING[name]
    plan = imports.plan(source)
    assert imports.run(plan, options=replace(PATIENT, stall_timeout=2)) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert imports.record().status is ModelStatus.READY


def test_what_is_tried_again_is_told_meanwhile(imports: Imports, source: FaultySource) -> None:
    is_over = threading.Event()
    source.plan = lambda *_: Fault() if is_over.is_set() else Fault(status=503)
    plan = imports.plan(source)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(imports.run, plan)
        until(lambda: "HTTP 503. Trying again." in imports.told(plan))
        is_over.set()
        assert ended.result() is ImportState.DONE
    assert imports.told(plan) == ""


def test_bytes_that_arrived_before_a_break_are_not_read_again(
    imports: Imports, source: FaultySource
) -> None:
    source.plan = first(3, Fault(truncate=1 << 20))
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert source.begun("model.safetensors", PART) == [n * PART for n in range(5)]


def test_a_server_without_ranges(imports: Imports, source: FaultySource) -> None:
    source.plan = lambda _number, _request: Fault(whole=True)
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert source.sent < 6 * plan.size  # not once for each part


def test_a_server_without_ranges_that_breaks(imports: Imports, source: FaultySource) -> None:
    source.plan = lambda number, _: Fault(whole=True, truncate=8 << 20 if number < 8 else None)
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_signed_urls_that_expire_are_renewed(imports: Imports, source: FaultySource) -> None:
    source.signed_seconds = 0.15
    source.rate = 20e6
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)
    assert source.hub_requests > 2


def test_the_next_part_is_asked_for_before_the_present_one_is_there(
    imports: Imports, source: FaultySource
) -> None:
    sent: dict[int, int] = {}

    def note(_number: int, request: Request) -> Fault:
        if request.path == "model.safetensors":
            sent[request.first // PART] = source.sent
        return Fault()

    source.plan, source.rate = note, 20e6
    plan = imports.plan(source)
    alone = replace(PATIENT, workers=1, min_workers=1)
    assert imports.run(plan, options=alone) is ImportState.DONE
    assert imports.is_right(plan, source)
    # After the first part comes the small file, whose place the hub has yet to tell.
    assert all(sent[part] < part * PART for part in range(2, 5))


def test_the_hub_is_asked_once_a_file(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    assert source.hub_requests == len(plan.files)


def test_retry_after_is_obeyed_by_all_lanes(imports: Imports, source: FaultySource) -> None:
    times: list[float] = []

    def plan_faults(number: int, _: Request) -> Fault:
        times.append(time.monotonic())
        return Fault(status=429, headers={"Retry-After": "2"}) if number == 0 else Fault()

    source.plan = plan_faults
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.DONE
    later = [t - times[0] for t in times[1:]]
    assert not [t for t in later if 1 < t < 1.9]  # others were under way already, or waited


def test_wrong_bytes_are_never_published(imports: Imports, source: FaultySource) -> None:
    source.plan = lambda _, request: Fault(corrupt=request.path == "model.safetensors")
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.FAILED
    assert imports.names(plan.prefix) == []
    progress = imports.progress(plan)
    assert "model.safetensors is not what the hub promised" in progress.message
    assert progress.cause
    assert progress.fix
    states = {file.path: file.state for file in progress.files}
    assert states["model.safetensors"] is FileState.FAILED
    record = imports.record()
    assert record.status is ModelStatus.FAILED
    assert "not what the hub promised" in record.error
    source.plan = lambda _number, _request: Fault()
    assert imports.run(plan) is ImportState.DONE
    assert imports.is_right(plan, source)


def test_another_size_than_announced(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    source.files["model.safetensors"] += b"more"
    assert imports.run(plan) is ImportState.FAILED
    assert "another size" in imports.progress(plan).message
    assert imports.names(plan.prefix) == []


LASTING = {
    "500": (Fault(status=500), "HTTP 500"),
    "429": (Fault(status=429), "HTTP 429"),
    "reset": (Fault(reset=0), "reset"),
    "stalled": (Fault(stall=0), "timed out"),
}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_fails_with_its_cause(name: str, imports: Imports, source: FaultySource) -> None:
    fault, cause = LASTING[name]
    source.plan = lambda _number, _request: fault
    plan = imports.plan(source)
    options = replace(QUICK, stall_timeout=2) if name == "stalled" else QUICK
    assert imports.run(plan, options=options) is ImportState.FAILED
    progress = imports.progress(plan)
    assert "Gave up reading" in progress.message
    assert cause in progress.cause
    assert imports.names(plan.prefix) == []


def test_a_file_that_vanished(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    del source.files["config.json"]
    assert imports.run(plan) is ImportState.FAILED
    progress = imports.progress(plan)
    assert "no longer has the file" in progress.message
    assert "again" in progress.fix


def test_a_licence_that_was_withdrawn(imports: Imports, source: FaultySource) -> None:
    source.token = "only-others-have-it"
    plan = imports.plan(source)
    assert imports.run(plan) is ImportState.FAILED
    progress = imports.progress(plan)
    assert "does not let this import read" in progress.message
    assert "restricted" in progress.cause
    assert "licence" in progress.fix


def test_a_source_that_is_not_there(imports: Imports, source: FaultySource) -> None:
    plan = imports.plan(source)
    source.stop()
    assert imports.run(plan, options=QUICK) is ImportState.FAILED
    assert "refused" in imports.progress(plan).cause


def test_slow_edges_are_left(imports: Imports) -> None:
    """One connection in two is slow: with luck alone, half of the parts would take 20 s each."""
    source = FaultySource(two_files())
    lock, drawn = threading.Lock(), []

    def draw() -> float:
        with lock:
            drawn.append(1)
            return 0.25e6 if len(drawn) % 2 else 60e6

    source.rate = draw
    plan = imports.plan(source)
    begun = time.monotonic()
    assert imports.run(plan) is ImportState.DONE
    assert time.monotonic() - begun < 15
    assert imports.is_right(plan, source)
    source.stop()
