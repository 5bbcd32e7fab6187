"""Failures of Google's APIs, translated for a person."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_widgets.domain import links
from llm_widgets.errors import Fix, ManagerError, UnavailableError
from llm_widgets.gcp.auth import sign_in
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.refusals import reading, rules
from llm_widgets.gcp.refusals.doing import Doing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from google.auth.exceptions import GoogleAuthError

    from llm_widgets.gcp.client.clients import Clients


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
        See :class:`llm_widgets.gcp.refusals.doing.Doing`.

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
        return rules.worded(reading.of_error(error), doing)
    if isinstance(error, _silences()) or getattr(error, "retryable", False):
        return _unreachable(str(error), doing)
    if isinstance(error, lazy.auth_exceptions.GoogleAuthError):
        return _without_token(error, doing)
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


def _without_token(error: GoogleAuthError, doing: Doing) -> ManagerError:
    """Word why there is no token: an API that makes them may have refused, and says why."""
    refusals = (reading.of_body(said) for said in error.args)
    refusal = next(filter(None, refusals), None)
    worded = rules.special(refusal, doing) if refusal else None
    return worded or sign_in.refused(str(error.args[0] if error.args else error))


def _unreachable(cause: str, doing: Doing) -> UnavailableError:
    other = doing.clients.settings.cloud if doing.clients else "Google Cloud"
    return UnavailableError(
        doing.cant(f"{other} does not answer"),
        cause=cause,
        fix=Fix(text=f"Check that this machine reaches {other}, then try again."),
    )
