"""Switches for faults."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from local_cloud.faults import Faults
from local_cloud.store import Store
from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state.db")
    yield store
    store.close()


@pytest.fixture
def faults(store: Store) -> Faults:
    return Faults(store)


def request(method: str, path: str) -> Request:
    return Request(EnvironBuilder(path, method=method).get_environ())


def test_they_are_kept(store: Store, faults: Faults) -> None:
    faults.update(denied_permissions=["run.services.*"], quotas={"gpus/europe-west1": 0})
    again = Faults(store)
    assert again.denied_permissions == {"run.services.*"}
    assert again.quotas == {"gpus/europe-west1": 0}
    again.reset()
    assert Faults(store).denied_permissions == set()


def test_permissions_are_globs(faults: Faults) -> None:
    faults.update(denied_permissions=["run.services.*", "storage.buckets.create"])
    asked = ["run.services.get", "run.jobs.get", "storage.buckets.create", "storage.buckets.get"]
    assert [p for p in asked if faults.denies(p)] == [asked[0], asked[2]]


def test_failures_are_counted(faults: Faults) -> None:
    faults.update(
        failures=[
            {"match": "^GET /v2/", "status": 429, "times": 2, "retry_after": 3},
            {"match": "/v2/.*run$", "status": 403, "reason": "forbidden", "message": "No."},
        ]
    )
    seen = []
    for _ in range(3):
        answer = faults.before_request(request("GET", "/v2/x"))
        seen.append(answer and (answer.status_code, answer.headers["Retry-After"]))
    assert seen == [(429, "3"), (429, "3"), None]
    answer = faults.before_request(request("POST", "/v2/x:run"))
    assert answer is not None
    assert answer.get_json()["error"]["errors"][0]["reason"] == "forbidden"
    assert faults.before_request(request("GET", "/v1/x")) is None


def test_delays(faults: Faults) -> None:
    faults.update(delays={"^GET /slow": 1})
    started = time.monotonic()
    assert faults.before_request(request("GET", "/fast")) is None
    assert time.monotonic() - started < 0.9
    assert faults.before_request(request("GET", "/slow")) is None
    assert time.monotonic() - started >= 1


def test_bandwidth(faults: Faults) -> None:
    blocks = [b"x" * 60_000, b"y" * 40_000]
    assert faults.throttle(blocks) is blocks
    faults.update(bandwidth=400_000)
    started = time.monotonic()
    assert b"".join(faults.throttle(blocks)) == b"".join(blocks)
    assert time.monotonic() - started >= 0.24


def test_what_is_on_its_way_follows_a_bandwidth_that_is_lifted(faults: Faults) -> None:
    blocks = [bytes(20), bytes(1_000_000)]
    faults.update(bandwidth=200)  # more than an hour for all of it
    coming = iter(faults.throttle(blocks))
    first = next(coming)
    assert len(first) < len(blocks[0])
    faults.update(bandwidth=None)
    assert first + b"".join(coming) == b"".join(blocks)


def test_calls_that_are_held_wait_for_their_release(faults: Faults) -> None:
    held = Request.from_values("/v1/things", method="GET")
    faults.update(holds=["GET /v1/things"])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(faults.before_request, held)
        until(lambda: faults.held == 1)
        faults.update(holds=[])
        assert faults.before_request(held) is None  # it came later
        assert not waiting.done()
        faults.reset()
        assert waiting.result(30) is None
    assert faults.held == 0
