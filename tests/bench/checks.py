"""How long many checks in flight take, when every call takes 200 ms.

Run as ``python -m tests.bench.checks``. Prints JSON: the slowest of the single calls, the time
for sixty checks of one call each at once, and the rounds of the General tab.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from llm_widgets.checks import networks, quotas, run
from llm_widgets.checks.context import Context
from llm_widgets.checks.run import Check
from llm_widgets.cli.local_cloud import product_environment
from llm_widgets.config import Settings
from llm_widgets.domain.checklist import Answer, CheckState, Subject
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.project import projects
from local_cloud.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKS = 60
DELAY = 0.2  # seconds
ROUNDS = 5


def main() -> None:
    """Measure, after one round that opens connections and imports packages."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = LocalCloud(Path(folder), offline=True)
        cloud.start()
        try:
            os.environ.update(product_environment(cloud.environment()))
            clients = Clients(Settings.from_environment())
            project = projects.get(clients, "local-project")
            print(json.dumps(_measured(cloud, lambda: Context(clients, project)), indent=2))
        finally:
            cloud.stop()


def _measured(cloud: LocalCloud, context: Callable[[], Context]) -> dict[str, object]:
    single: list[float] = []

    def ask(which: int) -> Check:
        subject = Subject(f"check/{which}", "", "")

        def asked(asking: Context) -> dict[str, Answer]:
            started = time.perf_counter()
            path = f"/v3/projects/{asking.project_id}"
            call(asking.clients, "GET", "cloudresourcemanager.googleapis.com", path)
            single.append(time.perf_counter() - started)
            return {subject.key: Answer(CheckState.OK)}

        return Check((subject,), asked)

    checks = [ask(number) for number in range(CHECKS)]
    work: dict[str, Callable[[], object]] = {
        "one call": lambda: run.run(context(), lambda _: None, checks[:1]),
        f"{CHECKS} checks of one call": lambda: run.run(context(), lambda _: None, checks),
        "checklist": lambda: run.run(context(), lambda _: None),
        "networks": lambda: networks.survey(context(), lambda _: None),
        "quotas": lambda: quotas.survey(context(), lambda *_: None),
    }
    for each in work.values():
        each()
    cloud.faults.update(delays={".": DELAY})
    single.clear()
    found: dict[str, object] = {}
    for name, each in work.items():
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            each()
            times.append(time.perf_counter() - started)
        found[name] = {
            "median": round(sorted(times)[ROUNDS // 2], 3),
            "worst": round(max(times), 3),
        }
        if name.startswith(str(CHECKS)):
            found["slowest single call in them"] = round(max(single), 3)
    return found


if __name__ == "__main__":
    main()
