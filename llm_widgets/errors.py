"""Failures as a person reads them: what happened, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role for a member, on ``projects/P``, ``buckets/B`` or ``serviceAccounts/E``."""

    role: str
    resource: str
    member: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What a person can do about a failure: at least one of the parts is there.

    Attributes
    ----------
    text
        One sentence, for example ``"Accept the licence on the model's page."``
    command
        A command line that can be copied and run as it stands.
    url
        A page that leads to the fix, opened in a new tab.
    action
        The key of an action that the product can carry out itself, for example
        ``"enable-api:run.googleapis.com"``. Views map it to a button.
    grant
        What the command grants; ``None`` where it grants nothing, or not by itself.
    """

    text: str = ""
    command: str = ""
    url: str = ""
    action: str = ""
    grant: RoleGrant | None = None


class ManagerError(Exception):
    """A failure that a person caused or met.

    Parameters
    ----------
    message
        One clear sentence that says what did not happen.
    cause
        Why, in a sentence or in the words of the API; empty when the message says it all.
    fix
        What to do; ``None`` when nothing is known.
    field
        Where a person typed what is wrong; empty where nothing typed is, or it is not known.
    """

    def __init__(
        self, message: str, *, field: str = "", cause: str = "", fix: Fix | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.cause = cause
        self.fix = fix

    def __str__(self) -> str:
        """Return the message, the cause and the fix as they are printed on a terminal."""
        parts = [self.message]
        if self.cause:
            parts.append(f"Cause: {self.cause}")
        if self.fix:
            told = [self.fix.text, self.fix.command, self.fix.url]
            parts.append("Fix: " + " ".join(part for part in told if part))
        return "\n".join(parts)

    def _render_traceback_(self) -> list[str]:
        """Return what IPython and notebooks show in place of a traceback."""
        return str(self).splitlines()


class InvalidInputError(ManagerError):
    """A value that a person typed can't be used."""


class NotFoundError(ManagerError):
    """The thing does not exist, or this identity may not know that it does."""


class AlreadyExistsError(ManagerError):
    """The name is taken."""


class ConflictError(ManagerError):
    """Somebody else changed the thing since it was read."""


class InUseError(ConflictError):
    """Something else needs the thing; who insists can do it all the same."""


class DeniedError(ManagerError):
    """The identity lacks a permission."""


class ProjectError(DeniedError):
    """The project is deleted or suspended, or there is none of that name."""


class QuotaProjectError(DeniedError):
    """The credentials of a person name no project that calls may count against."""


class SignInError(ManagerError):
    """There are no usable credentials."""


class ApiDisabledError(ManagerError):
    """The Google API is not enabled in the project."""


class BillingError(ManagerError):
    """The project has no active billing account."""


class QuotaError(ManagerError):
    """A quota does not allow it."""


class PolicyError(ManagerError):
    """A policy of the organization, of a service perimeter or of a bucket does not allow it."""


class UnavailableError(ManagerError):
    """The other side did not answer, or not in time; trying again may help.

    Parameters
    ----------
    retry_after
        Seconds after which to try again, ``None`` where nobody told.
    """

    def __init__(
        self,
        message: str,
        *,
        field: str = "",
        cause: str = "",
        fix: Fix | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, field=field, cause=cause, fix=fix)
        self.retry_after = retry_after


class RateLimitError(UnavailableError):
    """Too much was asked in too short a time; asked more slowly, it works."""


class NoInstanceError(UnavailableError):
    """No instance of a service is free for a request."""


class HubError(ManagerError):
    """A model hub refused or failed."""


class GatedModelError(HubError):
    """The model needs an accepted licence or a token that may read it."""


class TransferError(ManagerError):
    """Bytes could not be moved, or were not those that the hub promised."""


class DocumentError(ManagerError):
    """A document in a bucket is damaged, or not one that this product wrote."""


class DeploymentError(ManagerError):
    """A service did not come up."""


def unexpected(error: Exception) -> ManagerError:
    """Word a failure that nobody foresaw; its traceback is in the log, never on the page."""
    return ManagerError(
        "Unexpected error in the manager.",
        cause=f"{type(error).__name__}: {error}",
        fix=Fix(text="Try again. If it keeps happening, see the manager's log."),
    )
