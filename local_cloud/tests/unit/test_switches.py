"""The switches over HTTP: what they change, and who gets at them."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request
from werkzeug.test import EnvironBuilder

from local_cloud.faults import Faults
from local_cloud.store import Store
from local_cloud.switches import PATH, Switches

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METHODS = ["GET", "PUT", "PATCH", "POST", "DELETE"]


@pytest.fixture
def faults(tmp_path: Path) -> Iterator[Faults]:
    store = Store(tmp_path / "state.db")
    yield Faults(store)
    store.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "switches.header"


@pytest.fixture
def switches(faults: Faults, file: Path) -> Switches:
    return Switches(faults, file)


@pytest.fixture
def field(switches: Switches, file: Path) -> str:
    """Return the header field that the switches have written."""
    assert switches
    return file.read_text()


def request(
    method: str, field: str, json: Any = None, host: str = "127.0.0.1:8085", **headers: str
) -> Request:
    """Return a request with a header field as the file holds it, and others."""
    builder = EnvironBuilder(PATH, method=method, json=json)
    name, _, value = field.strip().partition(": ")
    for key, text in {name: value, **headers}.items():
        if key:
            builder.headers[key.replace("_", "-")] = text
    return Request({**builder.get_environ(), "HTTP_HOST": host})


def test_they_are_served(switches: Switches, file: Path) -> None:
    def serve(method: str, json: Any = None) -> tuple[int, Any]:
        answer = switches.route(request(method, file.read_text(), json))
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
        ({"disabled_apis": [{}]}, "'disabled_apis' must be a list of texts"),
        ({"self": 1}, "There is no switch 'self'"),
        ({"quotas": []}, "'quotas' must be an object"),
        ({"bandwidth": 0}, "bytes per second"),
        ({"delays": {"(": 1}}, "no regular expression"),
        ({"delays": {"x": "long"}}, "number of seconds"),
        ({"failures": [{"status": 503}]}, "needs 'match'"),
        ([], "must be a JSON object"),
    ],
)
def test_wrong_switches_are_explained(
    faults: Faults, switches: Switches, file: Path, body: Any, sentence: str
) -> None:
    answer = switches.route(request("PATCH", file.read_text(), body))
    assert answer is not None
    assert answer.status_code == 400
    assert sentence in answer.get_json()["error"]["message"]
    assert faults.settings() == Faults(faults._store).settings()


@pytest.mark.parametrize("host", ["127.0.0.1:8085", "localhost:8085", "[::1]:8085"])
def test_the_switches_are_for_this_machine(switches: Switches, file: Path, host: str) -> None:
    own = {"Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"}
    for headers in ({}, own, {"Sec_Fetch_Site": "none"}):
        answer = switches.route(request("GET", file.read_text(), host=host, **headers))
        assert answer is not None
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        ("evil.example", {}),
        ("evil.example:8085", {"Origin": "http://evil.example:8085"}),  # DNS rebinding
        ("127.0.0.1.evil.example", {}),
        ("127.0.0.1:8085@evil.example", {}),
        ("[", {}),
        ("[::1", {}),
        ("127.0.0.1]", {}),
        ("127.0.0.1:8085", {"Origin": "http://evil.example"}),
        ("127.0.0.1:8085", {"Origin": "http://127.0.0.1:9999"}),
        ("127.0.0.1:8085", {"Origin": "https://127.0.0.1:8085"}),
        ("127.0.0.1:8085", {"Origin": "null"}),
        ("127.0.0.1:8085", {"Sec_Fetch_Site": "cross-site"}),
        ("127.0.0.1:8085", {"Sec_Fetch_Site": "same-site"}),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_web_pages_of_others_do_not_reach_the_switches(
    switches: Switches, field: str, method: str, host: str, headers: dict[str, str]
) -> None:
    body = {"billing_disabled": ["p"]}
    answer = switches.route(request(method, field, body, host, **headers))
    assert answer is not None
    assert answer.status_code == 403
    shown = switches.route(request("GET", field))
    assert shown is not None
    assert shown.get_json()["billing_disabled"] == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Authorization: Bearer ",
        "Authorization: Bearer x",
        "Authorization: Bearer é",
        "Authorization: Basic TOKEN",
        "Authorization: TOKEN",
        "X-Authorization: Bearer TOKEN",
        "Authorization: Bearer TOKEN of before",
    ],
)
def test_other_users_of_the_machine_do_not_reach_the_switches(
    switches: Switches, faults: Faults, field: str, method: str, sent: str
) -> None:
    """They reach the port, and can't read the file."""
    token = field.strip().rpartition(" ")[2]
    answer = switches.route(
        request(method, sent.replace("TOKEN", token), {"billing_disabled": ["p"]})
    )
    assert answer is not None
    assert answer.status_code == 401
    assert faults.billing_disabled == set()
    assert token not in answer.get_data(as_text=True)


def test_the_file_is_its_owners_and_new_at_each_start(faults: Faults, file: Path) -> None:
    file.write_text("Authorization: Bearer planted\n")
    file.chmod(0o644)
    fields = []
    for _ in range(2):
        Switches(faults, file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        fields.append(file.read_text())
    assert "planted" not in fields[0]
    assert fields[0] != fields[1]
