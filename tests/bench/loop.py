"""What a programmer writes first: `requests` into `blob.open("wb")`, one file after another."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import requests
from google.auth.credentials import AnonymousCredentials

from llm_widgets.config import Settings
from llm_widgets.documents import plans
from llm_widgets.gcp.client.clients import Clients


def main() -> None:
    endpoint, plan_file = sys.argv[1:3]
    plan = plans.read(Path(plan_file).read_text(), bucket="bench", import_id="bench")
    clients = Clients(Settings(google_endpoint=endpoint), AnonymousCredentials())
    bucket = clients.storage("p").bucket(plan.bucket)
    begun = time.monotonic()
    for file in plan.files:
        with (
            requests.get(file.url, stream=True, timeout=60) as response,
            bucket.blob(plan.object_name(file)).open("wb") as out,
        ):
            for block in response.iter_content(1 << 20):
                out.write(block)
    seconds = time.monotonic() - begun
    print(json.dumps({"seconds": seconds, "rate": plan.size / seconds / 1e6}))


if __name__ == "__main__":
    main()
