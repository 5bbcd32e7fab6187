"""What a revision of a service can read of a bucket: by mounts, arguments and variables.

Whoever may change a service writes its annotations. They are not asked here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from llm_widgets.domain import folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.gcp.client import lazy

    Revision: TypeAlias = lazy.run_v2.RevisionTemplate | lazy.run_v2.Revision

_FOLDER_OPTION = "only-dir"
_NOT_LONGER = r"(?![\w.+~-])"  # not a folder that begins with the same letters
# What a path ends at in arguments, scripts, JSON and lists of paths.
_BELOW = r"(?:/(?P<below>[^\s\"'`,;:)\]}]*))?"


def can_read(revision: Revision, bucket: str, record: ModelRecord) -> bool:
    """Return whether a revision can read a model; also where that is not clear.

    Who mounts the whole bucket reads another model only if all that it is told names others.
    """
    if names(revision, _address(f"{bucket}/{record.prefix}")):
        return True
    for volume in revision.volumes:
        if volume.gcs.bucket == bucket:
            mounted = _mounted(volume.gcs.mount_options)
            if mounted is None or (mounted and folders.overlap(mounted, record.prefix)):
                return True
            if not mounted and not _is_told_another(revision, volume.name, record):
                return True
    return False


def can_read_any(revision: Revision, bucket: str) -> bool:
    """Return whether a revision reads anything of a bucket."""
    mounts = any(volume.gcs.bucket == bucket for volume in revision.volumes)
    return mounts or names(revision, _address(bucket))


def names(revision: Revision, address: re.Pattern[str]) -> bool:
    """Return whether a command, an argument or a variable of a revision holds an address."""
    return any(
        address.search(text) for container in revision.containers for text in _told(container)
    )


def _address(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(f"gs://{path}") + r"(?![\w.-])")


def _mounted(options: Iterable[str]) -> str | None:
    """Return the folder that is mounted, empty for the whole bucket, ``None`` if not clear."""
    found = []
    for option in options:
        name, _, value = option.partition("=")
        if name.strip(" -").replace("_", "-") == _FOLDER_OPTION:
            found.append(value.strip("/"))
        elif _FOLDER_OPTION in option.replace("_", "-"):
            return None  # behind another option in one text
    if not found:
        return ""
    (folder, *others) = found
    parts = folder.split("/")
    is_clear = not others and "," not in folder and not {"", ".", ".."} & set(parts)
    return folder if is_clear else None


def _is_told_another(revision: Revision, volume: str, record: ModelRecord) -> bool:
    """Return whether all containers that mount a whole bucket are told to read another model."""
    readers = [
        (container, [m.mount_path for m in container.volume_mounts if m.name == volume])
        for container in revision.containers
    ]
    told = [_named_below(container, paths) for container, paths in readers if paths]
    own = rf"{re.escape(record.prefix)}{_NOT_LONGER}"
    if record.id:
        own += rf"|(?<![\w./-]){re.escape(record.id)}{_NOT_LONGER}"
    return (
        bool(told)
        and not names(revision, re.compile(own))
        and all(
            any(map(folders.may_be_of_model, found))
            and not any(_may_hold(folder, record.prefix) for folder in found)
            for found in told
        )
    )


def _may_hold(folder: str, prefix: str) -> bool:
    """Return whether a folder as it is written may have to do with a model's one."""
    return not folders.is_plain(folder) or folders.overlap(folder, prefix)


def _named_below(container: lazy.run_v2.Container, paths: Iterable[str]) -> set[str]:
    """Return the folders below some mounts that a container is told; empty for a mount itself."""
    found = set()
    for path in paths:
        place = re.escape(path.rstrip("/"))
        named = re.compile(rf"(?<![\w.+~/-]){place}{_NOT_LONGER}{_BELOW}")
        for text in (*_told(container), container.working_dir):
            found |= {(each["below"] or "").rstrip("/") for each in named.finditer(text)}
    return found


def _told(container: lazy.run_v2.Container) -> Iterator[str]:
    yield from container.command
    yield from container.args
    yield from (env.value for env in container.env)
