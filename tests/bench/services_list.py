"""The dashboard of many services: 500 in six regions, one of them failing, 200 ms a call.

Prints how long the list takes beside its slowest call, and how long a browser takes to draw it.

    python -m tests.bench.services_list
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from google.cloud import run_v2

from llm_widgets.cloud import services
from llm_widgets.cloud.clients import Clients
from llm_widgets.cloud.sign_in import default_credentials
from llm_widgets.config import Settings
from llm_widgets.domain import gpus
from llm_widgets.domain.services import MANAGED_BY, MODEL_ANNOTATION
from llm_widgets.local.cloud import LocalCloud
from llm_widgets.local.google.records import Records
from llm_widgets.views.services.rows import service_row

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "local-project"
COUNT = 500
DELAY = 0.2  # seconds of each call
FAILING = "us-east4"
ROUNDS = 5


@contextmanager
def crowded(folder: Path) -> Iterator[Clients]:
    """Run a local cloud with many services that nothing runs behind."""
    cloud = LocalCloud(folder, offline=True)
    cloud.start()
    os.environ.update(cloud.environment())
    records = Records(cloud.store, "run-service", run_v2.Service)
    regions = gpus.regions()[:6]
    state = run_v2.Condition.State.CONDITION_SUCCEEDED
    for number in range(COUNT):
        region = regions[number % len(regions)]
        name = f"projects/{PROJECT}/locations/{region}/services/service-{number:03d}"
        service = run_v2.Service(
            name=name,
            uri=f"https://service-{number:03d}.example.org",
            labels={MANAGED_BY[0]: MANAGED_BY[1], "llm-engine": "ollama"},
            annotations={MODEL_ANNOTATION: f"model:{number}"},
            terminal_condition={"type_": "Ready", "state": state},
        )
        records.put(name, service)
    cloud.faults.update(
        delays={".*/services.*": DELAY},
        failures=[{"match": f".*/locations/{FAILING}/services.*", "status": 503}],
    )
    yield Clients(Settings.from_environment(), default_credentials(is_local=True))
    cloud.stop()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, crowded(Path(folder)) as clients:
        services.list_services(clients, PROJECT)  # imports and connections
        region = gpus.regions()[0]
        slowest = 0.0
        for _ in range(ROUNDS):
            started = time.monotonic()
            parent = f"projects/{PROJECT}/locations/{region}"
            list(clients.services.list_services(request={"parent": parent, "page_size": 500}))
            slowest = max(slowest, time.monotonic() - started)
        times = []
        for _ in range(ROUNDS):
            started = time.monotonic()
            found = services.list_services(clients, PROJECT)
            rows = [service_row(service) for service in found.services]
            times.append(time.monotonic() - started)
        median = sorted(times)[ROUNDS // 2]
        print(f"{len(rows)} services; without an answer: {[name for name, _ in found.unreachable]}")
        print(f"One call: {slowest:.3f} s at most; the whole list: {median:.3f} s (median)")
        print(f"Ratio: {median / slowest:.2f}")


if __name__ == "__main__":
    main()
