"""The manager as `make run` starts it, with a local cloud of its own, and steps in its page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECONDS = 1000  # milliseconds


@dataclass
class RunningManager:
    """A running manager: where its page is, and the folder of its local cloud."""

    url: str
    data: Path

    def faults(self, **switches: Any) -> None:
        """Set the switches of the local cloud; all are reset that are not given."""
        credentials = json.loads((self.data / "credentials.json").read_text())
        address = credentials["token_uri"].removesuffix("/token") + "/_local/faults"
        for method, body in (("DELETE", None), ("PATCH", json.dumps(switches).encode())):
            request = urllib.request.Request(
                address, body, {"Content-Type": "application/json"}, method=method
            )
            urllib.request.urlopen(request).close()


@contextmanager
def running_manager(folder: Path) -> Iterator[RunningManager]:
    """Run the manager in an empty folder; it must end in order, without a traceback."""
    log = (folder / "manager.log").open("w+")
    data = folder / "cloud"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "llm_widgets", "run", "--port", "0", "--offline"),
            *("--data", str(data)),
        ],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
    )
    assert process.stdout is not None
    url = ""
    for line in process.stdout:
        if found := re.search(r"http://\S+", line):
            url = found[0]
            break
    log.seek(0)
    assert url, log.read()
    yield RunningManager(url, data)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    log.seek(0)
    assert "Traceback" not in log.read()


def to_tab(page: Page, name: str) -> None:
    """Go to a tab."""
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.get_by_role("tabpanel", name=name, exact=True)).to_be_visible()


def choose_project(page: Page) -> None:
    """Take the project that is marked, the one of the identity."""
    projects = page.get_by_label("Projects", exact=True)
    expect(projects).to_contain_text("local-project", timeout=20 * SECONDS)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Change")).to_be_visible(timeout=20 * SECONDS)


def fill_in_import(
    page: Page, source: str, model_id: str, *, new_bucket: str = "", token: str = ""
) -> None:
    """Open the import and fill it in."""
    page.get_by_role("button", name="Import model").first.click()
    page.get_by_role("radio", name=source).check()
    page.get_by_label("Model ID").locator("visible=true").fill(model_id)
    if token:
        page.get_by_label("Hugging Face token").fill(token)
    if new_bucket:
        page.get_by_label("Where the model goes").select_option(label="Create a bucket")
        page.get_by_label("Name").locator("visible=true").fill(new_bucket)


def import_model(
    page: Page, source: str, model_id: str, *, new_bucket: str = "", token: str = ""
) -> None:
    """Fill in the import, check it, and confirm it."""
    fill_in_import(page, source, model_id, new_bucket=new_bucket, token=token)
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Import", exact=True).click(timeout=20 * SECONDS)
