"""On Cloud Run: nobody is let in whom Identity-Aware Proxy does not vouch for."""

from __future__ import annotations

import http.server
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.fetching import SCRIPT
from tests.security.visiting import NO_KERNEL, Browser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

NOWHERE = "127.0.0.1:9"
PATHS = [
    "/",
    f"/{SCRIPT}",
    f"/api/kernels/{NO_KERNEL}",
    f"/api/kernels/{NO_KERNEL}/channels",
]


@contextmanager
def metadata_server(body: str, status: int = 200) -> Iterator[str]:
    """Answer as Google's metadata server; give its host and port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = (
                self.path == "/computeMetadata/v1/instance/region"
                and self.headers["Metadata-Flavor"] == "Google"
            )
            self.send_response(status if right else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def service(folder: Path, metadata: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command of the image as Cloud Run does."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "NO_GCE_CHECK": "true",
        "K_SERVICE": "manager",
        "K_REVISION": "manager-00001",
        "GCE_METADATA_HOST": metadata,
        **variables,
    }
    words = ["serve", "--host", "0.0.0.0", "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "llm_widgets", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def address(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    said = process.stdout.readline()
    found = re.search(r"http://\S+", said)
    assert found, said
    return found[0]


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        ("", 404, "manager"),
        ("projects/12/regions/europe-west1", 500, "manager"),
        ("projects/x/regions/europe-west1", 200, "manager"),
        ("projects/12/regions/europe-west1/../..", 200, "manager"),
        ("<html>", 200, "manager"),
        ("projects/12/regions/europe-west1", 200, "manager/../other"),
    ],
)
def test_refuses_to_start_without_an_audience(
    tmp_path: Path, body: str, status: int, name: str
) -> None:
    with (
        metadata_server(body, status) as metadata,
        service(tmp_path, metadata, K_SERVICE=name) as process,
    ):
        out, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert not out
    assert "LLM_WIDGETS_IAP_AUDIENCE" in error
    assert "gcloud run services update" in error
    assert "LLM_WIDGETS_WITHOUT_IAP=1" in error
    assert "Traceback" not in error


def test_refuses_to_start_without_a_metadata_server(tmp_path: Path) -> None:
    with service(tmp_path, NOWHERE) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in error


def test_finds_its_own_audience(tmp_path: Path) -> None:
    with (
        metadata_server("projects/12/regions/europe-west1") as metadata,
        service(tmp_path, metadata) as process,
    ):
        url = address(process)
        assert "token" not in url
        visitor = Browser(url)
        for path in PATHS:
            answer = visitor.ask(path, Host="manager-xyz.a.run.app")
            assert answer.status == 403
            assert not answer.kernel
        assert visitor.ask("/healthz").status == 200


@pytest.mark.parametrize("value", ["0", "true", ""])
def test_only_the_one_word_opens_it(tmp_path: Path, value: str) -> None:
    with service(tmp_path, NOWHERE, LLM_WIDGETS_WITHOUT_IAP=value) as process:
        process.communicate(timeout=60)
    assert process.returncode == 1


def test_who_knows_may_open_it(tmp_path: Path) -> None:
    with service(tmp_path, NOWHERE, LLM_WIDGETS_WITHOUT_IAP="1") as process:
        url = address(process)
        assert "token" not in url
        assert Browser(url).ask(f"/{SCRIPT}").status == 200
