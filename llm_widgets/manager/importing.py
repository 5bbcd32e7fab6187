"""Importing a model: started after its pre-flight, waited for, resumed and cancelled."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.errors import Fix, InvalidInputError, ManagerError, TransferError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.auth import identity
from llm_widgets.imports import plan, start
from llm_widgets.imports.worker import delete_token, token_of
from llm_widgets.manager.import_target import make_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.config import Settings
    from llm_widgets.domain.progress import ImportProgress
    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.import_check import ImportCheck

LIVENESS_SECONDS = 5.0
"""Time between two questions whether the worker of an import lives."""

_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """How far an import is.

    Attributes
    ----------
    progress
        ``None`` where there is no such import.
    is_abandoned
        Whether it is unfinished and nobody works on it: it can be resumed.
    """

    progress: ImportProgress | None
    is_abandoned: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end, good or bad."""
        return self.progress is not None and self.progress.state.is_final


def choose(checked: ImportCheck, paths: Iterable[str]) -> ImportCheck:
    """Choose the files that are copied, in place of those that the engine loads.

    Raises
    ------
    InvalidInputError
        The model has no such file.
    """
    paths = set(paths)
    strange = paths - {file.path for file in checked.found.files}
    if strange:
        raise InvalidInputError(
            f"{checked.found.id} has no file {names.shown(min(strange))}.", field="files"
        )
    return replace(checked, model=checked.found.with_chosen(paths))


def start_import(
    clients: Clients, settings: Settings, project: str, checked: ImportCheck, token: str = ""
) -> str:
    """Make the bucket ready, write the plan and start its worker.

    Parameters
    ----------
    token
        The hub's token; it goes to Secret Manager only, and is taken back where nothing starts.

    Returns
    -------
    str
        Id of the import; of the one that runs, where it runs already.

    Raises
    ------
    ManagerError
        The token can't be kept, the bucket not be made, or no worker be started.
    """
    planned = plan.plan_import(
        checked.model,
        bucket=checked.place.target.name,
        project=project,
        requested_by=identity.current(clients).email,
        has_token=bool(token),
    )
    # The token first: where it can't be kept, there is no new bucket either.
    is_new = bool(token) and secrets.put(clients, token_of(planned), token)
    try:
        make_ready(clients, project, checked.place)
        is_used = start.start_import(clients, settings, planned)
    except ManagerError:
        if is_new:
            delete_token(clients, planned)
        raise
    if is_new and not is_used:  # it runs already, and began without a token
        delete_token(clients, planned)
    return planned.id


def resume(clients: Clients, settings: Settings, bucket: str, import_id: str) -> None:
    """Go on with an import that failed, was cancelled, or lost its worker.

    Raises
    ------
    ManagerError
        There is no such import, or no worker can be started.
    """
    start.resume_import(clients, settings, bucket, import_id)


def cancel(clients: Clients, bucket: str, import_id: str) -> None:
    """End an import; what it copied so far is thrown away.

    Raises
    ------
    ManagerError
        There is no such import, or it may not be cancelled.
    """
    start.cancel_import(clients, bucket, import_id)


def look(clients: Clients, bucket: str, import_id: str, *, for_life: bool) -> Seen:
    """Look how far an import is.

    Parameters
    ----------
    for_life
        Ask also whether its worker lives.

    Raises
    ------
    ManagerError
        The bucket can't be read.
    """
    progress = start.read_progress(clients, bucket, import_id)
    if not for_life or (progress and progress.state.is_final):
        return Seen(progress)
    if start.is_running(clients, bucket, import_id):
        return Seen(progress)
    found = Seen(start.read_progress(clients, bucket, import_id))  # it may have ended meanwhile
    return replace(found, is_abandoned=not found.is_over)


def wait(
    clients: Clients, bucket: str, import_id: str, watch: Callable[[ImportProgress], None]
) -> ImportProgress:
    """Wait until an import has come to its end.

    Parameters
    ----------
    watch
        Called about twice a second with how far it is.

    Raises
    ------
    TransferError
        It failed, was cancelled, or nobody works on it any more.
    ManagerError
        The bucket can't be read.
    """
    asked = time.monotonic()
    while True:
        now = time.monotonic()
        for_life = now - asked > LIVENESS_SECONDS
        asked = now if for_life else asked
        seen = look(clients, bucket, import_id, for_life=for_life)
        if seen.progress:
            watch(seen.progress)
        if seen.progress and seen.is_over:
            return seen.progress
        if seen.is_abandoned:
            raise TransferError(
                "Nobody works on the import any more.",
                cause="Its worker was ended, or lost its connection for good.",
                fix=Fix(text="Resume it: it goes on where it stopped."),
            )
        time.sleep(_POLL_SECONDS)
