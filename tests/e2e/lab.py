"""JupyterLab, with settings of its own, and steps in it."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@contextmanager
def running_lab(
    folder: Path, environment: Mapping[str, str] | None = None, *, base_url: str = ""
) -> Iterator[str]:
    """Serve the notebooks of ``folder / "notebooks"`` in JupyterLab, and give its URL.

    Parameters
    ----------
    environment
        What its kernels find beside the environment of this process.
    base_url
        Path below which it is, as a JupyterHub gives each person one.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *(f"--ServerApp.port={port}", "--ServerApp.token=", "--ServerApp.password="),
            f"--ServerApp.base_url={base_url}/",
            f"--ServerApp.root_dir={folder / 'notebooks'}",
            "--LabApp.expose_app_in_browser=True",
            # It asks no other host.
            *("--LabApp.news_url=None", "--LabApp.extension_manager=readonly"),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            **(environment or {}),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "IPYTHONDIR": str(folder / "ipython"),
        },
    )
    assert process.stderr is not None
    said = list(itertools.takewhile(lambda line: "is running at" not in line, process.stderr))
    assert process.poll() is None, said
    threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop it
    try:
        yield f"http://127.0.0.1:{port}{base_url}"
    finally:
        process.terminate()
        process.wait(60)


def opened_notebook(page: Page, url: str, notebook: str) -> None:
    """Open a notebook, and wait for its kernel."""
    page.goto(f"{url}/lab/tree/{notebook}")
    # What is run before the kernel has answered is lost.
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    # It asks whether it may ask another host.
    page.get_by_role("button", name="No", exact=True).click()


def run_first_cell(page: Page, url: str, notebook: str) -> None:
    """Open a notebook, and run its first cell, which shows a page of ours."""
    opened_notebook(page, url, notebook)
    page.locator(".jp-Notebook .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_role("tab", name="Models", exact=True).wait_for()


def theme(page: Page, name: str) -> None:
    """Choose a theme of JupyterLab."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
    is_light = str("Light" in name).lower()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)
