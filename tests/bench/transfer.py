"""The candidate: an import as a worker process carries it out. Arguments: endpoint, plan."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from google.auth.credentials import AnonymousCredentials

from llm_widgets.config import Settings
from llm_widgets.documents import plans
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.transfer.options import Options
from llm_widgets.transfer.share import Task
from llm_widgets.transfer.transfer import Transfer
from tests.bench.usage import told_of


def main() -> None:
    endpoint, plan_file = sys.argv[1:3]
    options = Options(**json.loads(os.environ.get("OPTIONS", "{}")))
    plan = plans.read(Path(plan_file).read_text(), bucket="bench", import_id="bench")
    clients = Clients(Settings(google_endpoint=endpoint), AnonymousCredentials())
    task = Task.from_environment()
    transfer = Transfer(
        plan,
        clients,
        SmallObjects(clients.storage("p"), plan.bucket),
        options=options,
        task=task,
    )
    with told_of(plan):
        assert transfer.run() or task.count > 1


if __name__ == "__main__":
    main()
