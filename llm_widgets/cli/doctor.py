"""``llm-widgets doctor``: the checklist of the General tab on a terminal."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from llm_widgets.checks.context import Context
from llm_widgets.cli import output
from llm_widgets.cli.recording import record as recording
from llm_widgets.cli.recording import recorder
from llm_widgets.config import Settings, settings
from llm_widgets.domain.checklist import CheckState, Row, summary
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.manager import projects

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from llm_widgets.gcp.auth.identity import Identity
    from llm_widgets.gcp.project.projects import Project

_MARKS = {CheckState.OK: "✓", CheckState.MISSING: "✗", CheckState.UNKNOWN: "?"}


def doctor(
    project_id: str = "",
    *,
    as_json: bool = False,
    record: Path | None = None,
    chosen: Settings | None = None,
    out: TextIO | None = None,
) -> int:
    """Check a project and print what was found.

    Parameters
    ----------
    project_id
        The project; that of the settings when left out.
    as_json
        Print one JSON object in place of lines, also of what is raised.
    record
        File to write what is answered to, by what is asked here and by the script that a recording
        goes through.

    Returns
    -------
    int
        0 when everything is in order, 1 when something is missing or can't be told.

    Raises
    ------
    ManagerError
        Nobody is signed in, or the project can't be opened.
    """
    out = out or sys.stdout
    try:
        using = chosen or settings()
        return _doctor(project_id, as_json=as_json, record=record, using=using, out=out)
    except ManagerError as error:
        if as_json:
            _print_json({"ok": False, "error": output.error_as_json(error)}, out)
        raise


def _doctor(
    project_id: str, *, as_json: bool, record: Path | None, using: Settings, out: TextIO
) -> int:
    answers = recorder.Recorder(using.google_endpoint) if record else None
    clients = Clients(using, on_answer=answers)
    who = identity.current(clients)
    project = projects.open_project(clients, project_id)
    rows, _ = projects.checklist(Context(clients, project))
    if as_json:
        _print_json(_as_json(who, project, rows), out)
    else:
        _print(who, project, rows, out)
    if record and answers:
        told = sys.stderr if as_json else out
        print(file=told)
        recording.run(clients, project, answers, record, told)
    return 0 if all(row.state is CheckState.OK for row in rows) else 1


def _print(who: Identity, project: Project, rows: tuple[Row, ...], out: TextIO) -> None:
    def tell(line: str) -> None:
        print(output.terminal(line), file=out)

    tell(f"{who.label} ({who.kind.value}) on {who.cloud}")
    tell(f"Project {project.name} ({project.id}, number {project.number})\n")
    width = max(len(row.subject.title) for row in rows)
    for row in rows:
        answer = row.answer
        tell(f"{_MARKS[row.state]} {row.subject.title:{width}}  {answer.text}")
        if row.state is CheckState.OK:
            continue
        fix = answer.fix
        told = [answer.detail, fix.text, fix.command, fix.url] if fix else [answer.detail]
        for line in "\n".join(part for part in told if part).splitlines():
            tell(f"  {'':{width}}  {line}")
    tell(f"\n{summary(rows)}")


def _print_json(told: dict[str, Any], out: TextIO) -> None:
    json.dump(told, out, indent=2)
    print(file=out)


def _as_json(who: Identity, project: Project, rows: tuple[Row, ...]) -> dict[str, Any]:
    return {
        "identity": {"label": who.label, "member": who.member, "kind": who.kind.value},
        "cloud": who.cloud,
        "project": {"id": project.id, "number": project.number, "name": project.name},
        "ok": all(row.state is CheckState.OK for row in rows),
        "checks": [_row_as_json(row) for row in rows],
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    answer = row.answer
    return {
        "key": row.key,
        "title": row.subject.title,
        "purpose": row.subject.purpose,
        "state": row.state.name.lower(),
        "text": answer.text,
        "detail": answer.detail,
        "fix": output.fix_as_json(answer.fix),
        "blocks": sorted(answer.blocks),
    }
