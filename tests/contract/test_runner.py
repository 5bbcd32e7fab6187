"""Revisions and tasks run as processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from google.cloud import run_v2

from llm_widgets.local.logs import LogBook
from llm_widgets.local.runner.failures import RevisionFailed
from llm_widgets.local.runner.runner import Runner

PARENT = "projects/p/locations/europe-west1"
# A web server that says who and where it is, streams, sleeps, and ends when told to.
SERVER = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/exit":
            os._exit(3)
        if self.path == "/stream":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for n in range(4):
                data = b"data: %d\\n\\n" % n
                self.wfile.write(b"%x\\r\\n%b\\r\\n" % (len(data), data))
                self.wfile.flush()
                time.sleep(0.25)
            self.wfile.write(b"0\\r\\n\\r\\n")
            return
        if self.path.startswith("/sleep"):
            time.sleep(float(self.path.partition("=")[2]))
        self.answer({"pid": os.getpid(), "env": dict(os.environ), "args": sys.argv[1:],
                     "path": self.path, "headers": dict(self.headers)})
    def do_POST(self):
        length = self.headers.get("Content-Length")
        if length is None:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(length))
        self.answer({"length": len(body), "headers": dict(self.headers)})
    def answer(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *args):
        pass

print(json.dumps({"severity": "NOTICE", "message": "listening", "port": os.environ["PORT"]}), flush=True)
print("plain words", file=sys.stderr, flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def log(tmp_path):
    book = LogBook(tmp_path / "logs.db")
    yield book
    book.close()


@pytest.fixture
def runner(tmp_path, log):
    (tmp_path / "buckets" / "models").mkdir(parents=True)
    runner = Runner(tmp_path, log, lambda email: {"IDENTITY": email}, queue_seconds=1.0)
    yield runner
    runner.shutdown()


def service(script: str = SERVER, name: str = "hello", **template: Any) -> run_v2.Service:
    container = run_v2.Container(
        image="local/python:3", command=["-c", script], **template.pop("container", {})
    )
    return run_v2.Service(
        name=f"{PARENT}/services/{name}",
        template=run_v2.RevisionTemplate(containers=[container], **template),
    )


def revision(number: int = 1, name: str = "hello") -> str:
    return f"{PARENT}/services/{name}/revisions/{name}-0000{number}-abc"


def texts(log: LogBook) -> list[str]:
    return [entry.get("textPayload", "") for entry in log.query(["p"], limit=500)[0]]


def test_a_revision_serves_on_the_address_of_its_service(runner):
    url = runner.deploy(service(), revision())
    assert url == runner.url(f"{PARENT}/services/hello")
    answer = requests.get(f"{url}/a%2Fb?c=d", timeout=5).json()
    assert answer["path"] == "/a%2Fb?c=d"
    assert answer["env"]["K_SERVICE"] == "hello"
    assert answer["env"]["K_REVISION"] == "hello-00001-abc"
    assert answer["env"]["K_CONFIGURATION"] == "hello"


def test_the_environment_is_the_containers_own(runner, monkeypatch):
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
    environment = requests.get(url, timeout=5).json()["env"]
    assert "HF_TOKEN" not in environment
    assert environment["IDENTITY"] == "a@p.example"
    assert environment["SECOND"] == f"one-{environment['PORT']}-$(NOBODY)"
    assert environment["KEY"] == "p/key/2"
    assert environment["HOME"] != os.environ["HOME"]


def test_bytes_pass_when_they_come(runner):
    url = runner.deploy(service(), revision())
    times = []
    with requests.get(f"{url}/stream", stream=True, timeout=5) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        for _ in answer.iter_content(chunk_size=None):
            times.append(time.monotonic())
    assert len(times) == 4
    assert times[3] - times[0] > 0.6


@pytest.mark.parametrize("body", [b"x" * 3_000_000, iter([b"abc", b"def" * 100_000])])
def test_a_body_reaches_the_instance(runner, body):
    length = len(body) if isinstance(body, bytes) else 300_003
    url = runner.deploy(service(), revision())
    assert requests.post(url, data=body, timeout=5).json()["length"] == length


def test_the_token_of_a_caller_is_made_useless(runner):
    url = runner.deploy(service(), revision())
    claims = "eyJhdWQiOiAiJXMifQ"
    import base64  # noqa: PLC0415

    claims = base64.urlsafe_b64encode(json.dumps({"aud": url}).encode()).decode().rstrip("=")
    seen = requests.get(
        url, headers={"Authorization": f"Bearer aa.{claims}.secret"}, timeout=5
    ).json()["headers"]
    assert seen["Authorization"] == f"Bearer aa.{claims}.SIGNATURE_REMOVED_BY_GOOGLE"
    api_key = {"Authorization": "Bearer my-api-key", "X-Serverless-Authorization": "Bearer t"}
    seen = requests.get(url, headers=api_key, timeout=5).json()["headers"]
    assert seen["Authorization"] == "Bearer my-api-key"
    assert "X-Serverless-Authorization" not in seen


def test_the_invoker_is_asked_first(runner):
    from werkzeug import Response  # noqa: PLC0415

    asked = []

    def refuse(_request, name):
        asked.append(name)
        return Response("no", 403)

    runner.invoker = refuse
    url = runner.deploy(service(), revision())
    assert requests.get(url, timeout=5).status_code == 403
    assert asked == [f"{PARENT}/services/hello"]


def test_no_more_requests_than_the_instances_take(runner):
    url = runner.deploy(
        service(scaling={"max_instance_count": 2}, max_instance_request_concurrency=1), revision()
    )
    statuses: list[int] = []

    def call():
        statuses.append(requests.get(f"{url}/sleep=2", timeout=10).status_code)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 200, 429]
    answer = requests.get(url, timeout=5)
    assert answer.status_code == 200


def test_a_request_that_takes_too_long_ends_with_504(runner):
    url = runner.deploy(service(timeout="1s"), revision())
    answer = requests.get(f"{url}/sleep=3", timeout=5)
    assert (answer.status_code, answer.text) == (504, "upstream request timeout\n")


def test_output_and_requests_are_logged(runner, log):
    url = runner.deploy(service(), revision())
    requests.get(f"{url}/sleep=0", headers={"User-Agent": "tester"}, timeout=5)
    requests.get(url, timeout=5)
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


def test_a_new_revision_takes_over_and_a_failing_one_does_not(runner):
    url = runner.deploy(service(), revision(1))
    first = requests.get(url, timeout=5).json()
    assert runner.deploy(service(), revision(2)) == url
    second = requests.get(url, timeout=5).json()
    assert second["env"]["K_REVISION"] == "hello-00002-abc"
    assert not psutil.pid_exists(first["pid"])
    with pytest.raises(RevisionFailed, match=r"exit\(7\)"):
        runner.deploy(service("raise SystemExit(7)"), revision(3))
    assert requests.get(url, timeout=5).json()["pid"] == second["pid"]


def test_before_the_first_revision_is_ready(runner):
    answer = requests.get(runner.url(f"{PARENT}/services/hello"), timeout=5)
    assert answer.status_code == 503
    assert "is not available yet" in answer.text


@pytest.mark.parametrize(
    ("script", "container", "message", "line"),
    [
        (
            "import sys; sys.exit('no such model')",
            {},
            r"failed to start and listen on the port defined provided by the PORT=8080",
            "no such model",
        ),
        (
            "import time; time.sleep(60)",
            {
                "startup_probe": {
                    "http_get": {"path": "/health"},
                    "period_seconds": 1,
                    "failure_threshold": 2,
                }
            },
            "failed the configured startup probe checks",
            "STARTUP HTTP probe failed 2 times consecutively for container on port 8080 path",
        ),
        (
            SERVER,
            {
                "startup_probe": {
                    "tcp_socket": {"port": 9999},
                    "period_seconds": 1,
                    "failure_threshold": 1,
                }
            },
            "failed the configured startup probe checks",
            "STARTUP TCP probe failed 1 time consecutively for container on port 9999",
        ),
        (
            "x = bytearray(200 << 20); import time; time.sleep(60)",
            {"resources": {"limits": {"memory": "100Mi"}}},
            "exceeded its memory limit",
            "Memory limit of 100 MiB exceeded with",
        ),
    ],
    ids=["exit", "http probe", "tcp probe", "memory"],
)
def test_why_a_revision_is_not_ready(runner, log, script, container, message, line):
    with pytest.raises(RevisionFailed, match=message) as failure:
        runner.deploy(service(script, container=container), revision())
    assert failure.value.reason == "HEALTH_CHECK_CONTAINER_ERROR"
    assert failure.value.message.startswith("Revision 'hello-00001-abc' is not ready")
    assert "Logs URL: https://console.cloud.google.com/logs/viewer?project=p" in str(failure.value)
    assert any(line in text for text in texts(log))


def test_an_unknown_image(runner):
    asked = service()
    asked.template.containers[0].image = "docker.io/nobody/nothing:1"
    with pytest.raises(RevisionFailed, match="Image 'docker.io/nobody/nothing:1' not found."):
        runner.deploy(asked, revision())


def test_a_missing_secret(runner):
    variable = run_v2.EnvVar(name="KEY", value_source={"secret_key_ref": {"secret": "absent"}})
    with pytest.raises(RevisionFailed, match="projects/p/secrets/absent/versions/latest") as failure:
        runner.deploy(service(container={"env": [variable]}), revision())
    assert failure.value.reason == "SECRETS_ACCESS_CHECK_FAILED"


def mounted(bucket: str, *options: str) -> dict[str, Any]:
    return {
        "volumes": [
            {"name": "m", "gcs": {"bucket": bucket, "read_only": True, "mount_options": options}},
            {"name": "e", "empty_dir": {}},
        ],
        "container": {
            "volume_mounts": [
                {"name": "m", "mount_path": "/models"},
                {"name": "e", "mount_path": "/scratch"},
            ],
            "args": ["--model=/models/x", "/modelsx", "gs://models/models", "/scratch"],
        },
    }


def test_mount_paths_are_the_folders_of_this_machine(runner, tmp_path):
    folder = tmp_path / "buckets" / "models" / "a" / "b"
    folder.mkdir(parents=True)
    url = runner.deploy(service(**mounted("models", "implicit-dirs", "only-dir=a/b")), revision())
    args = requests.get(url, timeout=5).json()["args"]
    assert args[:3] == [f"--model={folder}/x", "/modelsx", "gs://models/models"]
    assert Path(args[3]).is_dir()
    runner.stop(f"{PARENT}/services/hello")
    assert not Path(args[3]).exists()


@pytest.mark.parametrize(
    ("bucket", "options", "message"),
    [
        ("absent", (), "bucket absent: storage: bucket doesn't exist"),
        ("models", ("only-dir=../x",), "not a folder of the bucket"),
        (
            "models",
            ("file-cache-enable-parallel-downloads",),
            "file cache should be enabled for parallel download support",
        ),
        ("forbidden", (), "does not have storage.objects.list access"),
    ],
)
def test_a_volume_that_cannot_be_mounted(runner, log, bucket, options, message):
    runner.may_mount = lambda _email, name, _read_only: (
        "Error 403: x does not have storage.objects.list access" if name == "forbidden" else ""
    )
    with pytest.raises(RevisionFailed, match=message):
        runner.deploy(service(**mounted(bucket, *options)), revision())
    assert any(text.startswith("mountWithArgs: ") and message in text for text in texts(log))


def test_a_process_that_ends_is_started_again(runner, log):
    url = runner.deploy(service(), revision())
    before = requests.get(url, timeout=5).json()["pid"]
    answer = requests.get(f"{url}/exit", timeout=5)
    assert answer.status_code == 503
    assert "connection to the instance had an error" in answer.text
    deadline = time.monotonic() + 10
    while (answer := requests.get(url, timeout=5)).status_code != 200:
        assert time.monotonic() < deadline
    assert answer.json()["pid"] != before
    assert "Container called exit(3)." in texts(log)


def test_a_service_that_is_deleted_leaves_no_process(runner):
    url = runner.deploy(service(), revision())
    pid = requests.get(url, timeout=5).json()["pid"]
    runner.stop(f"{PARENT}/services/hello")
    assert not psutil.pid_exists(pid)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def test_deleting_ends_a_deployment_under_way(runner):
    failures: list[RevisionFailed] = []

    def deploy():
        with pytest.raises(RevisionFailed) as failure:
            runner.deploy(service("import time; time.sleep(60)"), revision())
        failures.append(failure.value)

    thread = threading.Thread(target=deploy)
    thread.start()
    time.sleep(0.5)
    runner.stop(f"{PARENT}/services/hello")
    thread.join(timeout=15)
    assert "deleted" in failures[0].message


def test_a_newer_revision_overtakes_one_that_is_not_ready(runner):
    failures: list[RevisionFailed] = []

    def deploy():
        with pytest.raises(RevisionFailed) as failure:
            runner.deploy(service("import time; time.sleep(60)"), revision(1))
        failures.append(failure.value)

    thread = threading.Thread(target=deploy)
    thread.start()
    time.sleep(0.5)
    url = runner.deploy(service(), revision(2))
    thread.join(timeout=15)
    assert "replaced by a newer revision" in failures[0].message
    assert requests.get(url, timeout=5).status_code == 200


def test_services_come_back_with_their_addresses(runner, tmp_path, log):
    url = runner.deploy(service(), revision())
    runner.shutdown()
    again = Runner(tmp_path, log, lambda _: {})
    try:
        # Its template is that of a later revision that failed: what served comes back.
        again.restore([service("raise SystemExit(1)")])
        assert again.url(f"{PARENT}/services/hello") == url
        assert requests.get(url, timeout=10).json()["env"]["K_REVISION"] == "hello-00001-abc"
    finally:
        again.shutdown()


def test_nothing_outlives_a_killed_local_cloud(tmp_path):
    script = f"""
