"""Work outside the callbacks, when it fails and when the process ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from llm_widgets.page.background import Background

if TYPE_CHECKING:
    import pytest

# The process ends while what repeats is at work; concurrent.futures takes no work then.
ENDING = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from llm_widgets.page.background import Background

begun = threading.Event()

def work():
    begun.set()
    with ThreadPoolExecutor(1) as pool:
        while True:
            pool.submit(time.sleep, 0.001).result()

Background().repeat(0.001, work)
begun.wait()
"""


def test_a_process_that_ends_during_the_work_logs_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert "Repeated work failed" not in done.stderr
    assert "Traceback" not in done.stderr


def test_what_repeats_goes_on_after_a_failure_which_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background, enough, calls = Background(), threading.Event(), []

    def work() -> bool:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("once")
        enough.set()
        return False

    background.repeat(0.001, work)
    assert enough.wait(30)
    background.close()
    assert "Repeated work failed" in caplog.text
