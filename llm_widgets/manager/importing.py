"""Importing a model: started after its pre-flight, waited for, resumed and cancelled."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.errors import Fix, InvalidInputError, TransferError
from llm_widgets.gcp import secrets
from llm_widgets.imports import plan, start
from llm_widgets.imports import token as tokens
from llm_widgets.manager import acting
from llm_widgets.manager.audit import recorded
from llm_widgets.manager.import_target import make_ready

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubModel
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
    return replace(checked, model=with_files(checked.found, paths))


def with_files(model: HubModel, paths: Iterable[str]) -> HubModel:
    """Return a model with another choice of files.

    Raises
    ------
    InvalidInputError
        The model has no such file.
    """
    paths = set(paths)
    strange = paths - {file.path for file in model.files}
    if strange:
        raise InvalidInputError(
            f"{model.id} has no file {names.shown(min(strange))}.", field="files"
        )
    return model.with_chosen(paths)


@recorded("import.start", on="{checked.place.target.name}: {checked.model.id}")
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
        requested_by=acting.actor(clients).name,
        has_token=bool(token),
    )
    # The token first: where it can't be kept, there is no new bucket either.
    is_new = bool(token) and secrets.put(clients, tokens.token_of(planned), token)
    try:
        make_ready(clients, project, checked.place)
        is_used = start.start_import(clients, settings, planned)
    except BaseException:  # also one that a person interrupts
        if is_new:
            tokens.delete(clients, planned)
        raise
    if is_new and not is_used:  # it runs already, and began without a token
        tokens.delete(clients, planned)
    return planned.id


@recorded("import.resume", on="{bucket}: {import_id}")
def resume(clients: Clients, settings: Settings, bucket: str, import_id: str) -> None:
    """Go on with an import that failed, was cancelled, or lost its worker.

    Raises
    ------
    ManagerError
        There is no such import, or no worker can be started.
    """
    start.resume_import(clients, settings, bucket, import_id)


@recorded("import.cancel", on="{bucket}: {import_id}")
def cancel(clients: Clients, bucket: str, import_id: str) -> None:
    """End an import; what it copied so far is thrown away.

    Raises
    ------
    ManagerError
        There is no such import, or it may not be cancelled.
    """
    start.cancel_import(clients, bucket, import_id)


def look(clients: Clients, bucket: str, import_id: str, *, for_life: bool) -> Seen:
    """Look how far an import is; where it has ended, take back what its job was let at.

    Parameters
    ----------
    for_life
        Ask also whether its worker lives.

    Raises
    ------
    ManagerError
        The bucket can't be read.
    """
    found = _looked(clients, bucket, import_id, for_life=for_life)
    if found.progress and found.is_over:
        tokens.clear_away(clients, bucket, import_id, found.progress.state)
    return found


def _looked(clients: Clients, bucket: str, import_id: str, *, for_life: bool) -> Seen:
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
                "The import was interrupted.",
                cause="Its worker was stopped, or lost its connection.",
                fix=Fix(text="Resume to continue where it stopped."),
            )
        time.sleep(_POLL_SECONDS)
