"""How much memory this container has."""

from __future__ import annotations

import os
from pathlib import Path

# https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
# https://docs.kernel.org/admin-guide/cgroup-v1/memory.html: groups are below a folder of their own
_GROUPS = Path("/sys/fs/cgroup")
_LIMITS = ("memory.max", "memory.limit_in_bytes")
_VERSION_1 = "memory"
_OWN_GROUP = Path("/proc/self/cgroup")


def memory_bytes(groups: Path = _GROUPS, own_group: Path = _OWN_GROUP) -> int:
    """Return the bytes of memory of this container; of the machine if nothing limits it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    folders = [groups, groups / _VERSION_1, *_own_folders(groups, own_group)]
    limits = [_limit(folder / name) for folder in folders for name in _LIMITS]
    return min([machine, *(limit for limit in limits if limit)])


def _own_folders(groups: Path, own_group: Path) -> list[Path]:
    """Return the folders of this process's groups, up to the root; each may set a limit."""
    try:
        lines = own_group.read_text("ascii").splitlines()
    except (OSError, ValueError):
        return []
    found = []
    for _, controllers, path in (line.split(":", 2) for line in lines if line.count(":") > 1):
        if not controllers:
            found += _upwards(groups, path)
        elif _VERSION_1 in controllers.split(","):
            found += _upwards(groups / _VERSION_1, path)
    return found


def _upwards(groups: Path, path: str) -> list[Path]:
    parts = [part for part in path.split("/") if part not in {"", ".."}]
    return [groups.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]


def _limit(file: Path) -> int | None:
    try:
        text = file.read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None  # "max": no limit
