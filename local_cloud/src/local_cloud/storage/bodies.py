"""JSON bodies that clients send: read within limits, and each field of the kind that it has."""

from __future__ import annotations

import json
import zlib
from typing import Any

from local_cloud.storage.failures import invalid

_LARGEST = 16 << 20  # bytes, decompressed; a policy or a bucket has some thousand
_TEXT = (str, int, float, bool)  # what Google's JSON parser takes for a text

#: The kind of a field: types, ``{name: kind}`` with ``"*"`` for any other name, or ``[kind]``.
#: Source: "Buckets", "Objects" and "Bucket policies" in the reference of the JSON API.
_KINDS: dict[str, Any] = {
    **dict.fromkeys(
        ("name", "location", "storageClass", "rpo", "etag", "contentType", "contentEncoding"), str
    ),
    **dict.fromkeys(("cacheControl", "contentDisposition", "contentLanguage", "customTime"), str),
    **dict.fromkeys(("autoclass", "billing", "encryption", "hierarchicalNamespace"), dict),
    **dict.fromkeys(("ipFilter", "logging", "objectRetention", "retentionPolicy"), dict),
    **dict.fromkeys(("softDeletePolicy", "versioning", "website"), dict),
    **dict.fromkeys(("defaultEventBasedHold", "eventBasedHold", "temporaryHold"), bool),
    "labels": {"*": str},
    "metadata": {"*": _TEXT},
    "bindings": [{"role": str, "members": [str], "condition": dict}],
    "cors": [dict],
    "customPlacementConfig": {"dataLocations": [str]},
    "destination": {"contentType": str, "metadata": {"*": _TEXT}, "storageClass": str},
    "iamConfiguration": {
        "bucketPolicyOnly": {"enabled": bool},
        "publicAccessPrevention": str,
        "uniformBucketLevelAccess": {"enabled": bool},
    },
    "lifecycle": {"rule": [{"action": {"type": str}, "condition": dict}]},
    "sourceObjects": [{"name": str}],
    "version": int,
}


def read(body: bytes, *, compressed: bool = False) -> dict[str, Any]:
    """Read a body as a JSON object; an empty body is an empty object.

    Raises
    ------
    StorageError
        400: it is none, it is too large, or a field is of another kind.
    """
    if compressed:
        body = _decompressed(body)
    if len(body) > _LARGEST:
        raise invalid("Request Too Large")
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise invalid("Parse Error") from error
    if not isinstance(value, dict):
        raise invalid("Parse Error")
    _check(value, _KINDS, "")
    return value


def _decompressed(body: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # gzip
    try:
        return unpacker.decompress(body, _LARGEST + 1)
    except zlib.error as error:
        raise invalid("Parse Error") from error


def _check(value: Any, kind: Any, where: str) -> None:
    """Go on if a value is of a kind, or null."""
    if value is None:
        return
    wanted = type(kind) if isinstance(kind, (dict, list)) else kind
    if not isinstance(value, wanted):
        raise invalid(f"Invalid value for: {where or 'the body'}.")
    if isinstance(kind, list):
        for each in value:
            if each is None:
                raise invalid(f"Invalid value for: {where}.")
            _check(each, kind[0], where)
    elif isinstance(kind, dict) and isinstance(value, dict):
        for name, each in value.items():
            below = kind.get(name, kind.get("*", object))
            _check(each, below, f"{where}.{name}" if where else name)
