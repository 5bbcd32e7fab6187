"""Whoever deploys a container writes its log: it says nothing of others, and ends no reading."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from llm_widgets.engines import registry
from llm_widgets.gcp.observe import logs
from llm_widgets.gcp.observe.logs import LogEntry
from llm_widgets.manager import starting

if TYPE_CHECKING:
    from llm_widgets.engines.base import Engine

NOW = datetime.now(UTC)


def test_an_entry_is_of_who_wrote_it() -> None:
    entry = logs._entry(
        {
            "insertId": "1",
            "resource": {"labels": {"service_name": "mine", "revision_name": "mine-00001"}},
            "labels": {"revision_name": "others-00009", "service_name": "others", "own": "x"},
        }
    )
    assert entry.labels == {"service_name": "mine", "revision_name": "mine-00001", "own": "x"}


@pytest.mark.parametrize("engine", registry.ENGINES, ids=lambda engine: engine.id)
def test_a_log_of_many_lines_is_read_in_no_time(engine: Engine) -> None:
    said = (
        "Loading weights took 0.001 s; llama runner started in 0.001 seconds;"
        "  model buffer size =   1.00 MiB" + " " * 3000
    )
    entries = [
        LogEntry(str(each), NOW + timedelta(milliseconds=10 * each), "INFO", f"{said}\n" * 30)
        for each in range(1000)
    ]
    begun = time.process_time()
    starting._start(entries, engine.start_marks)
    assert time.process_time() - begun < 8
