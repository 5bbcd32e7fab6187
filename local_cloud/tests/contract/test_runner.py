"""What a revision serves, and on which address."""

from __future__ import annotations

import base64
import http.client
import json
import os
from typing import TYPE_CHECKING

import pytest
import requests
from google.cloud import run_v2
from werkzeug import Request, Response

from local_cloud.testing.waiting import until
from tests.contract.running import (
    NAME,
    revision,
    service,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_cloud.logs import LogBook
    from local_cloud.runner.runner import Runner


def test_a_revision_serves_on_the_address_of_its_service(runner: Runner) -> None:
    url = runner.deploy(service(), revision())
    assert url == runner.url(NAME)
    answer = requests.get(f"{url}/a%2Fb?c=d", timeout=30).json()
    assert answer["path"] == "/a%2Fb?c=d"
    assert answer["env"]["K_SERVICE"] == "hello"
    assert answer["env"]["K_REVISION"] == "hello-00001-abc"
    assert answer["env"]["K_CONFIGURATION"] == "hello"


def test_the_environment_is_the_containers_own(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "not for a service")
    runner.secrets = lambda project, secret, version: f"{project}/{secret}/{version}"
    variables = [
        run_v2.EnvVar(name="FIRST", value="one"),
        run_v2.EnvVar(name="SECOND", value="$(FIRST)-$(PORT)-$(NOBODY)"),
        run_v2.EnvVar(
            name="KEY", value_source={"secret_key_ref": {"secret": "key", "version": "2"}}
        ),
    ]
    url = runner.deploy(
        service(container={"env": variables}, service_account="a@p.example"), revision()
    )
    environment = requests.get(url, timeout=30).json()["env"]
    assert "HF_TOKEN" not in environment
    assert environment["IDENTITY"] == "a@p.example"
    assert environment["SECOND"] == f"one-{environment['PORT']}-$(NOBODY)"
    assert environment["KEY"] == "p/key/2"
    assert environment["HOME"] != os.environ["HOME"]


def test_bytes_pass_when_they_come(runner: Runner, tmp_path: Path) -> None:
    url = runner.deploy(service(), revision())
    gate = tmp_path / "gate"
    with requests.get(f"{url}/stream={gate}", stream=True, timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        pieces = answer.iter_content(chunk_size=None)
        assert next(pieces) == b"data: 0\n\n"
        gate.touch()  # only now the instance goes on
        assert b"".join(pieces) == b"data: 1\n\ndata: 2\n\ndata: 3\n\n"


@pytest.mark.parametrize("body", [b"x" * 3_000_000, iter([b"abc", b"def" * 100_000])])
def test_a_body_reaches_the_instance(runner: Runner, body: bytes | Iterator[bytes]) -> None:
    length = len(body) if isinstance(body, bytes) else 300_003
    url = runner.deploy(service(), revision())
    assert requests.post(url, data=body, timeout=30).json()["length"] == length


def test_the_token_of_a_caller_is_made_useless(runner: Runner) -> None:
    url = runner.deploy(service(), revision())
    claims = base64.urlsafe_b64encode(json.dumps({"aud": url}).encode()).decode().rstrip("=")
    seen = requests.get(
        url, headers={"Authorization": f"Bearer aa.{claims}.secret"}, timeout=30
    ).json()["headers"]
    assert seen["Authorization"] == f"Bearer aa.{claims}.SIGNATURE_REMOVED_BY_GOOGLE"
    api_key = {"Authorization": "Bearer my-api-key", "X-Serverless-Authorization": "Bearer t"}
    seen = requests.get(url, headers=api_key, timeout=30).json()["headers"]
    assert seen["Authorization"] == "Bearer my-api-key"
    assert "X-Serverless-Authorization" not in seen


def test_the_invoker_is_asked_first(runner: Runner) -> None:
    asked: list[str] = []

    def refuse(_request: Request, name: str) -> Response:
        asked.append(name)
        return Response("no", 403)

    runner.invoker = refuse
    url = runner.deploy(service(), revision())
    assert requests.get(url, timeout=30).status_code == 403
    assert asked == [NAME]


def test_no_more_requests_than_the_instances_take(runner: Runner, tmp_path: Path) -> None:
    url = runner.deploy(
        service(scaling={"max_instance_count": 2}, max_instance_request_concurrency=1), revision()
    )
    gate = tmp_path / "gate"
    # Both have begun to answer, and end once the gate is there.
    held = [requests.get(f"{url}/stream={gate}", stream=True, timeout=60) for _ in range(2)]
    assert [each.status_code for each in held] == [200, 200]
    assert requests.get(url, timeout=30).status_code == 429
    gate.touch()
    assert all(each.content.endswith(b"data: 3\n\n") for each in held)
    until(lambda: requests.get(url, timeout=30).status_code == 200)


def test_a_request_that_takes_too_long_ends_with_504(runner: Runner) -> None:
    url = runner.deploy(service(timeout="1s"), revision())
    answer = requests.get(f"{url}/sleep=60", timeout=30)
    assert (answer.status_code, answer.text) == (504, "upstream request timeout\n")


def test_output_and_requests_are_logged(runner: Runner, log: LogBook) -> None:
    url = runner.deploy(service(), revision())
    requests.get(f"{url}/sleep=0", headers={"User-Agent": "tester"}, timeout=30)
    requests.get(url, timeout=30)
    entries = log.query(["p"], limit=100)[0]
    structured = next(entry for entry in entries if "jsonPayload" in entry)
    assert structured["severity"] == "NOTICE"
    assert structured["jsonPayload"]["message"] == "listening"
    assert structured["resource"]["labels"] == {
        "project_id": "p",
        "location": "europe-west1",
        "service_name": "hello",
        "configuration_name": "hello",
        "revision_name": "hello-00001-abc",
    }
    plain = next(entry for entry in entries if entry.get("textPayload") == "plain words")
    assert plain["logName"] == "projects/p/logs/run.googleapis.com%2Fstderr"
    request = next(entry for entry in entries if "httpRequest" in entry)["httpRequest"]
    assert request["requestUrl"] == f"{url}/sleep=0"
    assert (request["status"], request["userAgent"]) == (200, "tester")


def test_before_the_first_revision_is_ready(runner: Runner) -> None:
    answer = requests.get(runner.url(NAME), timeout=30)
    assert answer.status_code == 503
    assert "is not available yet" in answer.text


def test_a_client_that_goes_away_frees_its_place(runner: Runner) -> None:
    url = runner.deploy(
        service(scaling={"max_instance_count": 1}, max_instance_request_concurrency=1), revision()
    )
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", "/stream")
    connection.getresponse().read1(5)
    connection.close()
    until(lambda: requests.get(url, timeout=30).status_code != 429)
