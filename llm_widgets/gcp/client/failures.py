"""Failures of Google's APIs, translated for a person."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import links, members
from llm_widgets.errors import (
    AlreadyExistsError,
    ApiDisabledError,
    BillingError,
    ConflictError,
    DeniedError,
    Fix,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    QuotaError,
    UnavailableError,
)
from llm_widgets.gcp.auth import identity, sign_in
from llm_widgets.gcp.client import lazy, messages
from llm_widgets.gcp.iam import role_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from google.api_core.exceptions import GoogleAPICallError

    from llm_widgets.gcp.client.clients import Clients

_TRY_AGAIN = Fix(text="Try again in a minute.")
_RELOAD = Fix(text="Somebody else changed it meanwhile: reload it, then try again.")


@dataclass(frozen=True, slots=True)
class Doing:
    """What was being done when an API refused.

    Attributes
    ----------
    text
        Goes on after "Can't", for example ``"list the buckets of my-project"``.
    clients
        Tell who lacks a permission; ``None`` when that is not to be found out.
    permission
        The permission that this takes, for answers that don't name it.
    """

    text: str
    clients: Clients | None = None
    project: str = ""
    bucket: str = ""
    permission: str = ""


@contextmanager
def explained(
    doing: str,
    *,
    clients: Clients | None = None,
    project: str = "",
    bucket: str = "",
    permission: str = "",
) -> Iterator[None]:
    """Turn what Google's packages raise inside into a :class:`ManagerError`.

    Parameters
    ----------
    doing
        Goes on after "Can't", for example ``"list the buckets of my-project"``.
    clients, project, bucket, permission
        See :class:`Doing`.

    Raises
    ------
    ManagerError
        One of its children, with cause and fix.
    """
    try:
        yield
    except ManagerError:
        raise
    except Exception as error:
        found = translated(error, Doing(doing, clients, project, bucket, permission))
        if found is None:
            raise
        if found.fix and clients and clients.settings.is_local_cloud:
            found.fix = links.without_console(found.fix)
        raise found from error


def about_service(
    clients: Clients, name: str, verb: str, permission: str
) -> AbstractContextManager[None]:
    """Explain what goes wrong with a service, given its resource name; see :func:`explained`.

    Parameters
    ----------
    verb
        What is done with it, for example ``"change"``.
    permission
        The last word of the permission for that, for example ``"update"``.
    """
    _, project, _, region, _, service_id = name.split("/")
    return explained(
        f"{verb} the service {service_id} in {region}",
        clients=clients,
        project=project,
        permission=f"run.services.{permission}",
    )


def translated(error: BaseException, doing: Doing) -> ManagerError | None:
    """Translate an exception; ``None`` for one that is not an answer of an API."""
    if isinstance(error, lazy.api_exceptions.RetryError) and error.cause:
        error = error.cause
    if isinstance(error, lazy.api_exceptions.GoogleAPICallError):
        return _special(error, doing) or _plain(error, doing)
    if isinstance(error, _silences()) or getattr(error, "retryable", False):
        return _unreachable(str(error), doing)
    if isinstance(error, lazy.auth_exceptions.GoogleAuthError):
        return sign_in.refused(str(error.args[0] if error.args else error))
    return None


def _silences() -> tuple[type[Exception], ...]:
    """Return what is raised when nobody answers."""
    return (
        lazy.api_exceptions.RetryError,
        lazy.auth_exceptions.TransportError,
        lazy.requests.RequestException,
        ConnectionError,
        TimeoutError,
    )


def _special(error: GoogleAPICallError, doing: Doing) -> ManagerError | None:
    """Word a refusal that has a fix of its own."""
    kinds = lazy.api_exceptions
    cause = _cause(error)
    if error.reason == "SERVICE_DISABLED" or messages.disabled_api(cause):
        return _api_disabled(error, cause, doing)
    if error.reason == "BILLING_DISABLED" or messages.is_about_billing(cause):
        return _billing(cause, doing)
    if messages.is_about_quota(cause):
        return _quota(cause, doing)
    if isinstance(error, kinds.Unauthorized):
        return sign_in.refused(cause)
    if isinstance(error, kinds.Forbidden):
        return _denied(error, cause, doing)
    return None


def _plain(error: GoogleAPICallError, doing: Doing) -> ManagerError:
    """Word a refusal by its code alone."""
    kinds = lazy.api_exceptions
    cause = _cause(error)
    if isinstance(error, kinds.Conflict) and messages.is_about_a_taken_name(cause):
        return AlreadyExistsError(f"Can't {doing.text}.", cause=cause)
    # The first that matches counts: FailedPrecondition is a BadRequest.
    outcomes: tuple[tuple[type[Exception], type[ManagerError], Fix | None], ...] = (
        (kinds.NotFound, NotFoundError, None),
        (kinds.Conflict, ConflictError, _RELOAD),
        (kinds.PreconditionFailed, ConflictError, _RELOAD),
        (kinds.FailedPrecondition, ManagerError, None),
        (kinds.BadRequest, InvalidInputError, None),
        (kinds.TooManyRequests, UnavailableError, _TRY_AGAIN),
        (kinds.ServerError, UnavailableError, _TRY_AGAIN),
    )
    for kind, outcome, fix in outcomes:
        if isinstance(error, kind):
            return outcome(f"Can't {doing.text}.", cause=cause, fix=fix)
    return ManagerError(f"Can't {doing.text}.", cause=cause)


def _cause(error: GoogleAPICallError) -> str:
    return messages.readable(error.message or str(error))


def _unreachable(cause: str, doing: Doing) -> UnavailableError:
    other = doing.clients.settings.cloud if doing.clients else "Google Cloud"
    return UnavailableError(
        f"Can't {doing.text}: {other} does not answer.",
        cause=cause,
        fix=Fix(text=f"Check that this machine reaches {other}, then try again."),
    )


def _api_disabled(error: GoogleAPICallError, cause: str, doing: Doing) -> ApiDisabledError:
    metadata: dict[str, Any] = error.metadata or {}
    api = metadata.get("service") or messages.disabled_api(cause)
    project = doing.project or str(metadata.get("consumer", "")).removeprefix("projects/")
    title = metadata.get("serviceTitle") or api
    where = f" in the project {project}" if project else ""
    if "." not in api:
        return ApiDisabledError(f"Can't {doing.text}: an API is not enabled{where}.", cause=cause)
    flag = f" --project={project}" if project else ""
    return ApiDisabledError(
        f"Can't {doing.text}: {title} is not enabled{where}.",
        cause=cause,
        fix=Fix(
            text="Enable it; it takes a minute or two to take effect.",
            command=f"gcloud services enable {api}{flag}",
            url=links.api(api, project),
            action=f"enable-api:{api}",
        ),
    )


def _billing(cause: str, doing: Doing) -> BillingError:
    project = doing.project or messages.project(cause)
    return BillingError(
        f"Can't {doing.text}: the project has no active billing account.",
        cause=cause,
        fix=Fix(
            text="Link a billing account to the project.",
            url=links.billing(project),
        ),
    )


def _quota(cause: str, doing: Doing) -> QuotaError:
    return QuotaError(
        f"Can't {doing.text}: a quota of the project does not allow it.",
        cause=cause,
        fix=Fix(
            text="Ask for less, free what is in use, or request a higher quota.",
            url=links.quotas(doing.project) if doing.project else links.GPU_QUOTA,
        ),
    )


def _denied(error: GoogleAPICallError, cause: str, doing: Doing) -> DeniedError:
    metadata: dict[str, Any] = error.metadata or {}
    permission = metadata.get("permission") or messages.permission(cause) or doing.permission
    account = messages.account(cause) if permission.startswith("iam.serviceAccounts.") else ""
    member = _member(doing)
    fix = role_catalogue.grant(
        permission,
        member,
        project=doing.project or messages.project(cause),
        bucket=doing.bucket or messages.bucket(cause),
        account=account,
    )
    if not permission:
        return DeniedError(f"Can't {doing.text}: access is denied.", cause=cause, fix=fix)
    who = members.label(member) or "this identity"
    on = f" on {account}" if account else ""
    return DeniedError(
        f"Can't {doing.text}: {who} lacks the permission {permission}{on}.", cause=cause, fix=fix
    )


def _member(doing: Doing) -> str:
    """Find out who was refused; this must not fail where something has failed already."""
    if doing.clients is None:
        return ""
    try:
        return identity.current(doing.clients).member
    except ManagerError:
        return ""
