"""What files are called that have digests for names."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from llm_widgets.documents import progress
from llm_widgets.domain import parts
from llm_widgets.domain.progress import FileProgress, ImportProgress, ImportState

BLOB = "blobs/sha256-b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def test_a_part_is_called_what_it_is() -> None:
    assert parts.title(BLOB, "Weights") == "Weights (sha256-b179c952)"
    assert parts.cell(BLOB, "Weights") == {"text": "Weights", "note": BLOB}
    assert parts.title("config.json", "") == parts.cell("config.json", "") == "config.json"


def test_progress_of_before_has_no_parts() -> None:
    now = datetime(2026, 12, 3, tzinfo=UTC)
    file = FileProgress(BLOB, 3, part="Weights")
    told = ImportProgress("i", ImportState.RUNNING, (file,), now, now)
    assert progress.read(told.to_json(), import_id="i") == told
    written = json.loads(told.to_json())
    del written["files"][0]["part"]
    assert progress.read(json.dumps(written), import_id="i").files == (FileProgress(BLOB, 3),)
