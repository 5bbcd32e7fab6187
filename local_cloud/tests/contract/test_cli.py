"""The command ``local-cloud``, as somebody uses it who writes against Cloud Run."""

from __future__ import annotations

import shlex
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from google import auth
from google.auth.transport.requests import Request
from google.cloud import run_v2
from google.oauth2 import id_token

from local_cloud.cli import main
from local_cloud.testing.programs import ECHO_SERVER
from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
PARENT = "projects/first-project/locations/europe-west1"


def test_official_clients_and_an_image_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a server.py"
    script.write_text(ECHO_SERVER)
    image = f"mine={shlex.join([sys.executable, str(script)])}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "local_cloud", "--offline", "--until-eof", "--image", image),
            *("--data", str(tmp_path / "a b"), "--project", "first-project"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = list(iter(process.stdout.readline, "ready\n"))
    assert lines[0].startswith("# The local cloud at http://127.0.0.1:")
    printed = dict(shlex.split(line)[1].split("=", 1) for line in lines[1:])
    assert {name.split("_")[0] for name in printed} == {"CLOUDSDK", "GOOGLE", "HF", "LOCAL"}
    for name, value in printed.items():
        monkeypatch.setenv(name, value)

    credentials, project = auth.default(scopes=[SCOPE])
    assert project == "first-project"
    url = printed["LOCAL_CLOUD_ENDPOINT"]
    client = run_v2.ServicesClient(
        transport="rest", credentials=credentials, client_options={"api_endpoint": url}
    )
    wanted = run_v2.Service({"template": {"containers": [{"image": "mine:1", "args": ["a"]}]}})
    made = client.create_service(parent=PARENT, service_id="own", service=wanted).result(timeout=60)
    token = id_token.fetch_id_token(Request(), made.uri)
    headers = {"Authorization": f"Bearer {token}"}
    answer = requests.get(made.uri, headers=headers, timeout=60).json()
    assert answer["args"] == ["a"]
    # What a container is told of where it runs.
    assert answer["env"]["LOCAL_CLOUD_ENDPOINT"] == url
    process.communicate(timeout=60)  # closes standard input
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--port x", "'x' is no port: they are 0 to 65535"),
        ("--hub-port 99999", "'99999' is no port"),
        ("--image name", "'name' is not of the form NAME=COMMAND"),
        ("--nonsense", "unrecognized arguments: --nonsense"),
    ],
)
def test_words_that_make_no_sense(
    words: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_cannot_be_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["--data", str(tmp_path / "file")]) == 1
    told = capsys.readouterr().err
    assert "cannot be written to.\nCause: " in told
    assert "\nFix: Choose another folder" in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_ended_while_it_starts(tmp_path: Path, number: int) -> None:
    command = [sys.executable, "-m", "local_cloud", "--offline", "--data", str(tmp_path / "data")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    until((tmp_path / "data" / "lock").exists)
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "ready" not in output


def test_the_end_of_input_ends_it_while_it_starts(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local_cloud", "--offline", "--until-eof"]
    command += ["--data", str(tmp_path / "data")]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "ready" not in done.stdout


def test_what_it_makes_is_its_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "local_cloud", "--offline", "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, umask=0o022)
    assert process.stdout is not None
    list(iter(process.stdout.readline, "ready\n"))
    made = [path for path in (data, *data.rglob("*")) if path.is_dir() or path.is_file()]
    # A sample that comes with an installed package is that package's own file.
    open_to_others = [
        path for path in made if path.is_dir() or path.stat().st_nlink == 1 if mode(path) & 0o077
    ]
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert len(made) > 20
    assert open_to_others == []


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
