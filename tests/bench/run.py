"""The benchmarks of transfers. Nothing here is a test: the numbers need a quiet machine.

    python -m tests.bench.run BENCHMARK [--rounds N] [--folder DIR]

``speed`` and ``slow_servers`` need nginx, and gcloud for the recipe that they are compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.imports.plan import plan_import
from tests.bench.hub import REPO, SHA, Entry, NginxHub, make_files
from tests.bench.measure import PYTHON, Measured, run, sink_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.domain.imports import ImportPlan

HUB_PORT, SOURCE_PORT, SINK_PORT = 18080, 18090, 19080
SINK = f"http://127.0.0.1:{SINK_PORT}"
BUCKET = "bench"
MB = 1_000_000
RATE, SLOW_RATE = 68 * MB, 8.7 * MB  # what users of Hugging Face report of its connections
UPLOAD_RATE, UPLOAD_DELAY = 200 * MB, 0.06  # of one connection to Cloud Storage
READ_DELAY = 0.04
SLOW_SINK = ("--port", SINK_PORT, "--rate", UPLOAD_RATE, "--rtt", UPLOAD_DELAY)
MIXED_RATES = f"{RATE}:0.3,{SLOW_RATE}:0.7"


@dataclass
class Bench:
    """Where files are, and how often everything is measured."""

    folder: Path
    rounds: int

    @property
    def plan_file(self) -> str:
        return str(self.folder / "plan.json")

    def write_plan(self, model: HubModel) -> ImportPlan:
        plan = plan_import(model, bucket=BUCKET, project="p")
        Path(self.plan_file).write_text(plan.to_json())
        return plan

    def transfer(self, **options: float) -> Measured:
        sink_state(SINK, clear=True)
        return run(
            [PYTHON, "-m", "tests.bench.transfer", SINK, self.plan_file],
            OPTIONS=json.dumps(options),
        )

    def recipe(self, hub: str) -> Measured:
        """Do what users do today: download to the disk, then copy into the bucket."""
        sink_state(SINK, clear=True)
        local = self.folder / "download"
        shutil.rmtree(local, ignore_errors=True)
        hf = Path(PYTHON).with_name("hf")
        script = (
            f"{hf} download {REPO} --local-dir {local} > /dev/null && "
            f"gcloud storage cp -r {local} gs://{BUCKET}/model > /dev/null"
        )
        return run(
            ["bash", "-ec", script],
            HF_ENDPOINT=hub,
            HF_HOME=str(self.folder / "hf"),
            HF_HUB_DISABLE_XET="1",
            CLOUDSDK_CONFIG=str(self.folder / "gcloud"),
            CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE=f"{SINK}/",
            CLOUDSDK_AUTH_DISABLE_CREDENTIALS="1",
            CLOUDSDK_CORE_DISABLE_USAGE_REPORTING="1",
        )


@contextmanager
def process(*arguments: object) -> Iterator[list[str]]:
    """Run a module of the benchmarks beside; give what it says until it is ready."""
    command = [PYTHON, "-m", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        said: list[str] = []
        try:
            for line in started.stdout:
                if line.startswith("ready"):
                    break
                said.append(line.strip())
            yield said
        finally:
            started.kill()


@contextmanager
def capped_model(size: int, *arguments: object) -> Iterator[HubModel]:
    """Run a slow hub with one file; give that as a model."""
    words = ("tests.bench.capped", "--port", SOURCE_PORT, "--size", size, *arguments)
    with process(*words) as (digest,):
        url = f"http://127.0.0.1:{SOURCE_PORT}/file"
        file = HubFile("model.safetensors", size, Digest(DigestKind.SHA256, digest), url=url)
        yield HubModel("huggingface", REPO, SHA, (file,))


def speed(bench: Bench) -> None:
    """Measure 8 files of 256 MB from nginx, as fast as they go."""
    entries = make_files(bench.folder, 8, 256 * MB)
    total = sum(entry.size for entry in entries) / MB
    found: dict[str, list[tuple[float, Measured]]] = {}
    with ExitStack() as stack:
        stack.enter_context(process("tests.bench.sink", "--port", SINK_PORT))
        hub = NginxHub(bench.folder, entries, HUB_PORT)
        stack.callback(hub.stop)
        bench.write_plan(hub.model())

        def relay(workers: int) -> Measured:
            sink_state(SINK, clear=True)
            words = [PYTHON, "-m", "tests.bench.relay", SINK, bench.plan_file]
            return run(words, WORKERS=str(workers))

        def loop() -> Measured:
            sink_state(SINK, clear=True)
            return run([PYTHON, "-m", "tests.bench.loop", SINK, bench.plan_file])

        candidates: dict[str, Callable[[], Measured]] = {
            "relay, 2 at once": lambda: relay(2),
            "relay, 4 at once": lambda: relay(4),
            "transfer": bench.transfer,
            "requests to blob.open": loop,
            "hf download, gcloud storage cp": lambda: bench.recipe(hub.url),
        }
        for _ in range(bench.rounds):
            for name, candidate in candidates.items():
                measured = candidate()
                whole = sorted([entry.size, entry.crc32c] for entry in entries)
                stored = sink_state(SINK)["objects"]
                large = sorted(value for value in stored.values() if value[0] >= MB)
                assert large == whole, f"{name}: wrong bytes"
                seconds = measured.told.get("seconds", measured.seconds)
                found.setdefault(name, []).append((total / seconds, measured))
    print(f"{'':32}{'MB/s':>8}{'min':>7}{'max':>7}{'CPU s/GB':>10}{'PSS MB':>8}")
    for name, rows in found.items():
        rates = [rate for rate, _ in rows]
        cpu = statistics.median(m.told.get("cpu", m.cpu) for _, m in rows) / total * 1000
        memory = max(m.memory for _, m in rows)
        print(
            f"{name:32}{statistics.median(rates):8.0f}{min(rates):7.0f}{max(rates):7.0f}"
            f"{cpu:10.2f}{memory:8.0f}"
        )
    transfer = [rate for rate, _ in found["transfer"]]
    for name, rows in found.items():
        ratios = [mine / other for mine, (other, _) in zip(transfer, rows, strict=True)]
        print(f"transfer / {name}: {statistics.median(ratios):.2f}")


def workers(bench: Bench) -> None:
    """Measure one file of 1 GiB, every connection at 68 MB/s, over the number of workers."""
    _over_workers(bench, 1 << 30, f"{RATE}:1", (1, 2, 4, 8, 16, 32))


def slow_servers(bench: Bench) -> None:
    """Measure one file of 1 GiB, 70 % of the connections at 8.7 MB/s and the others at 68."""
    size, found = 1 << 30, []
    for number in range(bench.rounds):
        source = ("--port", SOURCE_PORT, "--size", size, "--delay", READ_DELAY, "--seed", number)
        with ExitStack() as stack:
            stack.enter_context(process("tests.bench.sink", *SLOW_SINK))
            words = ("tests.bench.capped", *source, "--rates", MIXED_RATES)
            (digest,) = stack.enter_context(process(*words))
            entry = Entry("model.safetensors", size, digest, "")
            network = f"http://localhost:{SOURCE_PORT}/bytes"
            hub = NginxHub(bench.folder, [entry], HUB_PORT, network=network)
            stack.callback(hub.stop)
            bench.write_plan(hub.model())
            mine, others = bench.transfer().told["seconds"], bench.recipe(hub.url).seconds
        found.append(others / mine)
        rates = f"{size / MB / mine:.0f} MB/s, hf download and gcloud {size / MB / others:.0f}"
        print(f"transfer {rates}: {others / mine:.1f} times", flush=True)
    print(f"median: {statistics.median(found):.1f} times")


def slow_server_workers(bench: Bench) -> None:
    """Measure one file of 3 GiB over these connections, over the number of workers."""
    _over_workers(bench, 3 << 30, MIXED_RATES, (8, 16, 32))


def _over_workers(bench: Bench, size: int, rates: str, counts: tuple[int, ...]) -> None:
    with (
        process("tests.bench.sink", *SLOW_SINK),
        capped_model(size, "--rates", rates, "--delay", READ_DELAY) as model,
    ):
        bench.write_plan(model)
        defaults = [bench.transfer() for _ in range(bench.rounds)]
        found = [size / MB / m.told["seconds"] for m in defaults]
        print(f"as it is: {statistics.median(found):.0f} MB/s", flush=True)
        for count in counts:
            part = min(16 << 20, (1 << 28) // count)  # no more than 256 MiB for all
            rows = [
                bench.transfer(
                    workers=count,
                    min_workers=count,
                    memory=1 << 30,
                    part_size=part,
                )
                for _ in range(bench.rounds)
            ]
            found = [size / MB / m.told["seconds"] for m in rows]
            print(
                f"{count:3} workers: {statistics.median(found):6.0f} MB/s "
                f"({min(found):.0f}-{max(found):.0f}) of {count * RATE / MB:.0f}",
                flush=True,
            )


def memory(bench: Bench) -> None:
    """Measure the memory of a worker over the size of the model."""
    for size in (1, 10, 100):
        with (
            process("tests.bench.sink", "--port", SINK_PORT),
            capped_model(size * 1000 * MB) as model,
        ):
            # The hub's limit for plain HTTP is not what is looked at here.
            bench.write_plan(HubModel("ollama", "m:t", SHA, (*model.files, _manifest())))
            measured = bench.transfer()
        rate = size * 1000 / measured.told["seconds"]
        print(f"{size:4} GB: {measured.told['rss']:.0f} MB resident, {rate:.0f} MB/s", flush=True)


def _manifest() -> HubFile:
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    path = "manifests/registry.ollama.ai/library/m/t"
    return HubFile(path, 2, Digest(DigestKind.SHA256, digest), content=b"{}")


def tasks(bench: Bench) -> None:
    """Measure 8 tasks of a job against one, each held to the same bandwidth."""
    entries = 8
    size, limit = 512 * MB, 16 * MB  # so long that eight starts on few cores weigh little
    with (
        process("tests.bench.sink", "--port", SINK_PORT),
        capped_model(size, "--rates", f"{limit / 4}:1") as model,
    ):
        file = model.files[0]
        copies = tuple(
            HubFile(f"model-{i}.safetensors", size, file.digest, url=f"{file.url}?{i}")
            for i in range(entries)
        )
        bench.write_plan(HubModel("huggingface", REPO, SHA, copies))
        for count in (1, 8):
            found = []
            for _ in range(bench.rounds):
                sink_state(SINK, clear=True)
                measured = run(
                    [PYTHON, "-m", "tests.bench.tasks", SINK, bench.plan_file, str(count)],
                    OPTIONS=json.dumps({"workers": 4, "min_workers": 4, "prefetch_below": 0}),
                )
                found.append(entries * size / MB / measured.told["seconds"])
            print(f"{count} tasks: {statistics.median(found):.0f} MB/s", flush=True)


def shared(bench: Bench) -> None:
    """Measure one file of 4 GiB moved by several tasks, each held to a gigabit a second."""
    size, limit, worker_count = 4 << 30, 125 * MB, 10
    with (
        process("tests.bench.sink", "--port", SINK_PORT, "--rtt", UPLOAD_DELAY),
        capped_model(size, "--rates", f"{limit / worker_count}:1", "--delay", READ_DELAY) as model,
    ):
        bench.write_plan(model)
        for count in (1, 2, 4, 8):
            found = []
            for _ in range(bench.rounds):
                sink_state(SINK, clear=True)
                measured = run(
                    [PYTHON, "-m", "tests.bench.tasks", SINK, bench.plan_file, str(count)],
                    OPTIONS=json.dumps({"workers": worker_count}),
                )
                found.append(size / MB / measured.told["seconds"])
            print(f"{count} tasks: {statistics.median(found):.0f} MB/s", flush=True)


def kills(bench: Bench) -> None:
    """Kill a worker 100 times at random moments, and count what had to be moved again."""
    size, wanted, worker_count, part = 4 << 30, 100, 8, 8 << 20
    moments = random.Random(5)
    again: list[int] = []
    with (
        process("tests.bench.sink", "--port", SINK_PORT),
        capped_model(size, "--total", 125 * MB) as model,  # a task of Cloud Run has 1 Gbit/s
    ):
        bench.write_plan(model)
        while len(again) < wanted:
            sink_state(SINK, clear=True)
            killed = 0
            while _dies(
                bench, moments.uniform(0.1, 2), {"workers": worker_count, "part_size": part}
            ):
                killed += 1
            state = sink_state(SINK)
            assert not state["uploads"], "left open"
            assert [o for o in state["objects"].values() if o[0] == size], "not whole"
            sent = state["bytes"] - size
            again += [sent // max(1, killed)] * killed
            print(f"{killed} kills: {sent / MB:.0f} MB sent twice", flush=True)
    rounds_lost = statistics.mean(again) / (worker_count * part)
    print(f"{len(again)} kills: a kill costs {rounds_lost:.2f} parts per worker sent again")


def _dies(bench: Bench, seconds: float, options: dict[str, int]) -> bool:
    """Start a worker and kill it some time after it has begun; tell whether it was killed."""
    before = sink_state(SINK)["bytes"]
    words = [PYTHON, "-m", "tests.bench.transfer", SINK, bench.plan_file]
    environment = {**os.environ, "OPTIONS": json.dumps(options)}
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL) as worker:
        while worker.poll() is None and sink_state(SINK)["bytes"] < before + (1 << 20):
            time.sleep(0.02)
        try:
            worker.wait(seconds)
        except subprocess.TimeoutExpired:
            worker.kill()
            return True
    assert worker.returncode == 0
    return False


def main() -> None:
    parser = argparse.ArgumentParser()
    benchmarks = {
        f.__name__: f
        for f in (speed, workers, slow_servers, slow_server_workers, memory, tasks, shared, kills)
    }
    parser.add_argument("benchmark", choices=benchmarks)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    benchmarks[options.benchmark](Bench(options.folder.resolve(), options.rounds))


if __name__ == "__main__":
    main()
