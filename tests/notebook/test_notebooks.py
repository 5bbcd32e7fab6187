"""Every notebook runs from top to bottom, cell by cell, against the local cloud."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli.local_cloud import IMAGES, product_environment
from local_cloud.cloud import LocalCloud

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True, images=IMAGES)
    cloud.start()
    yield {**os.environ, **product_environment(cloud.environment())}
    cloud.stop()


@pytest.mark.parametrize("name", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_notebook_runs(name: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider"),
            *("--override-ini=addopts=", "--override-ini=timeout=0", str(NOTEBOOKS / name)),
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_notebooks_are_committed_without_output() -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        command = [sys.executable, "-m", "nbstripout", "--verify", str(path)]
        assert subprocess.run(command, check=False).returncode == 0, path.name
