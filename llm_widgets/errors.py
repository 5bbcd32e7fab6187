"""Failures as a person reads them: what happened, why, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    text: str = ""
    command: str = ""
    url: str = ""
    action: str = ""


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


class SignInError(ManagerError):
    """There are no usable credentials."""


class ApiDisabledError(ManagerError):
    """The Google API is not enabled in the project."""


class BillingError(ManagerError):
    """The project has no active billing account."""


class QuotaError(ManagerError):
    """A quota does not allow it."""


class UnavailableError(ManagerError):
    """The other side did not answer, or not in time; trying again may help."""


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
        "Something went wrong inside the manager itself.",
        cause=f"{type(error).__name__}: {error}",
        fix=Fix(text="Try again; if it stays, the log of the manager has the details."),
    )
