"""Thirty visitors at once on 2 GiB: what each of them sees, and the memory that it takes.

The server runs in a control group of its own that may have 2 GiB, as a container does on Cloud
Run; the local cloud is outside of it. All visitors come at the same moment. Who gets the page
joins its kernel, and says what the page says first: from then on the kernel reads the project from
Google. Who doesn't get it must be told so. Then all leave, and their kernels must end. What is not
as it has to be is printed; the exit code is how much that is.

Needs the right to make control groups.

    python -m tests.bench.visitors [visitors]
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import psutil

from llm_widgets.cli.local_cloud import local_cloud
from local_cloud.testing.waiting import until
from tests.bench.measure import memory_of, processes_of
from tests.security.visiting import Browser, message, text

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from tornado.websocket import WebSocketClientConnection

VISITORS = 30
LIMIT = 2 << 30  # bytes
WARM = 1  # kernels that the server keeps for the next visitor
SENTENCE = "As many pages of this manager are open as its memory allows."
PROJECT_IS_THERE = '"Number"'  # the card of the project names it once Google has answered
CONTROL_PROTOCOL = "1.0.0"  # of the ipywidgets that are locked; it refuses another one
ROUNDS = 3
_OTHER_THREADS = 4  # that look at the memory, and resolve addresses
PATIENCE = 120  # seconds for anything
MB = 1e6
# Where version 1 and version 2 of control groups have theirs, the limit, the peak.
GROUPS = (
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
    ("/sys/fs/cgroup", "memory.max", "memory.peak"),
)


@dataclass
class Trial:
    """What is seen of the server.

    Attributes
    ----------
    url
        Its page.
    process
        The server.
    group
        The folder of its control group.
    most
        Most proportional set size of the server and all kernels that was seen, MB.
    problems
        What is not as it has to be.
    """

    url: str
    process: subprocess.Popen[str]
    group: Path
    most: float = 0.0
    problems: list[str] = field(default_factory=list)

    def memory(self) -> dict[int, float]:
        """Return the memory of each process, MB."""
        found = {pid: memory_of(pid) for pid in processes_of(self.process.pid)}
        self.most = max(self.most, sum(found.values()))
        return found

    def kernels(self) -> list[int]:
        """Return the processes that are kernels: not the one that they are forked from."""
        server = psutil.Process(self.process.pid)
        return [each.pid for prepared in server.children() for each in prepared.children()]

    def peak(self) -> float:
        """Return what the control group counted at most, files in memory included, MB."""
        found = next(each for _, _, name in GROUPS if (each := self.group / name).is_file())
        return int(found.read_text()) / MB

    def demand(self, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as an assertion
        """Note a problem unless this holds."""
        if not holds:
            self.problems.append(what)


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[Trial]:
    """Run the server in a control group of its own."""
    top, limit, _ = next(each for each in GROUPS if Path(each[0], each[1]).parent.is_dir())
    group = Path(top, f"visitors-{os.getpid()}")
    group.mkdir()
    (group / limit).write_text(str(LIMIT))
    served = [sys.executable, "-m", "llm_widgets", "serve", "--port", "0", "--no-token"]
    command = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', str(group / "cgroup.procs"), *served]
    with (
        log.open("w") as out,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=out, text=True, env=environment
        ) as process,
    ):
        assert process.stdout
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found, log.read_text()
        try:
            yield Trial(found[0], process, group)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
            until(lambda: not (group / "cgroup.procs").read_text(), PATIENCE)
            group.rmdir()


@dataclass
class Page:
    """A visitor's page, without a screen.

    Attributes
    ----------
    browser, kernel, socket
        Who has it, its kernel, and the websocket to it.
    said
        What has come and nobody has looked at yet; ``None`` at the end.
    """

    browser: Browser
    kernel: str
    socket: WebSocketClientConnection
    said: asyncio.Queue[str | bytes | None] = field(default_factory=asyncio.Queue)

    async def listen(self) -> None:
        """Take all that comes, as a browser does: the server closes what answers no ping."""
        while (said := await self.socket.read_message()) is not None:
            self.said.put_nowait(said)
        self.said.put_nowait(None)

    async def say(self, kind: str, **content: Any) -> None:
        """Send a message to the kernel."""
        said = message(kind, content)
        said["metadata"] = {"version": CONTROL_PROTOCOL}
        await self.socket.write_message(text("shell", said))

    async def heard(self, what: str) -> str:
        """Wait for a message in which a text stands; return it."""
        while what not in (said := await asyncio.wait_for(self._next(), PATIENCE)):
            pass
        return said

    async def _next(self) -> str:
        said = await self.said.get()
        if isinstance(said, bytes):  # it has buffers: their offsets come first, then the text
            _, begin, end = struct.unpack_from("!3I", said)
            return said[begin:end].decode()
        assert said is not None, "the server closed the websocket"
        return said

    async def states(self) -> dict[str, Any]:
        """Return the state of all widgets, as the kernel answers."""
        comm = uuid.uuid4().hex
        await self.say("comm_open", comm_id=comm, target_name="jupyter.widget.control", data={})
        await self.say("comm_msg", comm_id=comm, data={"method": "request_states"})
        found: dict[str, Any] = json.loads(await self.heard('"update_states"'))
        states: dict[str, Any] = found["content"]["data"]["states"]
        return states

    async def begin(self) -> float:
        """Do what a page does first, until it shows the project; return the seconds it took."""
        begun = time.monotonic()
        states = await self.states()
        storage = next(comm for comm, each in states.items() if "ready" in each["state"])
        saved = {"type": "saved", "value": None}
        await self.say("comm_msg", comm_id=storage, data={"method": "custom", "content": saved})
        await self.heard(PROJECT_IS_THERE)
        return time.monotonic() - begun

    async def ask(self) -> float:
        """Ask for everything that the page shows; return the seconds until it was there."""
        begun = time.monotonic()
        assert PROJECT_IS_THERE in json.dumps(await self.states())
        return time.monotonic() - begun

    async def leave(self) -> None:
        """Close the tab."""
        await asyncio.to_thread(self.browser.leave, self.kernel)
        self.socket.close()


async def come(trial: Trial) -> Page | None:
    """Visit; return the page of who gets one, and demand the sentence for who doesn't."""
    browser = Browser(trial.url)
    answer = await asyncio.to_thread(browser.come_in)
    if answer.kernel:
        return Page(browser, answer.kernel, await browser.join(answer.kernel, None))
    trial.demand(answer.status == 503, f"a visitor got {answer.status}")
    trial.demand(SENTENCE in answer.body, "no sentence for who came too late")
    return None


