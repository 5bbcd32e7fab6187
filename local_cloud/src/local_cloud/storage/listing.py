"""Lists of objects: prefixes, delimiters, offsets, globs and pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_cloud.storage.backend import noncurrent_of, objects_of, version_key
from local_cloud.storage.failures import invalid
from local_cloud.storage.history import soft_deleted_objects
from local_cloud.storage.objects import render
from local_cloud.storage.paging import decode_token, encode_token, page_of, page_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_cloud.storage.backend import Backend, Call

#: Records read at a time.
_BATCH = 1000

#: Sorts after every character that a name may hold.
_LAST = "\U0010ffff"

_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]]+\]|\{[^{}]*\}|[^*?\[{]+|.", re.DOTALL)


def list_objects(backend: Backend, call: Call, bucket: str) -> dict[str, Any]:
    """Return a page of a bucket's objects, and of the common prefixes below a delimiter."""
    backend.require(call, "storage.objects.list", bucket)
    size, after = page_size(call), decode_token(call)
    items: list[dict[str, Any]] = []
    prefixes: list[str] = []
    token = last = ""
    for name, resource in _entries(backend, call, bucket, after):
        if len(items) + len(prefixes) == size:
            token = encode_token(last)
            break
        if resource is None:
            prefixes.append(name)
        else:
            items.append(render(resource, call.base))
        last = name
    return {
        "kind": "storage#objects",
        **({"items": items} if items else {}),
        **({"prefixes": prefixes} if prefixes else {}),
        **({"nextPageToken": token} if token else {}),
    }


def list_history(backend: Backend, call: Call, bucket: str) -> dict[str, Any]:
    """Return a page of all versions of a bucket's objects, or of its soft-deleted objects."""
    backend.require(call, "storage.objects.list", bucket)
    prefix, delimiter = call.args.get("prefix", ""), call.args.get("delimiter", "")
    if call.flag("versions") and call.flag("softDeleted"):
        raise invalid("Cannot list both versions and soft-deleted objects.")
    if call.flag("softDeleted"):
        found = soft_deleted_objects(backend, bucket, prefix)
    else:
        found = [
            record["resource"]
            for kind in (objects_of(bucket), noncurrent_of(bucket))
            for _, record in backend.store.list(kind, prefix)
        ]
    entries: dict[str, dict[str, Any] | None] = {}
    for resource in found:
        name = resource["name"]
        cut = name.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            entries[name[: cut + len(delimiter)]] = None
        else:
            entries[version_key(resource)] = resource
    page, token = page_of(sorted(entries.items()), call)
    items = [render(resource, call.base) for _, resource in page if resource]
    prefixes = [name for name, resource in page if resource is None]
    return {
        "kind": "storage#objects",
        **({"items": items} if items else {}),
        **({"prefixes": prefixes} if prefixes else {}),
        **({"nextPageToken": token} if token else {}),
    }


def glob_pattern(glob: str) -> re.Pattern[str]:
    """Translate a ``matchGlob`` to a regular expression on the whole name.

    ``*`` and ``?`` stop at slashes, ``**`` does not, ``**/`` also matches nothing, ``[a-z]`` and
    ``[!a-z]`` are classes, ``{a,b}`` are alternatives.
    """
    text = ""
    for token in _GLOB.findall(glob):
        if token.startswith("{") and token.endswith("}"):
            choices = (glob_pattern(choice).pattern for choice in token[1:-1].split(","))
            text += f"(?:{'|'.join(choices)})"
        elif token.startswith("[") and len(token) > 1:
            inner = token[1:-1].replace("\\", r"\\")
            text += f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
        else:
            text += _WILDCARDS.get(token) or re.escape(token)
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise invalid(f"Invalid glob pattern: '{glob}'") from error


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _entries(
    backend: Backend, call: Call, bucket: str, after: str
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield names with their objects, and common prefixes with ``None``, in order."""
    prefix, delimiter = call.args.get("prefix", ""), call.args.get("delimiter", "")
    end = call.args.get("endOffset", "")
    glob = call.args.get("matchGlob", "")
    pattern = glob_pattern(glob) if glob else None
    trailing = call.flag("includeTrailingDelimiter")
    start = max(call.args.get("startOffset", ""), f"{after}\0" if after else "")
    if after and delimiter and after.endswith(delimiter) and after != prefix:
        start = after + _LAST  # the page before ended with a common prefix
    while True:
        batch = backend.store.list(objects_of(bucket), prefix, start, _BATCH)
        jumped = False
        for name, record in batch:
            if end and name >= end:
                return
            cut = name.find(delimiter, len(prefix)) if delimiter else -1
            common = name[: cut + len(delimiter)] if cut >= 0 else ""
            if pattern and not pattern.fullmatch(name):
                continue
            if not common or (trailing and name == common):
                yield name, record["resource"]
            if common:
                yield common, None
                start, jumped = common + _LAST, True
                break
        if not jumped:
            if len(batch) < _BATCH:
                return
            start = batch[-1][0] + "\0"