import sys, threading
from pathlib import Path
from google.cloud import run_v2
from llm_widgets.local.logs import LogBook
from llm_widgets.local.runner.runner import Runner
data = Path(sys.argv[1])
runner = Runner(data, LogBook(data / "logs.db"), lambda email: {{}})
name = "{PARENT}/services/hello"
container = run_v2.Container(image="local/python:3", command=["-c", sys.argv[2]])
service = run_v2.Service(name=name, template=run_v2.RevisionTemplate(containers=[container]))
# On a thread that ends: what it starts is not to end with it.
thread = threading.Thread(target=lambda: print(runner.deploy(service, name + "/revisions/r")))
thread.start()
thread.join()
sys.stdout.flush()
threading.Event().wait()
"""
    cloud = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), SERVER], stdout=subprocess.PIPE, text=True
    )
    try:
        url = cloud.stdout.readline().strip()
        pid = requests.get(url, timeout=5).json()["pid"]
    finally:
        cloud.send_signal(signal.SIGKILL)
        cloud.wait()
        cloud.stdout.close()
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_stubborn_process_is_killed(tmp_path, log):
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER
    runner = Runner(tmp_path, log, lambda _: {})
    url = runner.deploy(service(script), revision())
    pid = requests.get(url, timeout=5).json()["pid"]
    begin = time.monotonic()
    runner.shutdown()
    assert 9 < time.monotonic() - begin < 13
    assert not psutil.pid_exists(pid)


def test_a_client_that_goes_away_frees_its_place(runner):
    url = runner.deploy(
        service(scaling={"max_instance_count": 1}, max_instance_request_concurrency=1), revision()
    )
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request("GET", "/stream")
    connection.getresponse().read1(5)
    connection.close()
    deadline = time.monotonic() + 5
    while requests.get(url, timeout=5).status_code == 429:
        assert time.monotonic() < deadline


def execution(script: str, **template: Any) -> run_v2.Execution:
    container = run_v2.Container(image="local/python:3", command=["-c", script])
    return run_v2.Execution(
        name=f"{PARENT}/jobs/load/executions/load-abc",
        job="load",
        task_count=3,
        template=run_v2.TaskTemplate(containers=[container], **template),
    )


def test_a_task_runs_to_its_end(runner, log):
    script = (
        "import os, sys; print(*(os.environ['CLOUD_RUN_' + n] for n in "
        "('JOB', 'EXECUTION', 'TASK_INDEX', 'TASK_COUNT', 'TASK_ATTEMPT'))); sys.exit(5)"
    )
    assert runner.run_task(execution(script), 2, 1, threading.Event()) == 5
    entries = log.query(["p"])[0]
    entry = next(entry for entry in entries if entry["logName"].endswith("stdout"))
    assert entry["textPayload"] == "load load-abc 2 3 1"
    assert entry["resource"]["type"] == "cloud_run_job"
    assert entry["resource"]["labels"]["job_name"] == "load"
    assert entry["labels"] == {
        "run.googleapis.com/execution_name": "load-abc",
        "run.googleapis.com/task_index": "2",
        "run.googleapis.com/task_attempt": "1",
    }


def test_a_task_that_takes_too_long(runner, log):
    slow = execution("import time; time.sleep(60)", timeout="1s")
    assert runner.run_task(slow, 0, 0, threading.Event()) == 124
    assert any("maximum timeout of 1 seconds" in text for text in texts(log))


def test_a_task_that_is_cancelled(runner):
    cancelled = threading.Event()
    threading.Timer(0.5, cancelled.set).start()
    assert runner.run_task(execution("import time; time.sleep(60)"), 0, 0, cancelled) == 143


def test_a_program_that_is_not_there(runner, log):
    asked = execution("")
    asked.template.containers[0].image = "llm-manager:local"
    asked.template.containers[0].command = ["/no/such/program"]
    assert runner.run_task(asked, 0, 0, threading.Event()) == 127
    assert 'Application failed to start: "/no/such/program": no such file or directory' in texts(log)
