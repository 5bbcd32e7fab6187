"""Names that Cloud Storage accepts.

Source: "About Cloud Storage buckets" and "About Cloud Storage objects" in its documentation.
"""

from __future__ import annotations

import ipaddress
import re

from local_cloud.storage.failures import StorageError, invalid

_BUCKET = re.compile(r"[a-z0-9][-_.a-z0-9]*[a-z0-9]")
_MAX_COMPONENT = 63
_MAX_BUCKET = 222
_MAX_OBJECT_BYTES = 1024
_LABEL_KEY = re.compile(r"[^\W\d_A-Z][\w-]{0,62}")
_LABEL_VALUE = re.compile(r"[\w-]{0,63}")
_MAX_LABELS = 64


def check_bucket(name: str) -> None:
    """Check that a bucket can be given this name.

    Raises
    ------
    StorageError
        400: it breaks a rule. 403: it is a domain name, which takes a proof of ownership.
    """
    lengths = [len(part) for part in name.split(".")]
    valid = (
        _BUCKET.fullmatch(name)
        and 3 <= len(name) <= (_MAX_BUCKET if "." in name else _MAX_COMPONENT)  # noqa: PLR2004 -- the shortest name
        and all(1 <= length <= _MAX_COMPONENT for length in lengths)
        and not name.startswith("goog")
        and not re.search(r"g[o0][o0]g[l1]e", name)
        and not _is_address(name)
    )
    if not valid:
        raise invalid(f"Invalid bucket name: '{name}'")
    if "." in name:
        raise StorageError(
            403,
            "forbidden",
            f"The bucket you tried to create requires domain ownership verification. Verify that "
            f"you own '{name}' or choose a name without dots.",
        )


def check_object(name: str) -> None:
    """Check that an object can have this name.

    Raises
    ------
    StorageError
        400: it cannot.
    """
    if not name:
        raise StorageError(400, "required", "Required parameter: name")
    if len(name.encode()) > _MAX_OBJECT_BYTES:
        raise invalid(
            "The maximum object length is 1024 characters, but got a name with "
            f"{len(name.encode())} characters: '{name[:64]}...'"
        )
    if (
        name in {".", ".."}
        or "\r" in name
        or "\n" in name
        or name.startswith(".well-known/acme-challenge/")
    ):
        raise invalid(f"Disallowed unicode characters present in object name '{name}'")


def check_labels(labels: dict[str, str | None]) -> None:
    """Check that a bucket can have these labels.

    Raises
    ------
    StorageError
        400: it cannot.
    """
    if len(labels) > _MAX_LABELS:
        raise invalid(f"The number of labels {len(labels)} exceeds the limit of {_MAX_LABELS}.")
    for key, value in labels.items():
        if key != key.lower() or not _LABEL_KEY.fullmatch(key):
            raise invalid(f"The label key '{key}' is invalid.")
        if value is not None and (value != value.lower() or not _LABEL_VALUE.fullmatch(value)):
            raise invalid(f"The label value '{value}' is invalid.")


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True
