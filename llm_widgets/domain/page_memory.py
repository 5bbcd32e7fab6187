"""How much memory the page's server needs for its visitors; each has a kernel."""

from __future__ import annotations

_MIB = 1 << 20
KERNEL_BYTES = 70 * _MIB
"""Bytes of one visitor's kernel that is forked, of proportional set size (measured): 54 to 62 MB
with all widgets and Google's clients. It is that, and a fifth more for what their pages load."""
SPAWNED_KERNEL_BYTES = 120 * _MIB
"""The same where kernels can't be forked: 102 to 105 MB where 14 share their libraries."""
SERVER_BYTES = 350 * _MIB
"""Bytes that are left to the server, 184 MB after 30 visitors (measured), to the process that
kernels are forked from, 46 MB, and to what they need at their peaks."""

_WAITING = 1
"""Kernels that wait for a visitor, and count as the others do."""

_STEP_MIB = 256
_LEAST_MIB = 512
"""What Cloud Run takes at least in its second generation."""

_MOST_MIB_OF_CPUS = {1: 4096, 2: 8192, 4: 16384, 8: 32768}
"""MiB that go with so many vCPUs at most; source:
https://docs.cloud.google.com/run/docs/configuring/services/memory-limits, December 2026."""

MOST_VISITORS = (_MOST_MIB_OF_CPUS[8] * _MIB - SERVER_BYTES) // KERNEL_BYTES - _WAITING
"""Visitors that the largest instance of Cloud Run has room for."""


def most_kernels(memory: int, kernel: int = KERNEL_BYTES) -> int:
    """Return how many kernels of so many bytes fit into the memory, in bytes; at least one."""
    return max(1, (memory - SERVER_BYTES) // kernel)


def mebibytes(visitors: int) -> int:
    """Return how many MiB an instance needs for so many visitors at the same time.

    One kernel more waits for the next visitor.
    """
    needed = -(-(SERVER_BYTES + (visitors + _WAITING) * KERNEL_BYTES) // _MIB)
    return max(_LEAST_MIB, -(-needed // _STEP_MIB) * _STEP_MIB)


def cpus(mebibytes: int) -> int:
    """Return how many vCPUs an instance has at least that has so many MiB."""
    return next(count for count, most in _MOST_MIB_OF_CPUS.items() if mebibytes <= most)
