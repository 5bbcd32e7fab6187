"""The page during an import of 120 files: how long a click takes, how many messages arrive.

Starts the manager on a local cloud of its own whose connections are slow enough that the import
takes half a minute, and drives it in Chromium. Messages are counted where they arrive, on the
page's websocket, while nobody touches the page; then the import view is opened and left again,
each time until Python has changed what is to be seen.

    python -m tests.bench.page [rounds]
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect, sync_playwright

from local_cloud.hub.blobs import Blobs
from local_cloud.hub.repositories import Repositories, Repository
from tests.e2e.conftest import CHROMIUM_FLAGS, CHROMIUM_NAMES
from tests.e2e.manager import choose_project, import_model, running_manager, to_tab

if TYPE_CHECKING:
    from playwright.sync_api import WebSocket

MODEL = "local/many-files"
FILES = 120
STEP = 256 << 10  # bytes; files of weights have one to seven times as many, to end one by one
BANDWIDTH = 250_000  # bytes a second of each connection
QUIET = 10.0  # seconds in which messages are counted
CLICKS = 24
SECOND = 1000  # milliseconds
PHASE = "Copying from the hub into the bucket"

# Clicks, and gives the milliseconds until a selector matches something that is to be seen.
_CLICK = """async ([button, selector]) => {
  const shown = () => [...document.querySelectorAll(selector)].some((e) => e.offsetParent);
  const found = [...document.querySelectorAll("button")].find(
    (e) => e.offsetParent && e.textContent.trim() === button);
  const began = performance.now();
  found.click();
  while (!shown()) await new Promise((next) => requestAnimationFrame(next));
  return performance.now() - began;
}"""


def add_model(data: Path) -> None:
    """Put a model of many shards into the sample hub of a local cloud."""
    blobs = Blobs(data / "hub" / "blobs")
    names = [f"model-{n:05d}-of-{FILES - 2:05d}.safetensors" for n in range(1, FILES - 1)]
    files: dict[str, bytes | Path | None] = {
        name: _shard(f"layer.{number}", number) for number, name in enumerate(names)
    }
    index = {"weight_map": {f"layer.{number}": name for number, name in enumerate(names)}}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    files["config.json"] = json.dumps({"architectures": ["LlamaForCausalLM"]}).encode()
    assert len(files) == FILES
    repositories = Repositories(data / "hub" / "models", blobs)
    repositories.add_commit(
        Repository(MODEL, card={"license": "apache-2.0"}),
        files,
        title="Add the model",
        date="2026-11-01T00:00:00.000Z",
    )


def _shard(tensor: str, number: int) -> bytes:
    size = STEP * (1 + number % 7)
    about = {tensor: {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    header = json.dumps(about).encode()
    return struct.pack("<Q", len(header)) + header + number.to_bytes(2, "little") * (size // 2)


def per_second(arrivals: list[float], begin: float, end: float) -> list[int]:
    """Count what arrived in each whole second between two times."""
    counts = [0] * int(end - begin)
    for when in arrivals:
        if begin <= when < begin + len(counts):
            counts[int(when - begin)] += 1
    return counts


def measure(page: Page, url: str) -> None:
    """Import, count, click, print."""
    arrivals: list[float] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda _: arrivals.append(time.monotonic()))

    page.on("websocket", listen)
    page.goto(url)
    choose_project(page)
    to_tab(page, "Models")
    import_model(page, "Hugging Face", MODEL, new_bucket="bench-models")
    expect(page.get_by_text(PHASE)).to_be_visible(timeout=60 * SECOND)
    page.wait_for_timeout(2 * SECOND)  # the first bars have been drawn
    begin = time.monotonic()
    page.wait_for_timeout(QUIET * SECOND)
    counts = per_second(arrivals, begin, time.monotonic())
    steps = (["Import model", 'input[type="radio"]'], ["Back to models", ".llm-files"])
    took = []
    for number in range(CLICKS):
        took.append(page.evaluate(_CLICK, steps[number % 2]) / SECOND)
        page.wait_for_timeout(200)
    is_running = page.get_by_text(PHASE).is_visible()
    print(
        f"messages a second: {statistics.mean(counts):.1f} on average over {QUIET:.0f} s, "
        f"{max(counts)} at most; clicks: {statistics.median(took):.3f} s median, "
        f"{max(took):.3f} s worst of {CLICKS}"
        f"{'' if is_running else ' (the import ended too early)'}"
    )
    expect(page.get_by_text("Imported and verified")).to_be_visible(timeout=120 * SECOND)


def main(rounds: int) -> None:
    """Measure some times, each with a new manager."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    for _ in range(rounds):
        with (
            tempfile.TemporaryDirectory() as folder,
            running_manager(Path(folder)) as manager,
            sync_playwright() as playwright,
        ):
            add_model(manager.data)
            manager.faults(bandwidth=BANDWIDTH)
            browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
            measure(browser.new_page(viewport={"width": 1280, "height": 800}), manager.url)
            browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 3)
