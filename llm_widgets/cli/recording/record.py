"""A recording from its begin to its end: the script, what it made deleted, and the file."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from llm_widgets.cli.recording import recorder, script
from llm_widgets.cli.recording.place import Place
from llm_widgets.cli.recording.scrubbing import Scrubber
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.gcp.project.projects import Project


def run(
    clients: Clients, project: Project, answers: recorder.Recorder, path: Path, out: TextIO
) -> None:
    """Go through the script, delete what it made, and write what was answered.

    Parameters
    ----------
    answers
        What the clients tell their answers; what it has already is written, too.
    path
        The file, which only its owner may read.
    out
        Told what is found out.

    Raises
    ------
    ManagerError
        The file can't be written; nothing was made then.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise ManagerError(f"Can't write {path}.", cause=str(error)) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file, ExitStack() as undo:
        place = Place(clients, project, clients.settings.region, undo)
        with undo:
            for step in script.STEPS:
                print(f"{step.question}\n  {step.answer(place)}", file=out, flush=True)
        written, left = _write(place, answers, file)
    print(f"\n{written} answers are in {path}; {left} were left out, which name more.", file=out)


def _write(place: Place, answers: recorder.Recorder, file: TextIO) -> tuple[int, int]:
    clients = place.clients
    email = identity.current(clients).email
    known = {**place.known, **({email: "caller"} if email else {})}
    scrub = Scrubber(known, script.OWN)
    source = recorder.source_of(clients.settings.google_endpoint)
    written = left = 0
    for fact in recorder.facts(answers.exchanges, scrub, source=source):
        if fact is None:
            left += 1
        else:
            written += 1
            file.write(f"{recorder.written(fact)}\n")
    return written, left
