"""The local cloud on a disk without space: told as such, at the start and later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("on_a_small_disk.sh")


def on_a_small_disk(folder: Path, size: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose working directory is a disk of so many bytes."""
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", str(SCRIPT), str(folder), size, *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("size", ["16k", "100k", "1m", "6m"])
def test_a_first_start_says_that_the_disk_is_full_and_ends(tmp_path: Path, size: str) -> None:
    command = [sys.executable, "-m", "local_cloud", "--offline", "--data", "data"]
    done = on_a_small_disk(tmp_path, size, *command)
    assert done.returncode == 1
    assert done.stdout == ""
    message, fix = done.stderr.splitlines()
    assert message == f"The disk that holds the data folder {tmp_path / 'data'} is full."
    assert fix == "Fix: Free some space on it, or choose another folder with --data."


def test_a_disk_that_fills_up_later_is_told_by_every_api(tmp_path: Path) -> None:
    script = Path(__file__).with_name("fill_the_disk.py")
    done = on_a_small_disk(tmp_path, "250m", sys.executable, str(script))
    assert done.stderr == ""
    full = "The disk that holds the local cloud's data is full."
    assert done.stdout.splitlines() == [
        "ready",
        f"secret: 507 {full}",
        f"secret over gRPC: RESOURCE_EXHAUSTED {full}",
        f"object: 507 {full}",
        "with space again: 200",
    ]
