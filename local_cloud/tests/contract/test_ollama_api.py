"""The Ollama API on llama.cpp, as a service that a container image stands for."""

from __future__ import annotations

import http.client
import json
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from google.cloud import run_v2

from local_cloud.logs import LogBook
from local_cloud.runner.failures import RevisionFailed
from local_cloud.runner.machine import Machine
from local_cloud.runner.runner import Runner
from local_cloud.testing.ollama_store import put_model, smollm2

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("xllamacpp")
NAME = "projects/p/locations/europe-west1/services/chat"
MODEL = "smollm2:135m"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("cloud")
    root = data / "buckets" / "models" / "ollama"
    put_model(
        root,
        "registry.ollama.ai/library/smollm2/135m",
        smollm2(),
        params=b'{"stop": ["<|im_end|>"], "seed": 1}',
        license=b"Apache-2.0",
    )
    return data


def machine_without_ollama() -> Machine:
    here = Machine.here()
    return Machine(path=os.defpath, python=here.python, llama_cpp=True, gpu=False)


def ollama(
    command: tuple[str, ...] = (),
    args: tuple[str, ...] = (),
    only_dir: str = "ollama",
    **variables: str,
) -> run_v2.Service:
    variables = {
        "OLLAMA_HOST": "0.0.0.0:8080",
        "OLLAMA_MODELS": "/models",
        "OLLAMA_NOPRUNE": "1",
        "OLLAMA_CONTEXT_LENGTH": "1024",
        **variables,
    }
    container = run_v2.Container(
        image="docker.io/ollama/ollama:0.33.0",
        command=command,
        args=args,
        env=[run_v2.EnvVar(name=name, value=value) for name, value in variables.items()],
        resources={"limits": {"memory": "4Gi"}},
        startup_probe={"http_get": {"path": "/"}, "period_seconds": 5, "failure_threshold": 6},
        volume_mounts=[{"name": "models", "mount_path": "/models"}],
    )
    gcs = {"bucket": "models", "read_only": True, "mount_options": [f"only-dir={only_dir}"]}
    return run_v2.Service(
        name=NAME,
        template=run_v2.RevisionTemplate(
            containers=[container], volumes=[{"name": "models", "gcs": gcs}]
        ),
    )


@pytest.fixture(scope="module")
def running(store: Path) -> Iterator[str]:
    log = LogBook(store / "logs.db")
    runner = Runner(store, log, lambda _: {}, machine=machine_without_ollama())
    yield runner.deploy(ollama(), f"{NAME}/revisions/chat-1")
    runner.shutdown()
    log.close()


def post(url: str, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{url}{path}", json=body, timeout=60, stream=body.get("stream") is None)


def lines(answer: requests.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.iter_lines()]


def test_it_is_running(running: str) -> None:
    assert requests.get(running, timeout=30).text == "Ollama is running"
    assert requests.head(running, timeout=30).status_code == 200
    assert "version" in requests.get(f"{running}/api/version", timeout=30).json()


def test_models_are_listed(running: str) -> None:
    models = requests.get(f"{running}/api/tags", timeout=30).json()["models"]
    assert [model["name"] for model in models] == [MODEL]
    assert models[0]["size"] > smollm2().stat().st_size
    assert models[0]["details"]["quantization_level"] == "Q4_1"
    openai = requests.get(f"{running}/v1/models", timeout=30).json()
    assert [model["id"] for model in openai["data"]] == [MODEL]
    shown = post(running, "/api/show", model=MODEL, stream=False).json()
    assert shown["license"] == "Apache-2.0"
    assert shown["capabilities"] == ["completion"]


def test_an_empty_prompt_loads_the_model(running: str) -> None:
    answer = lines(post(running, "/api/generate", model=MODEL, keep_alive=-1))
    assert (answer[0]["done_reason"], answer[0]["response"]) == ("load", "")
    assert requests.get(f"{running}/api/ps", timeout=30).json()["models"][0]["name"] == MODEL
    answer = post(running, "/api/generate", model=MODEL, keep_alive=0, stream=False).json()
    assert answer["done_reason"] == "unload"
    assert requests.get(f"{running}/api/ps", timeout=30).json()["models"] == []


def test_a_chat_streams(running: str) -> None:
    messages = [{"role": "user", "content": "Say hello."}]
    options = {"num_predict": 24, "temperature": 0}
    times, objects = [], []
    answer = post(running, "/api/chat", model=MODEL, messages=messages, options=options)
    for line in answer.iter_lines(chunk_size=1):
        times.append(time.monotonic())
        objects.append(json.loads(line))
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    text = "".join(item["message"]["content"] for item in objects)
    assert "Hello" in text
    assert len(objects) > 5
    assert times[-1] > times[0]
    last = objects[-1]
    assert last["done"]
    assert last["eval_count"] <= 24
    assert last["prompt_eval_count"] > 5
    assert min(last["eval_duration"], last["total_duration"]) > 0


def test_generate_answers_whole(running: str) -> None:
    answer = post(
        running,
        "/api/generate",
        model=MODEL,
        prompt="The capital of France is",
        raw=True,
        stream=False,
        options={"num_predict": 6, "temperature": 0},
    ).json()
    assert "Paris" in answer["response"]
    assert (answer["done"], answer["done_reason"], answer["eval_count"]) == (True, "length", 6)


def test_format_is_a_schema(running: str) -> None:
    schema = {
        "type": "object",
        "properties": {"big": {"type": "boolean"}},
        "required": ["big"],
        "additionalProperties": False,
    }
    answer = post(
        running,
        "/api/generate",
        model=MODEL,
        prompt="Is Paris big?",
        format=schema,
        stream=False,
        options={"num_predict": 40},
    ).json()
    assert isinstance(json.loads(answer["response"])["big"], bool)


def test_openai_chat_streams_events(running: str) -> None:
    body = {"messages": [{"role": "user", "content": "Say hello"}], "max_tokens": 12}
    answer = requests.post(
        f"{running}/v1/chat/completions",
        json={"model": MODEL, "stream": True, **body},
        stream=True,
        timeout=60,
    )
    events = [line for line in answer.iter_lines() if line]
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert len(events) > 4
    assert events[-1] == b"data: [DONE]"
    whole = requests.post(
        f"{running}/v1/chat/completions", json={"model": MODEL, **body}, timeout=60
    ).json()
    assert whole["model"] == MODEL
    assert whole["choices"][0]["message"]["content"]
    text = requests.post(
        f"{running}/v1/completions",
        json={"model": MODEL, "prompt": "Paris is", "max_tokens": 4},
        timeout=60,
    ).json()
    assert text["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/api/generate", b"", 400, "missing request body"),
        ("/api/generate", b"{", 400, "invalid JSON"),
        ("/api/generate", b"{}", 400, "model is required"),
        ("/api/chat", b'{"model": "nothing"}', 404, "model 'nothing' not found"),
        ("/api/show", b'{"model": "a/b/c/d"}', 404, "model 'a/b/c/d' not found"),
        ("/api/chat", b'{"model": "smollm2:135m", "tools": [{}]}', 400, "does not support tools"),
        (
            "/api/generate",
            b'{"model": "smollm2:135m", "prompt": "x", "format": "xml"}',
            400,
            "invalid format",
        ),
        (
            "/api/generate",
            json.dumps({"model": MODEL, "prompt": "word " * 3000}).encode(),
            400,
            "exceeds the available context size (1024 tokens)",
        ),
    ],
)
def test_errors(running: str, path: str, body: bytes, status: int, error: str) -> None:
    answer = requests.post(f"{running}{path}", data=body, timeout=30)
    assert answer.status_code == status
    assert error in answer.json()["error"]


