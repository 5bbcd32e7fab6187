"""Refusals of Cloud Storage, in the shapes and words of its JSON API and its XML API."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from werkzeug import Response

from local_cloud.access import Denied, Unauthenticated
from local_cloud.web import google_error

if TYPE_CHECKING:
    from local_cloud.errors import ApiError
    from local_cloud.issuer import Caller

_XML_TEXTS = {
    "AccessDenied": "Access denied.",
    "AuthenticationRequired": "Authentication required.",
    "BadDigest": "The Content-MD5 or checksum you specified did not match what we received.",
    "EntityTooSmall": "Your proposed upload is smaller than the minimum allowed object size.",
    "InvalidArgument": "Invalid argument.",
    "InvalidPart": (
        "One or more of the specified parts could not be found. The part may not have been "
        "uploaded, or the specified entity tag may not match the part's entity tag."
    ),
    "InvalidPartOrder": (
        "The list of parts was not in ascending order. Parts must be ordered by part number."
    ),
    "InvalidRange": "The requested range cannot be satisfied.",
    "MalformedCompleteMultipartUploadRequest": (
        "The XML you provided was not well-formed or did not validate against our published schema."
    ),
    "MethodNotAllowed": "The specified method is not allowed against this resource.",
    "NoSuchBucket": "The specified bucket does not exist.",
    "NoSuchKey": "The specified key does not exist.",
    "NoSuchUpload": "The requested upload was not found.",
    "PreconditionFailed": "At least one of the pre-conditions you specified did not hold.",
}

#: The JSON API's reason for each canonical code that the shared parts of the local cloud raise.
_REASONS = {
    "INVALID_ARGUMENT": (400, "invalid"),
    "UNAUTHENTICATED": (401, "authError"),
    "PERMISSION_DENIED": (403, "forbidden"),
    "NOT_FOUND": (404, "notFound"),
    "ABORTED": (412, "conditionNotMet"),
}


class StorageError(Exception):
    """A refusal.

    Parameters
    ----------
    status
        HTTP status code.
    reason
        The JSON API's word for it, such as ``"notFound"``.
    message
        The JSON API's text; the XML API gives it as details.
    xml
        The XML API's code, such as ``"NoSuchKey"``.
    """

    def __init__(self, status: int, reason: str, message: str, xml: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.xml = xml or ("InvalidArgument" if status < 500 else "InternalError")  # noqa: PLR2004 -- the server's faults begin at 500

    def json(self) -> Response:
        """Return the response of the JSON API."""
        if self.status == 304:  # noqa: PLR2004 -- Not Modified has no body
            return Response(status=304)
        return google_error(self.status, self.reason, self.message)

    def as_xml(self) -> Response:
        """Return the response of the XML API."""
        text = _XML_TEXTS.get(self.xml, self.message)
        details = f"<Details>{escape(self.message)}</Details>" if text != self.message else ""
        body = (
            "<?xml version='1.0' encoding='UTF-8'?>"
            f"<Error><Code>{self.xml}</Code><Message>{escape(text)}</Message>{details}</Error>"
        )
        return Response(body, self.status, content_type="application/xml; charset=UTF-8")


def from_api_error(error: ApiError) -> StorageError:
    """Return a refusal of the shared parts of the local cloud in Cloud Storage's words."""
    if isinstance(error, Unauthenticated):
        return StorageError(401, "authError", "Invalid Credentials", "AuthenticationRequired")
    status, reason = _REASONS.get(error.reason, (error.status, "backendError"))
    if isinstance(error, Denied):
        return denied(error.caller, error.permission, error.resource)
    if any(detail.get("reason") == "SERVICE_DISABLED" for detail in error.details):
        reason = "accessNotConfigured"
    return StorageError(status, reason, error.message, "AccessDenied" if status == 403 else "")  # noqa: PLR2004 -- forbidden


def denied(caller: Caller, permission: str, resource: str) -> StorageError:
    """Return the error for a caller that lacks a permission, in Cloud Storage's words."""
    kind = (
        "object" if permission.startswith(("storage.objects.", "storage.multipart")) else "bucket"
    )
    if not resource.startswith("projects/_/"):
        kind = "project"
    who = caller.email or "Anonymous caller"
    message = (
        f"{who} does not have {permission} access to the Google Cloud "
        f"{'' if kind == 'project' else 'Storage '}{kind}. Permission '{permission}' denied on "
        "resource (or it may not exist)."
    )
    if caller.email:
        return StorageError(403, "forbidden", message, "AccessDenied")
    return StorageError(401, "required", message, "AuthenticationRequired")


def invalid(message: str) -> StorageError:
    """Return the error for an argument that is not valid (400)."""
    return StorageError(400, "invalid", message)


def no_bucket() -> StorageError:
    """Return the error for a bucket that is not there (404)."""
    return StorageError(404, "notFound", "The specified bucket does not exist.", "NoSuchBucket")


def no_object(bucket: str, name: str) -> StorageError:
    """Return the error for an object that is not there (404)."""
    return StorageError(404, "notFound", f"No such object: {bucket}/{name}", "NoSuchKey")


def precondition_failed() -> StorageError:
    """Return the error for a precondition that did not hold (412)."""
    return StorageError(
        412,
        "conditionNotMet",
        "At least one of the pre-conditions you specified did not hold.",
        "PreconditionFailed",
    )
