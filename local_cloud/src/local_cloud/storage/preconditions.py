"""Preconditions on generations: a change happens only to the state that the client knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_cloud.storage.failures import StorageError, invalid, precondition_failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import Headers

_NAMES = (
    "GenerationMatch",
    "GenerationNotMatch",
    "MetagenerationMatch",
    "MetagenerationNotMatch",
)

#: The XML API's headers, and the JSON API's parameters that mean the same.
XML_HEADERS = {
    "X-Goog-If-Generation-Match": "ifGenerationMatch",
    "X-Goog-If-Metageneration-Match": "ifMetagenerationMatch",
}


def check(
    args: Mapping[str, str],
    resource: Mapping[str, Any] | None,
    *,
    prefix: str = "if",
    reading: bool = False,
) -> None:
    """Check that the preconditions in a request's parameters hold.

    Parameters
    ----------
    args
        The parameters; those that are no preconditions are ignored.
    resource
        The live object or bucket; ``None`` counts as generation 0.
    prefix
        ``"if"``, or ``"ifSource"`` for the source of a copy.
    reading
        Whether the call only reads: then "not match" answers 304 in place of 412.

    Raises
    ------
    StorageError
        412, 304, or 400 for a value that is no number.
    """
    for name in _NAMES:
        text = args.get(prefix + name)
        if text is None:
            continue
        if not text.isascii() or not text.lstrip("-").isdigit():
            raise invalid(f"Invalid value for {prefix + name}: '{text}'.")
        field = "metageneration" if name.startswith("Meta") else "generation"
        same = int(text) == int((resource or {}).get(field, 0))
        if same is not name.endswith("NotMatch"):
            continue
        if reading and name.endswith("NotMatch"):
            raise StorageError(304, "notModified", "Not Modified")
        raise precondition_failed()


def given(args: Mapping[str, str]) -> dict[str, str]:
    """Pick the preconditions out of a request's parameters, to keep them with a session."""
    return {"if" + name: args["if" + name] for name in _NAMES if "if" + name in args}


def from_headers(headers: Headers) -> dict[str, str]:
    """Read the preconditions of an XML API request."""
    return {name: headers[header] for header, name in XML_HEADERS.items() if header in headers}