def test_openai_errors(running: str) -> None:
    answer = requests.post(f"{running}/v1/chat/completions", json={"model": "x"}, timeout=30)
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "not_found_error"
    assert requests.get(f"{running}/nothing", timeout=30).text == "404 not found"


def test_the_work_ends_with_the_client(running: str) -> None:
    parts = urlsplit(running)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port)
    novel = {"model": MODEL, "prompt": "Write a long novel", "options": {"num_predict": 900}}
    connection.request("POST", "/api/generate", json.dumps(novel))
    answer = connection.getresponse()
    begin = time.monotonic()
    for _ in range(10):
        answer.readline()
    whole_novel = (time.monotonic() - begin) * 90
    answer.close()
    connection.close()
    # One request at a time: the next one is answered when the work on the novel has ended.
    begin = time.monotonic()
    post(
        running, "/api/generate", model=MODEL, prompt="Hi", stream=False, options={"num_predict": 1}
    ).raise_for_status()
    assert time.monotonic() - begin < max(3, whole_novel / 2)


def test_a_preloading_script(store: Path) -> None:
    """A shell script as command: the server, then the model, then the port that is probed."""
    log = LogBook(store / "script.db")
    runner = Runner(store, log, lambda _: {}, machine=machine_without_ollama())
    script = (
        "ollama serve & until ollama list >/dev/null 2>&1; do sleep 0.2; done; "
        'ollama run "$M" ""; OLLAMA_HOST=0.0.0.0:8080 ollama serve & wait'
    )
    try:
        url = runner.deploy(
            ollama(("/bin/sh", "-c"), (script,), M=MODEL, OLLAMA_HOST="127.0.0.1:11434"),
            f"{NAME}/revisions/chat-2",
        )
        assert requests.get(f"{url}/api/tags", timeout=30).json()["models"]
        texts = [entry.get("textPayload", "") for entry in log.query(["p"], limit=200)[0]]
        assert any('POST "/api/generate"' in text and "| 200 |" in text for text in texts)
    finally:
        runner.shutdown()
        log.close()


def test_a_folder_that_is_not_there_on_a_read_only_mount(store: Path) -> None:
    log = LogBook(store / "empty.db")
    runner = Runner(store, log, lambda _: {}, machine=machine_without_ollama())
    try:
        with pytest.raises(RevisionFailed, match="startup probe"):
            runner.deploy(ollama(only_dir="nowhere"), f"{NAME}/revisions/chat-3")
        texts = [entry.get("textPayload", "") for entry in log.query(["p"], limit=200)[0]]
        assert any(
            "read-only file system: ensure path elements are traversable" in text for text in texts
        )
    finally:
        runner.shutdown()
        log.close()


def test_a_machine_without_any_engine(store: Path) -> None:
    log = LogBook(store / "none.db")
    bare = Machine(path="/nowhere", python="python", llama_cpp=False, gpu=False)
    runner = Runner(store, log, lambda _: {}, machine=bare)
    try:
        with pytest.raises(RevisionFailed, match="There is no Ollama on this machine: install"):
            runner.deploy(ollama(), f"{NAME}/revisions/chat-4")
    finally:
        runner.shutdown()
        log.close()
