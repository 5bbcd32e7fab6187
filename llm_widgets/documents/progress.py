"""What the tasks of imports write of their progress, read from their buckets."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from llm_widgets.documents import reading
from llm_widgets.documents.reading import MOST_FILES, Count, Line, Name, Sentence
from llm_widgets.domain.progress import FileProgress, FileState, ImportProgress, ImportState


class _File(msgspec.Struct, frozen=True):
    path: Name
    size: Count
    done: Count = 0
    state: FileState = FileState.WAITING
    is_shared: bool = False
    part: Line = ""


class _Progress(msgspec.Struct, frozen=True):
    state: ImportState
    files: Annotated[tuple[_File, ...], msgspec.Meta(max_length=MOST_FILES)]
    started_at: datetime
    updated_at: datetime
    message: Sentence = ""
    cause: Sentence = ""
    fix: Sentence = ""


def read(raw: bytes | str, *, import_id: str) -> ImportProgress:
    """Read the progress that a task has written; of which import, the parameter says.

    Raises
    ------
    DocumentError
        The text is something else.
    """
    name = f"The progress of the import {import_id}"
    found = reading.read(raw, _Progress, name=name)
    return ImportProgress(
        import_id=import_id,
        state=found.state,
        files=tuple(
            FileProgress(f.path, f.size, min(f.done, f.size), f.state, f.is_shared, f.part)
            for f in found.files
        ),
        started_at=reading.time(found.started_at, name=name),
        updated_at=reading.time(found.updated_at, name=name),
        message=found.message,
        cause=found.cause,
        fix=found.fix,
    )
