"""How soon the page is there, against Voilà as it comes: the same notebook, the same local cloud.

A visit is one with an empty cache, from the address to a tab that has been clicked and is shown.
Visits to both servers alternate. Printed are the medians and the ratio of each, the requests, and
the bytes that crossed the wire in one visit, websockets included, as a proxy counts them. Then a
visitor comes right after another one, and the server is visited again and again for its memory.

    python -m tests.bench.page_start [rounds] [visits]
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from playwright.sync_api import Browser, expect, sync_playwright

from llm_widgets.cli.local_cloud import local_cloud
from local_cloud.testing.waiting import until
from tests.e2e.conftest import CHROMIUM_FLAGS, CHROMIUM_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS, VISITS = 5, 50
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "app.ipynb"
SETTLE = 8.0  # seconds until a server has a kernel ready for the next visitor, unmeasured
MB, KB = 1e6, 1e3
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime / 1000"


@dataclass
class Visits:
    """What was measured of one server.

    Attributes
    ----------
    url, process
        Where it is, and the id of its process.
    start
        Seconds from its start until it answers.
    clicks, paints
        Seconds until the click is completed, and until something is painted, of each visit.
    requests, bytes
        Of one visit.
    """

    url: str
    process: int
    start: float
    clicks: list[float] = field(default_factory=list)
    paints: list[float] = field(default_factory=list)
    requests: int = 0
    bytes: int = 0


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def serving(command: list[str], environment: dict[str, str], log: Path) -> Iterator[Visits]:
    """Run a server until the block ends; its port is the last word of the command."""
    port = int(command[-1])
    begun = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)

    def answers() -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", port)) == 0

    until(answers)
    try:
        yield Visits(f"http://127.0.0.1:{port}/", process.pid, time.monotonic() - begun)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def received() -> int:
    """Return the bytes that have come over the loopback interface; both ends of it are here."""
    counters = psutil.net_io_counters(pernic=True)["lo"]
    return counters.bytes_recv


def visit(browser: Browser, visits: Visits) -> None:
    """Open the page with an empty cache, click, and note what it took."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    before = received()
    begun = time.monotonic()
    page.goto(visits.url, wait_until="commit")
    page.get_by_role("tab", name="Models").click(timeout=60_000)
    expect(page.get_by_role("heading", name="Models", level=1)).to_be_visible(timeout=60_000)
    visits.clicks.append(time.monotonic() - begun)
    visits.bytes = received() - before
    visits.requests = sum(not url.startswith(("blob:", "data:")) for url in requests)
    visits.paints.append(page.evaluate(PAINT))
    context.close()


def servers(stack: ExitStack, folder: Path) -> tuple[Visits, Visits]:
    """Start ours and Voilà's own, over one local cloud."""
    ready = stack.enter_context(local_cloud(folder / "cloud", offline=True))
    environment = {**os.environ, **ready()}
    ours = [sys.executable, "-m", "llm_widgets", "serve", "--no-token", "--port", str(free_port())]
    stock = [sys.executable, "-m", "voila", str(NOTEBOOK), "--no-browser", "--preheat_kernel=True"]
    stock += ["--port", str(free_port())]
    return (
        stack.enter_context(serving(ours, environment, folder / "ours.log")),
        stack.enter_context(serving(stock, environment, folder / "stock.log")),
    )


def compare(ours: Visits, stock: Visits) -> None:
    """Print the medians and their ratios."""
    for what in ("clicks", "paints"):
        mine, other = (statistics.median(getattr(each, what)) for each in (ours, stock))
        print(f"{what}: {mine:.2f} s, Voilà {other:.2f} s, ratio {mine / other:.2f}")
    print(f"requests: {ours.requests}, Voilà {stock.requests}")
    print(f"received over loopback: {ours.bytes / KB:.0f} kB, Voilà {stock.bytes / KB:.0f} kB")
    print(f"start: {ours.start:.2f} s, Voilà {stock.start:.2f} s")


def main(rounds: int, visits: int) -> None:
    """Measure and print."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    with (
        tempfile.TemporaryDirectory() as name,
        ExitStack() as stack,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        ours, stock = servers(stack, Path(name))
        for _ in range(rounds):
            for each in (ours, stock):
                time.sleep(SETTLE)
                visit(browser, each)
        compare(ours, stock)
        time.sleep(SETTLE)
        for _ in range(2):
            visit(browser, ours)
        print(f"right after another visitor: {ours.clicks[-1]:.2f} s")
        repeated = Visits(ours.url, ours.process, ours.start)
        server = psutil.Process(ours.process)
        sizes = []
        for number in range(visits):
            visit(browser, repeated)
            if number % 10 == 9:
                sizes.append(server.memory_info().rss / MB)
        print("memory of the server:", ", ".join(f"{size:.0f}" for size in sizes), "MB")
        browser.close()


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:3]), *(ROUNDS, VISITS)[len(sys.argv) - 1 :])
