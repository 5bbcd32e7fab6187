"""How many kernels the memory has room for."""

from __future__ import annotations

import os
from pathlib import Path

_MIB = 1 << 20
KERNEL_BYTES = 120 * _MIB
"""Bytes of one visitor's kernel: 90 MB when it starts, 117 MB with Google's clients (measured)."""
SERVER_BYTES = 300 * _MIB
"""Bytes that are left to the server, 101 MB (measured), and to what it needs at its peaks."""

# https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files, and version 1's name
_GROUPS = Path("/sys/fs/cgroup")
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
_OWN_GROUP = Path("/proc/self/cgroup")


def most_kernels(memory: int) -> int:
    """Return how many kernels fit into so many bytes of memory; at least one."""
    return max(1, (memory - SERVER_BYTES) // KERNEL_BYTES)


def memory_bytes(groups: Path = _GROUPS, own_group: Path = _OWN_GROUP) -> int:
    """Return the bytes of memory of this container; of the machine if nothing limits it."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    folders = [groups, *_own_folders(groups, own_group)]
    limits = [_limit(folder / name) for folder in folders for name in _LIMITS]
    return min([machine, *(limit for limit in limits if limit)])


def _own_folders(groups: Path, own_group: Path) -> list[Path]:
    """Return the folders of this process's group, up to the root; each may set a limit."""
    try:
        lines = own_group.read_text("ascii").splitlines()
    except (OSError, ValueError):
        return []
    paths = [line.partition("::")[2].strip("/") for line in lines if line.startswith("0::")]
    return [folder for path in paths for folder in _upwards(groups, path)]


def _upwards(groups: Path, path: str) -> list[Path]:
    parts = [part for part in path.split("/") if part not in {"", ".."}]
    return [groups.joinpath(*parts[:count]) for count in range(1, len(parts) + 1)]


def _limit(file: Path) -> int | None:
    try:
        text = file.read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else None  # "max": no limit
