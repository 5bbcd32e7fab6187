"""The dashboard of many services: 500 in six regions, one of them failing, 200 ms a call.

Prints how long it takes until all that can be had is in the table, beside the slowest call, and
how long a Chromium takes to draw 500 rows once their data has come.

    python -m tests.bench.dashboard
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from google.cloud import run_v2
from playwright.sync_api import sync_playwright

from llm_widgets.config import Settings
from llm_widgets.domain import gpus
from llm_widgets.domain.services import MANAGED_BY, MODEL_ANNOTATION
from llm_widgets.gcp.auth.sign_in import default_credentials
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.project.projects import Project
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.services_table import service_row
from llm_widgets.page.session import Session
from local_cloud.faults import Faults
from local_cloud.google.records import Records
from local_cloud.store import Store
from tests.e2e.conftest import CHROMIUM_FLAGS, CHROMIUM_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "local-project"
COUNT = 500
DELAY = 0.2  # seconds of each call
FAILING = "us-east4"
ROUNDS = 5
REGIONS = gpus.regions()[:6]
ANSWERING = [region for region in REGIONS if region != FAILING]
EXPECTED = sum(REGIONS[number % len(REGIONS)] != FAILING for number in range(COUNT))

# Notes when the last message with rows came, and the first frame in which all rows stand.
WATCH = """
    window.bench = {};
    const Plain = WebSocket;
    window.WebSocket = class extends Plain {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", (event) => {
                const size = event.data.length ?? event.data.byteLength ?? event.data.size;
                if (size > 10000 && !bench.drawn) bench.data = performance.now();
            });
        }
    };
    new MutationObserver(() => {
        const rows = document.querySelectorAll('tr[data-row*="/services/"]').length;
        if (rows === %d) requestAnimationFrame(() => { bench.drawn ||= performance.now(); });
    }).observe(document, { childList: true, subtree: true });
"""


@contextmanager
def crowded(folder: Path, faults: dict[str, Any]) -> Iterator[None]:
    """Run a local cloud with many services that nothing runs behind, in a process of its own."""
    store = Store(folder / "state.db")
    Faults(store).update(**faults)
    records = Records(store, "run-service", run_v2.Service)
    state = run_v2.Condition.State.CONDITION_SUCCEEDED
    for number in range(COUNT):
        name = f"projects/{PROJECT}/locations/{REGIONS[number % len(REGIONS)]}/services/"
        service = run_v2.Service(
            name=f"{name}service-{number:03d}",
            uri=f"https://service-{number:03d}.example.org",
            labels={MANAGED_BY[0]: MANAGED_BY[1], "llm-engine": "ollama"},
            annotations={MODEL_ANNOTATION: f"model:{number}"},
            terminal_condition={"type_": "Ready", "state": state},
        )
        records.put(service.name, service)
    store.close()
    command = [sys.executable, "-m", "llm_widgets", "local", "--data", str(folder), "--offline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as cloud:
        assert cloud.stdout
        for line in iter(cloud.stdout.readline, "ready\n"):
            if line.startswith("export "):
                key, _, value = line.removeprefix("export ").strip().partition("=")
                os.environ[key] = value
        yield
        cloud.terminate()


def main() -> None:
    """Measure and print."""
    faults = {
        "delays": {".*/services.*": DELAY},
        "failures": [{"match": f".*/locations/{FAILING}/services.*", "status": 503}],
    }
    with tempfile.TemporaryDirectory() as folder:
        with crowded(Path(folder) / "slow", faults):
            clients = Clients(Settings.from_environment(), default_credentials(is_local=True))
            project = clients.projects.get_project(name=f"projects/{PROJECT}")
            session = Session(clients.settings)
            state = ServicesState(session)
            session.project = Project(PROJECT, project.name.rsplit("/", 1)[1], PROJECT)
            while not state.loaded:  # imports and the first connections
                time.sleep(0.1)
            shown, named = zip(*(looked(state) for _ in range(ROUNDS)), strict=True)
            session.close()
            slowest = max(
                median(one_call(clients, region) for _ in range(ROUNDS)) for region in ANSWERING
            )
        table = median(shown)
        print(f"One call: {slowest:.3f} s (median of {ROUNDS} in the slowest region)")
        print(f"All services of the regions that answer: {table:.3f} s (median of {ROUNDS})")
        print(f"Ratio: {table / slowest:.2f}")
        print(f"{FAILING} named, after further attempts: {max(named):.1f} s at most")
        with crowded(Path(folder) / "quick", {}):
            drawn = [draw_time() for _ in range(ROUNDS)]
        print(f"{COUNT} rows stand {median(drawn):.3f} s after their data (median)")


def draw_time() -> float:
    """Measure in a new page how long all rows take after the last of their data, seconds."""
    command = [sys.executable, "-m", "llm_widgets", "serve", "--port", "0", "--host", "127.0.0.1"]
    chromium = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    environment = {**os.environ, "LLM_WIDGETS_PROJECT": PROJECT}
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        ) as server,
        sync_playwright() as playwright,
    ):
        assert server.stdout
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(WATCH % COUNT)
        page.goto(url)
        page.get_by_role("tab", name="Services", exact=True).click()
        found: dict[str, float] = {}
        while "drawn" not in found:
            page.wait_for_timeout(200)
            found = page.evaluate("bench")
        browser.close()
        server.terminate()
    return (found["drawn"] - found["data"]) / 1000


def one_call(clients: Clients, region: str) -> float:
    """Measure one list call, seconds."""
    started = time.monotonic()
    parent = f"projects/{PROJECT}/locations/{region}"
    list(clients.services.list_services(request={"parent": parent, "page_size": 500}))
    return time.monotonic() - started


def looked(state: ServicesState) -> tuple[float, float]:
    """Let the state of the Services tab look; seconds until all rows are there, until the end."""
    times: list[float] = []

    def rows(_: object) -> None:
        made = [service_row(service) for service in state.services]
        if len(made) == EXPECTED and not times:
            times.append(time.monotonic() - started)

    state.forget()
    state.observe(rows, "services")
    started = time.monotonic()
    state.refresh()
    while state.loading:
        time.sleep(0.01)
    named = time.monotonic() - started
    state.unobserve_all("services")
    assert [region for region, _ in state.unreachable] == [FAILING]
    assert times
    return times[0], named


if __name__ == "__main__":
    main()
