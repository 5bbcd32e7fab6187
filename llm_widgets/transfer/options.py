"""Options of a transfer: measured defaults, changed by tests and benchmarks only."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20

MOST_PARTS = 10_000
"""Parts of a file that Cloud Storage takes."""

MAX_PARTS = 9000
"""Parts of the largest file; the rest is reserve."""

MIN_PART = 5 * MIB
"""Cloud Storage refuses smaller parts, except for the last one."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a transfer.

    Attributes
    ----------
    min_workers
        Workers in the beginning, and the fewest later on. Each moves one part at a time.
    workers
        Most workers. Hugging Face throttles a client with many more connections.
    measure_every
        Seconds between two measurements of the rate, after which another number of workers may
        be tried.
    memory
        Bytes that the buffers of all workers may take together.
    part_size
        Bytes of a part, unless a file is so large that it would take too many.
    prefetch_below
        Share of a part still to arrive below which a worker requests its next part, by another
        connection.
    shard_from
        Bytes of the smallest file that is cut into shards, which the tasks of a job move together.
    open_files
        Files among which the workers spread, so that more than one digest is computed at a time.
    connect_timeout, stall_timeout
        Seconds until a connection that can't be made, or that neither delivers nor accepts
        anything, is dropped.
    give_up_after
        Seconds without any progress of a part after which the import fails.
    first_wait, longest_wait
        Seconds to wait before the first and the last retry; the time between doubles.
    save_every
        Seconds between two writes of one small object; Cloud Storage allows one a second.
    """

    min_workers: int = 2
    workers: int = 16
    measure_every: float = 0.2
    memory: int = 160 * MIB
    part_size: int = 16 * MIB
    prefetch_below: float = 0.5
    shard_from: int = 1024 * MIB
    open_files: int = 4
    connect_timeout: float = 20.0
    stall_timeout: float = 30.0
    give_up_after: float = 300.0
    first_wait: float = 0.2
    longest_wait: float = 20.0
    save_every: float = 1.0


def max_workers(part_size: int, options: Options) -> int:
    """Return how many workers the memory allows, for parts of so many bytes."""
    return max(1, min(options.workers, options.memory // part_size))


def part_size_for(size: int, options: Options) -> int:
    """Return the bytes of a file's parts: a multiple of 1 MiB, so large that they are few enough.

    Parameters
    ----------
    size
        Bytes of the file.
    """
    least = -(-size // MAX_PARTS)
    return max(options.part_size, -(-least // MIB) * MIB)
