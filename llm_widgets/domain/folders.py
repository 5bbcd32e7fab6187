"""Folders of a bucket: which names are plain, and which folder a model may own."""

from __future__ import annotations

import re

OWN_FOLDER = "llm-manager"
"""Where this product keeps its own objects in a bucket. No model lies there."""

_PLAIN = re.compile(r"[A-Za-z0-9_@+:.~-]+")
_LONGEST = 512  # characters
_LEAST_PARTS = 3  # hub, model and revision

_IMPORT_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def is_import_id(value: str) -> bool:
    """Return whether a text can be the id of an import: it names objects, files and secrets."""
    return bool(_IMPORT_ID.fullmatch(value))


def is_plain(folder: str) -> bool:
    """Return whether a folder's name means the same wherever it stands.

    Such a name has no empty part, no ``.`` and ``..``, and no character that ends a value among
    options, as a comma or a line break does. It is no folder of this product's own.
    """
    parts = folder.split("/")
    return (
        len(folder) <= _LONGEST
        and all(_PLAIN.fullmatch(part) for part in parts)
        and not {".", ".."} & set(parts)
        and parts[0] != OWN_FOLDER
    )


def may_be_of_model(folder: str) -> bool:
    """Return whether a folder's name could be that of a model's folder."""
    return is_plain(folder) and folder.count("/") >= _LEAST_PARTS - 1


def is_of_model(folder: str, source: str, revision: str) -> bool:
    """Return whether a folder is one that an import of a model makes for itself.

    That is ``<hub>/…/<revision>``, where the revision may be shortened. Nothing else lies in it.
    """
    parts = folder.split("/")
    return (
        is_plain(folder)
        and len(parts) >= _LEAST_PARTS
        and parts[0] == source
        and revision.startswith(parts[-1])
    )


def overlap(one: str, other: str) -> bool:
    """Return whether one of two folders lies in the other, or is it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
