"""The Models tab of a project with many buckets: 1,000, of which 50 hold models, 100 ms a call.

Prints how long it takes until the models are shown, and until every bucket has been looked into,
beside the slowest chain of calls: the list of the buckets, and then the slowest of the reads.

    python -m tests.bench.buckets
"""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.cli.local_cloud import local_cloud
from llm_widgets.config import Settings
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.gcp.project.projects import Project
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.session import Session
from local_cloud.testing.switching import switch

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "local-project"
REGION = "europe-west1"
BUCKETS, OURS = 1000, 50
DELAY = 0.1  # seconds of each call
ROUNDS = 5


@contextmanager
def crowded(folder: Path) -> Iterator[Session]:
    """Run a local cloud with many buckets, in a process of its own."""
    with local_cloud(folder / "cloud", offline=True) as environment:
        os.environ.update(environment())
        session = Session(Settings.from_environment())
        for number in range(BUCKETS):
            name = f"bucket-{number:04d}"
            if number % (BUCKETS // OURS):
                session.clients.storage(PROJECT).create_bucket(name, location=REGION)
            else:
                _add_models(session, name)
        address = session.settings.google_endpoint
        switch(address, folder / "cloud", delays={"/storage/v1/": DELAY})
        yield session
        session.close()


def _add_models(session: Session, bucket: str) -> None:
    buckets.create_bucket(session.clients, PROJECT, bucket, REGION)
    model = ModelRecord(f"org/{bucket}", "huggingface", ModelStatus.READY, prefix="org")
    metadata.update_metadata(session.clients.storage(), bucket, lambda file: file.with_model(model))


def chain(session: Session) -> float:
    """Return the seconds of the list and of the slowest of the reads that may follow it at once."""
    started = time.monotonic()
    found = buckets.list_buckets(session.clients, PROJECT)
    listed = time.monotonic() - started
    slowest = 0.0
    for each in [each for each in found if each.is_labelled][:10]:
        started = time.monotonic()
        metadata.read_metadata(session.clients.storage(), each.name)
        slowest = max(slowest, time.monotonic() - started)
    return listed + slowest


def measure(session: Session) -> tuple[float, float]:
    """Open the tab; give the seconds until all models are shown, and until all is known."""
    tab = ModelsState(session)
    shown, done = threading.Event(), threading.Event()
    times: dict[str, float] = {}

    def changed(_: object) -> None:
        if len(tab.buckets) == OURS and not shown.is_set():
            times["shown"] = time.monotonic()
            shown.set()

    def ended(_: object) -> None:
        if not tab.loading:
            times["done"] = time.monotonic()
            done.set()

    tab.observe(changed, "buckets")
    tab.observe(ended, "loading")
    started = time.monotonic()
    tab.refresh()
    assert shown.wait(60)
    assert done.wait(60)
    assert len(tab.others) == BUCKETS - OURS
    return times["shown"] - started, times["done"] - started


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, crowded(Path(folder)) as session:
        with session.hold_trait_notifications():
            session.project = Project(PROJECT, "1", PROJECT)
        measure(session)  # imports and connections
        slowest = statistics.median(chain(session) for _ in range(ROUNDS))
        rounds = [measure(session) for _ in range(ROUNDS)]
        shown, done = (statistics.median(times) for times in zip(*rounds, strict=True))
        print(f"{OURS} of {BUCKETS} buckets hold models; {DELAY:.1f} s a call")
        print(f"Slowest chain of calls: {slowest:.3f} s")
        print(f"Models shown after {shown:.3f} s: {shown / slowest:.2f} times the chain")
        print(f"All buckets looked into after {done:.3f} s")


if __name__ == "__main__":
    main()
