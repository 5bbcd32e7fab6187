"""The manager as `make run` starts it, with a local cloud of its own, and steps in its page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.oauth2.service_account import Credentials
from playwright.sync_api import Page, expect

from llm_widgets.config import Settings
from llm_widgets.gcp.auth.sign_in import SCOPE
from llm_widgets.gcp.client.clients import Clients
from local_cloud.testing.switching import switch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class RunningManager:
    """A running manager: where its page is, and the folder of its local cloud."""

    url: str
    data: Path

    @property
    def credentials(self) -> Path:
        """The manager's key."""
        return self.data / "credentials.json"

    @property
    def cloud(self) -> str:
        """Base URL of the Google APIs."""
        token_uri: str = json.loads(self.credentials.read_text("utf-8"))["token_uri"]
        return token_uri.removesuffix("/token")

    def faults(self, **switches: Any) -> None:
        """Set the switches of the local cloud; all are reset that are not given."""
        switch(self.cloud, self.data, **switches)

    def clients(self) -> Clients:
        """Return clients that change things behind the page's back."""
        made = Credentials.from_service_account_file(str(self.credentials), scopes=[SCOPE])
        return Clients(Settings(google_endpoint=self.cloud), made)


@contextmanager
def running_manager(folder: Path, *words: str) -> Iterator[RunningManager]:
    """Run the manager in an empty folder; it must end in order, and warn of nothing.

    Parameters
    ----------
    words
        Further options of ``llm-widgets run``.
    """
    log = (folder / "manager.log").open("w+")
    data = folder / "cloud"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "llm_widgets", "run", "--port", "0", "--offline"),
            *("--data", str(data), *words),
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
    try:
        yield RunningManager(url, data)
    finally:
        log.seek(0)
        said = log.read()
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    assert code == 0
    assert said == ""  # a newcomer reads it
    log.seek(0)
    assert "Traceback" not in (said := log.read()), said


def to_tab(page: Page, name: str) -> None:
    """Go to a tab."""
    page.get_by_role("tab", name=name, exact=True).click()
    expect(page.get_by_role("tabpanel", name=name, exact=True)).to_be_visible()


def choose_project(page: Page) -> None:
    """Take the project that is marked, the one of the identity."""
    projects = page.get_by_label("Projects", exact=True)
    expect(projects).to_contain_text("local-project")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Change")).to_be_visible()


def fill_in_import(
    page: Page, source: str, model_id: str, *, new_bucket: str = "", token: str = ""
) -> None:
    """Open the import and fill it in."""
    page.get_by_role("button", name="Import model").first.click()
    page.get_by_role("radio", name=source).check()
    page.get_by_label("Model ID").locator("visible=true").fill(model_id)
    if token:
        page.get_by_label("Hugging Face token").locator("visible=true").fill(token)
    if new_bucket:
        page.get_by_label("Destination bucket").select_option(label="Create a bucket")
        page.get_by_label("Name").locator("visible=true").fill(new_bucket)


def import_model(
    page: Page, source: str, model_id: str, *, new_bucket: str = "", token: str = ""
) -> None:
    """Fill in the import, check it, and confirm it."""
    fill_in_import(page, source, model_id, new_bucket=new_bucket, token=token)
    expect(page.get_by_label("Destination bucket")).not_to_have_value("")
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Import", exact=True).click()