async def together(trial: Trial, work: list[Coroutine[Any, Any, float]], what: str) -> None:
    """Let all pages work at once; print how long it took them."""
    took = await asyncio.gather(*work, return_exceptions=True)
    for each in took:
        trial.demand(isinstance(each, float), f"a page broke, {what}: {each!r}")
    seconds = [each for each in took if isinstance(each, float)]
    if seconds:
        print(f"{what}: {median(seconds):.1f} s median, {max(seconds):.1f} s worst")


def told(trial: Trial, when: str) -> None:
    """Print the memory."""
    each = trial.memory()
    server = each[trial.process.pid]
    kernels = sorted(each[pid] for pid in trial.kernels() if pid in each) or [0.0]
    print(
        f"{when}: {sum(each.values()):.0f} MB in all; server {server:.0f} MB; {len(kernels)} "
        f"kernels of {kernels[0]:.0f} to {kernels[-1]:.0f} MB, {median(kernels):.0f} MB median"
    )


async def watch(trial: Trial) -> None:
    """Look at the memory twice a second."""
    while True:
        await asyncio.to_thread(trial.memory)
        await asyncio.sleep(0.5)


async def left(trial: Trial) -> float:
    """Wait until no kernel but a warm one is left; return how long it took, seconds."""
    begun = time.monotonic()
    with suppress(AssertionError):
        await asyncio.to_thread(until, lambda: len(trial.kernels()) <= WARM, PATIENCE)
    trial.demand(len(trial.kernels()) <= WARM, f"{len(trial.kernels())} kernels are left")
    return time.monotonic() - begun


async def visits(trial: Trial, count: int) -> None:
    """Let all come, use what they get, and leave."""
    # A thread for each: by default a machine of few processors lets only a few come at once.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(count + _OTHER_THREADS))
    watching = asyncio.create_task(watch(trial))
    pages = [page for page in await asyncio.gather(*(come(trial) for _ in range(count))) if page]
    listening = [asyncio.create_task(page.listen()) for page in pages]
    print(f"{count} visitors: {len(pages)} got a page, {count - len(pages)} the sentence")
    trial.demand(0 < len(pages) < count, "the limit was not reached")
    told(trial, "when all pages are there")
    await together(trial, [page.begin() for page in pages], "until the project is shown")
    for _ in range(ROUNDS):
        await together(trial, [page.ask() for page in pages], "all widgets, asked for by all")
    told(trial, "after that")
    await asyncio.gather(*(page.leave() for page in pages))
    await asyncio.gather(*listening)
    print(f"all have left: their kernels had ended after {await left(trial):.1f} s")
    told(trial, "then")
    late = await come(trial)
    trial.demand(late is not None, "there is no room after all have left")
    watching.cancel()


def main(count: int) -> int:
    """Run the trial; return how much was not as it has to be."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with local_cloud(folder / "cloud", offline=True) as ready:
            environment = {**os.environ, **ready()}
            environment["LLM_WIDGETS_PROJECT"] = environment["GOOGLE_CLOUD_PROJECT"]
            log = folder / "server.log"
            with serving(environment, log) as trial:
                asyncio.run(visits(trial, count))
                print(f"most at any time: {trial.most:.0f} MB, {trial.peak():.0f} MB with files")
            trial.demand(trial.most * MB < LIMIT, "more than the limit")
            trial.demand(trial.process.returncode == 0, "the server did not end in order")
            trial.demand("Traceback" not in log.read_text(), "a traceback in the log")
    for problem in trial.problems:
        print(f"PROBLEM: {problem}")
    return len(trial.problems)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else VISITORS))
