"""Switches for faults."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

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


def request(
    method: str, path: str, json: Any = None, host: str = "127.0.0.1:8085", **headers: str
) -> Request:
    builder = EnvironBuilder(path, method=method, json=json, base_url=f"http://{host}")
    for name, value in headers.items():
        builder.headers[name.replace("_", "-")] = value
    return Request(builder.get_environ())


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


def test_they_are_served(faults: Faults) -> None:
    def serve(method: str, json: Any = None) -> tuple[int, Any]:
        answer = faults.before_request(request(method, "/_local/faults", json))
        assert answer is not None
        return answer.status_code, answer.get_json()

    assert serve("PATCH", {"bandwidth": 5})[1]["bandwidth"] == 5
    status, shown = serve("PUT", {"disabled_apis": ["run.googleapis.com"]})
    assert (status, shown["disabled_apis"], shown["bandwidth"]) == (
        200,
        ["run.googleapis.com"],
        None,
    )
    assert serve("GET")[1] == shown
    assert serve("TRACE", {})[0] == 405
    assert serve("DELETE")[1]["disabled_apis"] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"bogus": 1}, "There is no switch 'bogus'"),
        ({"disabled_apis": "run"}, "'disabled_apis' must be a list"),
        ({"quotas": []}, "'quotas' must be an object"),
        ({"bandwidth": 0}, "bytes per second"),
        ({"delays": {"(": 1}}, "no regular expression"),
        ({"delays": {"x": "long"}}, "number of seconds"),
        ({"failures": [{"status": 503}]}, "needs 'match'"),
        ([], "must be a JSON object"),
    ],
)
def test_wrong_switches_are_explained(faults: Faults, body: Any, sentence: str) -> None:
    answer = faults.before_request(request("PATCH", "/_local/faults", body))
    assert answer is not None
    assert answer.status_code == 400
    assert sentence in answer.get_json()["error"]["message"]
    assert faults.settings() == Faults(faults._store).settings()


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


@pytest.mark.parametrize("host", ["127.0.0.1:8085", "localhost:8085", "[::1]:8085"])
def test_the_switches_are_for_this_machine(faults: Faults, host: str) -> None:
    own = {"Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
    for headers in ({}, own, {"Sec_Fetch_Site": "none"}):
        answer = faults.before_request(request("GET", "/_local/faults", host=host, **headers))
        assert answer is not None
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("evil.example", {}),
        ("evil.example:8085", {"Origin": "http://evil.example:8085"}),  # DNS rebinding
        ("127.0.0.1.evil.example", {}),
        ("127.0.0.1:8085@evil.example", {}),
        ("127.0.0.1:8085", {"Origin": "http://evil.example"}),
        ("127.0.0.1:8085", {"Origin": "http://127.0.0.1:9999"}),
        ("127.0.0.1:8085", {"Origin": "https://127.0.0.1:8085"}),
        ("127.0.0.1:8085", {"Origin": "null"}),
        ("127.0.0.1:8085", {"Sec_Fetch_Site": "cross-site"}),
        ("127.0.0.1:8085", {"Sec_Fetch_Site": "same-site"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
def test_web_pages_of_others_do_not_reach_the_switches(
    faults: Faults, method: str, host: str, headers: dict[str, str]
) -> None:
    body = {"billing_disabled": ["p"]}
    answer = faults.before_request(request(method, "/_local/faults", body, host, **headers))
    assert answer is not None
    assert answer.status_code == 403
    assert faults.billing_disabled == set()
