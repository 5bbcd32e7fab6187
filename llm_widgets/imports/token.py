"""The hub's token of an import: handed to its job, and ended with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain import members
from llm_widgets.domain.progress import ImportState
from llm_widgets.errors import ManagerError
from llm_widgets.gcp import secrets
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.gcp.storage.buckets import project_of
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.store import ImportFolder

if TYPE_CHECKING:
    from llm_widgets.domain.imports import ImportPlan
    from llm_widgets.gcp.client.clients import Clients


def token_of(plan: ImportPlan) -> HubToken:
    """Return where the token of an import is kept."""
    return HubToken(plan.project, plan.bucket, plan.id)


def hand_over(clients: Clients, plan: ImportPlan, account: str) -> None:
    """Let the account of import jobs at the token of an import, if it has one.

    Raises
    ------
    NotFoundError
        The token is gone.
    ManagerError
        The account may not be let at it.
    """
    if plan.has_token:
        secrets.allow(clients, token_of(plan), members.service_account(account))


def take_back(clients: Clients, plan: ImportPlan) -> None:
    """Let no job at the token of an import any more; it stays for whoever resumes the import."""
    if plan.has_token:
        with suppress(ManagerError):  # Secret Manager deletes it itself after some days
            secrets.disallow(clients, _kept(clients, plan))


def delete(clients: Clients, plan: ImportPlan) -> None:
    """Delete the token of an import, which is no longer needed, with all that grants it."""
    if plan.has_token:
        with suppress(ManagerError):  # Secret Manager deletes it itself after some days
            secrets.delete(clients, _kept(clients, plan))


def read(clients: Clients, plan: ImportPlan, *, by_job: bool) -> str:
    """Read the token of an import in its worker; empty where it has none.

    Parameters
    ----------
    by_job
        Whether the worker runs as the account that the token was handed to.

    Raises
    ------
    NotFoundError
        The token is gone.
    ManagerError
        It may not be read.
    """
    if not plan.has_token:
        return ""
    if not plan.project:
        raise secrets.gone("The worker was not told in which project it is kept.")
    return secrets.read(clients, token_of(plan), is_handed=by_job).strip()


def end(clients: Clients, plan: ImportPlan, *, by_job: bool) -> None:
    """End the token in the worker: an account of a job may destroy it, and not its secret."""
    if not by_job:
        delete(clients, plan)
    elif plan.has_token:
        with suppress(ManagerError):  # whoever sees the end of the import deletes it
            secrets.destroy(clients, token_of(plan))


def clear_away(clients: Clients, bucket: str, import_id: str, state: ImportState) -> None:
    """Take back what the job of an import had that has come to its end.

    Done by whoever sees the end, as a job may not change who reads its secret. The token of one
    that failed stays, so that it can be resumed.
    """
    folder = ImportFolder(SmallObjects(clients.storage(), bucket), import_id)
    try:
        plan = folder.plan(clients.settings)
    except ManagerError:
        return  # what is no import of ours has no token
    if state is ImportState.FAILED:
        take_back(clients, plan)
    else:
        delete(clients, plan)


def _kept(clients: Clients, plan: ImportPlan) -> HubToken:
    project = plan.project or project_of(clients, plan.bucket)
    return token_of(replace(plan, project=project))
